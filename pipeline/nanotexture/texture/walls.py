"""Walls between domains: where a field passes a level along x, followed from plane to plane; place and inclination."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

WEAKEST = 0.3  # of the strongest plane's swing: planes below it have no walls to speak of
MOST = 8  # walls in one period: more are noise


@dataclass(frozen=True)
class Walls:
    """Walls of one motif: position (wall, z) in periods, not wrapped, NaN where lost; rising and level (wall,).

    rising: +1 where the field grows along x, else -1; level: index of the level that is passed.
    """

    position: Array
    rising: Array
    level: Integers


@dataclass(frozen=True)
class Line:
    """Straight lines through walls (wall,): place in angstrom at half the height, inclination in degrees from the film
    normal, positive where the wall moves to +x with height, and the rms distance along x of the wall from its line."""

    place: Array
    inclination: Array
    roughness: Array


def crossings(line: Array, level: float) -> tuple[Array, Array]:
    """Positions in periods, and signs of the slope, at which a periodic line (x,) passes a level; linear between samples."""
    above = line - level
    following = np.roll(above, -1)
    at = np.flatnonzero((above > 0) != (following > 0))
    part = above[at] / (above[at] - following[at])
    return (at + part) / len(line), np.sign(following[at] - above[at])


def walls_from_field(*, field: Array, levels: Array, clear: Array) -> Walls:
    """Walls of a field (x, z) at its levels (l, z), in the planes that are clear (z,) and whose swing is strong.

    As many as most planes have; followed up and down from the strongest plane that has as many.
    """
    swing = np.ptp(field, axis=0)
    use = clear & (swing > 0) & (swing >= WEAKEST * swing.max())
    found = {int(z): _kinds(field[:, z], levels[:, z]) for z in np.flatnonzero(use)}
    counts = [len(at) for at, _, _ in found.values()]
    number = max(set(counts), key=lambda n: (counts.count(n), -n), default=0)
    if not 0 < number <= MOST:
        return Walls(np.zeros((0, field.shape[1])), np.zeros(0), np.zeros(0, np.int64))
    first = max((z for z in found if len(found[z][0]) == number), key=lambda z: float(swing[z]))
    at, rising, level = found[first]
    position = np.full((number, field.shape[1]), np.nan)
    position[:, first] = at
    for planes in (range(first + 1, field.shape[1]), range(first - 1, -1, -1)):
        last = at.copy()
        for z in planes:
            if z in found:
                position[:, z] = _nearest(found[z], last, rising, level, 0.5 / number)
                last = np.where(np.isfinite(position[:, z]), position[:, z], last)
    return Walls(position, rising, level)


def followed(*, walls: Walls, field: Array, levels: Array) -> Array:
    """Positions (wall, z) of the same walls in another field (x, z) near by; NaN where a wall is not found again."""
    found = np.full_like(walls.position, np.nan)
    for z in np.flatnonzero(np.isfinite(walls.position).any(axis=0)):
        near = walls.position[:, z]
        found[:, z] = _nearest(
            _kinds(field[:, z], levels[:, z]), near, walls.rising, walls.level, 0.5 / len(near)
        )
    return found


def line_from_positions(*, position: Array, z: Array, period: float) -> Line:
    """Least-squares lines through positions (wall, z) in periods at heights z (z,) in angstrom; NaN below three planes."""
    middle = 0.5 * float(z[0] + z[-1])
    rows = [_line(row * period, z - middle) for row in position]
    place, slope, rough = np.array(rows).reshape(-1, 3).T
    return Line(place, np.degrees(np.arctan(slope)), rough)


def _line(x: Array, z: Array) -> tuple[float, float, float]:
    known = np.isfinite(x)
    if known.sum() < 3:
        return float("nan"), float("nan"), float("nan")
    slope, place = np.polyfit(z[known], x[known], 1)
    return float(place), float(slope), float(np.sqrt(np.mean((x[known] - place - slope * z[known]) ** 2)))


def _kinds(line: Array, levels: Array) -> tuple[Array, Array, Integers]:
    """Positions, signs and numbers of the levels that a line passes, in order of x."""
    parts = [crossings(line, float(level)) for level in levels]
    at, sign = (np.concatenate([part[k] for part in parts]) for k in range(2))
    which = np.repeat(np.arange(len(levels)), [len(part[0]) for part in parts])
    order = np.argsort(at)
    return at[order], sign[order], which[order]


def _nearest(
    found: tuple[Array, Array, Integers], last: Array, rising: Array, level: Integers, reach: float
) -> Array:
    """For each wall the crossing of its kind nearest to where it was, on the same branch; NaN beyond reach (periods)."""
    at, sign, which = found
    away = (at[None, :] - last[:, None] + 0.5) % 1.0 - 0.5
    other = (sign[None, :] != rising[:, None]) | (which[None, :] != level[:, None])
    distance = np.where(other | ~np.isfinite(away), np.inf, np.abs(away))
    if not distance.shape[1]:
        return np.full(len(last), np.nan)
    best = distance.argmin(axis=1)
    rows = np.arange(len(last))
    return np.where(distance[rows, best] < reach, last + away[rows, best], np.nan)
