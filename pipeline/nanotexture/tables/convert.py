"""The table [convert] of a recipe: how frames of an area detector become maps; all of it optional where the files say it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from nanotexture.tables.fields import Angle, Energy, Length, Millimetres, Spacing, Table
from nanotexture.tables.input import Input

Vector = tuple[float, float, float]
Direction = Annotated[str, Field(pattern=r"^[xyz][+-]$")] | Vector
Indices = tuple[float, float, float]
Correction = Literal[
    "monitor", "attenuator", "seconds", "flat_field", "solid_angle", "polarization", "lorentz"
]


AUTO = BeforeValidator(lambda value: None if value == "auto" else value)


class CircleTable(Table):
    """A motor and the axis that it turns about, right-handed, laboratory axes, all motors at zero."""

    motor: str
    axis: Direction
    offset: Angle = 0.0


class GoniometerTable(Table):
    """Circles outermost first; rows and columns: where their numbers grow, detector circles at zero."""

    sample: Annotated[tuple[CircleTable, ...], Field(min_length=1)]
    detector: tuple[CircleTable, ...] = ()
    beam: Direction
    rows: Direction
    columns: Direction


class LatticeTable(Table):
    """Cell of the lattice that hkl are of."""

    a: Length
    b: Length
    c: Length
    alpha: Angle = 90.0
    beta: Angle = 90.0
    gamma: Angle = 90.0


class MountedTable(Table):
    """How the crystal sits with all circles at zero: two of its hkl and the laboratory directions that they are along."""

    in_plane: Indices
    along: Direction
    normal: Indices
    up: Direction


class PolarizationTable(Table):
    """Direction of the beam's electric field, laboratory axes, and the share of the intensity along it."""

    axis: Direction
    share: Annotated[float, Field(ge=0, le=1)] = 1.0


class Convert(Table):
    """Geometry, corrections and grid of a conversion of frames."""

    goniometer: str | GoniometerTable | None = (
        None  # name of a preset, or circles; None: the chain in the file
    )
    energy: Energy | None = None
    distance: Millimetres | None = None
    pixel: tuple[Millimetres, Millimetres] | None = None
    direct_beam: tuple[float, float] | None = None
    lattice: LatticeTable | None = None
    mounted: MountedTable | None = None
    in_plane: Indices = (1.0, 0.0, 0.0)
    normal: Indices = (0.0, 0.0, 1.0)
    volume: bool = False  # a map of qx, qy, qz; else summed over qy
    shared: bool = False  # pixels shared between voxels, for coarse maps; else counted in the nearest
    corrections: Annotated[tuple[Correction, ...] | None, AUTO] = None  # monitor, else seconds; attenuator
    polarization: PolarizationTable | None = None  # for the correction of that name
    pedestal: Literal["auto"] | Annotated[float, Field(ge=0)] = 0.0
    check: tuple[
        Indices, ...
    ] = ()  # reflections, one of which has the brightest spot if the geometry is right
    tolerance: Spacing = 0.05
    motors: tuple[str, ...] = ()
    detector: str = ""
    monitor: str = ""
    images: str = ""
    growing: bool = False  # the scan is still written: what was converted stays, only new blocks are read
    block: Annotated[int, Field(gt=0, le=4096)] = 64  # frames of a task

    @model_validator(mode="after")
    def _nothing_unheard(self) -> Convert:
        """What the chain of a file says, and what no correction asks for, would be told in vain."""
        for name in ("distance", "pixel", "direct_beam"):
            if self.goniometer is None and getattr(self, name) is not None:
                raise ValueError(
                    f"{name}: expected only with a goniometer, since the chain of the file says it"
                )
        if self.polarization is not None and "polarization" not in (self.corrections or ()):
            raise ValueError('polarization: expected only with corrections that hold "polarization"')
        return self


def refuse_convert(told: Input, convert: bool) -> None:
    """ValueError where a recipe has a table [convert] and nothing that it would convert."""
    if convert and told.kind != "frames":
        raise ValueError(f'convert: expected only with input.kind = "frames", found it with {told.kind!r}')
