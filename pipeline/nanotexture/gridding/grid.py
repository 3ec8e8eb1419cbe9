"""Which voxels: pixel sizes in Q, and a regular grid that leaves no hole between pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.geometry.fuzzy import Axis

Array = NDArray[np.float64]
Range = tuple[float, float]

# Satellites are narrow along qx, fringes broad along qz: voxels per pixel extent along each.
VOXELS_PER_PIXEL = (1.6, 1.0)
MAX_VOXELS = 20_000_000


@dataclass(frozen=True)
class Crop:
    """Ranges of qx and qz in 1/angstrom to keep; None keeps all."""

    qx: Range | None = None
    qz: Range | None = None


def pixel_extent(q: Array) -> float:
    """Extent along one axis of the parallelogram between four neighbouring pixels, q (line, point).

    The largest over the scan but for the last percent, so that rectangles of this extent cover the plane.
    """
    steps = [np.abs(np.diff(q, axis=axis)) for axis in (0, 1) if q.shape[axis] > 1]
    return float(sum(np.percentile(step, 99) for step in steps))


def choose_axes(
    qx: Array, qz: Array, width: Range, spacing: Range | None, crop: Crop, origin: Range = (0.0, 0.0)
) -> tuple[Axis, Axis]:
    """Axes of the grid, one pixel beyond the data or the crop on all sides; spacing None for auto; a voxel centre at origin."""
    steps = spacing or (width[0] / VOXELS_PER_PIXEL[0], width[1] / VOXELS_PER_PIXEL[1])
    if min(steps) <= 0 or not np.isfinite(steps).all():
        raise UserError(
            f"grid spacing must be positive, got {steps} 1/angstrom: does the scan move in both angles?"
        )
    axes = (
        regular_axis(cropped_range(qx, crop.qx, "qx"), steps[0], width[0], origin[0]),
        regular_axis(cropped_range(qz, crop.qz, "qz"), steps[1], width[1], origin[1]),
    )
    if axes[0].size * axes[1].size > MAX_VOXELS:
        raise UserError(
            f"a grid of {axes[0].size} x {axes[1].size} voxels is too large: use a coarser spacing or crop"
        )
    return axes


def cropped_range(q: Array, crop: Range | None, name: str) -> Range:
    """Least and largest of q that the crop leaves; UserError if it leaves none."""
    low, high = float(q.min()), float(q.max())
    if crop is None:
        return low, high
    if crop[0] >= crop[1] or crop[1] <= low or crop[0] >= high:
        raise UserError(
            f"input.{name}_range: expected a range within {low:.4f} to {high:.4f} 1/angstrom, got {crop[0]:g} to {crop[1]:g}"
        )
    return max(low, crop[0]), min(high, crop[1])


def regular_axis(limits: Range, step: float, margin: float, origin: float = 0.0) -> Axis:
    """Voxel centres at whole multiples of the step from the origin, so that grids of one step fit on each other."""
    first = int(np.floor((limits[0] - origin - margin) / step)) - 1
    last = int(np.ceil((limits[1] - origin + margin) / step)) + 1
    return Axis(origin + first * step, step, last - first + 1)
