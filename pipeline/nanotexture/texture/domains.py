"""Domains and walls of one motif with the errors that follow from its standard deviations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nanotexture.texture.noise import drawn_fields
from nanotexture.texture.states import (
    CLEAR,
    NOT_POLAR,
    STATES,
    VARIANTS,
    area_fractions,
    contrast_of,
    levels_of,
    number_of_states,
    standardised,
    states_from_levels,
    thresholds_of,
    variants_from_polarization,
)
from nanotexture.texture.walls import Line, Walls, followed, line_from_positions, walls_from_field
from nanotexture.texture.widths import reach_of, widths_from_lines

Array = NDArray[np.float64]

DRAWS = 40
BOTH = 0.05  # share of the area that each of two opposite variants needs for their wall to be where P is zero


@dataclass(frozen=True)
class Look:
    """A motif as domains: state of every point (x, z), the field whose levels (l, z) the walls are at, clear planes (z,)."""

    states: Array
    field: Array
    levels: Array
    clear: Array


class Reading(Protocol):
    """A way to read domains off fields (f, x, z) with standard deviations."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the states."""

    @property
    def left_out(self) -> int | None:
        """State that is no domain, if there is one."""

    def look(self, fields: Array, std: Array) -> Look:
        """The domains of fields (f, x, z)."""


@dataclass(frozen=True)
class ByValue:
    """States by the value of one strain: thresholds (l,) of the field standardised in every plane."""

    thresholds: tuple[float, ...]
    names: tuple[str, ...] = STATES
    left_out: int | None = None

    @property
    def number(self) -> int:
        """Number of states."""
        return len(self.thresholds) + 1

    def look(self, fields: Array, std: Array) -> Look:
        """States low, (middle,) high of fields (1, x, z); planes are clear whose contrast exceeds 2 standard deviations."""
        levels = levels_of(fields[0], np.array(self.thresholds))
        clear = _clear(fields[0], levels, std[0])
        return Look(states_from_levels(field=fields[0], levels=levels, clear=clear), fields[0], levels, clear)


@dataclass(frozen=True)
class ByDirection:
    """Variants by the direction of P (2, x, z); walls where `component` is zero, or passes its threshold if given."""

    component: int
    threshold: float | None
    names: tuple[str, ...] = VARIANTS
    left_out: int | None = NOT_POLAR

    def look(self, fields: Array, std: Array) -> Look:
        """Variants of P; the walls' planes are those where the component's contrast exceeds 2 standard deviations."""
        field = fields[self.component]
        levels = (
            np.zeros((1, field.shape[1]))
            if self.threshold is None
            else levels_of(field, np.array([self.threshold]))
        )
        clear = _clear(field, levels, std[self.component])
        return Look(variants_from_polarization(polarization=fields, std=std), field, levels, clear)


@dataclass(frozen=True)
class Domains:
    """One motif: states (x, z), area fractions (state,), duty; walls (wall, z) and (wall,) in angstrom and degrees.

    position lies within one period; width is that of tanh(2 s / w), s across the wall, typical_width its median over the
    heights; every `_std` is the standard deviation over draws of the fields within theirs.
    """

    states: Array
    fractions: Array
    fractions_std: Array
    duty: float
    duty_std: float
    rising: Array
    position: Array
    position_std: Array
    width: Array
    width_std: Array
    line: Line
    line_std: Line
    typical_width: Array
    typical_width_std: Array


def by_value(field: Array, states: int | None = None) -> ByValue:
    """Reading of an elastic texture (x, z) in two or three states; None: three where walls do not account for the middle."""
    values = standardised(field)
    return ByValue(tuple(float(t) for t in thresholds_of(values, states or number_of_states(values))))


def by_direction(polarization: Array, std: Array, component: int | None = None) -> ByDirection:
    """Reading of P (2, x, z), walls of a component; None: of the one that varies most along x, NaN components left out."""
    if component is None:
        component = int(np.nan_to_num((polarization.std(axis=1) ** 2).mean(axis=1)).argmax())
    found = variants_from_polarization(polarization=polarization, std=std)
    share = [np.mean(found == 2 * component + k) for k in range(2)]
    opposite = min(share) >= BOTH
    threshold = None if opposite else float(thresholds_of(standardised(polarization[component]), 2)[0])
    return ByDirection(component, threshold)


def domains_from_fields(
    *, reading: Reading, fields: Array, std: Array, period: float, z: Array, seed: int
) -> Domains:
    """Domains of fields (f, x, z) with standard deviations; period and z (z,) in angstrom."""
    weights = np.gradient(z)
    look = reading.look(fields, std)
    walls = walls_from_field(field=look.field, levels=look.levels, clear=look.clear)
    draws = drawn_fields(fields=fields, std=np.nan_to_num(std), draws=DRAWS, seed=seed)
    looks = [look, *(reading.look(one, std) for one in draws)]
    number = len(reading.names)
    fractions = np.array([area_fractions(states=one.states, number=number, weights=weights) for one in looks])
    duties = _duties(fractions, reading.left_out)
    positions = np.array(
        [walls.position] + [followed(walls=walls, field=one.field, levels=one.levels) for one in looks[1:]]
    )
    lines = [line_from_positions(position=one, z=z, period=period) for one in positions]
    widths = period * _widths(walls, [one.field for one in looks], positions)
    widths *= np.cos(np.radians(lines[0].inclination))[None, :, None]
    means = np.array([_median(one) for one in widths])
    return Domains(
        states=look.states,
        fractions=fractions[0],
        fractions_std=_spread(fractions),
        duty=float(duties[0]),
        duty_std=float(_spread(duties)),
        rising=walls.rising,
        position=period * (positions[0] % 1.0),
        position_std=period * _spread(positions),
        width=widths[0],
        width_std=_spread(widths),
        line=Line(lines[0].place % period, lines[0].inclination, lines[0].roughness),
        line_std=Line(
            *(
                _spread(np.array([getattr(one, name) for one in lines]))
                for name in ("place", "inclination", "roughness")
            )
        ),
        typical_width=means[0],
        typical_width_std=_spread(means),
    )


def _clear(field: Array, levels: Array, std: Array) -> Array:
    contrast = contrast_of(field=field, levels=levels)
    return np.asarray(contrast > CLEAR * np.sqrt(np.mean(np.nan_to_num(std) ** 2, axis=0)))


def _duties(fractions: Array, left_out: int | None) -> Array:
    """Share (draws,) of the domain that is largest in the first row, of the area that is in a domain at all."""
    domains = fractions if left_out is None else np.delete(fractions, left_out, axis=1)
    total = domains.sum(axis=1)
    if not np.isfinite(domains[0]).all() or not total[0] > 0:
        return np.full(len(fractions), np.nan)
    return np.asarray(domains[:, domains[0].argmax()] / np.where(total > 0, total, np.nan))


def _widths(walls: Walls, fields: list[Array], positions: Array) -> Array:
    """Widths (draw, wall, z) in periods along x of walls at positions (draw, wall, z) in fields (x, z)."""
    number = len(walls.rising)
    lines = np.array(fields).transpose(0, 2, 1)[:, None]
    lines = np.broadcast_to(lines, (len(fields), number, *lines.shape[2:]))
    reach = np.array([reach_of(one) for one in positions]).reshape(positions.shape)
    found = widths_from_lines(
        lines=lines.reshape(-1, lines.shape[-1]), position=positions.ravel(), reach=reach.ravel()
    )
    return found.reshape(positions.shape)


def _median(widths: Array) -> Array:
    """Median (wall,) over the planes where the width is known; NaN where there are none."""
    known = [row[np.isfinite(row)] for row in widths]
    return np.array([np.median(row) if len(row) else np.nan for row in known])


def _spread(values: Array) -> Array:
    """Standard deviation of the draws (row 1 and up) around the value itself (row 0); NaN where half of them lack it."""
    away = values[1:] - values[0]
    known = np.isfinite(away)
    enough = (2 * known.sum(axis=0) >= len(away)) & np.isfinite(values[0])
    mean_square = np.where(known, away, 0.0) ** 2
    return np.where(enough, np.sqrt(mean_square.sum(axis=0) / np.maximum(known.sum(axis=0), 1)), np.nan)
