"""Gold particles relaxed atom by atom, and their coherent diffraction summed over the atoms.

A cluster of some thousand atoms is cut from the lattice, left free, clamped on one facet as by a substrate, or given a
dislocation, and relaxed (simulate.atoms), twins too. What an atom adds is exp(i (Q.r + phi)), phi a smooth field as of a strain
that reaches farther than a cluster: a few nanometres stand for a crystal of any size, with its surfaces and cores of
dislocations drawn larger than they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from nanotexture.simulate.atoms import LATTICE, relaxed, sites
from nanotexture.simulate.particle_shapes import FAMILIES, Shape, random_shape
from nanotexture.simulate.particles import POISSON, Particles

Array = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]
Rng = np.random.Generator

RADIUS = (22.0, 31.0)  # angstrom for a length of one
KINDS = {"free": 0.3, "clamped": 0.4, "screw": 0.15, "edge": 0.15}  # shares
MISFIT = 0.02  # largest strain of a clamped facet
CLAMPED = 3.0  # angstrom below the facet
HKL = ((1, 1, 1), (2, 0, 0), (2, 2, 0))
BURGERS = LATTICE / np.sqrt(2.0)  # of a/2 <110>
_COARSE = 20  # points along an edge of the grid of the smooth field


@dataclass(frozen=True)
class RelaxedParticle:
    """Positions (n, 3) in angstrom along the array's axes about the centroid, phase (n,) in rad of each; what was drawn."""

    positions: Array
    phase: Array
    family: str
    strain: str
    phase_range: float


def relaxed_particle(drawn: Particles, *, seed: int, number: int) -> RelaxedParticle:
    """Particle `number`, fixed by (seed, number) alone on one platform."""
    rng = np.random.Generator(np.random.PCG64([seed, number, 4]))
    family = FAMILIES[int(rng.integers(len(FAMILIES)))]
    shape, radius = random_shape(family, rng), float(rng.uniform(*RADIUS))
    ideal = cut_of_atoms(shape, radius)
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    begin, held = _begun(kind, ideal, shape, rng)
    found = relaxed(begin, held)
    hkl = rng.permutation(np.array(HKL[int(rng.integers(len(HKL)))]) * rng.choice([-1, 1], 3))
    q = shape.turn @ (2.0 * np.pi / LATTICE * hkl)
    seen = _scattering(ideal, shape, q)
    ideal, found = ideal[seen], found[seen]
    span = float(rng.uniform(*drawn.phase_range))
    phase = found @ q + _smooth(ideal, span, rng)
    return RelaxedParticle(ideal - ideal.mean(axis=0), phase, family, f"relaxed {kind}", span)


def diffraction_of_atoms(particle: RelaxedParticle, step: Array, grid: int) -> Complex:
    """sum_j exp(i phi_j - i q.r_j) on (grid, grid, grid) about the peak; step: of q along each axis, 1/angstrom."""
    index = np.arange(grid) - grid // 2
    x, y, z = (
        np.exp(-1j * np.outer(index * dq, r)).astype(np.complex64)
        for dq, r in zip(step, particle.positions.T, strict=True)
    )
    y = y * np.exp(1j * particle.phase).astype(np.complex64)
    return np.stack([(y * row) @ z.T for row in x])


def cut_of_atoms(shape: Shape, radius: float) -> Array:
    """Atoms (n, 3) of the lattice within a shape; of a twin, the other half mirrored at a plane of atoms."""
    lattice = sites(1.9 * radius) @ shape.turn.T
    inside = lattice[shape.at(lattice.T / radius) < 0.0]
    if shape.mirror is None:
        return inside
    along = inside @ shape.mirror
    half = inside[along > -1e-6 * LATTICE]
    other = half[half @ shape.mirror > 1e-6 * LATTICE]
    return np.concatenate([half, other - 2.0 * np.outer(other @ shape.mirror, shape.mirror)])


def _scattering(ideal: Array, shape: Shape, q: Array) -> NDArray[np.bool_]:
    """Atoms (n,) of the lattice that has the reflection q: both halves of a twin only where they share its planes.

    The other half scatters elsewhere; of clusters this small its tails would reach into the window, of real ones they do not.
    """
    if shape.mirror is None or abs(shape.mirror @ q) > 0.999 * float(np.linalg.norm(q)):
        return np.ones(len(ideal), dtype=bool)
    return np.asarray(ideal @ shape.mirror > -1e-6 * LATTICE)


def _begun(kind: str, ideal: Array, shape: Shape, rng: Rng) -> tuple[Array, NDArray[np.bool_] | None]:
    """Where the atoms begin, and which of them are held."""
    if kind == "clamped":
        return _clamped(ideal, shape, rng)
    if kind in ("screw", "edge"):
        return _dislocated(kind, ideal, shape, rng), None
    return ideal, None


def _clamped(ideal: Array, shape: Shape, rng: Rng) -> tuple[Array, NDArray[np.bool_]]:
    """One facet held as on a substrate whose lattice is another: a strain in its plane, each entry up to MISFIT."""
    normal = shape.normals[int(rng.integers(len(shape.normals)))]
    height = ideal @ normal
    held = height > height.max() - CLAMPED
    plane = np.eye(3) - np.outer(normal, normal)
    strain = rng.uniform(-MISFIT, MISFIT, (3, 3))
    strain = plane @ (strain + strain.T) @ plane / 2.0
    return ideal + held[:, None] * (ideal @ strain), held


def _dislocated(kind: str, ideal: Array, shape: Shape, rng: Rng) -> Array:
    """A dislocation of Burgers vector a/2 [1 -1 0] in (1 1 1) near the middle, cut along its glide plane.

    Fields of an isotropic solid: Hirth and Lothe, Theory of Dislocations (1982), eqs. 3-3, 3-45, 3-46.
    """
    b, n = (shape.turn @ np.array(v) / np.linalg.norm(v) for v in ((1, -1, 0), (1, 1, 1)))
    line = b if kind == "screw" else np.cross(b, n)
    across = np.cross(n, line)
    offset = rng.uniform(-0.25, 0.25, 2) * np.ptp(ideal, axis=0).min()
    x, y = (ideal @ v - o + 0.01 for v, o in ((across, offset[0]), (n, offset[1])))
    square = x**2 + y**2 + 1.0
    angle = np.arctan2(y, x)
    if kind == "screw":
        return np.asarray(ideal + np.outer(BURGERS * angle / (2.0 * np.pi), b))
    share = 1.0 / (2.0 * (1.0 - POISSON))
    along = BURGERS / (2.0 * np.pi) * (angle + share * x * y / square)
    up = (
        -BURGERS
        / (2.0 * np.pi)
        * share
        * (0.5 * (1.0 - 2.0 * POISSON) * np.log(square) + 0.5 * (x**2 - y**2) / square)
    )
    return np.asarray(ideal + np.sign(across @ b) * (np.outer(along, across)) + np.outer(up, n))


def _smooth(r: Array, span: float, rng: Rng) -> Array:
    """A smooth field (n,) of this range over the atoms, without a slope."""
    low, size = r.min(axis=0), float(np.ptp(r, axis=0).max())
    field = gaussian_filter(rng.normal(size=(_COARSE,) * 3), rng.uniform(0.12, 0.35) * _COARSE, mode="wrap")
    values = map_coordinates(field, ((r - low) / size * (_COARSE - 1)).T, order=3, mode="nearest")
    basis = np.column_stack([np.ones(len(r)), r])
    values = values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return np.asarray(values * (span / max(float(np.ptp(values)), 1e-12)))
