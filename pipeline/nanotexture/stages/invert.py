"""Motifs from random starts: how many modes the held-out satellites allow, then batches of starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.phasing.motif import MotifSolutions, random_starts, solve_motif
from nanotexture.quantities import ModeChoice, Orders, Reference, Solutions, Trial
from nanotexture.schema import MODE_CHOICE, SOLUTIONS, TRIAL, labelled
from nanotexture.stages.models import ChooseConfig, InvertConfig, TrialConfig
from nanotexture.stages.motif_data import MOST, MotifData, first_modes, motif_data, refolded

TRIAL_SEED = 1_000_003  # trials draw other random numbers than the starts proper


@stage(version=1)
def trial(orders: Orders, reference: Reference, *, config: TrialConfig) -> Trial:
    """Free chi2 that a number of modes reaches, over several choices of what is held out."""
    data = motif_data(orders, reference, config.film)
    seen, fringes = first_modes(data)
    harmonics = config.harmonics or seen + config.more_harmonics
    polynomials = config.polynomials or int(np.clip(fringes + config.more_polynomials, 2, MOST))
    total, free, number = 0.0, 0.0, 0
    for fold in range(config.folds):
        held = refolded(data, seed=config.seed + TRIAL_SEED + fold)
        seeds = [(config.seed, TRIAL_SEED + fold, i) for i in range(config.starts)]
        found = _solve(held, harmonics, polynomials, config.strain, seeds)
        best = int(found.cost.argmin())
        points = sum(int(one.free.sum()) for one in held.reflections)
        total += float(found.cost[best]) / config.folds
        free += float(found.free_cost[best]) * points if points else 0.0
        number += points
    values = {
        "harmonics": harmonics,
        "polynomials": polynomials,
        "cost": total,
        "free_cost": free / number if number else float("nan"),
        "free_points": number,
    }
    return Trial(labelled(values, TRIAL))


@stage(version=1)
def choose(trials: list[Trial], *, config: ChooseConfig) -> ModeChoice:
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
        "trial_harmonics": table["harmonics"],
        "trial_polynomials": table["polynomials"],
        "trial_cost": table["cost"],
        "trial_free_cost": table["free_cost"],
    }
    return ModeChoice(labelled(values, MODE_CHOICE))


@stage(version=1)
def invert(orders: Orders, reference: Reference, choice: ModeChoice, *, config: InvertConfig) -> Solutions:
    """Motifs of one batch of random starts."""
    data = motif_data(orders, reference, config.film)
    seeds = [(config.seed, start) for start in config.starts]
    found = _solve(data, int(choice["harmonics"]), int(choice["polynomials"]), config.strain, seeds)
    return Solutions(labelled(_values(data, found, config.starts, orders), SOLUTIONS, {"solver": "motif"}))


def _solve(
    data: MotifData, harmonics: int, polynomials: int, strain: float, seeds: Sequence[tuple[int, ...]]
) -> MotifSolutions:
    modes, settings = data.modes(harmonics, polynomials), data.settings(harmonics, polynomials, strain)
    longest = max(float(one.g.norm()) for one in data.reflections)
    start = random_starts(modes, len(data.axes), seeds, settings.start_phase / longest)
    return solve_motif(data=data.reflections, modes=modes, settings=settings, start=start, gap=data.gap)


def _values(
    data: MotifData, found: MotifSolutions, starts: tuple[int, ...], orders: Orders
) -> dict[str, Any]:
    points = found.displacement.shape[2]
    field = found.displacement - found.displacement.mean((2, 3), keepdim=True)
    return {
        "x": np.arange(points) / points,
        "z": data.stack.heights,
        "start": np.array(starts),
        "axis": data.axes,
        "field": field.numpy(),
        "field_std": found.displacement_std.numpy(),
        "slope_std": found.slope_std.numpy(),
        "model": padded_model([model.numpy() for model in found.model], orders),
        "cost": found.cost.numpy(),
        "free_cost": found.free_cost.numpy(),
        "determined": found.determined.numpy(),
        "gap": found.gap.numpy(),
        "log_scale": found.log_scale.numpy(),
        "iterations": found.iterations.numpy(),
        "outcome": [str(outcome) for outcome in found.outcome],
    }


def padded_model(models: list[np.ndarray], orders: Orders) -> np.ndarray:
    """Order intensities (start, n, q) of each reflection as (start, reflection, n, row), NaN beyond its rows."""
    full = np.full((len(models[0]), *orders["intensity"].shape), np.nan)
    for r, model in enumerate(models):
        full[:, r, :, : model.shape[2]] = model
    return full
