"""Structure factor of one cell at any Q: atomic form factors with dispersion, Debye-Waller factor, atoms at their places.

F(Q) = sum_j occ_j f_j(|Q|, E) exp(-B_j (|Q| / 4 pi)^2) exp(i Q.r_j)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.materials import Material
from nanotexture.geometry import atomic_form_factor

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


def structure_factor(
    *, material: Material, h: Array, k: float, qz: Array, in_plane: float, c: float, energy_kev: float
) -> Complex:
    """F at Q = (2 pi h / a, 2 pi k / a, qz), h and qz broadcast together, in electrons; lengths in angstrom."""
    h, qz = np.broadcast_arrays(np.asarray(h, float), np.asarray(qz, float))
    length = np.sqrt((2 * np.pi / in_plane) ** 2 * (h**2 + k**2) + qz**2)
    total = np.zeros(h.shape, np.complex128)
    for atom in material.atoms:
        x, y, z = atom.position
        factor = atomic_form_factor(atom.element, length, energy_kev)
        damping = atom.occupancy * np.exp(-atom.debye_waller * (length / (4 * np.pi)) ** 2)
        total += factor * damping * np.exp(1j * (2 * np.pi * (h * x + k * y) + qz * c * z))
    return total
