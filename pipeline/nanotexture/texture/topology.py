"""Vortices of a polarization in the plane of x and z: vorticity, winding number, cores, circulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label

from nanotexture.texture.elastic import gradient_from_field

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

LOW = 0.25  # of a layer's rms |P|: below it a direction means nothing, and points hang together as one core
CLEAR = 2.0  # standard deviations
PER_METRE = 1e10  # from 1/angstrom


@dataclass(frozen=True)
class Cores:
    """Cores (core,) of one motif: x in periods, z in angstrom, winding number, circulation in C/m, layer they lie in."""

    x: Array
    z: Array
    winding: Integers
    circulation: Array
    layer: Integers


def vorticity_from_polarization(*, polarization: Array, period: float, z: Array) -> Array:
    """(curl P)_y = dP_x/dz - dP_z/dx (x, z) in C/m^3, P (2, x, z) in C/m^2, period and z (z,) in angstrom.

    Positive turns z towards x, as a positive rotation does: clockwise where x points right and z up.
    """
    slopes = gradient_from_field(field=polarization, period=period, z=z)
    return np.asarray(PER_METRE * (slopes[0, 1] - slopes[1, 0]))


def winding_of_plaquettes(polarization: Array) -> Integers:
    """Winding number (x, z - 1) of P (2, x, z) around each cell of the grid: sum of the wrapped turns of its four sides.

    +1 for a vortex of either sense, -1 for an antivortex; cell (i, j) lies between points i and i + 1, j and j + 1.
    """
    angle = np.arctan2(polarization[1], polarization[0])
    along = _wrapped(np.roll(angle, -1, axis=0) - angle)
    up = _wrapped(
        np.diff(angle, axis=1)
    )  # one turn per side: a half turn must not count twice in cells that share it
    turns = along[:, :-1] + np.roll(up, -1, axis=0) - along[:, 1:] - up
    return np.rint(turns / (2 * np.pi)).astype(np.int64)


def cores_from_polarization(
    *, polarization: Array, std: Array, period: float, z: Array, layers: Integers
) -> Cores:
    """Cores of P (2, x, z) in each layer of the stack, layers (z,) numbering the layer of each plane from below.

    Cells whose |P| is below a quarter of the layer's rms, or below 2 standard deviations, hang together; their winding
    numbers are summed, so that a wall on which P vanishes counts as what it winds to in all. Sums of zero are no cores,
    and a layer that is not `resolved` has none.
    """
    charge = winding_of_plaquettes(polarization)
    rows: list[tuple[float, float, int, float, int]] = []
    for layer in np.flatnonzero(resolved_layers(polarization=polarization, std=std, layers=layers)):
        planes = np.flatnonzero(layers == layer)
        part, cells = (slice(int(planes[0]), int(planes[-1]) + k) for k in (1, 0))
        size, error = (np.hypot(*field[:, :, part]) for field in (polarization, std))
        places = _regions(charge[:, cells], _low(size, error), size, z[part])
        # within the layer: the jump of P_x at its faces is no part of what turns in it
        vorticity = vorticity_from_polarization(
            polarization=polarization[:, :, part], period=period, z=z[part]
        )
        turn = _circulation([x for x, _, _ in places], vorticity, period, z[part])
        rows += [(x, h, n, c, int(layer)) for (x, h, n), c in zip(places, turn, strict=True)]
    table = np.array(sorted(rows, key=lambda row: (row[4], row[0])), dtype=float).reshape(-1, 5).T
    return Cores(table[0], table[1], table[2].astype(np.int64), table[3], table[4].astype(np.int64))


def resolved_layers(*, polarization: Array, std: Array, layers: Integers) -> NDArray[np.bool_]:
    """Whether |P| exceeds 2 standard deviations on half of a layer's points or more, (layers,); three planes at least."""
    seen = np.hypot(*polarization) > CLEAR * np.hypot(*std)
    return np.array(
        [
            (layers == k).sum() >= 3 and seen[:, layers == k].mean() >= 0.5
            for k in range(int(layers.max()) + 1)
        ]
    )


def counted(cores: Cores, layer: int) -> tuple[int, int]:
    """Vortices and antivortices of one period in one layer."""
    own = cores.winding[cores.layer == layer]
    return int(own[own > 0].sum()), int(-own[own < 0].sum())


def _low(size: Array, error: Array) -> Array:
    limit = np.maximum(LOW * np.sqrt(np.mean(size**2)), CLEAR * error)
    low = size < limit
    around = low | np.roll(low, -1, axis=0)
    return np.asarray(around[:, :-1] | around[:, 1:])


def _regions(charge: Integers, low: Array, size: Array, z: Array) -> list[tuple[float, float, int]]:
    """Centre (periods, angstrom) and winding number of each connected region that winds."""
    marks = _labelled(low | (charge != 0))
    pairs = size + np.roll(size, -1, axis=0)
    middle = 0.25 * (pairs[:, :-1] + pairs[:, 1:])
    found = []
    for mark in np.unique(marks[marks > 0]):
        i, j = np.nonzero(marks == mark)
        if winding := int(charge[i, j].sum()):
            weight = 1.0 / (middle[i, j] + 0.02 * size.max())  # the core is where P is smallest
            turn = np.angle((weight * np.exp(2j * np.pi * (i + 0.5) / len(size))).sum()) / (2 * np.pi)
            height = float((weight * 0.5 * (z[j] + z[j + 1])).sum() / weight.sum())
            found.append((float(turn % 1.0), height, winding))
    return found


def _labelled(mask: Array) -> Integers:
    """Numbers of connected cells (x, z), periodic along x."""
    marks = np.asarray(label(mask, connectivity=2), dtype=np.int64)
    for a, b in zip(marks[0], marks[-1], strict=True):
        if a and b and a != b:
            marks[marks == max(a, b)] = min(a, b)
    return marks


def _circulation(places: list[float], vorticity: Array, period: float, z: Array) -> list[float]:
    """Integral of the vorticity, C/m, over the part of the layer that is nearer to a core than to the others along x."""
    if not places:
        return []
    x = np.arange(len(vorticity)) / len(vorticity)
    away = np.abs((x[:, None] - np.array(places)[None] + 0.5) % 1.0 - 0.5)
    heights = np.gradient(z)
    cell = period / len(vorticity) * heights[None, :] / PER_METRE**2
    nearest = away.argmin(axis=1)
    return [float((vorticity * cell)[nearest == k].sum()) for k in range(len(places))]


def _wrapped(angle: Array) -> Array:
    return np.asarray((angle + np.pi) % (2 * np.pi) - np.pi)
