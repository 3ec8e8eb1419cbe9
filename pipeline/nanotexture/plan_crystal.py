"""A recipe of one crystal as tasks: this module wires stages together and holds no physics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nanotexture.engine.task import Source, Task
from nanotexture.errors import UserError
from nanotexture.inputs import resolve
from nanotexture.readers.crystal_array import CrystalHeader, read_crystal_header
from nanotexture.recipe_crystal import CrystalRecipe
from nanotexture.stages import crystal_models as models
from nanotexture.stages.crystal import crystal_choose, crystal_trial, load_crystal, phase_crystal
from nanotexture.stages.crystal_answer import crystal_answers, group_crystal

THRESHOLDS = (0.05, 0.1, 0.15)  # of shrink-wrap, tried where the recipe tells none
PILOTS = 2  # starts of each


@dataclass(frozen=True)
class CrystalPlan:
    """All tasks of a recipe, the files they read, and what the header of the array says."""

    files: tuple[Path, ...]
    header: CrystalHeader
    diffraction: Task
    choice: Task
    clusters: Task
    answers: Task

    @property
    def wanted(self) -> tuple[Task, ...]:
        """Tasks whose artefacts the result is made of."""
        return (self.diffraction, self.choice, self.clusters, self.answers)


def plan_crystal(recipe: CrystalRecipe, path: Path) -> CrystalPlan:
    """Tasks of a recipe; reads the array's header, computes nothing; UserError says what is wrong with an input."""
    (file,) = _one(resolve(recipe.input.files, path, "input.files"), path, "input.files")
    masks = () if recipe.input.mask is None else tuple(resolve([recipe.input.mask], path, "input.mask"))
    header = read_crystal_header(file, recipe.crystal.array)
    loaded = Task(load_crystal, _load(recipe), (Source(file), tuple(map(Source, masks))), file.name)
    choice = _choice(recipe, loaded)
    told = recipe.invert
    batches = [
        tuple(range(first, min(first + told.batch, told.starts)))
        for first in range(0, told.starts, told.batch)
    ]
    solutions = tuple(
        Task(
            phase_crystal,
            models.CrystalStartsConfig(solver=_solver(recipe), starts=batch, seed=told.seed),
            (loaded, choice),
            f"starts {batch[0]} to {batch[-1]}",
        )
        for batch in batches
    )
    clusters = Task(group_crystal, models.CrystalGroupConfig(), (loaded, solutions))
    answers = Task(crystal_answers, models.CrystalAnswersConfig(), (loaded, clusters))
    return CrystalPlan((file, *masks), header, loaded, choice, clusters, answers)


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
        iterations=told.iterations,
        refine=told.refine,
        hops=told.hops,
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
