"""What a stress that varies along x does to layers: u_k(z) = sum_z' R_k(z, z') s_k(z'), harmonic by harmonic.

    div (C eps(u) - s) = 0 with s = C e0 the stress of an eigenstrain, plane strain (nothing varies along y)

C is that of every plane. The mean over x, k = 0, is left out: it is the spacing of the planes. Two bodies: a superlattice that
repeats along z without end, and a film with a free surface on a substrate. By linear finite elements along z (Zienkiewicz and
Taylor, The Finite Element Method (2000), vol. 1).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

Tensor = torch.Tensor
Array = NDArray[np.float64]
Stiffness = tuple[float, float, float]

DEPTH = 1.5  # periods of the substrate that give way; a modulation decays there as exp(-2 pi depth)
GROWTH = 1.15  # of the elements from the interface down
HALVES = 2  # elements of a plane: its middle, where its atoms are, is a node


def repeating_response(*, stiffness: Array, spacings: Array, period: float, harmonics: int) -> Tensor:
    """Response (k, 2, z, 3, z) of a superlattice without end to the stresses xx, zz, xz of the planes of one repeat.

    stiffness (3, z): c11, c12, c44 of every plane in the unit of the stress; spacings (z,) of the planes and period along x
    in angstrom; k = 1..harmonics.
    """
    planes = len(spacings)
    nodes = np.arange(HALVES * planes + 1) % (HALVES * planes)
    return _response(_halved(stiffness), _halved(spacings[None])[0], nodes, planes, period, harmonics)


def film_response(
    *, stiffness: Array, below: Stiffness, spacings: Array, period: float, harmonics: int
) -> Tensor:
    """Response (k, 2, z, 3, z) of a film on a substrate of stiffness `below`, otherwise as repeating_response.

    The substrate's foot, DEPTH periods down, is held.
    """
    under = _graded(period, float(spacings[0]))
    heights = np.concatenate([under, _halved(spacings[None])[0]])
    elastic = np.concatenate([np.tile(np.array(below)[:, None], len(under)), _halved(stiffness)], axis=1)
    nodes = np.arange(len(heights) + 1) - 1  # the first is held
    return _response(elastic, heights, nodes, len(spacings), period, harmonics)


def _halved(values: Array) -> Array:
    """Values (n, z) of planes for their elements; heights halve with it where n = 1."""
    return np.repeat(values, HALVES, axis=1) / (HALVES if len(values) == 1 else 1)


def _graded(period: float, first: float) -> Array:
    """Heights of the substrate's elements, deepest first, together DEPTH periods."""
    number = int(np.ceil(np.log1p(DEPTH * period * (GROWTH - 1) / first) / np.log(GROWTH)))
    heights = first * GROWTH ** np.arange(number)[::-1]
    return np.asarray(heights * DEPTH * period / heights.sum())


VALUE = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])  # strains xx, zz, 2 xz per i q u
SLOPE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])  # strains xx, zz, 2 xz per du/dz


def _response(
    elastic: Array, heights: Array, nodes: NDArray[np.int64], planes: int, period: float, harmonics: int
) -> Tensor:
    """Of elements with stiffness (3, e) and heights (e,) between nodes (e + 1,), -1 for one held; planes are the last."""
    waves = 2 * np.pi * np.arange(1, harmonics + 1) / period
    return torch.from_numpy(np.stack([_solved(q, elastic, heights, nodes, planes) for q in waves]))


def _solved(
    q: float, elastic: Array, heights: Array, nodes: NDArray[np.int64], planes: int
) -> NDArray[np.complex128]:
    """Response (2, z, 3, z) of one wave number to stresses that are uniform in each plane."""
    free, first = int(nodes.max()) + 1, len(heights) - HALVES * planes
    # one row more than there are free nodes takes what acts on those held
    both = np.arange(2)
    body = np.zeros((free + 1, 2, free + 1, 2), complex)
    load = np.zeros((free + 1, 2, planes, 3), complex)
    for e, height in enumerate(heights):
        ends = nodes[e : e + 2]
        body[np.ix_(ends, both, ends, both)] += _element(q, height, elastic[:, e])
        if e >= first:
            plane = (e - first) // HALVES
            for node, sign in zip(ends, (-1, 1), strict=True):
                load[node, :, plane] += -0.5j * q * height * VALUE.T + sign * SLOPE.T
    square = body[:free, :, :free].reshape(2 * free, 2 * free)
    moved = np.linalg.solve(square, load[:free].reshape(2 * free, -1)).reshape(free, 2, planes, 3)
    middles = nodes[first + 1 :: HALVES]
    return np.asarray(moved[middles].transpose(1, 0, 3, 2))


def _element(q: float, height: float, stiffness: Array) -> NDArray[np.complex128]:
    """Stiffness (node, 2, node, 2) of one linear element."""
    c11, c12, c44 = stiffness
    elastic = np.array([[c11, c12, 0.0], [c12, c11, 0.0], [0.0, 0.0, c44]])
    both = SLOPE.T @ elastic @ VALUE
    mass = height / 6 * np.array([[2.0, 1.0], [1.0, 2.0]])
    drop = np.array([[1.0, -1.0], [-1.0, 1.0]]) / height
    mixed = 0.5 * np.array([[-1.0, -1.0], [1.0, 1.0]])  # integral of N_i' N_j
    return np.asarray(
        np.einsum("ij,uv->iujv", mass, q**2 * VALUE.T @ elastic @ VALUE)
        + np.einsum("ij,uv->iujv", drop, SLOPE.T @ elastic @ SLOPE)
        + 1j * q * (np.einsum("ij,uv->iujv", mixed, both) - np.einsum("ij,uv->iujv", mixed.T, both.T))
    )
