"""Labelled orders and reference lattice to what the motif solver fits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.film.config import FilmConfig
from nanotexture.film.forward import Reflection
from nanotexture.film.reflection import Sampling, reflection_from_stack
from nanotexture.film.stack import Stack
from nanotexture.phasing.elastic_response import Stiffness
from nanotexture.phasing.motif_model import ReflectionData
from nanotexture.preparation.film_peak import summed_scale
from nanotexture.preparation.holdout import block_rows, held_out_blocks
from nanotexture.quantities import Orders, Reference
from nanotexture.stages.models import Tie
from nanotexture.stages.motif_rows import (
    Rows,
    central_order,
    centred_from_rows,
    fewer_rows,
    lean_from_rows,
    measured_rows,
    useful_rows,
)
from nanotexture.stages.motif_setup import PER_LAYER, MotifData
from nanotexture.stages.told_axes import can_tie, field_axes, separable_axes

Array = NDArray[np.float64]

SYSTEMATIC = 0.02  # relative error of the kinematic model beside that of the lines: chi2 at simulated truths is then near 1
FEWEST, MOST = 2, 12


def reflection_vectors(orders: Orders, reference: Reference) -> Array:
    """G of every reflection, (reflection, c) in 1/angstrom: order 0 of the map and the reference c; (x, z) or (x, y, z)."""
    across = orders["order_y"].values if "order_y" in orders else None
    middle = int(np.flatnonzero(central_order(orders["order"].values, across))[0])
    names = ("line_position",) if across is None else ("line_position", "line_position_y")
    found = [
        np.where(orders["hkl"].values[:, i] == 0, 0.0, orders[name].values[:, middle])
        for i, name in enumerate(names)
    ]
    return np.stack([*found, 2 * np.pi * orders["hkl"].values[:, 2] / float(reference["c"])], axis=1)


def motif_data(
    orders: Orders,
    reference: Reference,
    film: FilmConfig,
    polarization: bool = False,
    tie: Tie = Tie.NONE,
) -> MotifData:
    """Everything the solver needs, from labelled stages; displacement and polarization are tied only where they can be."""
    vectors = reflection_vectors(orders, reference)
    axes = field_axes(vectors)
    # the reference has the recipe's thickness or, where planes were tried, the one that fits
    stack = film.model_copy(update={"thickness": None}).stack(
        c=float(reference["c"]), thickness=float(reference["thickness"])
    )
    slots = np.tile(np.arange(len(stack.heights) // stack.repeat), stack.repeat)
    rows = [measured_rows(orders, r, film) for r in range(len(vectors))]
    fewer = [fewer_rows(useful_rows(one, stack.thickness), stack.thickness) for one in rows]
    scattering = [_scattering(orders, r, one, stack, film) for r, one in enumerate(rows)]
    volume = vectors.shape[1] == 3
    polar_axes = (
        separable_axes(scattering, vectors, axes) if polarization else np.zeros((0, vectors.shape[1]))
    )
    tie = tie if can_tie(stack, axes, polar_axes) else Tie.NONE
    if tie is not Tie.NONE:
        polar_axes = axes  # the other component follows from the charges that it would bind

    def built(r: int, some: Rows, scattered: Reflection, scale: float) -> ReflectionData:
        comb = 2 * np.pi / np.array(_periods(orders))
        groups = groups_of(scattered, slots, (axes, polar_axes))
        return reflection_data(some, scattered, groups, g=vectors[r], comb=comb, scale=scale)

    scales = _scales(orders, rows, scattering)
    full = tuple(built(r, one, scattering[r], scales[r]) for r, one in enumerate(rows))
    reflections = tuple(
        built(r, one, _scattering(orders, r, one, stack, film), scales[r]) for r, one in enumerate(fewer)
    )
    highest = int(max(int(one.distance[one.work.any(1)].max()) for one in reflections))
    fringes = max(_significant_fringes(orders, r, stack.thickness) for r in range(len(vectors)))
    block = tuple(block_rows(one.qz.numpy(), stack.thickness) for one in reflections)
    return MotifData(
        reflections=reflections,
        full=full,
        axes=axes,
        polar_axes=polar_axes,
        stack=stack,
        slots=slots,
        period=float(orders["period"]),
        gap=float(orders["gap"]),
        highest=highest,
        fringes=fringes,
        block=block,
        lean=0.0 if stack.repeat > 1 or volume else lean_from_rows(rows, stack.thickness),
        tie=tie,
        below=_stiffness_below(film),
        period_y=float(orders["period_y"]) if volume else None,
        centred=volume and all(centred_from_rows(one) for one in rows),
    )


def _periods(orders: Orders) -> tuple[float, ...]:
    """Periods in angstrom along the directions in which the texture is periodic."""
    return tuple(float(orders[name]) for name in ("period", "period_y") if name in orders)


def _stiffness_below(film: FilmConfig) -> Stiffness | None:
    below = film.below()
    elastic = None if below is None else below.material.elastic
    return None if elastic is None else (elastic.c11, elastic.c12, elastic.c44)


def refolded(data: MotifData, *, seed: int) -> MotifData:
    """The same data with other satellite values held out."""
    reflections = []
    for r, one in enumerate(data.reflections):
        use = (one.work | one.free).numpy()
        held = held_out_blocks(
            intensity=np.where(use, one.intensity.numpy(), np.nan),
            variance=one.sigma.numpy() ** 2,
            orders=one.distance.numpy(),
            block=data.block[r],
            seed=seed + r,
        )
        reflections.append(replace(one, work=torch.from_numpy(use & ~held), free=torch.from_numpy(held)))
    return replace(data, reflections=tuple(reflections))


def _scattering(orders: Orders, r: int, rows: Rows, stack: Stack, film: FilmConfig) -> Reflection:
    """The forward model's fixed part on rows of one reflection."""
    one = orders.isel(reflection=r)
    h, k, index = (int(n) for n in one["hkl"].values)
    highest = int(one["order"].max()), int(one["order_y"].max()) if "order_y" in one else 0
    periods = (*_periods(orders), stack.in_plane)
    return reflection_from_stack(
        stack=stack,
        hkl=(h, k, index),
        qz=rows.qz,
        sampling=Sampling((periods[0], periods[1]), (2 * highest[0] + 1, 2 * highest[1] + 1), highest),
        energy_kev=float(one["energy"]),
        substrate=film.below(),
        dtype=torch.complex128,
    )


def reflection_data(
    rows: Rows, scattering: Reflection, groups: Groups, *, g: Array, comb: Array, scale: float
) -> ReflectionData:
    sigma = np.sqrt(rows.variance + (SYSTEMATIC * rows.intensity) ** 2)
    indices = [rows.orders] if rows.orders_y is None else [rows.orders, rows.orders_y]
    along = [(n * step)[:, None] for n, step in zip(indices, comb, strict=True)]
    detuning = np.broadcast_arrays(*along, rows.qz[None] - g[-1])
    tensor = torch.from_numpy
    return ReflectionData(
        orders=tensor(rows.orders),
        intensity=tensor(rows.intensity),
        sigma=tensor(sigma),
        work=tensor(rows.work),
        free=tensor(rows.free),
        weights=groups.weights,
        planes=groups.planes,
        lift=groups.lift,
        g=tensor(g.copy()),
        detuning=tensor(np.stack(detuning, -1).copy()),
        substrate=_capped(scattering.substrate, rows.hidden),
        qz=tensor(rows.qz.copy()),
        resolution=rows.resolution,
        scale=scale,
        orders_y=None if rows.orders_y is None else tensor(rows.orders_y),
    )


def _capped(rod: torch.Tensor, hidden: NDArray[np.bool_]) -> torch.Tensor:
    """The rod (q,) no brighter in the hidden rows than beside them, or the resolution would carry its peak to all rows."""
    beside = torch.from_numpy(~hidden)
    if not beside.any():
        return rod
    return rod * (rod[beside].abs().max() / rod.abs().clamp_min(1e-30)).clamp_max(1.0)


def _scales(orders: Orders, rows: list[Rows], scattering: list[Reflection]) -> list[float]:
    """First guess of every reflection's scale: their told ratios, and one common factor from the sum over all orders."""
    told = orders["scale"].values
    own = [
        summed_scale(
            np.where(one.usable, one.intensity, np.nan), (~one.central).astype(int), _flat(scattered)
        )
        for one, scattered in zip(rows, scattering, strict=True)
    ]
    common = np.exp(np.mean(np.log(np.array(own) / told)))
    return [float(common * scale) for scale in told]


@dataclass(frozen=True)
class Groups:
    """Groups of atoms that move alike: weights (a, n, q), planes (a, q, z) complex, lift (a, f, 2)."""

    weights: torch.Tensor
    planes: torch.Tensor
    lift: torch.Tensor


def groups_of(scattering: Reflection, slots: NDArray[np.int64], axes: tuple[Array, Array]) -> Groups:
    weights: list[torch.Tensor] = []
    planes: list[torch.Tensor] = []
    lifts: list[Array] = []
    components = [0, 2] if axes[0].shape[1] == 2 else [0, 1, 2]
    for part in scattering.parts:
        through = torch.zeros(int(slots.max()) + 1, len(scattering.qz), dtype=part.phases.dtype)
        through.index_add_(0, torch.from_numpy(slots)[part.planes], part.phases)
        alike: dict[bytes, torch.Tensor] = {}
        for weight, move in zip(part.weight.flatten(1, 2), part.per_polarization[:, components], strict=True):
            lift = (
                np.concatenate([axes[0], axes[1] * move.numpy()]) + 0.0
            )  # + 0.0: no negative zeros in the key
            alike[lift.tobytes()] = alike.get(lift.tobytes(), torch.zeros_like(weight)) + weight
        weights += alike.values()
        planes += [through.T] * len(alike)
        lifts += [np.frombuffer(key).reshape(-1, len(components)) for key in alike]
    return Groups(torch.stack(weights), torch.stack(planes), torch.from_numpy(np.stack(lifts)))


def _flat(scattering: Reflection) -> Array:
    """|A|^2 of the flat film in order 0, (q,)."""
    middle, middle_y = len(scattering.orders_x) // 2, len(scattering.orders_y) // 2
    total = sum(part.weight[:, middle, middle_y].sum(0) * part.phases.sum(0) for part in scattering.parts)
    return np.asarray(torch.as_tensor(total).abs().numpy() ** 2)


def _significant_fringes(orders: Orders, r: int, thickness: float) -> float:
    """Length in qz over which a satellite stands 3 sigma above zero, in fringes 2 pi / thickness."""
    one = orders.isel(reflection=r)
    satellites = ~central_order(one["order"].values, one["order_y"].values if "order_y" in one else None)
    signal = one["intensity"].values[satellites] > 3 * np.sqrt(one["variance"].values[satellites])
    rows = np.flatnonzero(signal.any(axis=0))
    if len(rows) == 0:
        return 0.0
    step = float(one["qz"].values[1] - one["qz"].values[0])
    return float(len(rows) * step * thickness / (2 * np.pi))


def first_modes(data: MotifData) -> tuple[int, int]:
    """Harmonics and polynomials to begin with: the highest order seen, two polynomials a fringe.

    The intensities of a film of thickness t are independent at steps of half a fringe, so that more could not be told.
    """
    strongest = max(float(one.intensity[one.distance != 0].max()) for one in data.reflections)
    seen = 1
    for one in data.reflections:
        top = torch.where(one.work, one.intensity / one.sigma, 0.0).amax(1)
        bright = torch.where(one.work, one.intensity, 0.0).amax(1) > 0.01 * strongest
        present = one.distance[(top > 5) & bright]
        seen = max(seen, int(present.max()) if len(present) else 1)
    polynomials = int(np.clip(round(2 * data.fringes), FEWEST, PER_LAYER if data.repeats else MOST))
    if data.period_y is not None:
        seen = max(seen - 1, 1)  # the overtones of exp(i Q.u) reach as far as its waves
    return data.limited(seen, polynomials)
