"""Strained particles of many shapes, drawn at random: what a prior for crystals learns from.

A strain field is a phase Q.u in rad. Each axis of the array has a sampling of its own, as the axes of a detector and a
rocking curve have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from nanotexture.simulate.particle_shapes import FAMILIES, random_shape

Array = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]
Rng = np.random.Generator

STRAINS = ("smooth", "screw", "edge", "domain")
POISSON = 0.42  # Poisson's number of gold, in the field of an edge dislocation


@dataclass(frozen=True)
class Particles:
    """What is drawn.

    size: voxels along each axis of the array; sampling: lowest and highest ratio of the array to the particle along an
    axis; phase_range: lowest and highest difference in rad of the smooth field over the particle; defects: share of the
    particles with a dislocation or a domain wall; off_centre: how far the peak may lie from the array's middle, in voxels;
    relaxed: share of the particles that are made of atoms and relaxed (simulate.relaxed_particles).
    """

    size: int = 64
    sampling: tuple[float, float] = (2.1, 4.5)
    phase_range: tuple[float, float] = (0.0, 5.0 * np.pi)
    defects: float = 0.4
    off_centre: float = 1.0
    relaxed: float = 0.0


@dataclass(frozen=True)
class Particle:
    """One particle: density psi (n, n, n), |psi| the share of a voxel filled, centroid at n // 2; what was drawn."""

    density: Complex
    family: str
    strain: str
    phase_range: float


def random_particle(drawn: Particles, *, seed: int, number: int) -> Particle:
    """Particle `number`, fixed by (seed, number) alone."""
    rng = np.random.Generator(np.random.PCG64([seed, number]))
    family = FAMILIES[int(rng.integers(len(FAMILIES)))]
    shape = random_shape(family, rng)
    middle, half = shape.extent()
    ratios = rng.uniform(*drawn.sampling, 3)
    voxel = 2.0 * half / (drawn.size / ratios)
    window = _window(drawn.size, float(ratios.min()))
    r = _positions(window, voxel) + middle[:, None, None, None]
    share = np.clip(0.5 - shape.at(r) / float(np.exp(np.mean(np.log(voxel)))), 0.0, 1.0)
    span = float(rng.uniform(*drawn.phase_range))
    phase, strain = _phase(drawn, r, share, span, rng)
    return Particle(_placed(drawn, share, phase, rng), family, strain, span)


def _window(size: int, ratio: float) -> int:
    """Voxels along each axis of the part of the array that a particle about its centroid can reach."""
    return min(size, 2 * int(np.ceil(0.65 * size / ratio)) + 4)


def _positions(n: int, voxel: Array) -> Array:
    index = np.arange(n) - n // 2
    return np.stack(np.meshgrid(*(index * v for v in voxel), indexing="ij"))


def _phase(drawn: Particles, r: Array, share: Array, span: float, rng: Rng) -> tuple[Array, str]:
    """Phase in rad of a smooth field of this range, often with a defect, and what it is called."""
    inside = share > 0.5
    width = rng.uniform(0.12, 0.35) * 2.0 * np.cbrt(np.count_nonzero(inside) * 3.0 / (4.0 * np.pi))
    field = gaussian_filter(rng.normal(size=share.shape), width, mode="wrap", truncate=3.0)
    field = field - _slope(field, r, share)
    smooth = field * (span / max(float(np.ptp(field[inside])), 1e-12))
    strain = "smooth" if rng.uniform() >= drawn.defects else STRAINS[1 + int(rng.integers(3))]
    return smooth + _defect(strain, r - r[:, inside].mean(axis=1)[:, None, None, None], rng), strain


def _slope(field: Array, r: Array, share: Array) -> Array:
    """Plane nearest to a field over the particle."""
    basis = np.stack([np.ones_like(share), *r])
    inside = share > 0.5
    weights, *_ = np.linalg.lstsq(basis[:, inside].T, field[inside], rcond=None)
    return np.tensordot(weights, basis, 1)


def _defect(strain: str, r: Array, rng: Rng) -> Array:
    """Phase of a defect near the middle; positions (3, ...), distances of order one."""
    across, up, _ = Rotation.random(rng=rng).as_matrix()
    offset = rng.uniform(-0.4, 0.4, 2)
    x, y = (np.tensordot(v, r, 1) - o + 1e-3 for v, o in zip((across, up), offset, strict=True))
    if strain == "screw":
        return np.arctan2(y, x)
    if strain == "edge":
        # u_x / b of an isotropic solid (Hirth and Lothe, Theory of Dislocations, 1982, eq. 3-45), Q.b = 2 pi
        return np.arctan2(y, x) + x * y / (2.0 * (1.0 - POISSON) * (x**2 + y**2))
    if strain == "domain":
        width = rng.uniform(0.01, 0.2)
        return rng.uniform(0.3, 2.0) * np.pi * (0.5 + 0.5 * np.tanh(x / width))
    return np.zeros(r.shape[1:])


def _placed(drawn: Particles, share: Array, phase: Array, rng: Rng) -> Complex:
    """The density in its array; its peak off the middle by a slope of the phase, centroid of the particle in the middle."""
    n, m = drawn.size, share.shape[0]
    index = np.stack(np.meshgrid(*(np.arange(m) - m // 2 for _ in range(3)), indexing="ij")).astype(float)
    psi = share * np.exp(1j * phase)
    psi = psi * np.exp(2j * np.pi * np.tensordot(_wanted_slope(psi, n, drawn.off_centre, rng), index, 1))
    found = np.zeros((n, n, n), dtype=np.complex64)
    first = n // 2 - m // 2
    found[(slice(first, first + m),) * 3] = psi
    return found


def _wanted_slope(psi: Complex, n: int, off_centre: float, rng: Rng) -> Array:
    """Cycles a voxel (3,) that put the centroid of the intensity off the middle by at most off_centre voxels."""
    means = [np.angle(np.vdot(np.roll(psi, 1, axis), psi)) / (2.0 * np.pi) for axis in range(3)]
    return rng.uniform(-off_centre, off_centre, 3) / n - np.array(means)
