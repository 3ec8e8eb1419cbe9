"""Satellites of one spacing, looked for in all maps of a temperature at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.preparation.period import Comb, find_combs
from nanotexture.quantities import Combs, ReciprocalMap
from nanotexture.schema import COMBS, labelled
from nanotexture.stages.contradict import Hkl, refuse_period
from nanotexture.stages.models import CombsConfig
from nanotexture.stages.reflection import Reflection

SHORTEST_PERIOD = 30.0  # angstrom
_NUMBERS = ("centre", "spacing", "width0", "width1", "gain")


@stage(version=1)
def combs(maps: list[ReciprocalMap], *, config: CombsConfig) -> Combs:
    """The comb of every map, near the period told and anywhere; UserError where it is only elsewhere."""
    reflections = [Reflection.of(one, config.film) for one in maps]
    found = _combs(reflections, config.period)
    everywhere = found if config.period is None else _combs(reflections, None)
    hkls = [one.hkl for one in reflections]
    if config.period is not None and not any(found):
        refuse_period(config.period, list(zip(hkls, everywhere, strict=True)))
    values = {f"{name}": _column(found, name) for name in _NUMBERS}
    free = {f"free_{name}": _column(everywhere, name) for name in _NUMBERS}
    return Combs(labelled({"hkl": np.array(hkls), **values, **free}, COMBS))


def _column(found: Sequence[Comb | None], name: str) -> np.ndarray:
    """One number of every comb, NaN where a map has none."""
    return np.array([np.nan if comb is None else getattr(comb, name) for comb in found])


def combs_of(labels: Combs, free: str = "") -> list[tuple[Hkl, Comb | None]]:
    """Reflections with their combs, without intensities; free: "free_" for those found anywhere."""
    found: list[tuple[Hkl, Comb | None]] = []
    columns = [labels[free + name].values.tolist() for name in _NUMBERS]
    for (h, k, index), *numbers in zip(labels["hkl"].values.tolist(), *columns, strict=True):
        centre, spacing, width0, width1, gain = numbers
        comb = None if np.isnan(spacing) else Comb(centre, spacing, width0, width1, (), gain)
        found.append(((h, k, index), comb))
    return found


def strongest_of(labels: Combs) -> Comb | None:
    """The comb that explains its map best; None where no map has one."""
    found = [comb for _, comb in combs_of(labels) if comb is not None]
    return max(found, key=lambda comb: comb.gain, default=None)


def _combs(reflections: list[Reflection], period: float | None) -> tuple[Comb | None, ...]:
    """Combs of one spacing in all maps, within the range that each map can show."""
    ranges = [_spacings(one, period) for one in reflections]
    smallest, largest = min(low for low, _ in ranges), max(high for _, high in ranges)
    if smallest >= largest:
        return (None,) * len(reflections)
    return find_combs([one.window for one in reflections], [one.gx for one in reflections], smallest, largest)


def _spacings(one: Reflection, period: float | None) -> tuple[float, float]:
    """Smallest and largest spacing (1/angstrom) of satellites that a map can show, or those within a tenth of a told period."""
    if period is not None:
        return 2 * np.pi / (1.1 * period), 2 * np.pi / (0.9 * period)
    reach = min(one.window.qx[-1] - one.gx, one.gx - one.window.qx[0])
    widest = max(one.window.qx[-1] - one.gx, one.gx - one.window.qx[0])
    smallest = max(6 * (one.window.qx[1] - one.window.qx[0]), widest / 25)
    return smallest, min(0.95 * max(reach, 0.5 * widest), 2 * np.pi / SHORTEST_PERIOD)
