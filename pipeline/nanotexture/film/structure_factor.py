"""Structure factor of one cell at any Q: atomic form factors with dispersion, Debye-Waller factor, atoms at their places.

F(Q) = sum_j occ_j f_j(|Q|, E) exp(-B_j (|Q| / 4 pi)^2) exp(i Q.(r_j + b_j P))
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.materials import Atom, Material, Triple
from nanotexture.geometry import atomic_form_factor

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
FormFactor = Callable[[str, Array, float], Complex]


def structure_factor(
    *,
    material: Material,
    h: Array,
    k: float,
    qz: Array,
    in_plane: float,
    c: float,
    energy_kev: float,
    polarization: Triple = (0.0, 0.0, 0.0),
    form_factor: FormFactor = atomic_form_factor,
) -> Complex:
    """F at Q = (2 pi h / a, 2 pi k / a, qz), h and qz broadcast together, in electrons; lengths in angstrom.

    polarization in C/m^2; form_factor(element, |Q|, keV) gives f in electrons.
    """
    h, qz = np.broadcast_arrays(np.asarray(h, float), np.asarray(qz, float))
    q = np.stack([2 * np.pi * h / in_plane, np.full(h.shape, 2 * np.pi * k / in_plane), qz])
    total = np.zeros(h.shape, np.complex128)
    for atom in material.atoms:
        move = np.multiply(atom.displacement_per_polarization, polarization)
        wave = atom_wave(
            atom=atom, q=q, in_plane=in_plane, c=c, energy_kev=energy_kev, form_factor=form_factor
        )
        total += wave * np.exp(1j * np.tensordot(move, q, 1))
    return total


def atom_wave(
    *, atom: Atom, q: Array, in_plane: float, c: float, energy_kev: float, form_factor: FormFactor
) -> Complex:
    """occ f(|Q|) exp(-W) exp(i Q.r) of an atom at its place in the cell, shape of q (3, ...) in 1/angstrom without the 3."""
    length = np.sqrt((q**2).sum(axis=0))
    damping = atom.occupancy * np.exp(-atom.debye_waller * (length / (4 * np.pi)) ** 2)
    place = np.multiply(atom.position, (in_plane, in_plane, c))
    wave = form_factor(atom.element, length, energy_kev) * damping * np.exp(1j * np.tensordot(place, q, 1))
    return np.asarray(wave, np.complex128)
