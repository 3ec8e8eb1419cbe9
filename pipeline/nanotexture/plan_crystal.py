"""A recipe of one crystal as tasks: this module wires stages together and holds no physics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nanotexture.engine.task import Source, Task
from nanotexture.errors import UserError
from nanotexture.inputs import resolve
from nanotexture.map_task import files_before
from nanotexture.plan_frames import frame_sums
from nanotexture.prior_files import prior_file
from nanotexture.readers.crystal_array import read_crystal_header
from nanotexture.recipe_crystal import CrystalRecipe
from nanotexture.stages import crystal_models as models
from nanotexture.stages.crystal import crystal_choose, crystal_trial, load_crystal, phase_crystal
from nanotexture.stages.crystal_answer import crystal_answers, group_crystal
from nanotexture.stages.crystal_frames import crystal_of_frames
from nanotexture.stages.crystal_guess import GuessConfig, crystal_guess
from nanotexture.tables.input import Input

Shape = tuple[int, int, int]

THRESHOLDS = (0.05, 0.1, 0.15)  # of shrink-wrap, tried where the recipe tells none
PILOTS = 2  # starts of each


@dataclass(frozen=True)
class CrystalPlan:
    """All tasks of a recipe, the files they read, and the voxels of the array."""

    files: tuple[Path, ...]
    shape: tuple[int, int, int]
    diffraction: Task
    choice: Task
    guess: Task | None
    clusters: Task
    answers: Task

    @property
    def wanted(self) -> tuple[Task, ...]:
        """Tasks whose artefacts the result is made of."""
        guess = () if self.guess is None else (self.guess,)
        return (self.diffraction, self.choice, *guess, self.clusters, self.answers)


def plan_crystal(recipe: CrystalRecipe, path: Path) -> CrystalPlan:
    """Tasks of a recipe; reads headers, computes nothing; UserError says what is wrong with an input."""
    files, shape, loaded = _of_array(recipe, path) if recipe.convert is None else _of_frames(recipe, path)
    choice = _choice(recipe, loaded)
    told = recipe.invert
    weights = prior_file("crystal", told.prior, path, "invert.prior")
    guess = Task(crystal_guess, GuessConfig(), (loaded, Source(weights[0]))) if weights else None
    batches = [
        tuple(range(first, min(first + told.batch, told.starts)))
        for first in range(0, told.starts, told.batch)
    ]
    solutions = tuple(
        Task(
            phase_crystal,
            models.CrystalStartsConfig(solver=_solver(recipe), starts=batch, seed=told.seed),
            # only the batch that holds start 0 hangs on the guess
            (loaded, choice) if guess is None or batch[0] else (loaded, choice, guess),
            f"starts {batch[0]} to {batch[-1]}",
        )
        for batch in batches
    )
    clusters = Task(group_crystal, models.CrystalGroupConfig(), (loaded, solutions))
    answers = Task(crystal_answers, models.CrystalAnswersConfig(), (loaded, clusters))
    return CrystalPlan((*files, *weights), shape, loaded, choice, guess, clusters, answers)


def _of_array(recipe: CrystalRecipe, path: Path) -> tuple[tuple[Path, ...], Shape, Task]:
    """Files, voxels, and the task that loads an array."""
    (file,) = _one(resolve(recipe.input.files, path, "input.files"), path, "input.files")
    masks = () if recipe.input.mask is None else tuple(resolve([recipe.input.mask], path, "input.mask"))
    header = read_crystal_header(file, recipe.crystal.array)
    loaded = Task(load_crystal, _load(recipe), (Source(file), tuple(map(Source, masks))), file.name)
    return (file, *masks), header.shape, loaded


def _of_frames(recipe: CrystalRecipe, path: Path) -> tuple[tuple[Path, ...], Shape, Task]:
    """The same of frames, which are summed over the voxels of a volume first."""
    told, convert = recipe.crystal, recipe.convert
    assert convert is not None
    assert told.size is not None
    files = _one(resolve(recipe.input.files, path, "input.files"), path, "input.files")
    (one,) = frame_sums(_as_frames(recipe), convert.model_copy(update={"volume": True}), path, files)
    config = models.CrystalFramesConfig(
        hkl=told.hkl, d_spacing=told.spacing, size=told.size, seed=recipe.invert.seed
    )
    loaded = Task(crystal_of_frames, config, (one.sums, one.first, one.grid), one.scan.label)
    return files_before(loaded), told.size, loaded


def _as_frames(recipe: CrystalRecipe) -> Input:
    """The table of a recipe of frames; quantities were read from text with their units already."""
    told = recipe.input
    scans = () if told.scan is None else (told.scan,)
    grid = {name: getattr(told, name) for name in ("qx_range", "qy_range", "qz_range")}
    plain = Input(kind="frames", files=told.files, scans=scans, hkl=(recipe.crystal.hkl,))
    return plain.model_copy(update=grid | {"voxel": recipe.crystal.step})


def _one(files: list[Path], path: Path, field: str) -> list[Path]:
    if len(files) != 1:
        names = ", ".join(file.name for file in files)
        raise UserError(f"{path}: {field}: expected one array, found {len(files)}: {names}")
    return files


def _load(recipe: CrystalRecipe) -> models.LoadCrystalConfig:
    told = recipe.crystal
    return models.LoadCrystalConfig(
        hkl=told.hkl,
        d_spacing=told.spacing,
        voxel=told.voxel,
        step=told.step,
        q=told.q,
        values=told.values,
        peak_counts=told.peak_counts,
        unmeasured=told.unmeasured,
        array=told.array,
        mask=told.mask,
        seed=recipe.invert.seed,
    )


def _solver(recipe: CrystalRecipe) -> models.SolverConfig:
    told = recipe.invert
    return models.SolverConfig(
        solver=told.solver,
        beta=told.beta,
        cycles=told.cycles,
        even=told.even_cycles,
        iterations=told.iterations,
        refine=told.refine,
        hops=told.hops,
        first=told.first_support,
    )


def _choice(recipe: CrystalRecipe, loaded: Task) -> Task:
    """Threshold and coherence: told, or by the free chi2 of a few starts."""
    told = recipe.invert
    threshold = None if told.threshold == "auto" else told.threshold
    partial = None if told.coherence == "auto" else told.coherence == "partial"
    config = models.CrystalChooseConfig(threshold=threshold, partial=partial)
    if threshold is not None and partial is not None:
        return Task(crystal_choose, config, ((),))
    beams = (False, True) if partial is None else (partial,)
    trials = tuple(
        Task(
            crystal_trial,
            models.CrystalTrialConfig(
                solver=_solver(recipe),
                threshold=one,
                beams=beams,
                starts=tuple(range(min(PILOTS, told.starts))),
                seed=told.seed,
            ),
            (loaded,),
            f"threshold {one:g}",
        )
        for one in (THRESHOLDS if threshold is None else (threshold,))
    )
    return Task(crystal_choose, config, (trials,))
