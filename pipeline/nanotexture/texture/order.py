"""How strong a texture is: the rms of its modulation, with a standard error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def modulation(field: Array) -> Array:
    """A field (..., x, z) less its mean along x: what satellites show, while the mean belongs to the lattice."""
    return np.asarray(field - field.mean(axis=-2, keepdims=True))


def rms_with_error(field: Array, std: Array) -> tuple[float, float]:
    """rms of a field over its points and mean(|v| sigma) / rms: its error if all points err together, the cautious limit.

    The answer of a fit is drawn towards zero, not spread, where data are silent: no variance is taken off the rms.
    """
    rms = float(np.sqrt(np.mean(field**2)))
    if not rms > 0:
        return rms, float(np.sqrt(np.mean(std**2)))
    return rms, float(np.mean(np.abs(field) * std) / rms)


def satellite_amplitude(
    *, order: NDArray[np.int64], intensity: Array, variance: Array
) -> tuple[float, float]:
    """sqrt of the satellites' share of a map, and its standard error; no motif is needed for it.

    intensity, variance (order, row): integrated over qx, NaN where not measured. A phase moves intensity from order 0 to
    the satellites and adds none: the share rises with the texture, as its square while it is weak.
    """
    known = np.isfinite(intensity) & np.isfinite(variance)
    sums = np.where(known, intensity, 0.0).sum(axis=1)
    errors = np.where(known, variance, 0.0).sum(axis=1)
    apart = order != 0
    total, satellites = sums.sum(), sums[apart].sum()
    if not total > 0 or not known[apart].any() or not known[~apart].any():
        return float("nan"), float("nan")
    share = satellites / total
    square = (1 - share) ** 2 * errors[apart].sum() + share**2 * errors[~apart].sum()
    sigma = float(np.sqrt(square)) / total
    low, high = (np.sqrt(max(share + k * sigma, 0.0)) for k in (-1, 1))
    return float(np.sqrt(max(share, 0.0))), float(0.5 * (high - low))
