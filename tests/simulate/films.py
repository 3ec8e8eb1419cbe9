"""Films that the tests of textures share, and derivatives of fields on their planes."""

from __future__ import annotations

import numpy as np
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack

FILM = Stack(3.905, (Layer(built_in("PbTiO3"), 50, 4.06),))
SUPERLATTICE = Stack(
    3.905, (Layer(built_in("SrTiO3"), 10, 3.9), Layer(built_in("PbTiO3"), 16, 4.03)), repeat=2
)
RUTHENATE = Stack(5.36, (Layer(built_in("Ca2RuO4"), 24, 12.1),))


def strains(field, period, z):
    """xx, zz, xz of a displacement (2, x, z) by central differences inside, (3, x, z - 2); z uniform, angstrom."""
    step = period / field.shape[1]
    along = (np.roll(field, -1, axis=1) - np.roll(field, 1, axis=1))[:, :, 1:-1] / (2 * step)
    up = (field[:, :, 2:] - field[:, :, :-2]) / (2 * (z[1] - z[0]))
    return np.stack([along[0], up[1], 0.5 * (along[1] + up[0])])


def divergence(field, period, z):
    """dPx/dx + dPz/dz of (2, x, z), 1/angstrom times its unit, at inner planes."""
    e = strains(field, period, z)
    return e[0] + e[1]
