"""A drawn film as the motif solver would see its orders, before anything is counted: what a prior learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.film.reflection import Sampling, reflection_from_stack
from nanotexture.film.rod import nearest_bragg, substrate_sum_from_gap
from nanotexture.film.structure_factor import structure_factor
from nanotexture.geometry import atomic_form_factor
from nanotexture.phasing.motif_model import Nuisance, ReflectionData, order_intensities
from nanotexture.priors.film_modes import coefficients_from_fields
from nanotexture.priors.film_tokens import GRID, HIGHEST, REACH, Geometry, Tokens, tokens_of
from nanotexture.simulate.axes import Hkl
from nanotexture.simulate.film_draws import DrawnFilm
from nanotexture.stages.motif_data import groups_of, reflection_data
from nanotexture.stages.motif_rows import SUBSTRATE_PEAK, Rows, lean_from_rows

Array = NDArray[np.float64]

ENERGY = 8.048  # keV
RESOLUTION = 0.15  # fringes
PLANE = np.eye(2)  # axes x and z
LARGEST_Q, NODES = 12.0, 600  # of the tables of form factors, 1/angstrom


@dataclass(frozen=True)
class DrawnReflections:
    """Reflections of a film, their noise-free intensities (n, q), true fields (1, 4, x, z) and lean in periods per angstrom."""

    data: tuple[ReflectionData, ...]
    intensity: tuple[torch.Tensor, ...]
    fields: torch.Tensor
    lean: float


@dataclass(frozen=True)
class DrawnOrders:
    """Noise-free tokens of a film, true coefficients (f, k, m) complex in film_modes.UNITS, lean in periods per angstrom."""

    tokens: Tokens
    coefficients: NDArray[np.complex128]
    lean: float


def drawn_orders(film: DrawnFilm, hkls: Sequence[Hkl]) -> DrawnOrders:
    """Some reflections of a drawn film, told what a polarization would change."""
    drawn, z = drawn_reflections(film, hkls), film.stack.heights
    geometry = Geometry(film.stack.thickness, film.motif.periods[0], drawn.lean, z, PLANE, PLANE)
    tokens = tokens_of(drawn.data, geometry, gap=film.gap, intensity=drawn.intensity)
    coefficients = coefficients_from_fields(fields=drawn.fields.numpy(), z=z, lean=drawn.lean)[0]
    return DrawnOrders(tokens, coefficients, drawn.lean)


def drawn_reflections(film: DrawnFilm, hkls: Sequence[Hkl]) -> DrawnReflections:
    """What the solver is given of some reflections, and what they show at the truth."""
    fields, steepest = _fields(film), _lean_of(film)
    data = tuple(_data(film, hkl, steepest) for hkl in hkls)
    bright = tuple(_intensity(one, fields, film.gap) for one in data)
    rows = [_rows_of(one, seen) for one, seen in zip(data, bright, strict=True)]
    return DrawnReflections(data, bright, fields, lean_from_rows(rows, film.stack.thickness))


def _fields(film: DrawnFilm) -> torch.Tensor:
    """Displacement and polarization, (1, 4, x, planes), mean displacement zero."""
    moved = film.motif.displacement[[0, 2], :, 0]
    polar = film.motif.polarization
    field = np.zeros_like(moved) if polar is None else polar[[0, 2], :, 0]
    moved = moved - moved.mean((1, 2), keepdims=True)
    return torch.from_numpy(np.concatenate([moved, field])[None])


def _lean_of(film: DrawnFilm) -> float:
    """Largest lean that rows must reach, periods through the film."""
    return min(film.stack.thickness / film.motif.periods[0], 8.0) if film.family == "laminate" else 1.0


def _data(film: DrawnFilm, hkl: Hkl, steepest: float) -> ReflectionData:
    stack, period = film.stack, film.motif.periods[0]
    fringe = 2 * np.pi / stack.thickness
    g = np.array([2 * np.pi * hkl[0] / stack.in_plane, 2 * np.pi * hkl[2] / stack.mean_c])
    half = (REACH + 1 + HIGHEST * steepest) * fringe
    qz = np.arange(g[1] - half, g[1] + half, (GRID[1] - GRID[0]) * fringe)
    scattering = reflection_from_stack(
        stack=stack,
        hkl=hkl,
        qz=qz,
        sampling=Sampling((period, stack.in_plane), (2 * HIGHEST + 1, 1), (HIGHEST, 0)),
        energy_kev=ENERGY,
        dtype=torch.complex128,
        form_factor=tabulated,
    )
    scattering = replace(scattering, substrate=_rod(film, hkl, qz))
    from_bragg = np.abs(qz - nearest_bragg(qz=qz, c=film.substrate.c))
    rows = _empty_rows(qz, from_bragg, RESOLUTION * fringe)
    groups = groups_of(scattering, np.arange(len(stack.heights)), (PLANE, PLANE))
    return reflection_data(rows, scattering, groups, g=g, comb=np.array([2 * np.pi / period]), scale=1.0)


def _rod(film: DrawnFilm, hkl: Hkl, qz: Array) -> torch.Tensor:
    below = film.substrate
    factor = structure_factor(
        material=below.material,
        h=np.array(float(hkl[0])),
        k=float(hkl[1]),
        qz=qz,
        in_plane=film.stack.in_plane,
        c=below.c,
        energy_kev=ENERGY,
        form_factor=tabulated,
    )
    return torch.from_numpy(factor * substrate_sum_from_gap(qz=qz, c=below.c, gap=0.0))


def _empty_rows(qz: Array, from_bragg: Array, resolution: float) -> Rows:
    orders = np.arange(-HIGHEST, HIGHEST + 1)
    hidden = from_bragg < SUBSTRATE_PEAK * qz
    work = ~((orders == 0)[:, None] & hidden[None])
    zero = np.zeros(work.shape)
    return Rows(orders, qz, zero, zero + 1.0, work, np.zeros_like(work), resolution, from_bragg, hidden)


def _intensity(one: ReflectionData, fields: torch.Tensor, gap: float) -> torch.Tensor:
    zero = torch.zeros(1, dtype=torch.float64)
    return order_intensities(one, fields, Nuisance(zero, zero, zero + gap))[0]


def _rows_of(one: ReflectionData, intensity: torch.Tensor) -> Rows:
    """Rows whose every value above a thousandth of the strongest satellite counts as seen."""
    bright = intensity.numpy()
    error = 1e-3 * bright[one.orders.numpy() != 0].max() / 3
    return Rows(
        one.orders.numpy(),
        one.qz.numpy(),
        bright,
        np.full(bright.shape, error**2),
        one.work.numpy(),
        one.free.numpy(),
        one.resolution,
        np.zeros(len(one.qz)),
        np.zeros(len(one.qz), bool),
    )


def tabulated(element: str, q: Array, energy: float) -> NDArray[np.complex128]:
    """Form factor in electrons at q in 1/angstrom, interpolated: thousands of films ask for the same."""
    at, values = _table(element, energy)
    return np.asarray(np.interp(q, at, values.real) + 1j * np.interp(q, at, values.imag))


@cache
def _table(element: str, energy: float) -> tuple[Array, NDArray[np.complex128]]:
    at = np.linspace(0.0, LARGEST_Q, NODES)
    return at, atomic_form_factor(element, at, energy)
