"""Smooth random textures: a few harmonics of random phase, reproducible from a seed. No energy made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.stack import Stack
from nanotexture.simulate.motif import MOST_POLARIZATION, Motif
from nanotexture.simulate.texture_grid import (
    in_plane_motif,
    middles,
    refuse_grid,
    refuse_length,
    refuse_outside,
    sampled_x,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RandomTexture:
    """Random displacement and polarization; period and amplitude (rms of each component of u) in angstrom.

    polarization: largest |P| in C/m^2, 0 for a texture that is not polar; harmonics along x and modes through the film;
    points: samples along x.
    """

    period: float
    amplitude: float = 0.1
    polarization: float = 0.0
    harmonics: int = 3
    modes: int = 3
    seed: int = 0
    points: int = 64
    kind: Literal["random"] = "random"

    def __post_init__(self) -> None:
        """Refuse what is no texture."""
        refuse_length("texture.period", self.period)
        refuse_length("texture.amplitude", self.amplitude)
        refuse_outside("texture.polarization", self.polarization, 0.0, MOST_POLARIZATION, "C/m^2")
        for name, most in (("harmonics", 16), ("modes", 24)):
            refuse_outside(f"texture.{name}", getattr(self, name), 1, most)


def motif_from_random(*, stack: Stack, texture: RandomTexture) -> Motif:
    """Random fields on the planes of a stack, the same for the same seed."""
    shortest = texture.period / (2 * texture.harmonics)
    refuse_grid(points=texture.points, stack=stack, period=texture.period, wall=shortest)
    x, z = sampled_x(texture.points), middles(stack)
    moved = random_displacement(texture=texture, x=x, z=z, thickness=stack.thickness)
    polar = random_polarization(texture=texture, x=x, z=z, thickness=stack.thickness)
    field = in_plane_motif(polar) if texture.polarization > 0 else None
    return Motif((texture.period, stack.in_plane), in_plane_motif(moved), field)


def random_displacement(*, texture: RandomTexture, x: Array, z: Array, thickness: float) -> Array:
    """Displacement (2, x, z) in angstrom: sum over k, m of normal numbers / (k m) times cos(2 pi k x + phase)
    sin(pi (m - 1/2) z / thickness), zero at the substrate and free at the surface; x in periods, z in angstrom."""
    wave = np.pi * (np.arange(1, texture.modes + 1) - 0.5) / thickness
    found = np.stack([_harmonics(texture, x, stream) @ np.sin(np.outer(wave, z)) for stream in (1, 2)])
    rms = np.sqrt((found**2).mean(axis=(1, 2), keepdims=True))
    return np.asarray(texture.amplitude * found / rms)


def random_polarization(*, texture: RandomTexture, x: Array, z: Array, thickness: float) -> Array:
    """P (2, x, z) in C/m^2, the curl of a random stream function that vanishes at both faces: no charge anywhere."""
    wave = np.pi * np.arange(1, texture.modes + 1) / thickness
    k = np.asarray(2 * np.pi * np.arange(1, texture.harmonics + 1) / texture.period, np.float64)
    flat = _harmonics(texture, x, 3) @ (wave[:, None] * np.cos(np.outer(wave, z)))
    steep = _harmonics(texture, x, 3, slope=k) @ np.sin(np.outer(wave, z))
    found = np.stack([flat, -steep])
    return np.asarray(texture.polarization * found / np.sqrt((found**2).sum(axis=0).max()))


def _harmonics(texture: RandomTexture, x: Array, stream: int, slope: Array | None = None) -> Array:
    """Random coefficients of each mode along x, (x, modes); their derivative along x in 1/angstrom if slope (k,) is given."""
    rng = np.random.Generator(np.random.PCG64([texture.seed % 2**32, stream]))
    k, m = np.arange(1, texture.harmonics + 1), np.arange(1, texture.modes + 1)
    size = rng.normal(size=(len(k), len(m))) / np.outer(k, m)
    turn = 2 * np.pi * (k[None, :, None] * x[:, None, None] + rng.random((len(k), len(m)))[None])
    if slope is None:
        return np.asarray((size[None] * np.cos(turn)).sum(axis=1))
    return np.asarray((-slope[None, :, None] * size[None] * np.sin(turn)).sum(axis=1))
