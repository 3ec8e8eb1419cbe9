"""Pixels of finite size spread over the voxels of a regular grid, by xrayutilities' FuzzyGridder2D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.geometry.backend import backend

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """Voxel centres of a regular axis: first, step and number."""

    first: float
    step: float
    size: int

    @property
    def centres(self) -> Array:
        """Array (size,)."""
        return np.asarray(self.first + self.step * np.arange(self.size), dtype=np.float64)

    @property
    def last(self) -> float:
        """Centre of the last voxel."""
        return self.first + self.step * (self.size - 1)


def spread(
    *, x: Array, z: Array, weights: Array, axes: tuple[Axis, Axis], width: tuple[float, float]
) -> tuple[Array, Array]:
    """Sums of weights and of pixels per voxel, each (nx, nz); a pixel is shared between voxels by area.

    The gridder leaves out a pixel whose centre is outside the outermost voxel centres: where the axes reach a
    pixel beyond the data, the sum over voxels is the sum over pixels.
    """
    gridder = backend().FuzzyGridder2D(axes[0].size, axes[1].size)
    gridder.dataRange(axes[0].first, axes[0].last, axes[1].first, axes[1].last, fixed=True)
    arrays = (np.ascontiguousarray(np.ravel(a), dtype=np.float64) for a in (x, z, weights))
    gridder(*arrays, width=width)
    # .data would divide by the number of pixels and turn empty voxels into 0.0: the sums are private.
    return np.array(gridder._gdata), np.array(gridder._gnorm)
