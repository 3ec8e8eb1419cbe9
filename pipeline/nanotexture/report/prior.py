"""How much of an answer came from a learned prior: its starts beside the random ones, and whether the film is like its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from nanotexture.report.format import number


@dataclass(frozen=True)
class LearnedStarts:
    """Starts that a prior began and random ones: how many of each, how many ended in the best cluster, lowest cost and free
    cost; first_cost: of the prior's best motif before any step, limit: what it reaches on films like those it learnt from."""

    learned: int
    random: int
    learned_best: int
    random_best: int
    cost: tuple[float, float]
    free_cost: tuple[float, float]
    first_cost: float
    limit: float
    expected: float
    vague: float


def learned_starts(solutions: xr.Dataset | None, temperature: int) -> LearnedStarts | None:
    """None where no prior was asked for."""
    if solutions is None or "prior_limit" not in solutions:
        return None
    one = solutions.isel(temperature=temperature)
    learned = one["learned"].values == 1
    ended = np.isfinite(one["cost"].values)
    best = one["cluster"].values == 0
    kinds = (learned & ended, ~learned & ended)

    def lowest(name: str) -> tuple[float, float]:
        found = [one[name].values[kind] for kind in kinds]
        first, second = (float(np.nanmin(v)) if np.isfinite(v).any() else float("nan") for v in found)
        return first, second

    return LearnedStarts(
        learned=int(learned.sum()),
        random=int((~learned).sum()),
        learned_best=int((learned & best).sum()),
        random_best=int((~learned & best).sum()),
        cost=lowest("cost"),
        free_cost=lowest("free_cost"),
        first_cost=float(one["prior_first_cost"]),
        limit=float(one["prior_limit"]),
        expected=float(one["prior_expected_error"]),
        vague=float(one["prior_vague"]),
    )


def learned_words(found: LearnedStarts) -> str:
    """One or two sentences."""
    if not np.isfinite(found.expected):
        return "The learned prior could not be asked: the reflections do not tell whole components of the displacement."
    if found.learned == 0:
        return (
            f"All starts are random: the learned prior expects a relative error of {number(found.expected, 2)} of its own "
            f"motifs here, above {number(found.vague, 2)}."
        )
    share = (
        f"{found.learned_best} of {found.learned} starts of the learned prior and {found.random_best} of {found.random} random "
        f"ones ended in the best cluster; lowest χ² {number(found.cost[0], 3)} and {number(found.cost[1], 3)}"
    )
    alone = found.random_best == 0 and found.learned_best > 0
    words = f"{share}." + (
        " No random start found the answer: it rests on the prior's starts." if alone else ""
    )
    if found.first_cost > found.limit:
        words += (
            f" The film is unlike those that the prior learnt from: its best motif fits with {number(found.first_cost, 3)} "
            f"before any step, above {number(found.limit, 3)}."
        )
    return words
