"""What each plane of the film adds to the amplitude along qz: structure factor and phase, for a known stack."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.rod import substrate_sum_from_gap
from nanotexture.film.stack import Stack, Substrate
from nanotexture.film.structure_factor import structure_factor

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


def plane_kernel(
    *, stack: Stack, hkl: tuple[int, int, int], qz: Array, energy_kev: float, stretch: float = 1.0
) -> Complex:
    """F_j(qz) exp(i qz z_j) of every plane j, (nz, planes) in electrons; stretch multiplies all heights."""
    heights = stack.heights * stretch
    factors = {}
    for index in sorted(set(stack.plane_materials)):
        layer = stack.layers[index]
        factors[index] = structure_factor(
            material=layer.material,
            h=np.array(float(hkl[0])),
            k=float(hkl[1]),
            qz=qz,
            in_plane=stack.in_plane,
            c=layer.c * stretch,
            energy_kev=energy_kev,
        )
    columns = [factors[index] for index in stack.plane_materials]
    return np.stack(columns, axis=1) * np.exp(1j * qz[:, None] * heights[None, :])


def substrate_amplitude(
    *, substrate: Substrate | None, hkl: tuple[int, int, int], qz: Array, in_plane: float, energy_kev: float
) -> Complex:
    """Amplitude (nz,) of the substrate's rod with no gap, zero without substrate; the film is coherent with it in plane."""
    if substrate is None:
        return np.zeros(len(qz), np.complex128)
    factor = structure_factor(
        material=substrate.material,
        h=np.array(float(hkl[0])),
        k=float(hkl[1]),
        qz=qz,
        in_plane=in_plane,
        c=substrate.c,
        energy_kev=energy_kev,
    )
    return factor * substrate_sum_from_gap(qz=qz, c=substrate.c, gap=0.0)
