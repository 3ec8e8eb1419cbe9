"""Axes of a simulated map, and the finer ones beneath them on which lines and fringes are resolved."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from nanotexture.errors import UserError
from nanotexture.film.stack import Stack

Array = NDArray[np.float64]
Hkl = tuple[int, int, int]

ORDERS = 3.5  # on either side of the peak that a map covers
REPEATS = 2.2  # distances of superlattice peaks, on either side of the peak, that a map covers
LEANING = 2.5  # orders of a texture whose walls lean by 45 degrees that a map covers along qz
FRINGES = 6.0  # on either side of the peak that a map covers, at least
PER_FRINGE = 5  # voxels, at least
SHAPE = (145, 169)
PER_WIDTH = 1.25  # points across one standard deviation of the sharpest line, at least
UNIFORM = 1e-3  # of a step


@dataclass(frozen=True)
class Axes:
    """Centres of voxels in 1/angstrom, absolute and uniform; qy None where a map has none."""

    qx: Array
    qz: Array
    qy: Array | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a map on these axes: (nx, nz) or (nx, ny, nz)."""
        return tuple(len(axis) for axis in (self.qx, self.qy, self.qz) if axis is not None)


def sensible_axes(
    *,
    period: float,
    stack: Stack,
    hkl: Hkl,
    orders: float = ORDERS,
    shape: tuple[int, ...] = SHAPE,
    period_y: float | None = None,
) -> Axes:
    """Axes over +- orders satellites, and along qz over fringes, superlattice peaks and satellites of leaning walls.

    Lengths in angstrom; PER_FRINGE voxels or more to a fringe; the film's peak lies at the middle voxel of all axes. With
    a period_y there are axes qx, qy, qz, and three numbers in the shape.
    """
    for length in (period, period_y):
        if length is not None and not (math.isfinite(length) and length > 0):
            raise UserError(f"period: expected a length above 0 angstrom, e.g. 120, got {length:g}")
    once = sum(layer.cells * layer.c for layer in stack.layers)
    repeats = REPEATS / once if stack.repeat > 1 else 0.0
    most = shape[-1] / (2 * PER_FRINGE * stack.thickness)
    wide = min(max(FRINGES / stack.thickness, repeats, LEANING / period), most)
    qx = middle(hkl[0], stack.in_plane) + np.linspace(-1, 1, shape[0]) * 2 * np.pi * orders / period
    qz = middle(hkl[2], stack.mean_c) + np.linspace(-1, 1, shape[-1]) * 2 * np.pi * wide
    if period_y is None:
        return Axes(qx, qz)
    half = 2 * np.pi * orders / period_y
    return with_qy(Axes(qx, qz), stack=stack, hkl=hkl, half=half, number=shape[1])


def with_qy(axes: Axes, *, stack: Stack, hkl: Hkl, half: float, number: int) -> Axes:
    """The same axes and one along qy: `number` voxels within +- half (1/angstrom) of the film's peak."""
    return Axes(axes.qx, axes.qz, middle(hkl[1], stack.in_plane) + np.linspace(-half, half, number))


def middle(index: int, spacing: float) -> float:
    """Bragg point 2 pi index / spacing, 1/angstrom."""
    return 2 * math.pi * index / spacing


@dataclass(frozen=True)
class Refined:
    """A finer axis under a map's: points, how many to a voxel, voxels of margin, resolution in points."""

    points: Array
    each: int
    margin: int
    resolution: float

    def voxels(self, values: Array, axis: int) -> Array:
        """Values on the finer axis, blurred by the resolution, as means over the voxels of the map."""
        smooth = gaussian_filter1d(values, self.resolution, axis=axis) if self.resolution > 0.1 else values
        first = np.moveaxis(smooth, axis, 0)
        means = first.reshape(-1, self.each, *first.shape[1:]).mean(axis=1)
        return np.moveaxis(means[self.margin : len(means) - self.margin], 0, axis)


def refined(axis: Array, *, finest: float, resolution: float) -> Refined:
    """Points PER_WIDTH to a width `finest` or closer, with a margin of 4 resolutions; all in 1/angstrom."""
    step = float(axis[1] - axis[0])
    each, margin = max(math.ceil(PER_WIDTH * step / finest), 1), math.ceil(4 * resolution / step)
    count = (len(axis) + 2 * margin) * each
    points = axis[0] - margin * step + step * ((np.arange(count) + 0.5) / each - 0.5)
    return Refined(points, each, margin, resolution * each / step)


def check_axes(axes: Axes, periods: tuple[float, float]) -> None:
    """UserError where axes are too short, not uniform, or too coarse to tell the satellites of the periods apart."""
    for name, period in (("qx", periods[0]), ("qy", None), ("qz", None)):
        axis = getattr(axes, name)
        if axis is None:
            continue
        steps = np.diff(axis)
        if len(axis) < 2 or steps.min() <= 0 or np.ptp(steps) > UNIFORM * steps.mean():
            raise UserError(f"axes.{name}: expected a uniform, rising axis of 2 or more voxels")
        most = math.inf if period is None else math.pi / period
        if steps.mean() > most:
            raise UserError(
                f"axes.{name}: expected steps of {most:.3g} 1/angstrom or less, half the distance of the satellites of a "
                f"period of {period:g} angstrom, got {steps.mean():.3g}"
            )
