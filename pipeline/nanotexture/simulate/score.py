"""Scores of a displacement against the truth behind it, after the ambiguities that the result leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.phasing.alignment import align

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """Per component (component,): nrmse, correlation, coverage; NaN where result or truth is NaN."""

    nrmse: Array
    correlation: Array
    coverage: Array


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


def score_fields(*, result: Array, std: Array, truth: Array, inversion_resolved: bool) -> Score:
    """Scores of result (component, x, z) with std against truth on the same grid : shift along x and constant
    removed, inversion only where the result leaves it open."""
    known = np.isfinite(result).all(axis=(1, 2)) & np.isfinite(truth).all(axis=(1, 2))
    number = len(result)
    nrmse, correlation, coverage = (np.full(number, np.nan) for _ in range(3))
    if not known.any():
        return Score(nrmse, correlation, coverage)
    unit = np.full(int(known.sum()), truth[known].std())
    found = align(truth[known][None], result[known], allow_inversion=not inversion_resolved, scale=unit)
    target = found.fields[0]
    for i, c in enumerate(np.flatnonzero(known)):
        value = result[c] - result[c].mean()
        misfit = value - (target[i] - target[i].mean())
        nrmse[c] = np.sqrt((misfit**2).mean()) / target[i].std()
        correlation[c] = np.corrcoef(value.ravel(), target[i].ravel())[0, 1]
        coverage[c] = float((np.abs(misfit) <= std[c]).mean()) if np.isfinite(std[c]).all() else np.nan
    return Score(nrmse, correlation, coverage)
