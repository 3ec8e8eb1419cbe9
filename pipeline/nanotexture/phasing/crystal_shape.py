"""Where a crystal ends: its modulus is even inside, whatever its strain."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

from nanotexture.phasing.constraints import Mask, Real

SURFACE = 0.4  # of the typical modulus: isosurfaces are drawn at 0.3 of the largest, which a crystal has at one spot


def shape_of(modulus: Real, within: Mask) -> Mask:
    """The crystal itself: its largest connected part within the solver's support whose modulus exceeds SURFACE of the typical.

    That support has a rim of faint voxels, whose phases are noise. Typical: median of the voxels above half of the 95th
    percentile.
    """
    inside = modulus[within]
    bright = inside[inside > 0.5 * np.quantile(inside, 0.95)]
    parts, number = label(within & (modulus > SURFACE * np.median(bright)))
    sizes = np.bincount(parts.ravel(), minlength=number + 1)
    sizes[0] = 0
    return np.asarray(parts == int(np.argmax(sizes)))
