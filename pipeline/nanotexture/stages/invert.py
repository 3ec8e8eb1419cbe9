"""Motifs from random starts: how many modes the held-out satellites allow, then batches of starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.phasing.motif import MotifSolutions, solve_motif
from nanotexture.phasing.unknowns import random_starts
from nanotexture.quantities import ModeChoice, Orders, Reference, Solutions, Trial
from nanotexture.schema import MODE_CHOICE, SOLUTIONS, TRIAL, labelled
from nanotexture.stages.models import ChooseConfig, InvertConfig, TrialConfig
from nanotexture.stages.motif_data import MOST, first_modes, motif_data, refolded
from nanotexture.stages.motif_setup import MotifData

TRIAL_SEED = 1_000_003  # trials draw other random numbers than the starts proper


@stage(version=1)
def trial(orders: Orders, reference: Reference, *, config: TrialConfig) -> Trial:
    """Free chi2 that a number of modes reaches, over several choices of what is held out."""
    data = motif_data(orders, reference, config.film, config.polarization)
    seen, fringes = first_modes(data)
    harmonics = config.harmonics or seen + config.more_harmonics
    polynomials = config.polynomials or int(np.clip(fringes + config.more_polynomials, 2, MOST))
    total, free, number = 0.0, 0.0, 0
    for fold in range(config.folds):
        held = refolded(data, seed=config.seed + TRIAL_SEED + fold)
        seeds = [(config.seed, TRIAL_SEED + fold, i) for i in range(config.starts)]
        found = solve_starts(held, harmonics, polynomials, config.strain, seeds)
        best = min(found, key=lambda one: float(one.cost.min()))
        points = sum(int(one.free.sum()) for one in held.reflections)
        total += float(best.cost.min()) / config.folds
        free += float(best.free_cost[best.cost.argmin()]) * points if points else 0.0
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
    data = motif_data(orders, reference, config.film, config.polarization)
    seeds = [(config.seed, start) for start in config.starts]
    found = solve_starts(data, int(choice["harmonics"]), int(choice["polynomials"]), config.strain, seeds)
    parts = [_values(data, one, orders) for one in found]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(np.concatenate(starts_by_schedule(data, seeds)), kind="stable")
    points = joined["field"].shape[2]
    values = {
        "x": np.arange(points) / points,
        "z": data.stack.heights,
        "start": np.array(config.starts),
        "axis": data.axes,
        **{name: array[order] for name, array in joined.items()},
    }
    if len(data.polar_axes):
        values["polar_axis"] = data.polar_axes
    return Solutions(labelled(values, SOLUTIONS, {"solver": "motif"}))


def starts_by_schedule(data: MotifData, seeds: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Which of the starts take each schedule in turn, by their own number and not by their place in the batch."""
    number = len(data.schedules())
    return [[i for i, seed in enumerate(seeds) if seed[-1] % number == turn] for turn in range(number)]


def solve_starts(
    data: MotifData, harmonics: int, polynomials: int, strain: float, seeds: Sequence[tuple[int, ...]]
) -> list[MotifSolutions]:
    """Solutions from random starts, one batch for each schedule that has starts."""
    unknowns = data.unknowns(harmonics, polynomials, strain)
    settings = data.settings(harmonics, unknowns)
    found = []
    for schedule, members in zip(data.schedules(), starts_by_schedule(data, seeds), strict=True):
        if not members:
            continue
        own = [seeds[i] for i in members]
        found.append(
            solve_motif(
                data=data.reflections,
                unknowns=unknowns,
                settings=replace(settings, schedule=schedule),
                start=random_starts(unknowns, own),
                gap=data.first_gaps([seed[-1] for seed in own]),
                equilibrium=data.equilibrium(unknowns),
            )
        )
    return found


def _values(data: MotifData, found: MotifSolutions, orders: Orders) -> dict[str, Any]:
    number = len(data.axes)
    field = found.fields[:, :number] - found.fields[:, :number].mean((2, 3), keepdim=True)
    values = {
        "field": data.on_planes(field),
        "field_std": data.on_planes(found.fields_std[:, :number]),
        "slope_std": data.on_planes(found.slope_std[:, :number]),
        "model": padded_model([model.numpy() for model in found.model], orders),
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


def padded_model(models: list[np.ndarray], orders: Orders) -> np.ndarray:
    """Order intensities (start, n, q) of each reflection as (start, reflection, n, row), NaN beyond its rows."""
    full = np.full((len(models[0]), *orders["intensity"].shape), np.nan)
    for r, model in enumerate(models):
        full[:, r, :, : model.shape[2]] = model
    return full
