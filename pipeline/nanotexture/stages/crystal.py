"""Stages of one crystal: array to counts on a grid of Q, starts, the choice of their settings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.errors import UserError
from nanotexture.phasing.crystal import CrystalRun, CrystalSettings, projected, refined, solve_crystal
from nanotexture.phasing.crystal_pattern import Pattern, hold_out_blocks, pattern_of, sampling_ratios
from nanotexture.phasing.farfield import Complex
from nanotexture.preparation.crystal import (
    counts_of_amplitude,
    fast_window,
    not_measured,
    refuse_peak,
    refuse_sampling,
    refuse_values,
)
from nanotexture.quantities import CrystalChoice, CrystalGuess, CrystalSolutions, CrystalTrial, Diffraction
from nanotexture.readers.crystal_array import read_crystal, read_mask
from nanotexture.schema import CRYSTAL_CHOICE, CRYSTAL_SOLUTIONS, CRYSTAL_TRIAL, DIFFRACTION, labelled
from nanotexture.stages.crystal_models import (
    CrystalChooseConfig,
    CrystalFramesConfig,
    CrystalStartsConfig,
    CrystalTrialConfig,
    LoadCrystalConfig,
    SolverConfig,
)

AXES = ("x", "y", "z")


@stage(version=1)
def load_crystal(file: Path, masks: list[Path], *, config: LoadCrystalConfig) -> Diffraction:
    """Counts of a file's array, what of it was not measured and what is held out; InputError where it cannot be phased."""
    found = read_crystal(file, config.array, config.mask)
    masked = found.masked if found.masked is not None else np.zeros(found.values.shape, dtype=bool)
    for one in masks:
        masked = masked | read_mask(one, found.values.shape)
    try:
        counts, measured = _counts(found.values, ~masked, config)
    except UserError as error:
        field, _, rest = str(error).partition(": ")
        raise UserError(f"{file}: {field}: {rest}") from error
    window = fast_window(counts.shape)
    return diffraction_of(
        counts[window], measured[window], _steps(config, found.values.shape), config.q, config
    )


def diffraction_of(
    counts: np.ndarray,
    measured: np.ndarray,
    steps: tuple[float, ...],
    direction: tuple[float, ...] | None,
    config: LoadCrystalConfig | CrystalFramesConfig,
) -> Diffraction:
    """Counts about a peak, labelled, with the blocks that are held out; direction of Q along the axes, None: unknown."""
    held = hold_out_blocks(counts=counts, measured=measured, seed=config.seed)
    values = {
        **{f"q{name}": _about(n) * dq for name, n, dq in zip(AXES, held.shape, steps, strict=True)},
        "intensity": counts,
        "mask": (~measured).astype(np.uint8),
        "held_out": held.astype(np.uint8),
    }
    ratios = sampling_ratios(counts=counts, measured=measured)
    along = None if direction is None else (np.array(direction) / np.linalg.norm(direction)).tolist()
    attrs = {
        "hkl": json.dumps(list(config.hkl)),
        "d_spacing": config.d_spacing,
        "q_direction": json.dumps(along),
        "voxel": json.dumps([2 * np.pi / (n * dq) for n, dq in zip(held.shape, steps, strict=True)]),
        "sampling": json.dumps([round(r, 3) for r in ratios]),
    }
    return Diffraction(labelled(values, DIFFRACTION, attrs))


def _counts(
    values: np.ndarray, measured: np.ndarray, config: LoadCrystalConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Counts, zero where not measured, and where they were measured."""
    refuse_values(values, measured)
    counts = np.where(measured, values, 0.0)
    if config.values == "amplitude":
        counts = counts_of_amplitude(counts, config.peak_counts)
    elif config.peak_counts is not None:
        counts = counts * (config.peak_counts / counts.max())
    measured = measured & ~not_measured(np.where(measured, counts, 1.0), config.unmeasured)
    refuse_peak(counts, measured)
    refuse_sampling(sampling_ratios(counts=counts, measured=measured))
    return np.where(measured, counts, 0.0), measured


def _steps(config: LoadCrystalConfig, shape: tuple[int, ...]) -> tuple[float, ...]:
    """Steps of the array in 1/angstrom."""
    if config.step is not None:
        return config.step
    assert config.voxel is not None
    return tuple(2 * np.pi / (n * v) for n, v in zip(shape, config.voxel, strict=True))


def _about(n: int) -> np.ndarray:
    return np.arange(n) - float(n // 2)


def pattern(diffraction: Diffraction) -> Pattern:
    """The pattern as the solvers take it."""
    return pattern_of(
        counts=diffraction["intensity"].values,
        measured=diffraction["mask"].values == 0,
        held=diffraction["held_out"].values != 0,
        exposure=diffraction["exposure"].values if "exposure" in diffraction else None,
    )


def begin_of(guess: CrystalGuess, shape: tuple[int, ...]) -> Complex | None:
    """The guess as a start (n1, n2, n3) in the solvers' order, None where it is not trusted."""
    if not int(guess["trusted"]):
        return None
    first = json.loads(guess.attrs["first"])
    part = tuple(slice(f, f + n) for f, n in zip(first, guess["support"].shape, strict=True))
    density = np.zeros(shape, dtype=np.complex64)
    density[part] = guess["density"].values[0] + 1j * guess["density"].values[1]
    return density


def settings_of(told: SolverConfig, threshold: float, partial: bool) -> CrystalSettings:
    """Settings of a start."""
    return CrystalSettings(
        solver=told.solver,
        beta=told.beta,
        cycles=told.cycles,
        even=told.even,
        iterations=told.iterations,
        threshold=threshold,
        coherence=partial,
        refine=told.refine,
        hops=told.hops,
        first=told.first,
    )


@stage(version=1)
def crystal_trial(diffraction: Diffraction, *, config: CrystalTrialConfig) -> CrystalTrial:
    """Free chi2 of a few starts with one threshold; the gradients run with each kind of beam."""
    made = pattern(diffraction)
    settings = settings_of(config.solver, config.threshold, any(config.beams))
    found = np.full((2, 2, len(config.starts)), np.nan)
    for j, start in enumerate(config.starts):
        first = projected(made, settings=settings, seed=config.seed, start=start)
        for beam in config.beams:
            run = refined(made, first, settings=replace(settings, coherence=beam))
            found[:, int(beam), j] = run.chi2, run.free_chi2
    best = np.array([_least(found[1, b]) for b in (0, 1)])
    return CrystalTrial(
        labelled(
            {
                "threshold": config.threshold,
                "cost": [found[0, b, best[b]] for b in (0, 1)],
                "free_cost": [found[1, b, best[b]] for b in (0, 1)],
            },
            CRYSTAL_TRIAL,
        )
    )


def _least(values: np.ndarray) -> int:
    return int(np.argmin(np.where(np.isfinite(values), values, np.inf)))


@stage(version=1)
def crystal_choose(trials: list[CrystalTrial], *, config: CrystalChooseConfig) -> CrystalChoice:
    """Threshold and coherence of the lowest free chi2, or those told."""
    if not trials:
        assert config.threshold is not None
        assert config.partial is not None
        told = {"threshold": config.threshold, "partly_coherent": int(config.partial)}
        return CrystalChoice(labelled(told, CRYSTAL_CHOICE))
    free = np.array([one["free_cost"].values for one in trials])
    if not np.isfinite(free).any():
        raise UserError(
            "crystal: expected more measured voxels than unknowns in the support, found fewer: a smaller crystal in the array, "
            "or a larger threshold"
        )
    best, beam = np.unravel_index(int(np.nanargmin(free)), free.shape)
    thresholds = np.array([float(one["threshold"]) for one in trials])
    values = {
        "threshold": thresholds[best],
        "partly_coherent": int(beam),
        "trial_threshold": thresholds,
        "trial_cost": np.array([one["cost"].values for one in trials]),
        "trial_free_cost": free,
    }
    return CrystalChoice(labelled(values, CRYSTAL_CHOICE))


@stage(version=1)
def phase_crystal(
    diffraction: Diffraction,
    choice: CrystalChoice,
    guess: CrystalGuess | None = None,
    *,
    config: CrystalStartsConfig,
) -> CrystalSolutions:
    """Crystals from random phases, one for each start; start 0 from a guess where there is one to trust."""
    made = pattern(diffraction)
    settings = settings_of(config.solver, float(choice["threshold"]), bool(choice["partly_coherent"]))
    learned = None if guess is None else begin_of(guess, made.counts.shape)
    runs = [
        solve_crystal(made, settings=settings, seed=config.seed, start=one, begin=None if one else learned)
        for one in config.starts
    ]
    return CrystalSolutions(labelled(_solutions(runs, config.starts, diffraction, made), CRYSTAL_SOLUTIONS))


def box_of(made: Pattern) -> tuple[slice, ...]:
    """Where of the array an object can be: the first support."""
    places = np.nonzero(made.box)
    return tuple(slice(int(p.min()), int(p.max()) + 1) for p in places)


def positions(diffraction: Diffraction, box: tuple[slice, ...]) -> dict[str, np.ndarray]:
    """Axes x, y, z in angstrom of a box."""
    voxel = json.loads(diffraction.attrs["voxel"])
    shape = diffraction["intensity"].shape
    return {name: (_about(n) * v)[cut] for name, n, v, cut in zip(AXES, shape, voxel, box, strict=True)}


def _solutions(
    runs: list[CrystalRun], starts: tuple[int, ...], diffraction: Diffraction, made: Pattern
) -> dict[str, object]:
    box = box_of(made)
    # the solvers transform with exp(-iq.r), a crystal scatters with exp(+iq.r)
    density = np.array([run.object[box].conj() for run in runs])
    return {
        "start": np.array(starts),
        "axis": list(AXES),
        "part": ["real", "imaginary"],
        **positions(diffraction, box),
        "density": np.stack([density.real, density.imag], axis=1).astype(np.float32),
        "support": np.array([run.support[box] for run in runs]).astype(np.uint8),
        "cost": np.array([run.chi2 for run in runs]),
        "free_cost": np.array([run.free_chi2 for run in runs]),
        "deviance": np.array([run.deviance for run in runs]),
        "background": np.array([run.background for run in runs]),
        "coherence_width": np.array([run.widths or (np.nan,) * 3 for run in runs]),
        "iterations": np.array([run.iterations for run in runs]),
        "outcome": [str(run.outcome) for run in runs],
    }
