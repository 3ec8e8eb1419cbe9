"""Scores of displacement and polarization against the truth behind them, after the ambiguities that the result leaves."""

from __future__ import annotations

from collections.abc import Sequence
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

    truth: (component, x, z) or (component, x, y, z), shifted, without constant and inverted where the result leaves that
    open; NaN likewise.
    """

    nrmse: Array
    correlation: Array
    coverage: Array
    truth: Array


def on_grid(
    *, truth: Array, plane: Sequence[Array], z: Array, new_plane: Sequence[Array], new_z: Array
) -> Array:
    """Truth (component, x, z) or (component, x, y, z), interpolated linearly onto another grid.

    plane, new_plane: fractions of one period along x, or x and y, in which the truth is periodic; z in angstrom.
    """
    found = truth
    for axis, (old, new) in enumerate(zip(plane, new_plane, strict=True), start=1):
        found = _interpolated(found, axis, old, new, period=1.0)
    return _interpolated(found, found.ndim - 1, z, new_z, period=None)


def _interpolated(values: Array, axis: int, old: Array, new: Array, period: float | None) -> Array:
    """Values along one axis at other places."""
    return np.asarray(np.apply_along_axis(lambda row: np.interp(new, old, row, period=period), axis, values))


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
    removed, inversion only where the result leaves it open; of (component, x, y, z) the shift along y too.

    constant (component,): which components have a free constant (None: all); kind (component,): components of one kind
    have one unit and weigh alike in the alignment (None: all are of one kind).
    """
    number = len(result)
    free = np.ones(number, bool) if constant is None else constant
    alike = np.zeros(number, np.int64) if kind is None else kind
    space = tuple(range(1, result.ndim))
    known = np.isfinite(result).all(axis=space) & np.isfinite(truth).all(axis=space)
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
