"""The arrays of a map before they have labels: checks on counts, flips, and the sum over qy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError

Array = NDArray[np.float64]

QY_LOSS = 0.1  # largest share of the qy profile that may be missing under a voxel of (qx, qz)


@dataclass(frozen=True)
class MapArrays:
    """Counts, their variance (None: Poisson) and whether a voxel was measured, all of one shape."""

    intensity: Array
    variance: Array | None
    measured: NDArray[np.bool_]

    def apply(self, change: Callable[[Any], Any]) -> MapArrays:
        """The same change of layout on all arrays."""
        variance = None if self.variance is None else change(self.variance)
        return MapArrays(change(self.intensity), variance, change(self.measured))


def flip(arrays: MapArrays, descending: Sequence[bool]) -> MapArrays:
    """Arrays along ascending axes."""
    axes = tuple(i for i, down in enumerate(descending) if down)
    return arrays.apply(lambda array: np.flip(array, axes))


def check_counts(path: Path, data: str, arrays: MapArrays) -> None:
    """Refuse counts that no detector gives, and a map without a single one."""
    field = f"{data}/intensity"
    seen = arrays.intensity[arrays.measured]
    if seen.size == 0:
        raise InputError(path, f"{data}/mask", "at least one measured voxel", "all masked")
    if not np.isfinite(seen).all():
        number = np.count_nonzero(~np.isfinite(seen))
        raise InputError(path, field, "finite counts wherever mask is 0", f"{number} of NaN or infinity")
    if (seen < 0).any():
        raise InputError(path, field, "no negative counts", f"{seen.min():g}")
    if not seen.any():
        raise InputError(path, field, "counts", "zero everywhere")
    if arrays.variance is not None:
        spread = arrays.variance[arrays.measured]
        if not np.isfinite(spread).all() or (spread < 0).any():
            raise InputError(
                path, f"{data}/variance", "finite, not negative, wherever mask is 0", f"{spread.min():g}"
            )


def sum_over_qy(arrays: MapArrays) -> MapArrays:
    """Sum of (qx, qy, qz) over qy; a little that is masked is made up for by the mean qy profile.

    With P(qy) the mean profile of the measured voxels and f the share of P that is masked under (qx, qz),
    the sum over the measured qy is divided by 1 - f where f <= QY_LOSS; the voxel is masked where f is more.
    """
    measured = arrays.measured
    counts = np.where(measured, arrays.intensity, 0.0)
    profile = counts.sum(axis=(0, 2)) / np.maximum(measured.sum(axis=(0, 2)), 1)
    if not profile.any():  # nothing but empty voxels: all of qy counts alike
        profile = np.ones_like(profile)
    seen = np.einsum("xyz,y->xz", measured.astype(float), profile / profile.sum())
    keep = seen >= 1 - QY_LOSS
    share = np.where(keep, seen, 1.0)
    summed = MapArrays(counts.sum(axis=1) / share, None, keep)
    if arrays.variance is None:
        return replace(summed, variance=np.maximum(counts.sum(axis=1), 1.0) / share**2)
    return replace(summed, variance=np.where(measured, arrays.variance, 0.0).sum(axis=1) / share**2)
