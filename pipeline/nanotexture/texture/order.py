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
