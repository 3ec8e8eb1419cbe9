"""What one period of a textured film scatters, atom by atom at Q itself, as harmonics of the texture's phase.

W(phi, Q) = sum over planes p and atoms j of f_j(Q) exp(i Q.(z_p + r_j + u(phi, p) + b_j P(phi, p)))
          = sum over h of W_h(Q) exp(2 pi i h phi),        Q = (qx, 2 pi k / a, qz)

The atoms of one cell lie within a few angstrom, so their sum is smooth in Q: it is taken on Chebyshev nodes of the map's
ranges of qx and qz, as many as the error NODE_ERROR needs, and is a polynomial between them. Phases of planes are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.film.materials import Atom
from nanotexture.film.rod import substrate_sum_from_gap
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.film.structure_factor import structure_factor
from nanotexture.simulate.motif import Motif

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Hkl = tuple[int, int, int]

NODE_ERROR = 1e-7  # of a cell's amplitude: bound of Chebyshev interpolation of exp(i q r)
FEWEST_NODES = 4  # for the scattering factors, which are smooth over tenths of 1/angstrom
NEGLIGIBLE = 1e-7  # harmonics below this share of the largest are left out
LARGEST_STEP = math.pi / 2  # rad that Q.u may change from one sample of a motif to the next
MAX_BYTES = 4e9


@dataclass(frozen=True)
class TextureFactor:
    """W_h (nodes, H, nz) in electrons on nodes of qx in 1/angstrom, for the harmonics h (H,) along x that matter."""

    qx_nodes: Array
    harmonics: NDArray[np.int64]
    amplitudes: Complex

    def at(self, qx: Array) -> Complex:
        """W_h (qx, H, nz); a phase that all harmonics share is left out."""
        return np.tensordot(lagrange(self.qx_nodes, qx), self.amplitudes, 1)


def chebyshev_nodes(low: float, high: float, extent: float) -> Array:
    """Nodes between low and high on which exp(i q r), |r| <= extent, interpolates to NODE_ERROR.

    Bound 2 (half extent / 2)^n / n! of n nodes (Trefethen, Approximation Theory and Practice, SIAM 2013, chapter 8).
    """
    half = max(0.5 * (high - low), 1e-6)
    count = FEWEST_NODES
    while 2 * (0.5 * half * extent) ** count / math.factorial(count) > NODE_ERROR:
        count += 1
    return 0.5 * (low + high) + half * np.cos(np.pi * (np.arange(count) + 0.5) / count)


def lagrange(nodes: Array, x: Array) -> Array:
    """Weights (x, nodes) of the polynomial through values at the nodes."""
    degrees = np.arange(len(nodes))
    middle, half = 0.5 * (nodes.max() + nodes.min()), 0.5 * (nodes.max() - nodes.min())
    basis = np.polynomial.chebyshev.chebvander((nodes - middle) / half, len(degrees) - 1)
    return np.polynomial.chebyshev.chebvander((x - middle) / half, len(degrees) - 1) @ np.linalg.inv(basis)


def texture_factor(
    *,
    motif: Motif,
    stack: Stack,
    substrate: Substrate | None,
    gap: float,
    hkl: Hkl,
    qx: tuple[float, float],
    qz: Array,
    energy_kev: float,
) -> TextureFactor:
    """Harmonics along x of a motif without y, substrate in harmonic 0, for qx in a range and every qz (nz,)."""
    qx_nodes = chebyshev_nodes(*qx, _extent(motif, stack, 0))
    qy = 2 * np.pi * hkl[1] / stack.in_plane
    found = column_sums(
        motif=motif, stack=stack, columns=(slice(None), 0), qx=qx_nodes, qy=qy, qz=qz, energy_kev=energy_kev
    )
    found[:, 0] += substrate_rod(
        substrate=substrate, stack=stack, gap=gap, qx=qx_nodes, qy=qy, qz=qz, energy_kev=energy_kev
    )
    bright = np.abs(found).max(axis=(0, 2))
    kept = np.flatnonzero(bright >= NEGLIGIBLE * bright.max())
    return TextureFactor(qx_nodes, _signed(found.shape[1])[kept], found[:, kept])


def column_sums(
    *,
    motif: Motif,
    stack: Stack,
    columns: tuple[slice, int | slice],
    qx: Array,
    qy: float,
    qz: Array,
    energy_kev: float,
) -> Complex:
    """Fourier components over the columns of the sum over planes, (qx, columns, nz): x, or x and y."""
    nodes = chebyshev_nodes(float(qz.min()), float(qz.max()), _extent(motif, stack, 2))
    between = lagrange(nodes, qz)
    planes = np.exp(1j * np.outer(stack.heights + 0.5 * stack.spacings, qz))
    total = np.zeros((), np.complex128)
    for i, one in enumerate(nodes):
        local = cell_factors(
            motif=motif, stack=stack, columns=columns, qx=qx, qy=qy, qz=float(one), energy_kev=energy_kev
        )
        axes = tuple(range(1, local.ndim - 1))
        part = (np.fft.fftn(local, axes=axes, norm="forward") @ planes) * between[:, i]
        total = total + part
    return total


def cell_factors(
    *,
    motif: Motif,
    stack: Stack,
    columns: tuple[slice, int | slice],
    qx: Array,
    qy: float,
    qz: float,
    energy_kev: float,
) -> Complex:
    """Local structure factor (qx, columns, planes) about the cell's middle, with u and P; f at |Q| itself."""
    displacement = motif.displacement[:, *columns]
    found = np.zeros((len(qx), *displacement.shape[1:]), np.complex128)
    middle = np.array([0.5, 0.5, 0.5])
    materials = np.array(stack.plane_materials)
    for index, layer in enumerate(stack.layers):
        planes = materials == index
        for atom in layer.material.atoms:
            where = displacement[..., planes]
            if motif.polarization is not None:
                shift = np.array(atom.displacement_per_polarization)
                where = where + _first(shift, where.ndim) * motif.polarization[:, *columns][..., planes]
            cell = np.array([stack.in_plane, stack.in_plane, layer.c])
            where = where + _first((np.array(atom.position) - middle) * cell, where.ndim)
            factor = _atom_factor(layer, atom, stack.in_plane, qx, qy, qz, energy_kev)
            phase = _first(qx, where.ndim) * where[0] + (qy * where[1] + qz * where[2])
            found[..., planes] += _first(factor, where.ndim) * np.exp(1j * phase)
    return found


def substrate_rod(
    *,
    substrate: Substrate | None,
    stack: Stack,
    gap: float,
    qx: Array,
    qy: float,
    qz: Array,
    energy_kev: float,
) -> Complex:
    """Amplitude (qx, nz) of the substrate below the film, in electrons, about the same middle of a cell as the film."""
    if substrate is None:
        return np.zeros((len(qx), len(qz)), np.complex128)
    turns = stack.in_plane / (2 * np.pi)
    factor = structure_factor(
        material=substrate.material,
        h=qx[:, None] * turns,
        k=qy * turns,
        qz=qz[None, :],
        in_plane=stack.in_plane,
        c=substrate.c,
        energy_kev=energy_kev,
    )
    middle = np.exp(-0.5j * stack.in_plane * (qx + qy))
    return middle[:, None] * factor * substrate_sum_from_gap(qz=qz, c=substrate.c, gap=gap)


def _atom_factor(
    layer: Layer, atom: Atom, in_plane: float, qx: Array, qy: float, qz: float, energy_kev: float
) -> Complex:
    """f (qx,) of one atom alone, with occupancy and Debye-Waller factor."""
    bare = replace(layer.material, atoms=(replace(atom, position=(0.0, 0.0, 0.0)),))
    turns = in_plane / (2 * np.pi)
    return structure_factor(
        material=bare,
        h=qx * turns,
        k=qy * turns,
        qz=np.array(qz),
        in_plane=in_plane,
        c=layer.c,
        energy_kev=energy_kev,
    )


def _first(values: NDArray[Any], dimensions: int) -> NDArray[Any]:
    return values.reshape(-1, *(1,) * (dimensions - 1))


def _signed(number: int) -> NDArray[np.int64]:
    return np.rint(np.fft.fftfreq(number, 1 / number)).astype(np.int64)


def check_sampled(motif: Motif, largest: tuple[float, float, float]) -> None:
    """UserError where Q.u changes too much from one sample of the motif to the next; largest |Q| per component."""
    for axis, name in ((1, "nx"), (2, "ny")):
        number = motif.displacement.shape[axis]
        if number == 1:
            continue
        jump = motif.displacement - np.roll(motif.displacement, 1, axis)
        step = float(np.einsum("c,cxyp->xyp", largest, np.abs(jump)).max())
        if step > LARGEST_STEP:
            raise UserError(
                f"motif: {name} = {number} samples under-sample the texture: Q.u changes by {step:.3g} rad from one to the "
                f"next, {LARGEST_STEP:.3g} or less is expected: {math.ceil(number * step / LARGEST_STEP)} samples work"
            )


def _extent(motif: Motif, stack: Stack, axis: int) -> float:
    """Farthest that an atom lies from the middle of its cell along an axis, angstrom."""
    u = motif.displacement[axis]
    polar = 0.0 if motif.polarization is None else float(np.abs(motif.polarization[axis]).max())
    farthest = 0.0
    for layer in stack.layers:
        cell = layer.c if axis == 2 else stack.in_plane
        for atom in layer.material.atoms:
            moved = polar * abs(atom.displacement_per_polarization[axis])
            farthest = max(farthest, abs(atom.position[axis] - 0.5) * cell + moved)
    return farthest + float(np.abs(u).max())
