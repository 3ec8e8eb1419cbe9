"""What a stress that varies along x does to a body: u_k(z) = sum_z' R_k(z, z') s_k(z'), harmonic by harmonic.

    div (C eps(u) + s) = 0 with -s = C e0 the stress of an eigenstrain, plane strain (nothing varies along y)

The mean over x, k = 0, is left out: it is the spacing of the planes. Two bodies: one that repeats along z without end
(Khachaturyan, Theory of Structural Transformations in Solids (1983), ch. 7: u = -i K^-1 s0 q), and a film with a free
surface on a substrate, by linear finite elements of one plane each.
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


def repeating_response(
    *, stiffness: Stiffness, period: float, repeat: float, planes: int, harmonics: int
) -> Tensor:
    """Response (k, 2, z, 3, z) of a superlattice without end to the stresses xx, zz, xz of its own planes.

    stiffness: c11, c12, c44 in the unit of the stress; period along x and repeat along z in angstrom; k = 1..harmonics.
    """
    z = 2 * torch.pi * torch.fft.fftfreq(planes, repeat / planes, dtype=torch.float64)[None, :]
    x = _waves(period, harmonics)[:, None]
    c11, c12, c44 = stiffness
    xx, zz, xz = c11 * x**2 + c44 * z**2, c44 * x**2 + c11 * z**2, (c12 + c44) * x * z
    inverse = 1.0 / (xx * zz - xz**2)
    x, z = torch.broadcast_tensors(x, z)
    zero = torch.zeros_like(x)
    force_x, force_z = torch.stack([x, zero, z]), torch.stack([zero, z, x])
    along_x = inverse * (zz * force_x - xz * force_z)
    along_z = inverse * (xx * force_z - xz * force_x)
    kernel = torch.fft.ifft(-1j * torch.stack([along_x, along_z]), dim=-1)
    apart = (torch.arange(planes)[:, None] - torch.arange(planes)) % planes
    return kernel[..., apart].permute(2, 0, 3, 1, 4)


def film_response(
    *, stiffness: Stiffness, below: Stiffness, spacings: Array, period: float, harmonics: int
) -> Tensor:
    """Response (k, 2, z, 3, z) of a film on a substrate of stiffness `below`; spacings (z,) of its planes in angstrom.

    The displacement of a plane is that of its middle. The substrate's foot, DEPTH periods down, is held.
    """
    heights = np.concatenate([_graded(period, float(spacings[0])), spacings])
    under = len(heights) - len(spacings)
    elastic = np.stack([_plane_strain(below)] * under + [_plane_strain(stiffness)] * len(spacings))
    found = [_solve(2 * np.pi * k / period, heights, elastic, under) for k in range(1, harmonics + 1)]
    return torch.from_numpy(np.stack(found))


def _waves(period: float, harmonics: int) -> Tensor:
    return 2 * torch.pi * torch.arange(1, harmonics + 1, dtype=torch.float64) / period


def _graded(period: float, first: float) -> Array:
    """Heights of the substrate's elements, deepest first, together DEPTH periods."""
    number = int(np.ceil(np.log1p(DEPTH * period * (GROWTH - 1) / first) / np.log(GROWTH)))
    heights = first * GROWTH ** np.arange(number)[::-1]
    return np.asarray(heights * DEPTH * period / heights.sum())


def _plane_strain(stiffness: Stiffness) -> Array:
    """Stress xx, zz, xz of the strains xx, zz, 2 xz, (3, 3)."""
    c11, c12, c44 = stiffness
    return np.array([[c11, c12, 0.0], [c12, c11, 0.0], [0.0, 0.0, c44]])


VALUE = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])  # strain per i q u
SLOPE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])  # strain per du/dz


def _solve(q: float, heights: Array, elastic: Array, under: int) -> NDArray[np.complex128]:
    """Response (2, z, 3, z) of one harmonic to stresses that are uniform in each element above the first `under`."""
    number = len(heights)
    body = np.zeros((2 * number + 2, 2 * number + 2), complex)
    load = np.zeros((2 * number + 2, number - under, 3), complex)
    for e, (h, c) in enumerate(zip(heights, elastic, strict=True)):
        at = slice(2 * e, 2 * e + 4)
        body[at, at] += _element(q, h, c)
        if e >= under:
            ends = [-1j * q * VALUE.T * h / 2 + sign * SLOPE.T for sign in (-1, 1)]
            load[at, e - under] = np.concatenate(ends)
    held = slice(2, None)
    moved = np.zeros_like(load)
    moved[held] = np.linalg.solve(body[held, held], load[held].reshape(2 * number, -1)).reshape(
        2 * number, *load.shape[1:]
    )
    nodes = moved.reshape(number + 1, 2, number - under, 3)[under:]
    return np.asarray((0.5 * (nodes[1:] + nodes[:-1])).transpose(1, 0, 3, 2))


def _element(q: float, h: float, elastic: Array) -> NDArray[np.complex128]:
    """Stiffness (4, 4) of one linear element, ux and uz of the lower node, then of the upper one."""
    both = SLOPE.T @ elastic @ VALUE
    mass = h / 6 * np.array([[2.0, 1.0], [1.0, 2.0]])
    drop = np.array([[1.0, -1.0], [-1.0, 1.0]]) / h
    mixed = 0.5 * np.array([[-1.0, -1.0], [1.0, 1.0]])  # integral of N_i' N_j
    return np.asarray(
        np.kron(mass, q**2 * VALUE.T @ elastic @ VALUE)
        + np.kron(drop, SLOPE.T @ elastic @ SLOPE)
        + 1j * q * (np.kron(mixed, both) - np.kron(mixed.T, both.T))
    )
