"""Where a crystal ends: its modulus is even inside, whatever its strain."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

from nanotexture.phasing.constraints import Mask, Real
from nanotexture.phasing.driver import typical_modulus

SURFACE = 0.4  # of the typical modulus: isosurfaces are drawn at 0.3 of the largest, which a crystal has at one spot


def shape_of(modulus: Real, within: Mask) -> Mask:
    """The crystal itself: its largest connected part within the solver's support whose modulus exceeds SURFACE of the typical.

    That support has a rim of faint voxels, whose phases are noise.
    """
    parts, number = label(bright(modulus, within))
    sizes = np.bincount(parts.ravel(), minlength=number + 1)
    sizes[0] = 0
    return np.asarray(parts == int(np.argmax(sizes)))


def bright(modulus: Real, within: Mask) -> Mask:
    """Where the modulus exceeds SURFACE of the typical, all parts of it."""
    return within & (modulus > SURFACE * typical_modulus(modulus, within))
