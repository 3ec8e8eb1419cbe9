"""Shapes of nanocrystals drawn at random: Wulff polyhedra, twins of them, ellipsoids clipped by planes.

A shape is the set where a function of position, the largest distance beyond its facets, is negative; lengths of order one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.floating[Any]]
Rng = np.random.Generator

FAMILIES = ("wulff", "twinned", "ellipsoid")
_COARSE = 28  # points along each axis of the grid on which a shape's extent is found


def _family(vectors: list[tuple[int, int, int]]) -> Array:
    found = np.array(vectors, dtype=float)
    return found / np.linalg.norm(found, axis=1)[:, None]


_SIGNS = (-1, 0, 1)
_ALL = [(x, y, z) for x in _SIGNS for y in _SIGNS for z in _SIGNS]
_FACETS = {squares: _family([v for v in _ALL if sum(map(abs, v)) == squares]) for squares in (1, 2, 3)}


@dataclass(frozen=True)
class Shape:
    """Facets n.r <= d, mirrored at a plane for a twin, and an ellipsoid |r / axes| <= 1 where axes are given.

    turn: rotation matrix from the crystal's cubic axes to those of the array (3, 3).
    """

    normals: Array
    distances: Array
    turn: Array
    mirror: Array | None = None
    axes: Array | None = None

    def at(self, r: Array) -> Array:
        """Distance beyond the surface (negative inside) at positions r (3, ...)."""
        if self.mirror is not None:
            along = np.tensordot(self.mirror, r, 1)
            r = r - 2.0 * np.minimum(along, 0.0) * self.mirror.reshape(-1, *(1,) * (r.ndim - 1))
        beyond = np.full(r.shape[1:], -np.inf)
        for normal, distance in zip(self.normals, self.distances, strict=True):
            beyond = np.maximum(beyond, np.tensordot(normal, r, 1) - distance)
        if self.axes is not None:
            inner = np.tensordot(self.turn / self.axes[:, None], r, 1)
            radius = np.sqrt(np.sum(inner**2, axis=0))
            beyond = np.maximum(beyond, (radius - 1.0) * float(self.axes.min()))
        return beyond

    def extent(self) -> tuple[Array, Array]:
        """Centroid and half the extent along each axis, both (3,)."""
        points = np.linspace(-1.9, 1.9, _COARSE)
        grid = np.stack(np.meshgrid(points, points, points, indexing="ij"))
        inside = grid[:, self.at(grid) < 0.0]
        step = points[1] - points[0]
        return inside.mean(axis=1), 0.5 * (inside.max(axis=1) - inside.min(axis=1) + step)


def random_shape(family: str, rng: Rng) -> Shape:
    """A shape of a family, turned at random."""
    turn = Rotation.random(rng=rng)
    matrix = turn.as_matrix()
    if family == "ellipsoid":
        normals = Rotation.random(int(rng.integers(3, 9)), rng=rng).apply([0.0, 0.0, 1.0])
        axes = rng.uniform(0.7, 1.3, 3)
        return Shape(normals, rng.uniform(0.45, 1.0, len(normals)), matrix, axes=axes)
    # Wulff: distances of {100}, {110}, {111} of face-centred cubic metals are near 1.15, 1.2 and 1
    energies = {1: rng.uniform(0.9, 1.3), 2: rng.uniform(1.0, 1.4), 3: rng.uniform(0.9, 1.1)}
    normals = turn.apply(np.concatenate([_FACETS[k] for k in energies]))
    distances = np.concatenate([np.full(len(_FACETS[k]), d) for k, d in energies.items()])
    distances = distances * (1.0 + rng.uniform(0.0, 0.3) * rng.uniform(-1.0, 1.0, len(distances)))
    mirror = turn.apply(_FACETS[3][int(rng.integers(8))]) if family == "twinned" else None
    return Shape(normals, distances, matrix, mirror=mirror)
