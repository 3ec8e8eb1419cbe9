"""What one period of a textured film scatters, atom by atom at Q itself, as harmonics of the texture's phase.

W(phi, Q) = sum over planes p and atoms j of f_j(Q) exp(i Q.(z_p + r_j + u(phi, p) + b_j P(phi, p)))
          = sum over h of W_h(Q) exp(2 pi i h phi),        Q = (qx, 2 pi k / a, qz)

The atoms of one cell lie within a few angstrom, so their sum is smooth in Q: it is taken on Chebyshev nodes of the map's
ranges of qx and qz, as many as the error NODE_ERROR needs, and is a polynomial between them. Phases of planes are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

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

NODE_ERROR = 1e-7  # of a cell's amplitude: bound of Chebyshev interpolation of exp(i q r)
FEWEST_NODES = 4  # for the scattering factors, which are smooth over tenths of 1/angstrom
NEGLIGIBLE = 1e-5  # harmonics below this share of the largest are left out
FEWEST_CELLS = 4  # of one period
LARGEST_STEP = math.pi / 2  # rad that Q.u may change from one sample of a motif to the next
MAX_BYTES = 4e9  # of one column sum


@dataclass(frozen=True)
class Specimen:
    """A textured film on its substrate.

    gap: angstrom between the film's first plane and where the substrate's next would be; energy_kev: of the photons.
    """

    motif: Motif
    stack: Stack
    substrate: Substrate | None
    gap: float
    energy_kev: float


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


def texture_factor(*, specimen: Specimen, qx: tuple[float, float], qy: float, qz: Array) -> TextureFactor:
    """Harmonics along x of a motif without y, substrate in harmonic 0, for qx in a range and every qz (nz,)."""
    check_sampled(specimen.motif, (max(map(abs, qx)), abs(qy), float(np.abs(qz).max())))
    nodes = chebyshev_nodes(*qx, farthest_atom(specimen, 0))
    found = column_sums(specimen=specimen, qx=nodes, qy=qy, qz=qz)[:, :, 0]
    bright = np.abs(found).max(axis=(0, 2))  # without the substrate, whose peak would dwarf every harmonic
    harmonics = signed_harmonics(found.shape[1])
    kept = np.flatnonzero((bright >= NEGLIGIBLE * bright.max()) | (harmonics == 0))
    found[:, 0] += substrate_rod(specimen=specimen, qx=nodes, qy=qy, qz=qz)
    return TextureFactor(nodes, harmonics[kept], found[:, kept])


def column_sums(*, specimen: Specimen, qx: Array, qy: float, qz: Array) -> Complex:
    """Fourier components over x and y of the sum over planes, (qx, nx, ny, nz) in electrons."""
    motif, stack = specimen.motif, specimen.stack
    _check_memory(len(qx) * math.prod(motif.displacement.shape[1:3]) * (len(stack.heights) + 2 * len(qz)))
    nodes = chebyshev_nodes(float(qz.min()), float(qz.max()), farthest_atom(specimen, 2))
    between = lagrange(nodes, qz)
    planes = np.exp(1j * np.outer(stack.heights + 0.5 * stack.spacings, qz))
    total = np.zeros((), np.complex128)
    for i, one in enumerate(nodes):
        local = cell_factors(specimen=specimen, qx=qx, qy=qy, qz=float(one))
        total = total + (np.fft.fft2(local, axes=(1, 2), norm="forward") @ planes) * between[:, i]
    return total


def cell_factors(*, specimen: Specimen, qx: Array, qy: float, qz: float) -> Complex:
    """Local structure factor (qx, nx, ny, planes) about the cell's middle, with u and P and f at |Q| itself."""
    motif, stack = specimen.motif, specimen.stack
    found = np.zeros((len(qx), *motif.displacement.shape[1:]), np.complex128)
    materials = np.array(stack.plane_materials)
    for index, layer in enumerate(stack.layers):
        planes = materials == index
        u = motif.displacement[..., planes]
        polar = None if motif.polarization is None else motif.polarization[..., planes]
        for atom in layer.material.atoms:
            where = u + _place_in_cell(atom, layer, stack)[:, None, None, None]
            if polar is not None:
                where += np.array(atom.displacement_per_polarization)[:, None, None, None] * polar
            factor = _atom_factor(atom, layer, specimen, qx, qy, qz)
            phase = qx[:, None, None, None] * where[0] + (qy * where[1] + qz * where[2])
            found[..., planes] += factor[:, None, None, None] * np.exp(1j * phase)
    return found


def substrate_rod(*, specimen: Specimen, qx: Array, qy: float, qz: Array) -> Complex:
    """Amplitude (qx, nz) of the substrate below the film, in electrons, about the same middle of a cell as the film."""
    substrate, in_plane = specimen.substrate, specimen.stack.in_plane
    if substrate is None:
        return np.zeros((len(qx), len(qz)), np.complex128)
    turns = in_plane / (2 * np.pi)
    factor = structure_factor(
        material=substrate.material,
        h=qx[:, None] * turns,
        k=qy * turns,
        qz=qz[None, :],
        in_plane=in_plane,
        c=substrate.c,
        energy_kev=specimen.energy_kev,
    )
    middle = np.exp(-0.5j * in_plane * (qx + qy))
    return middle[:, None] * factor * substrate_sum_from_gap(qz=qz, c=substrate.c, gap=specimen.gap)


def signed_harmonics(number: int) -> NDArray[np.int64]:
    """Harmonics in the order of numpy's transform: 0, 1, ..., -2, -1."""
    return np.rint(np.fft.fftfreq(number, 1 / number)).astype(np.int64)


def farthest_atom(specimen: Specimen, axis: int) -> float:
    """Farthest that an atom lies from the middle of its cell along an axis, angstrom."""
    motif, farthest = specimen.motif, 0.0
    polar = 0.0 if motif.polarization is None else float(np.abs(motif.polarization[axis]).max())
    for layer in specimen.stack.layers:
        for atom in layer.material.atoms:
            moved = polar * abs(atom.displacement_per_polarization[axis])
            farthest = max(farthest, abs(_place_in_cell(atom, layer, specimen.stack)[axis]) + moved)
    return farthest + float(np.abs(motif.displacement[axis]).max())


def _place_in_cell(atom: Atom, layer: Layer, stack: Stack) -> Array:
    """Position (3,) from the middle of the cell, angstrom."""
    return (np.array(atom.position) - 0.5) * np.array([stack.in_plane, stack.in_plane, layer.c])


def _atom_factor(atom: Atom, layer: Layer, specimen: Specimen, qx: Array, qy: float, qz: float) -> Complex:
    """f (qx,) of one atom alone, with occupancy and Debye-Waller factor."""
    in_plane = specimen.stack.in_plane
    turns = in_plane / (2 * np.pi)
    return structure_factor(
        material=replace(layer.material, atoms=(replace(atom, position=(0.0, 0.0, 0.0)),)),
        h=qx * turns,
        k=qy * turns,
        qz=np.array(qz),
        in_plane=in_plane,
        c=layer.c,
        energy_kev=specimen.energy_kev,
    )


def _check_memory(numbers: int) -> None:
    if 16 * numbers > MAX_BYTES:
        raise UserError(
            f"motif: its grid needs {16e-9 * numbers:.3g} GB, {1e-9 * MAX_BYTES:.3g} GB is the limit: "
            f"{MAX_BYTES / (16 * numbers):.2g} times as many points, or as many voxels of the map, work"
        )


def check_motif(motif: Motif, stack: Stack) -> None:
    """UserError where a motif has not the stack's planes, or the lattice's cells under-sample its period."""
    planes, found = len(stack.heights), motif.displacement.shape
    if found[3] != planes:
        raise UserError(
            f"motif.displacement: expected {planes} planes, as the stack has, got {found[3]} in shape {found}"
        )
    for name, period, number in zip(("x", "y"), motif.periods, found[1:3], strict=True):
        if number > 1 and period < FEWEST_CELLS * stack.in_plane:
            raise UserError(
                f"motif.periods: cells of {stack.in_plane:g} angstrom under-sample a texture of {period:g} angstrom along "
                f"{name}: {FEWEST_CELLS * stack.in_plane:.4g} angstrom or more works"
            )


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
