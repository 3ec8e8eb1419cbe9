"""Fields a run starts from: noise, stripes of alternating P_z, one domain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.simulate.phasefield.settings import Settings

Array = NDArray[np.float64]


def noise(settings: Settings, amplitude: float) -> Array:
    """Independent normal P (3, nx, ny, nz) in C/m^2 of one standard deviation, a function of the seed alone."""
    return amplitude * np.random.default_rng(settings.seed).standard_normal((3, *settings.shape))


def uniform(settings: Settings, direction: tuple[float, float, float], amplitude: float = 0.3) -> Array:
    """One domain: P (3, nx, ny, nz) in C/m^2 of an amplitude along a direction, with a little noise."""
    unit = np.asarray(direction) / np.linalg.norm(direction)
    return noise(settings, 0.03 * amplitude) + amplitude * unit[:, None, None, None]


def stripes(settings: Settings, pairs: int = 1, amplitude: float = 0.3) -> Array:
    """Alternating P_z (3, nx, ny, nz) in C/m^2: `pairs` periods along x in the box, with noise of half the amplitude.

    Little noise would leave the vortex cores at one height, a saddle that a run leaves slowly: in the equilibrium their
    heights alternate.
    """
    nx, _, _ = settings.shape
    wave = amplitude * np.cos(2 * np.pi * pairs * (np.arange(nx) + 0.5) / nx)
    field = noise(settings, 0.5 * amplitude)
    field[2] += wave[:, None, None]
    return field
