"""hkl to momentum transfer in film axes, from lattice parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError

Array = NDArray[np.float64]

FLAT = 1e-6  # square of the volume of a cell with edges of length 1: below, it is a plane
PARALLEL = 1e-6  # of a length: below, an in-plane direction has no part across the normal


def film_axes_from_lattice(
    *,
    lengths: Array,
    angles: Array,
    in_plane: tuple[int, int, int] = (1, 0, 0),
    normal: tuple[int, int, int] = (0, 0, 1),
) -> Array:
    """Matrix (3, 3), 1/angstrom, with q = matrix @ hkl: z along `normal`, x along the part of `in_plane` across it, y = z x x.

    Lengths a, b, c in angstrom, angles alpha, beta, gamma in degrees; both directions are reciprocal, in hkl.
    Rows of 2 pi inv(A) are the reciprocal vectors of the direct vectors in the columns of A.
    """
    reciprocal = 2 * np.pi * np.linalg.inv(_direct(lengths, angles)).T  # columns a*, b*, c*
    up = reciprocal @ np.asarray(normal, dtype=np.float64)
    z = up / np.linalg.norm(up)
    across = reciprocal @ np.asarray(in_plane, dtype=np.float64)
    across = across - z * (z @ across)
    if np.linalg.norm(across) < PARALLEL * np.linalg.norm(up):
        raise UserError(f"in-plane direction {in_plane}: expected one that is not along the normal {normal}")
    x = across / np.linalg.norm(across)
    return np.asarray(np.stack([x, np.cross(z, x), z]) @ reciprocal, dtype=np.float64)


def _direct(lengths: Array, angles: Array) -> Array:
    """Columns a, b, c in angstrom, a along x and b in the plane of x and y."""
    cosines = np.cos(np.radians(angles))
    # of a cell with edges of length 1: (1 - sum cos^2 + 2 cos cos cos)
    volume = 1 - np.sum(cosines**2) + 2 * np.prod(cosines)
    if not (np.isfinite([*lengths, *angles]).all() and min(lengths) > 0 and volume > FLAT):
        raise UserError(f"lattice: expected a cell with a volume, found {list(lengths)}, {list(angles)}")
    sine = np.sin(np.radians(angles[2]))
    across = (cosines[0] - cosines[1] * cosines[2]) / sine
    columns = [[1, 0, 0], [cosines[2], sine, 0], [cosines[1], across, np.sqrt(volume) / sine]]
    return np.asarray(np.array(columns).T * lengths, dtype=np.float64)
