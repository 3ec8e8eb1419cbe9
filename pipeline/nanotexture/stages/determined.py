"""Which components reflections can determine, and which reflections to add: from indices, energy and film alone.

Of a texture that is uniform along y there are two components, x and z; of a volume, periodic along x and y, three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.film.config import FilmConfig
from nanotexture.film.reflection import Reflection, Sampling, reflection_from_stack
from nanotexture.film.stack import Stack
from nanotexture.film.structure_factor import structure_factor
from nanotexture.stages.models import Hkl
from nanotexture.stages.told_axes import can_tie, field_axes, mixed_axes, separable_axes

Array = NDArray[np.float64]
Axes = tuple[Array, Array]  # directions (f, c) of displacement and (p, c) of polarization that are told

HC = 12.398419843  # keV angstrom
VISIBLE = 0.1  # of the strongest |F| among the candidates: a reflection below is not worth its time
CELLS = 4  # of a film whose thickness only the data say: which component is told does not depend on it
NEAREST = 8  # candidates that are tried in pairs


@dataclass(frozen=True)
class Told:
    """One reflection: indices in the reference lattice and photon energy in keV."""

    hkl: Hkl
    energy_kev: float


@dataclass(frozen=True)
class _Seen:
    """A reflection with its Q (c,) in 1/angstrom and the forward model's fixed part at it."""

    told: Told
    vector: Array
    scattering: Reflection


def axes_told(film: FilmConfig, reflections: Sequence[Told], *, volume: bool = False) -> Axes:
    """Directions of displacement and polarization that these reflections determine, as the solver will find them."""
    stack = _stack(film)
    return _axes(stack, [_seen(film, stack, one, volume) for one in reflections])


@dataclass(frozen=True)
class Lack:
    """Something that reflections do not determine, and which one or two beside them would (empty: none near by).

    component: of the polarization, among x, z or of a volume x, y, z, None where it is those of the displacement; mixed:
    whether a polarization along it is read as a displacement that is not small; may_follow: whether the data may choose an
    equilibrium from which it follows all the same; directions: in how many directions of space Q lies.
    """

    component: int | None
    add: tuple[Hkl, ...]
    mixed: bool = False
    may_follow: bool = False
    directions: int = 1


def lacks(film: FilmConfig, reflections: Sequence[Told], *, volume: bool = False) -> tuple[Lack, ...]:
    """All that these reflections do not determine of a film: the one place that says which reflections to add."""
    displacement, polar = axes_told(film, reflections, volume=volume)
    number, have = displacement.shape[1], len(displacement)
    found = []
    if have < number:
        more = reflections_that(film, reflections, lambda axes: len(axes[0]) == number, volume=volume)
        found.append(Lack(None, more, directions=have))
    mixed = mixed_components(film, reflections, polar) if film.polar else ()
    follows = can_tie(_stack(film), displacement, polar)
    for i in range(number) if film.polar else ():
        if not _holds(polar, i):
            more = reflections_that(film, reflections, partial(_polar_told, i), volume=volume)
            found.append(Lack(i, more, i in mixed, follows, have))
    return tuple(found)


def _polar_told(index: int, axes: Axes) -> bool:
    return _holds(axes[1], index)


def _holds(axes: Array, index: int) -> bool:
    """Whether a component is among axes (p, c)."""
    return bool((np.abs(axes[:, index]) > 1 - 1e-6).any()) if len(axes) else False


def mixed_components(film: FilmConfig, reflections: Sequence[Told], polar: Array) -> tuple[int, ...]:
    """Components of the displacement that these reflections cannot tell from a polarization, if there is one.

    polar (p, c): directions of the polarization that is told; c = 3 of a volume. The displacement along Q of a single
    direction is called that and not a component.
    """
    stack = _stack(film)
    seen = [_seen(film, stack, one, polar.shape[1] == 3) for one in reflections]
    vectors = np.array([one.vector for one in seen])
    found = mixed_axes([one.scattering for one in seen], vectors, field_axes(vectors), polar)
    return tuple(int(np.argmax(np.abs(axis))) for axis in found)


def reflections_that(
    film: FilmConfig, reflections: Sequence[Told], wanted: Callable[[Axes], bool], *, volume: bool = False
) -> tuple[Hkl, ...]:
    """One reflection, else two, that would make `wanted` true of the axes; the nearest in indices, empty if none would."""
    stack = _stack(film)
    have = [_seen(film, stack, one, volume) for one in reflections]
    more = [_seen(film, stack, one, volume) for one in _candidates(film, reflections, volume)]
    pairs = list(combinations(more[:NEAREST], 2))
    for chosen in (*((one,) for one in more), *pairs):
        if wanted(_axes(stack, [*have, *chosen])):
            return tuple(one.told.hkl for one in chosen)
    return ()


def _axes(stack: Stack, seen: Sequence[_Seen]) -> Axes:
    vectors = np.array([one.vector for one in seen])
    axes = field_axes(vectors)
    polar = separable_axes([one.scattering for one in seen], vectors, axes)
    if stack.repeat > 1 and can_tie(stack, axes, polar):
        polar = axes  # as in motif_data: the other component follows from the charges that it would bind
    return axes, polar


def _stack(film: FilmConfig) -> Stack:
    """The film, one of few cells where only the data tell its thickness."""
    return film.stack(c=film.c_guess, thickness=film.thickness or CELLS * film.c_guess)


def _seen(film: FilmConfig, stack: Stack, told: Told, volume: bool) -> _Seen:
    h, k, index = told.hkl
    vector = 2 * np.pi * np.array([h / film.in_plane, k / film.in_plane, index / stack.mean_c])
    vector = vector if volume else vector[[0, 2]]
    period = 20 * film.in_plane  # any: order 0 alone is looked at
    scattering = reflection_from_stack(
        stack=stack,
        hkl=told.hkl,
        qz=vector[-1] + np.array([-1e-3, 0.0, 1e-3]),
        sampling=Sampling((period, film.in_plane), (3, 1), (1, 0)),
        energy_kev=told.energy_kev,
        dtype=torch.complex128,
    )
    return _Seen(told, vector, scattering)


def _candidates(film: FilmConfig, reflections: Sequence[Told], volume: bool) -> list[Told]:
    """Reflections that could be measured beside these, nearest in indices first."""
    have, energy = [one.hkl for one in reflections], max(one.energy_kev for one in reflections)
    highest = max(4, *(hkl[2] + 2 for hkl in have))
    widest = max(1, *(abs(hkl[0]) for hkl in have))
    along = (*range(widest + 1), -widest)
    across = (0, 1) if volume else (0,)
    every: list[Hkl] = [(h, k, n) for h in along for k in across for n in range(1, highest + 1)]
    within = [hkl for hkl in every if hkl not in have and _reached(film, hkl, energy)]
    bright = np.array([_brightness(film, hkl, energy) for hkl in within])
    seen = [hkl for hkl, value in zip(within, bright, strict=True) if value > VISIBLE * bright.max()]
    return [
        Told(hkl, energy)
        for hkl in sorted(seen, key=lambda hkl: (_distance(hkl, have), hkl[2], -hkl[0], hkl[1]))
    ]


def _distance(hkl: Hkl, have: Sequence[Hkl]) -> int:
    return min(sum(abs(i - j) for i, j in zip(hkl, one, strict=True)) for one in have)


def _reached(film: FilmConfig, hkl: Hkl, energy: float) -> bool:
    """Whether the incident and the scattered beam are both above the film's surface."""
    along, up = 2 * np.pi * np.hypot(*hkl[:2]) / film.in_plane, 2 * np.pi * hkl[2] / film.c_guess
    half = 0.5 * float(np.hypot(along, up)) * HC / (2 * np.pi * energy)
    return bool(half < 1.0 and np.arcsin(half) > np.arctan2(along, up))


def _brightness(film: FilmConfig, hkl: Hkl, energy: float) -> float:
    """Largest |F| of the film's materials."""
    found = []
    for layer in film.layers:
        c = layer.c or layer.material.lattice[2]
        factor = structure_factor(
            material=layer.material,
            h=np.array(float(hkl[0])),
            k=float(hkl[1]),
            qz=np.array([2 * np.pi * hkl[2] / c]),
            in_plane=film.in_plane,
            c=c,
            energy_kev=energy,
        )
        found.append(float(np.abs(factor).max()))
    return max(found)
