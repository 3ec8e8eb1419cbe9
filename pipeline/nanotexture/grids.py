"""Maps of one reflection on one grid, so that they can stand along one axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from nanotexture.quantities import ReciprocalMap

TOUCHING = 1e-3  # of a step: what two grids of one lattice are off by rounding


def q_axes(one: xr.Dataset) -> tuple[str, ...]:
    """qx and qz, or qx, qy and qz."""
    return tuple(q for q in ("qx", "qy", "qz") if q in one.dims)


def same_grid(one: xr.Dataset, other: xr.Dataset) -> bool:
    """Whether two maps have the same voxels."""
    return one.sizes == other.sizes and all(
        np.allclose(one[q], other[q], rtol=0, atol=1e-9) for q in q_axes(one)
    )


def on_grid_of(found: ReciprocalMap, first: ReciprocalMap) -> ReciprocalMap:
    """A map on the grid of another; its numbers untouched where the grids agree."""
    if same_grid(found, first):
        return ReciprocalMap(found.assign_coords({q: first[q] for q in q_axes(first)}))
    grid = {q: first[q] for q in q_axes(first)}
    numbers = found.drop_vars("mask").interp(grid)
    mask = found["mask"].astype(float).interp(grid, method="nearest", kwargs={"fill_value": 1.0})
    mask = mask.where(np.isfinite(numbers["intensity"]), 1.0)  # a neighbour of a gap has no value either
    return ReciprocalMap(numbers.assign(mask=mask.astype("uint8")))


def on_one_grid(maps: Sequence[ReciprocalMap]) -> list[ReciprocalMap]:
    """Maps on the grid that holds them all where their voxels lie on one lattice, else on that of the first."""
    if len({q_axes(one) for one in maps}) > 1 or not all(_one_lattice(maps, q) for q in q_axes(maps[0])):
        return [on_grid_of(one, maps[0]) for one in maps]
    grid = {q: _union([one[q].values for one in maps]) for q in q_axes(maps[0])}
    return [_laid_on(one, grid) for one in maps]


def _step(axis: np.ndarray) -> float:
    """Distance of two voxels; of an axis of one voxel any distance will do."""
    return float(axis[-1] - axis[0]) / (axis.size - 1) if axis.size > 1 else 1.0


def _one_lattice(maps: Sequence[ReciprocalMap], q: str) -> bool:
    first = maps[0][q].values
    step = _step(first)
    longest = max(one.sizes[q] for one in maps)
    even = all(abs(_step(one[q].values) / step - 1) * longest < TOUCHING for one in maps)
    shifts = np.array([(float(one[q][0]) - first[0]) / step for one in maps])
    return even and bool(np.abs(shifts - np.round(shifts)).max() < TOUCHING)


def _union(axes: list[np.ndarray]) -> np.ndarray:
    """The one axis that all of them are parts of."""
    first, step = axes[0][0], _step(axes[0])
    low = min(int(np.round((axis[0] - first) / step)) for axis in axes)
    high = max(int(np.round((axis[-1] - first) / step)) for axis in axes)
    return np.asarray(first + step * np.arange(low, high + 1))


def _laid_on(one: ReciprocalMap, grid: dict[str, np.ndarray]) -> ReciprocalMap:
    """A map with voxels added that it did not measure."""
    steps = {q: _step(axis) for q, axis in grid.items()}
    numbers = one.drop_vars("mask").reindex(grid, method="nearest", tolerance=min(steps.values()) * TOUCHING)
    mask = one["mask"].reindex(grid, method="nearest", tolerance=min(steps.values()) * TOUCHING, fill_value=1)
    return ReciprocalMap(numbers.assign(mask=mask.astype("uint8")))
