"""Goniometers by declaration: circles of sample and detector, beam and panel, in one set of laboratory axes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError

Array = NDArray[np.float64]
Vector = tuple[float, float, float]

_NAMED = re.compile(r"[xyz][+-]")
PARALLEL = 1e-3  # rad: directions closer than this are one direction


@dataclass(frozen=True)
class Circle:
    """A motor, the axis it turns about (right-handed, all motors at zero), its zero: true = recorded - offset, deg.

    axis is 'x+' to 'z-' or a vector in laboratory axes; `also` lists other names of the motor in files.
    """

    name: str
    axis: str | Vector
    offset: float = 0.0
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    """A flat detector across the beam when its circles are at zero; what is None is taken from the file.

    rows and columns say where their numbers grow ('x-' and so on); direct_beam (row, column) is the pixel whose centre the
    beam hits at zero; pixel_size (along rows' growth, along columns') and distance in mm.
    """

    rows: str
    columns: str
    direct_beam: tuple[float, float] | None = None
    pixel_size: tuple[float, float] | None = None
    distance: float | None = None


@dataclass(frozen=True)
class Goniometer:
    """Circles outermost first, direction of the beam, panel; energy in keV if the files do not say it."""

    name: str
    sample: tuple[Circle, ...]
    detector: tuple[Circle, ...]
    beam: str | Vector
    panel: Panel
    energy: float | None = None

    def __post_init__(self) -> None:
        for place, circles in (("sample", self.sample), ("detector", self.detector)):
            _refuse_useless_circles(f"goniometer {self.name}: {place}", circles, unit(self.beam))
        if not self.sample:
            raise UserError(f"goniometer {self.name}: sample: expected at least one circle, got none")
        _refuse_panel_along_beam(f"goniometer {self.name}: panel", self.panel, unit(self.beam))


def unit(direction: str | Sequence[float]) -> Array:
    """Unit vector (3,) of 'x+' to 'z-' or of any vector but zero; UserError otherwise."""
    if isinstance(direction, str):
        if not _NAMED.fullmatch(direction):
            raise UserError(f"direction: expected 'x+' to 'z-' or a vector, got {direction!r}")
        found = np.zeros(3)
        found["xyz".index(direction[0])] = 1.0 if direction[1] == "+" else -1.0
        return found
    vector = np.asarray(direction, dtype=np.float64)
    length = float(np.linalg.norm(vector)) if vector.shape == (3,) else 0.0
    if not (np.isfinite(length) and length > 0):
        raise UserError(f"direction: expected 'x+' to 'z-' or a vector other than zero, got {direction}")
    return np.asarray(vector / length)


def rotations(axis: Array, degrees: Array) -> Array:
    """Right-handed rotations (frame, 3, 3) about a unit vector: R = 1 + sin(t) K + (1 - cos(t)) K^2 (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turn = np.radians(np.asarray(degrees, dtype=np.float64))[:, None, None]
    return np.asarray(np.eye(3) + np.sin(turn) * cross + (1 - np.cos(turn)) * (cross @ cross))


def turn(circles: Iterable[Circle], positions: Mapping[str, Array], frames: int) -> Array:
    """Product (frame, 3, 3) of the rotations of circles, outermost first; recorded positions (frame,) in degrees."""
    total = np.broadcast_to(np.eye(3), (frames, 3, 3))
    for circle in circles:
        total = total @ rotations(unit(circle.axis), positions[circle.name] - circle.offset)
    return np.asarray(total)


def _refuse_useless_circles(where: str, circles: Sequence[Circle], beam: Array) -> None:
    """Circles that all turn about the beam leave every scattering angle as it is: an axis is told wrongly."""
    along = [c.name for c in circles if np.linalg.norm(np.cross(unit(c.axis), beam)) < PARALLEL]
    if circles and len(along) == len(circles):
        raise UserError(
            f"{where}: expected a circle whose axis is not the beam {beam.tolist()}, got {', '.join(along)} along it"
        )


def _refuse_panel_along_beam(where: str, panel: Panel, beam: Array) -> None:
    directions = {"rows": panel.rows, "columns": panel.columns}
    for name, direction in directions.items():
        if abs(float(unit(direction) @ beam)) > PARALLEL:
            raise UserError(f"{where}.{name}: expected a direction across the beam, got {direction}")
    if abs(float(unit(panel.rows) @ unit(panel.columns))) > PARALLEL:
        raise UserError(f"{where}: expected rows and columns across each other, got {directions}")


SIX_CIRCLES = (
    Circle("mu", "x+"),
    Circle("eta", "z-"),
    Circle("chi", "y+"),
    Circle("phi", "z-"),
)
# Axes and angles of APS 6-ID-B after You, J. Appl. Cryst. 32, 614 (1999); of APS 34-ID-C as its users' programs have them.
# "qm2" is like CHESS QM2: one long rotation across the beam before a large fixed panel.
PRESETS: Mapping[str, Goniometer] = MappingProxyType(
    {
        "6idb_psic": Goniometer(
            "6idb_psic",
            SIX_CIRCLES,
            (Circle("nu", "x+"), Circle("delta", "z-", also=("del",))),
            "y+",
            Panel("x-", "z-", (188.0, 146.0), (0.055, 0.055), 770.0),
        ),
        "34idc": Goniometer(
            "34idc",
            (Circle("theta", "y+", also=("th",)), Circle("chi", "z-"), Circle("phi", "y+")),
            (Circle("delta", "y+", also=("del",)), Circle("gamma", "x-", also=("gam",))),
            "z+",
            Panel("y-", "x+", pixel_size=(0.055, 0.055)),
        ),
        "four_circle_area": Goniometer(
            "four_circle_area",
            (Circle("omega", "x-", also=("om", "th", "theta")), Circle("chi", "z+"), Circle("phi", "x-")),
            (Circle("two_theta", "x-", also=("tth", "2theta", "delta")),),
            "z+",
            Panel("y-", "x-"),
        ),
        "qm2": Goniometer(
            "qm2",
            (Circle("omega", "x-", also=("om",)), Circle("chi", "z+"), Circle("phi", "y+")),
            (),
            "z+",
            Panel("y-", "x-", pixel_size=(0.172, 0.172)),
        ),
    }
)
