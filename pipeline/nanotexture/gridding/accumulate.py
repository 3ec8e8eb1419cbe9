"""Counts of pixels to sums over voxels, and sums to means: chunk, combine, finalize."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.geometry.fuzzy import Axis, spread

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sums:
    """Per voxel (nx, nz) or (nx, ny, nz): counts, their variance, the variance of one count, pixels, and their weight.

    The weight is what the pixels together would count at intensity 1: their number, where counts are incident counts.
    """

    counts: Array
    variance: Array
    single: Array
    contributions: Array
    weight: Array

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.counts + other.counts,
            self.variance + other.variance,
            self.single + other.single,
            self.contributions + other.contributions,
            self.weight + other.weight,
        )


@dataclass(frozen=True)
class Pixels:
    """Pixels of any one shape: qx, qz in 1/angstrom, detected counts, factor to incident counts."""

    qx: Array
    qz: Array
    counts: Array
    factor: Array


def sums_from_pixels(
    *, pixels: Pixels, oversampling: float, axes: tuple[Axis, Axis], width: tuple[float, float]
) -> Sums:
    """Sums over the voxels of one chunk of pixels.

    With w_iv the share of pixel i in voxel v, N_i counts, A_i the factor and F the oversampling: counts
    sum w A N, variance F sum w A^2 N. The variance of sum w A N alone is sum w^2 A^2 N, which is smaller; but
    pixels shared between voxels correlate them. Taken as independent with w in place of w^2, any sum over
    voxels that holds whole pixels has its true variance, and no voxel is given too much weight.
    """

    def spread_to_voxels(weights: Array) -> tuple[Array, Array]:
        return spread(x=pixels.qx, z=pixels.qz, weights=weights, axes=axes, width=width)

    square = oversampling * pixels.factor**2
    counts, contributions = spread_to_voxels(pixels.factor * pixels.counts)
    variance, _ = spread_to_voxels(square * pixels.counts)
    single, _ = spread_to_voxels(square)
    return Sums(counts, variance, single, contributions, contributions)


def means_from_sums(*, sums: Sums, least: float) -> tuple[Array, Array, NDArray[np.uint8]]:
    """Mean incident counts of a voxel's pixels, variance of the mean, mask (1: fewer than `least` pixels or no weight).

    Where no count was seen, the variance is that of one count in the voxel: a limit, not certainty.
    """
    measured = (sums.contributions >= least) & (sums.weight > 0)
    weight = np.where(measured, sums.weight, 1.0)
    floor = sums.single / np.where(measured, sums.contributions, 1.0)
    mean = np.where(measured, sums.counts / weight, np.nan)
    variance = np.where(measured, np.maximum(sums.variance, floor) / weight**2, np.nan)
    return mean, variance, (~measured).astype(np.uint8)
