"""The table [simulate] of a recipe: a texture and how it is measured, in the place of files.

Which numbers make a texture is said where the texture is made, in simulate/; here stand their names and units.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from nanotexture.tables.fields import (
    Distance,
    Energy,
    Hkl,
    Length,
    Spacing,
    Table,
    Temperature,
    TemperatureRange,
)

Number = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=0.5)]
Voxels = Annotated[int, Field(ge=16, le=4096)]
MOST_VOXELS = 2_000_000  # of one map: 16 MB, and a finer grid beneath it
MOST_COUNTS = 1e15  # beyond, there is no generator of Poisson numbers
PER_ORDER = 2  # voxels from one satellite to the next, at least


class StripesTable(Table):
    """Stripes that displace the lattice along their walls."""

    kind: Literal["stripes"]
    period: Length
    amplitude: Length
    tilt: float = 15.0
    duty: float = 0.5
    wall: Distance = 20.0
    points: Number = 64


class LaminateTable(Table):
    """Lamellae of S in L of strained Ca2RuO4; period and duty at 0 K and at the onset."""

    kind: Literal["laminate"]
    period: Length
    period_onset: Length | None = None
    duty: float = 0.5
    duty_onset: float | None = None
    wall: Distance = 10.0
    order: float = 1.0
    onset: Temperature = 225.0
    spread: TemperatureRange = 15.0
    temperature: Temperature = 10.0
    points: Number = 96


class ClosureTable(Table):
    """180 degree stripes closed by triangles."""

    kind: Literal["closure"]
    period: Length
    polarization: float = 0.6
    wall: Length = 12.0
    points: Number = 96


class ACDomainsTable(Table):
    """90 degree domains of a tetragonal film."""

    kind: Literal["a_c_domains"]
    period: Length
    polarization: float = 0.7
    tetragonality: float = 0.02
    duty: float = 0.7
    wall: Distance = 10.0
    points: Number = 96


class RandomTable(Table):
    """Smooth random fields."""

    kind: Literal["random"]
    period: Length
    amplitude: Length = 0.1
    polarization: float = 0.0
    harmonics: Number = 3
    modes: Number = 3
    seed: Annotated[int, Field(ge=0)] = 0
    points: Number = 64


class VorticesTable(Table):
    """Vortices written down."""

    kind: Literal["vortices"]
    period: Length
    polarization: float = 0.6
    leak: float = 0.1
    points: Number = 64


class PhaseFieldTable(Table):
    """Equilibrium of a phase field; search: with the period of least energy near the one given."""

    kind: Literal["phase_field"]
    period: Length
    search: bool = False
    step: Length = 4.0
    temperature: Temperature = 298.15
    seed: Annotated[int, Field(ge=0)] = 0


class CheckerboardTable(Table):
    """Squares that alternate along x and y."""

    kind: Literal["checkerboard"]
    period: Length
    period_y: Length
    amplitude: Length = 0.2
    turning: Distance = 0.1
    polarization: float = 0.0
    wall: Length = 30.0
    closure: Length = 25.0
    offset: float = 0.25
    points: Number = 24


TextureTable = Annotated[
    StripesTable
    | LaminateTable
    | ClosureTable
    | ACDomainsTable
    | RandomTable
    | VorticesTable
    | PhaseFieldTable
    | CheckerboardTable,
    Field(discriminator="kind"),
]


class Simulate(Table):
    """A film simulated in the place of files.

    disorder: relative rms of a period's length (cumulative) or of a wall's place; coherence: over what length the beam
    adds amplitudes; drift, dead, diffuse: shares; gap: voxels of the detector's gap; film_gap: between film and substrate.
    """

    hkl: tuple[Hkl, ...]
    texture: TextureTable
    temperatures: tuple[Temperature, ...] = ()
    disorder: Share = 0.0
    cumulative: bool = True
    coherence: Annotated[Length, Field(le=1e5)] = 1200.0  # a longer one overruns memory
    places: Annotated[int, Field(gt=0, le=10_000)] = 60
    peak_counts: Annotated[float, Field(gt=0, le=MOST_COUNTS)] = 1e6
    background: Annotated[float, Field(ge=0, le=MOST_COUNTS)] = 5.0
    diffuse: Share = 0.0
    drift: Share = 0.0
    dead: Share = 0.0
    gap: Annotated[int, Field(ge=0)] = 0
    energy: Energy = 8.048
    resolution: tuple[Spacing, Spacing] = (5e-4, 5e-4)
    beam_stop: tuple[Spacing, Spacing] = (6e-3, 1e-2)
    film_gap: Annotated[Distance, Field(ge=-5, le=10)] = (
        0.0  # angstrom: atoms touch, or there is a further plane
    )
    orders: Annotated[float, Field(ge=1.2, le=12)] = 3.5
    voxels: tuple[Voxels, Voxels] | tuple[Voxels, Voxels, Voxels] = (145, 169)
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def period_y(self) -> float | None:
        """Period along y in angstrom, None of a texture that is uniform along y."""
        return self.texture.period_y if isinstance(self.texture, CheckerboardTable) else None

    @model_validator(mode="after")
    def _reflections(self) -> Simulate:
        if not self.hkl:
            raise ValueError("hkl: expected at least one reflection")
        for name in ("hkl", "temperatures"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: expected each once, found {list(values)}")
        flat = [list(hkl) for hkl in self.hkl if hkl[2] == 0]
        if flat:
            raise ValueError(f"hkl: expected l other than 0, which shows the film's height, found {flat[0]}")
        return self

    @model_validator(mode="after")
    def _detector(self) -> Simulate:
        axes = ("qx", "qz") if self.period_y is None else ("qx", "qy", "qz")
        if len(self.voxels) != len(axes) or math.prod(self.voxels) > MOST_VOXELS:
            raise ValueError(
                f"voxels: expected numbers along {', '.join(axes)} of at most {MOST_VOXELS} in all, found {list(self.voxels)}"
            )
        *plane, up = self.voxels
        fewest = math.ceil(2 * PER_ORDER * self.orders) + 1
        for axis, across in zip(axes, plane, strict=False):
            if across < fewest:
                raise ValueError(
                    f"voxels: expected {fewest} or more along {axis}, which satellites up to order {self.orders:g} need, "
                    f"found {list(self.voxels)}"
                )
        if self.gap > up // 2:
            raise ValueError(
                f"gap: expected at most {up // 2} voxels, half of those along qz, found {self.gap}"
            )
        return self
