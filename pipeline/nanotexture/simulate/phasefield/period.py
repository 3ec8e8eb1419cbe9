"""The period a texture chooses: the box length of least energy density."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.simulate.phasefield.relax import Equilibrium, relax
from nanotexture.simulate.phasefield.settings import Settings
from nanotexture.simulate.phasefield.starts import stripes

Array = NDArray[np.float64]

_MOST_BOXES = 16
_FARTHEST = 1.6  # of the box that a search starts from: its nodes are laid for no more
_FLAT = 1e-6


@dataclass(frozen=True)
class PeriodScan:
    """Box lengths (boxes,) in angstrom, ascending, energy density (boxes,) in J/m^3, and what follows from them.

    period is the minimum of the parabola through the lowest box and its neighbours; equilibrium belongs to the lowest box.
    """

    boxes: Array
    energies: Array
    period: float
    equilibrium: Equilibrium


Scanned = Callable[[float, float], None]


def period_scan(
    settings: Settings, boxes: Sequence[float], pairs: int = 1, scanned: Scanned | None = None
) -> PeriodScan:
    """Relax in boxes of given lengths in angstrom, each with `pairs` periods, each from the equilibrium before it.

    All boxes have one number of nodes, that of the longest at settings.step, so that no step of the grid enters the
    energy. UserError if the least energy lies at the shortest or longest box. scanned is called with box and energy.
    """
    if len(boxes) < 3:
        raise UserError(f"period scan: boxes: expected 3 or more lengths, found {len(boxes)}")
    found = _relax_all(settings, sorted(boxes), pairs, scanned)
    energies = np.array([one.energy for one in found])
    lowest = int(energies.argmin())
    lengths = np.array(sorted(boxes), dtype=float)
    if lowest in (0, len(found) - 1):
        raise UserError(
            f"period scan: boxes: the least energy lies at the end, {lengths[lowest]:.4g} angstrom; add boxes beyond it"
        )
    near = slice(lowest - 1, lowest + 2)
    period = _vertex(lengths[near], energies[near]) / pairs
    return PeriodScan(lengths, energies, period, found[lowest])


def find_period(
    settings: Settings, tolerance: float = 0.01, scanned: Scanned | None = None
) -> tuple[float, Equilibrium]:
    """Period in angstrom of least energy, searched from settings.period, and the equilibrium in a box of that length.

    tolerance is the relative change of the period at which the search ends. UserError if the energy does not depend on
    the box (the texture is uniform along x) or falls beyond 1.6 times the start.
    """
    nodes = replace(settings, period=_FARTHEST * settings.period).shape[0]
    known: dict[float, Equilibrium] = {}
    length, start = settings.period, None
    while len(known) < _MOST_BOXES and 1 / _FARTHEST < length / settings.period < _FARTHEST:
        known[length] = relax(_box(settings, length, nodes), start)
        start = known[min(known, key=lambda box: known[box].energy)].polarization
        if scanned is not None:
            scanned(length, known[length].energy)
        _refuse_flat(known)
        following = _next_box(known)
        if len(known) > 2 and min(abs(following / box - 1.0) for box in known) < tolerance:
            return following, relax(_box(settings, following, nodes), start)
        length = following
    raise UserError(
        f"find period: period: no least energy between {min(known):.4g} and {max(known):.4g} angstrom; "
        f"start from another box, the lowest was {min(known, key=lambda box: known[box].energy):.4g} angstrom"
    )


def _refuse_flat(known: dict[float, Equilibrium]) -> None:
    energies = np.array([one.energy for one in known.values()])
    if len(energies) > 2 and np.ptp(energies) < _FLAT * np.abs(energies).max():
        raise UserError(
            "find period: the energy does not depend on the period: the texture is uniform along x "
            "(a smaller in_plane or thicker layers favour vortices)"
        )


def _next_box(known: dict[float, Equilibrium]) -> float:
    """A tenth beyond the lowest box while it is the last on its side, else the minimum of the parabola there."""
    lengths = np.array(sorted(known))
    energies = np.array([known[length].energy for length in lengths])
    lowest = int(energies.argmin())
    if lowest == len(lengths) - 1:
        return float(lengths[-1] * 1.1)
    if lowest == 0:
        return float(lengths[0] / 1.1)
    near = slice(lowest - 1, lowest + 2)
    return _vertex(lengths[near], energies[near])


def _relax_all(
    settings: Settings, boxes: Sequence[float], pairs: int, scanned: Scanned | None
) -> list[Equilibrium]:
    nodes = replace(settings, period=boxes[-1]).shape[0]
    found: list[Equilibrium] = []
    for length in boxes:
        box = _box(settings, length, nodes)
        start = found[-1].polarization if found else stripes(box, pairs)
        found.append(relax(box, start))
        if scanned is not None:
            scanned(length, found[-1].energy)
    return found


def _box(settings: Settings, length: float, nodes: int) -> Settings:
    return replace(settings, period=length, step=length / nodes * (1 + 1e-12))


def _vertex(lengths: Array, energies: Array) -> float:
    scale = lengths[1]
    curve = np.polyfit(lengths / scale - 1.0, energies - energies.min(), 2)
    return float(scale * (1.0 - 0.5 * curve[1] / curve[0]))
