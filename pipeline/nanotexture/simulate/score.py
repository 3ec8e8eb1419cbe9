"""Scores of displacement and polarization against the truth behind them, after the ambiguities that the result leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.phasing.alignment import align

Array = NDArray[np.float64]

NOTHING = 1e-9  # of the size of its kind: a component below is not there
ROUNDING = 1e-6  # of that size: the alignment finds the shift no better


@dataclass(frozen=True)
class Score:
    """Per component (component,): nrmse, correlation, coverage, NaN where result or truth is NaN; truth, moved onto the result.

    truth: (component, x, z), shifted, without constant and inverted where the result leaves that open; NaN likewise.
    """

    nrmse: Array
    correlation: Array
    coverage: Array
    truth: Array


def on_grid(*, truth: Array, x: Array, z: Array, new_x: Array, new_z: Array) -> Array:
    """Truth (component, x, z), periodic in x (fractions), interpolated linearly onto another grid; z in angstrom."""
    order = np.argsort(x)
    period_x = np.append(x[order], x[order][0] + 1.0)
    found = np.empty((len(truth), len(new_x), len(new_z)))
    for c, field in enumerate(truth):
        wrapped = np.concatenate([field[order], field[order][:1]])
        along = np.stack(
            [np.interp(new_x, period_x, wrapped[:, j], period=1.0) for j in range(len(z))], axis=1
        )
        found[c] = np.stack([np.interp(new_z, z, row) for row in along])
    return found


def score_fields(
    *,
    result: Array,
    std: Array,
    truth: Array,
    inversion_resolved: bool,
    constant: NDArray[np.bool_] | None = None,
    kind: NDArray[np.int64] | None = None,
) -> Score:
    """Scores of result (component, x, z) with std against truth on the same grid: shift along x and constant
    removed, inversion only where the result leaves it open.

    constant (component,): which components have a free constant (None: all); kind (component,): components of one kind
    have one unit and weigh alike in the alignment (None: all are of one kind).
    """
    number = len(result)
    free = np.ones(number, bool) if constant is None else constant
    alike = np.zeros(number, np.int64) if kind is None else kind
    known = np.isfinite(result).all(axis=(1, 2)) & np.isfinite(truth).all(axis=(1, 2))
    nrmse, correlation, coverage = (np.full(number, np.nan) for _ in range(3))
    moved = np.full(truth.shape, np.nan)
    if not known.any():
        return Score(nrmse, correlation, coverage, moved)
    scale = np.array([truth[known & (alike == alike[c])].std() for c in np.flatnonzero(known)])
    moved[known] = align(
        truth[known][None],
        result[known],
        allow_inversion=not inversion_resolved,
        constant=free[known],
        scale=scale,
    ).fields[0]
    for c, size in zip(np.flatnonzero(known), scale, strict=True):
        value = result[c] - (result[c].mean() if free[c] else 0.0)
        misfit, spread = value - moved[c], float(moved[c].std())
        # A component that the texture lacks has no size of its own: its error counts against the others'.
        unit = spread if spread > NOTHING * size else float(size)
        nrmse[c] = np.sqrt((misfit**2).mean()) / unit if unit > 0 else np.nan
        if spread > NOTHING * size and value.std() > 0:
            correlation[c] = np.corrcoef(value.ravel(), moved[c].ravel())[0, 1]
        if np.isfinite(std[c]).all():
            coverage[c] = float((np.abs(misfit) <= std[c] + ROUNDING * size).mean())
    return Score(nrmse, correlation, coverage, moved)
