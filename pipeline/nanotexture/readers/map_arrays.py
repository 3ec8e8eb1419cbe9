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

UNIFORM = 0.02  # of a step: largest distance of a voxel centre from the regular grid
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


def regular_axis(path: Path, field: str, axis: Array, rounding: float) -> Array:
    """Voxel centres put exactly on their regular grid; refused where they are not on one, but for their rounding."""
    if not np.isfinite(axis).all():
        raise InputError(path, field, "finite numbers", "NaN or infinity")
    if axis.size < 2:
        raise InputError(path, field, "at least 2 voxels", f"{axis.size}")
    regular = np.linspace(axis[0], axis[-1], axis.size)
    step = abs(regular[1] - regular[0])
    if step <= rounding or np.abs(axis - regular).max() > UNIFORM * step + rounding:
        raise InputError(
            path, field, "a uniform axis", f"steps from {np.diff(axis).min():g} to {np.diff(axis).max():g}"
        )
    return regular


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
