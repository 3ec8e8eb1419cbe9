"""A small textured film that the tests of simulated maps share, and its atoms one by one."""

from __future__ import annotations

import numpy as np
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.geometry import atomic_form_factor
from nanotexture.simulate.motif import Motif

A, ENERGY = 3.905, 8.048
STACK = Stack(A, (Layer(built_in("SrTiO3"), 5, 3.905), Layer(built_in("PbTiO3"), 7, 4.08)), 2)
BELOW = Substrate(built_in("SrTiO3"), 3.905)
CELLS = 30  # of one period: the texture's samples are the lattice's cells
PERIOD = CELLS * A


def texture(strength: float = 1.0, stack: Stack = STACK) -> Motif:
    """Displacement and polarization without any mirror or centre: every sign in the sum over atoms matters."""
    x, z = np.arange(CELLS) / CELLS, stack.heights / stack.thickness
    u, p = np.zeros((2, 3, CELLS, 1, len(z)))
    u[0, :, 0] = 0.10 * np.sin(2 * np.pi * x + 0.3)[:, None] * np.sin(3 * z)
    u[2, :, 0] = 0.15 * np.cos(2 * np.pi * x[:, None] + 2 * z) + 0.05 * np.sin(4 * np.pi * x)[:, None]
    p[0, :, 0] = 0.3 * np.cos(2 * np.pi * x)[:, None] * np.sin(5 * z)
    p[2, :, 0] = (
        0.5 * np.sin(2 * np.pi * x)[:, None] * (np.array(stack.plane_materials) == len(stack.layers) - 1)
    )
    return Motif((PERIOD, A), strength * u, strength * p)


def columns(motif: Motif, q: np.ndarray, stack: Stack = STACK) -> np.ndarray:
    """Sum of f exp(i Q.r) over every atom of each column of cells of a motif (nx,), each as if it stood at x = 0."""
    total, length = np.zeros(motif.displacement.shape[1], complex), np.array(np.linalg.norm(q))
    for index, layer in enumerate(stack.layers):
        for atom in layer.material.atoms:
            f = complex(atomic_form_factor(atom.element, length, ENERGY))
            f *= atom.occupancy * np.exp(-atom.debye_waller * (length / (4 * np.pi)) ** 2)
            for plane in np.flatnonzero(np.array(stack.plane_materials) == index):
                r = np.array(atom.position) * [A, A, layer.c] + [0, 0, stack.heights[plane]]
                r = r[:, None] + motif.displacement[:, :, 0, plane]
                r += (
                    np.array(atom.displacement_per_polarization)[:, None] * motif.polarization[:, :, 0, plane]
                )
                total += f * np.exp(1j * (q @ r))
    return total
