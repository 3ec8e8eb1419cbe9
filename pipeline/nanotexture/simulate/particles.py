"""Strained particles of many shapes, drawn at random: what a prior for crystals learns from.

A shape is the set where a function of position is negative, the largest distance beyond its facets; a strain field is a
phase Q.u in rad. Each axis of the array has a sampling of its own, as the axes of a detector and a rocking curve have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

Array = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]
Rng = np.random.Generator

FAMILIES = ("wulff", "twinned", "ellipsoid")
STRAINS = ("smooth", "screw", "edge", "domain")
POISSON = 0.42  # Poisson's number of gold, in the field of an edge dislocation
_COARSE = 28  # points along each axis of the grid on which a shape's extent is found


def _family(vectors: list[tuple[int, int, int]]) -> Array:
    found = np.array(vectors, dtype=float)
    return found / np.linalg.norm(found, axis=1)[:, None]


_SIGNS = (-1, 0, 1)
_ALL = [(x, y, z) for x in _SIGNS for y in _SIGNS for z in _SIGNS]
_FACETS = {squares: _family([v for v in _ALL if sum(map(abs, v)) == squares]) for squares in (1, 2, 3)}


@dataclass(frozen=True)
class Particles:
    """What is drawn.

    size: voxels along each axis of the array; sampling: lowest and highest ratio of the array to the particle along an
    axis; phase_range: lowest and highest difference in rad of the smooth field over the particle; defects: share of the
    particles with a dislocation or a domain wall; off_centre: how far the peak may lie from the array's middle, in voxels.
    """

    size: int = 64
    sampling: tuple[float, float] = (2.1, 4.5)
    phase_range: tuple[float, float] = (0.0, 5.0 * np.pi)
    defects: float = 0.4
    off_centre: float = 1.0


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
    beyond = _shape(family, rng)
    middle, half = _extent(beyond)
    ratios = rng.uniform(*drawn.sampling, 3)
    voxel = 2.0 * half / (drawn.size / ratios)
    window = _window(drawn.size, float(ratios.min()))
    r = _positions(window, voxel) + middle[:, None, None, None]
    share = np.clip(0.5 - beyond.at(r) / float(np.exp(np.mean(np.log(voxel)))), 0.0, 1.0)
    span = float(rng.uniform(*drawn.phase_range))
    phase, strain = _phase(drawn, r, share, span, rng)
    return Particle(_placed(drawn, share, phase, rng), family, strain, span)


@dataclass(frozen=True)
class _Shape:
    """Facets n.r <= d, mirrored at a plane for a twin, and an ellipsoid |r / axes| <= 1 where axes are given."""

    normals: Array
    distances: Array
    mirror: Array | None = None
    axes: Array | None = None
    turn: Array | None = None

    def at(self, r: Array) -> Array:
        """Distance beyond the surface (negative inside) at positions r (3, ...)."""
        if self.mirror is not None:
            along = np.tensordot(self.mirror, r, 1)
            r = r - 2.0 * np.minimum(along, 0.0) * self.mirror.reshape(-1, *(1,) * (r.ndim - 1))
        beyond = np.full(r.shape[1:], -np.inf)
        for normal, distance in zip(self.normals, self.distances, strict=True):
            beyond = np.maximum(beyond, np.tensordot(normal, r, 1) - distance)
        if self.axes is not None and self.turn is not None:
            inner = np.tensordot(self.turn / self.axes[:, None], r, 1)
            radius = np.sqrt(np.sum(inner**2, axis=0))
            beyond = np.maximum(beyond, (radius - 1.0) * float(self.axes.min()))
        return beyond


def _shape(family: str, rng: Rng) -> _Shape:
    turn = Rotation.random(rng=rng)
    if family == "ellipsoid":
        normals = Rotation.random(int(rng.integers(3, 9)), rng=rng).apply([0.0, 0.0, 1.0])
        axes = rng.uniform(0.7, 1.3, 3)
        return _Shape(normals, rng.uniform(0.45, 1.0, len(normals)), axes=axes, turn=turn.as_matrix())
    # Wulff: distances of {100}, {110}, {111} of face-centred cubic metals are near 1.15, 1.2 and 1
    energies = {1: rng.uniform(0.9, 1.3), 2: rng.uniform(1.0, 1.4), 3: rng.uniform(0.9, 1.1)}
    normals = turn.apply(np.concatenate([_FACETS[k] for k in energies]))
    distances = np.concatenate([np.full(len(_FACETS[k]), d) for k, d in energies.items()])
    distances = distances * (1.0 + rng.uniform(0.0, 0.3) * rng.uniform(-1.0, 1.0, len(distances)))
    mirror = turn.apply(_FACETS[3][int(rng.integers(8))]) if family == "twinned" else None
    return _Shape(normals, distances, mirror=mirror)


def _extent(beyond: _Shape) -> tuple[Array, Array]:
    """Centroid and half the extent along each axis of a shape, both (3,)."""
    points = np.linspace(-1.9, 1.9, _COARSE)
    grid = np.stack(np.meshgrid(points, points, points, indexing="ij"))
    inside = grid[:, beyond.at(grid) < 0.0]
    step = points[1] - points[0]
    return inside.mean(axis=1), 0.5 * (inside.max(axis=1) - inside.min(axis=1) + step)


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
