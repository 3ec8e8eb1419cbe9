"""Fields drawn within their standard deviations, from which the errors of walls, areas and cores follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

Array = NDArray[np.float64]

HELD = 0.99  # of a field's variance: what its richness must hold


def richness(field: Array) -> tuple[int, int]:
    """Number of harmonics along x, and of cosines along z, that hold 99 % of the variance of a field (x, z); 1 at least."""
    varying = field - field.mean()
    across = (np.abs(np.fft.rfft(varying, axis=0)) ** 2).sum(axis=1)
    upward = (dct(varying, axis=1, norm="ortho") ** 2).sum(axis=0)
    return max(_held(across), 1), _held(upward) + 1


def noise_fields(
    *, shape: tuple[int, int], harmonics: int, modes: int, draws: int, rng: np.random.Generator
) -> Array:
    """Gaussian fields (draws, x, z) of variance 1 at every point, made of `harmonics` waves along x and `modes` cosines."""
    x, z = np.arange(shape[0]) / shape[0], (np.arange(shape[1]) + 0.5) / shape[1]
    phase = 2 * np.pi * np.outer(np.arange(1, harmonics + 1), x)
    waves = np.concatenate([np.ones((1, shape[0])), np.cos(phase), np.sin(phase)]) / np.sqrt(1 + harmonics)
    profiles = np.cos(np.pi * np.outer(np.arange(modes), z))
    profiles /= np.sqrt((profiles**2).sum(axis=0))
    numbers = rng.standard_normal((draws, len(waves), modes))
    return np.asarray(np.einsum("dkm,kx,mz->dxz", numbers, waves, profiles, optimize=True))


def drawn_fields(*, fields: Array, std: Array, draws: int, seed: int) -> Array:
    """Fields (draws, f, x, z) around fields (f, x, z) with their standard deviations.

    The errors of one field are as smooth as the field itself (its richness), those of different fields independent: the
    few modes that an answer is made of err together, and errors drawn point by point would average out. One draw, the
    fields themselves, where nothing has an error.
    """
    if not std.any():
        return fields[None].copy()
    rng = np.random.default_rng(seed)
    found = np.empty((draws, *fields.shape))
    for f, (field, spread) in enumerate(zip(fields, std, strict=True)):
        harmonics, modes = richness(field)
        noise = noise_fields(
            shape=field.shape,
            harmonics=min(harmonics, field.shape[0] // 2),
            modes=modes,
            draws=draws,
            rng=rng,
        )
        found[:, f] = field + spread * noise
    return found


def _held(power: Array) -> int:
    total = power.sum()
    return int(np.searchsorted(np.cumsum(power), HELD * total)) if total > 0 else 0
