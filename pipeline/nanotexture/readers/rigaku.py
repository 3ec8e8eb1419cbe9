"""What Rigaku's text and zip formats share: rows of angle, counts and attenuator factor, and the axes they were taken along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nanotexture.errors import InputError
from nanotexture.readers.lines import Array, Line, numbers

_COUPLED = ("TwoThetaOmega", "TwoThetaTheta")
_AXES = "TwoThetaOmega, TwoThetaTheta, TwoTheta or Omega"


@dataclass(frozen=True)
class Head:
    """What is said of one line of points: scanned axis, where the circles stand in deg, seconds a point, counts or rates."""

    axis: str
    omega: float
    two_theta: float
    seconds: float
    rate: bool


def line_of(file: str, field: str, head: Head, rows: Array) -> Line:
    """One line of points from rows (point, 3) of angle, counts and attenuator factor; `field` names the scanned axis."""
    angle, recorded, attenuation = rows.T
    omega, two_theta = _angles(file, field, head, angle)
    return Line(
        counts=recorded * head.seconds if head.rate else recorded,
        attenuation=attenuation,
        seconds=np.full_like(angle, head.seconds),
        omega=omega,
        two_theta=two_theta,
    )


def rows_of(file: str, name: str, text: str, declared: float | None) -> Array:
    """Array (point, 3): angle, counts, attenuator factor; as many rows as the header declares."""
    split = [row.split() for row in text.splitlines() if row.strip()]
    odd = next((row for row in split if len(row) != 3), None)
    if odd is not None or not split:
        found = " ".join(odd or ["no rows"])[:60]
        raise InputError(file, f"{name}, data", "rows of angle, counts, attenuator", found)
    if declared is not None and declared != len(split):
        raise InputError(file, f"{name}, data", f"{declared:g} rows as declared", f"{len(split)} rows")
    return numbers(file, f"{name}, data", " ".join(" ".join(row) for row in split)).reshape(-1, 3)


def seconds_of(*, speed: float, step: float, unit: str) -> float:
    """Counting time of a point: step over speed of a continuous scan; NaN where the header does not say."""
    per_minute = 60 * step / speed if speed else np.nan
    return {"deg/min": per_minute, "sec": speed, "sec/step": speed}.get(unit, np.nan)


def is_rate(file: str, field: str, unit: str) -> bool:
    """Whether counts are recorded per second; any other unit is refused."""
    if unit not in ("counts", "cps"):
        raise InputError(file, field, "counts or cps", repr(unit))
    return unit == "cps"


def wavelength_of(file: str, field: str, wave: str, lines: Mapping[str, float]) -> float:
    """Wavelength in angstrom of the line let through, of lines Ka1, Ka2, Kb; the 2:1 mean for unresolved Ka."""
    if wave == "Ka":
        return (2 * lines["Ka1"] + lines["Ka2"]) / 3
    if wave not in lines:
        raise InputError(file, field, "Ka, Ka1, Ka2 or Kb", repr(wave))
    return lines[wave]


def _angles(file: str, field: str, head: Head, angle: Array) -> tuple[Array, Array]:
    """omega and two theta of every point; the axes that do not move stand where the header says."""
    if head.axis in _COUPLED:
        return head.omega + (angle - head.two_theta) / 2, angle
    if head.axis == "TwoTheta":
        return np.full_like(angle, head.omega), angle
    if head.axis == "Omega":
        return angle, np.full_like(angle, head.two_theta)
    raise InputError(file, field, _AXES, repr(head.axis))
