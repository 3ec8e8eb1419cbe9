"""The displacement that a given polarization causes: electrostriction in mechanical equilibrium, clamped to the substrate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.energetics import Elastic
from nanotexture.film.stack import Stack
from nanotexture.simulate.phasefield.elasticity import eigenstrain
from nanotexture.simulate.phasefield.energy import functional_of
from nanotexture.simulate.phasefield.relax import displacement_of
from nanotexture.simulate.phasefield.settings import Layer, Settings, Surroundings

Array = NDArray[np.float64]

TOLERANCE = 1e-6  # of the unbalanced force
DEPTH = 0.5  # of a period: how deep the substrate and how high the vacuum of a film are; a modulation is gone by then
LEAST = 16  # planes
# Nodes of a plane. The displacement of single nodes rings where the stiffness jumps, most of all at the vacuum: by a tenth of
# its size with one node a plane, by half a percent of it in the mean over two.
NODES = 2


def equilibrium_displacement(
    *, stack: Stack, polarization: Array, period: float, below: Elastic | None
) -> Array:
    """Displacement (3, nx, 1, planes) in angstrom from P (3, nx, 1, planes) in C/m^2, mean zero in every plane.

    A repeated stack is taken as a superlattice without end; any other as a film with a free surface on a substrate of
    stiffness `below` (None: that of the first layer), of whose own deformation nothing is kept. The mean of each plane is
    left out: the stack's c hold it already. UserError names a material without coefficients.
    """
    settings = _settings(stack, period, polarization.shape[1], below)
    functional = functional_of(settings)
    field = np.zeros((3, *settings.shape))
    film = slice(settings.below, settings.shape[2] - settings.above)
    planes = (film.stop - film.start) // NODES
    field[..., film] = np.repeat(polarization[..., :planes], NODES, axis=-1)
    strain = eigenstrain(polarization=functional.grid.tensor(field), coefficients=functional.coefficients)
    elastic = functional.elasticity.solve(strain, functional.elasticity.start(), TOLERANCE)
    moved = displacement_of(functional, elastic)[..., film]
    moved = moved.reshape(*moved.shape[:-1], planes, NODES).mean(axis=-1)
    moved = moved - moved.mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.tile(moved, stack.repeat))


def _settings(stack: Stack, period: float, points: int, below: Elastic | None) -> Settings:
    # A cubic cell of the reference lattice: misfit is the same everywhere along x and moves no plane's mean-free part.
    height = stack.in_plane / NODES
    layers = tuple(Layer(layer.material, NODES * layer.cells, height) for layer in stack.layers)
    stiff = below or stack.layers[0].material.elastic
    around = None
    if stack.repeat == 1 and stiff is not None:
        reach = max(LEAST, round(DEPTH * period / stack.in_plane))
        around = Surroundings(stiff, below=NODES * reach, above=NODES * reach)
    return Settings(
        layers=layers,
        in_plane=height,
        period=period,
        step=period / points * (1 + 1e-9),
        surroundings=around,
    )
