"""Motifs from random starts: how many modes the held-out satellites allow, then batches of starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from nanotexture.engine.stage import stage
from nanotexture.phasing.motif import MotifSolutions
from nanotexture.phasing.motif_model import Nuisance, order_intensities
from nanotexture.quantities import FilmGuess, ModeChoice, Orders, Reference, Solutions, Trial
from nanotexture.schema import MODE_CHOICE, SOLUTIONS, TRIAL, VOLUME_SOLUTIONS, labelled
from nanotexture.stages.film_guess import learned_of
from nanotexture.stages.models import (
    BetterPilotConfig,
    ChooseConfig,
    InvertConfig,
    PilotConfig,
    ResizeConfig,
    Tie,
    TrialConfig,
)
from nanotexture.stages.motif_data import first_modes, motif_data, refolded
from nanotexture.stages.motif_setup import MotifData
from nanotexture.stages.motif_solve import (
    Found,
    ModeNumbers,
    Motifs,
    best_motif,
    is_learned,
    relaxed,
    solve_starts,
)

TIGHTEST = (Tie.LAYERS, Tie.MEAN, Tie.NONE)
ALIKE = 0.05  # free chi2 of pilots, relative
TRIAL_SEED = 1_000_003  # trials draw other random numbers than the starts proper


@stage(version=1)
def pilot(
    orders: Orders, reference: Reference, guess: FilmGuess | None = None, *, config: PilotConfig
) -> Solutions:
    """Motifs of a few starts with the modes that the data show: what the trials of other numbers of modes begin from."""
    data = motif_data(orders, reference, config.film, config.polarization, config.tie)
    modes = pilot_modes(data, config)
    seeds = [(config.seed, TRIAL_SEED + i) for i in range(config.starts)]
    return _from_seeds(data, orders, modes, seeds, guess)


@stage(version=1)
def better_pilot(pilots: list[Solutions], *, config: BetterPilotConfig) -> Solutions:
    """The pilot that predicts held-out satellites best; of those that do it alike the one whose tie leaves least free."""
    lowest = min(map(pilot_cost, pilots))
    alike = [one for one in pilots if pilot_cost(one) <= lowest * (1 + ALIKE)]
    return min(alike, key=lambda one: TIGHTEST.index(Tie(one["tie"].item())))


def pilot_cost(pilot: Solutions) -> float:
    """Lowest free chi2 of a pilot's starts, or lowest chi2 where nothing is held out."""
    free = pilot["free_cost"].values
    return float(np.nanmin(free if np.isfinite(free).any() else pilot["cost"].values))


@stage(version=1)
def trial(orders: Orders, reference: Reference, first: Solutions, *, config: TrialConfig) -> Trial:
    """Free chi2 that a number of modes reaches from the pilot's best motif, over several choices of what is held out."""
    data = motif_data(orders, reference, config.film, config.polarization, Tie(first["tie"].item()))
    seen, fringes = first_modes(data)
    harmonics, polynomials = data.limited(
        config.harmonics or seen + config.more_harmonics,
        config.polynomials or (fewer(fringes) if config.fewer_polynomials else fringes),
    )
    modes = ModeNumbers(harmonics, polynomials, config.strain)
    total, free, number = 0.0, 0.0, 0
    for fold in range(config.folds):
        held = refolded(data, seed=config.seed + TRIAL_SEED + fold)
        found = relaxed(held, modes, best_motif(first))
        points = sum(int(one.free.sum()) for one in held.reflections)
        total += float(found.cost[0]) / config.folds
        free += float(found.free_cost[0]) * points if points else 0.0
        number += points
    values = {
        "harmonics": harmonics,
        "polynomials": polynomials,
        "tie": str(data.tie),
        "cost": total,
        "free_cost": free / number if number else float("nan"),
        "free_points": number,
    }
    return Trial(labelled(values, TRIAL))


def pilot_modes(data: MotifData, config: PilotConfig | ResizeConfig) -> ModeNumbers:
    """The modes told, or one harmonic more than is seen and two thirds of the polynomials that the fringes allow.

    In a superlattice all of the few that a layer has: short of them, the looser of two ties would stand in for them and win.
    """
    seen, fringes = first_modes(data)
    polynomials = fringes if data.repeats else fewer(fringes)
    more = 1 if data.period_y is None else 0
    return ModeNumbers(config.harmonics or seen + more, config.polynomials or polynomials, config.strain)


def fewer(polynomials: int) -> int:
    """Two thirds of a number of polynomials, at least two."""
    return max(round(2 * polynomials / 3), 2)


@stage(version=1)
def choose(trials: list[Trial], pilots: list[Solutions], *, config: ChooseConfig) -> ModeChoice:
    """Fewest modes whose free chi2 is close to the lowest; ordinary chi2 would take the most."""
    table = {name: np.array([one[name].item() for one in trials]) for name in TRIAL}
    free = np.where(np.isfinite(table["free_cost"]), table["free_cost"], table["cost"])
    lowest = free.min()
    number = table["free_points"].max()
    good = free <= lowest * (1 + (np.sqrt(2.0 / number) if number else 0.0) * config.tolerance)
    size = table["harmonics"] * table["polynomials"]
    pick = min(np.flatnonzero(good), key=lambda i: (size[i], free[i]))
    values = {
        "harmonics": int(table["harmonics"][pick]),
        "polynomials": int(table["polynomials"][pick]),
        "tie": str(table["tie"][pick]),
        "pilot_tie": [one["tie"].item() for one in pilots],
        "pilot_free_cost": np.array([pilot_cost(one) for one in pilots]),
        "trial_harmonics": table["harmonics"],
        "trial_polynomials": table["polynomials"],
        "trial_cost": table["cost"],
        "trial_free_cost": table["free_cost"],
    }
    return ModeChoice(labelled(values, MODE_CHOICE))


@stage(version=1)
def invert(
    orders: Orders,
    reference: Reference,
    choice: ModeChoice,
    guess: FilmGuess | None = None,
    *,
    config: InvertConfig,
) -> Solutions:
    """Motifs of one batch of starts: random, or half of them where a learned prior says."""
    data = motif_data(orders, reference, config.film, config.polarization, Tie(choice["tie"].item()))
    seeds = [(config.seed, start) for start in config.starts]
    return _from_seeds(data, orders, chosen_modes(choice, config.strain), seeds, guess)


def _from_seeds(
    data: MotifData,
    orders: Orders,
    modes: ModeNumbers,
    seeds: Sequence[tuple[int, ...]],
    guess: FilmGuess | None,
) -> Solutions:
    learned = learned_of(guess)
    found = solve_starts(data, modes, seeds, learned)
    marks = None if guess is None else [learned is not None and is_learned(seed[-1]) for seed in seeds]
    return _solutions(data, orders, found, seeds, marks)


@stage(version=1)
def warm(
    orders: Orders,
    reference: Reference,
    choice: ModeChoice,
    nearest: list[Solutions],
    second: list[Solutions],
    *,
    config: InvertConfig,
) -> Solutions:
    """Motifs relaxed from the best ones of the two temperatures next to this one; the second may have none."""
    data = motif_data(orders, reference, config.film, config.polarization, Tie(choice["tie"].item()))
    found = [
        relaxed(data, chosen_modes(choice, config.strain), best_of_batches(batches))
        for batches in (nearest, second)
        if batches
    ]
    seeds = [(config.seed, start) for start in config.starts[: len(found)]]
    return _solutions(data, orders, Found(tuple(found), np.arange(len(found))), seeds, None)


def chosen_modes(choice: ModeChoice, strain: float) -> ModeNumbers:
    """The modes that the trials chose."""
    return ModeNumbers(int(choice["harmonics"]), int(choice["polynomials"]), strain)


def best_of_batches(batches: Sequence[Solutions]) -> Motifs:
    """The motif of lowest cost of all batches."""
    return best_motif(min(batches, key=lambda one: float(np.nanmin(one["cost"].values))))


def _solutions(
    data: MotifData,
    orders: Orders,
    found: Found,
    seeds: Sequence[tuple[int, ...]],
    learned: list[bool] | None,
) -> Solutions:
    """Solutions in the order of the seeds; learned: where a prior said where to begin, None where there is no prior."""
    parts = [_values(data, one, orders) for one in found.solutions]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(found.place, kind="stable")
    points = joined["field"].shape[2]
    volume = data.period_y is not None
    values = {
        "x": np.arange(points) / points,
        **({"y": np.arange(points) / points} if volume else {}),
        "z": data.stack.heights,
        "start": np.array([seed[-1] for seed in seeds]),
        "axis": data.axes,
        "tie": str(data.tie),
        **{name: array[order] for name, array in joined.items()},
    }
    if learned is not None:
        values["learned"] = np.array(learned, np.int64)
    if len(data.polar_axes):
        values["polar_axis"] = data.polar_axes
    return Solutions(labelled(values, VOLUME_SOLUTIONS if volume else SOLUTIONS, {"solver": "motif"}))


def _values(data: MotifData, found: MotifSolutions, orders: Orders) -> dict[str, Any]:
    number = len(data.axes)
    field = found.fields[:, :number]
    field = field - field.mean(tuple(range(2, field.dim())), keepdim=True)
    values = {
        "field": data.on_planes(field),
        "field_std": data.on_planes(found.fields_std[:, :number]),
        "slope_std": data.on_planes(found.slope_std[:, :number]),
        "model": padded_model(full_models(data, found), orders),
        "cost": found.cost.numpy(),
        "free_cost": found.free_cost.numpy(),
        "determined": found.determined.numpy(),
        "gap": found.gap.numpy(),
        "log_scale": found.log_scale.numpy(),
        "iterations": found.iterations.numpy(),
        "outcome": np.array([str(outcome) for outcome in found.outcome], dtype=object),
    }
    if len(data.polar_axes):
        values["polar"] = data.on_planes(found.fields[:, number:])
        values["polar_std"] = data.on_planes(found.fields_std[:, number:])
    return values


def full_models(data: MotifData, found: MotifSolutions) -> list[np.ndarray]:
    """Order intensities (start, n, q) of every reflection on all rows of its map."""
    models = []
    for r, (one, fewer) in enumerate(zip(data.full, data.reflections, strict=True)):
        # the fitted resolution holds the span of the averaged rows, which all rows have no part of
        fitted = fewer.resolution * torch.exp(found.log_resolution[:, r])
        span = fewer.resolution**2 - one.resolution**2
        own = torch.log((fitted**2 - span).clamp_min((0.1 * one.resolution) ** 2).sqrt() / one.resolution)
        nuisance = Nuisance(found.log_scale[:, r], own, found.gap)
        models.append(order_intensities(one, found.fields, nuisance).numpy())
    return models


def padded_model(models: list[np.ndarray], orders: Orders) -> np.ndarray:
    """Order intensities (start, n, q) of each reflection as (start, reflection, n, row), NaN beyond its rows."""
    full = np.full((len(models[0]), *orders["intensity"].shape), np.nan)
    for r, model in enumerate(models):
        full[:, r, :, : model.shape[2]] = model
    return full
