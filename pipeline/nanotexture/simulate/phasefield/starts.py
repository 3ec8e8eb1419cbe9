"""Fields a run starts from: noise, stripes of alternating P_z, one domain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.simulate.phasefield.settings import Settings

Array = NDArray[np.float64]


def noise(settings: Settings, amplitude: float = 0.01) -> Array:
    """Independent normal P (3, nx, ny, nz) in C/m^2 of one standard deviation, a function of the seed alone."""
    return amplitude * np.random.default_rng(settings.seed).standard_normal((3, *settings.shape))


def uniform(settings: Settings, direction: tuple[float, float, float], amplitude: float = 0.3) -> Array:
    """One domain: P (3, nx, ny, nz) in C/m^2 of an amplitude along a direction, with a little noise."""
    unit = np.asarray(direction) / np.linalg.norm(direction)
    return noise(settings) + amplitude * unit[:, None, None, None]


def stripes(settings: Settings, pairs: int = 1, amplitude: float = 0.3) -> Array:
    """Alternating P_z (3, nx, ny, nz) in C/m^2: `pairs` periods along x in the box, with a little noise."""
    nx, _, _ = settings.shape
    wave = amplitude * np.cos(2 * np.pi * pairs * (np.arange(nx) + 0.5) / nx)
    field = noise(settings)
    field[2] += wave[:, None, None]
    return field


def resampled(field: Array, shape: tuple[int, int, int]) -> Array:
    """A periodic field (3, nx, ny, nz) on another number of nodes along x, linear between its nodes."""
    old, new = field.shape[1], shape[0]
    position = np.arange(new) * old / new
    low = np.floor(position).astype(int)
    share = (position - low)[:, None, None]
    return field[:, low] * (1 - share) + field[:, (low + 1) % old] * share
