"""Where the pixels of a scan look, from a config: what the stages of frames share."""

from __future__ import annotations

from dataclasses import replace

from nanotexture.errors import UserError
from nanotexture.geometry import (
    PRESETS,
    Circle,
    Goniometer,
    Lattice,
    Mounting,
    Panel,
    Placement,
    energy_of,
    place,
)
from nanotexture.quantities import Frames
from nanotexture.stages.frame_models import GoniometerConfig, PlaceConfig


def placed(header: Frames, config: PlaceConfig) -> Placement:
    """Placement of the frames of a header."""
    return place(
        _told(header, config), goniometer_of(config), config.in_plane, config.normal, _mounting(config)
    )


def energy_in(header: Frames, config: PlaceConfig) -> float:
    """Photon energy in keV: the recipe's, else the goniometer's, else the header's."""
    return energy_of(_told(header, config), goniometer_of(config), str(header.attrs.get("file", "frames")))


def _told(header: Frames, config: PlaceConfig) -> Frames:
    """The header with what the recipe says in place of what the file says."""
    told = Frames(header.copy())
    for name in ("energy", "distance"):
        if getattr(config, name) is not None:
            told[name] = told[name].copy(data=getattr(config, name))
    for name, values in (("pixel_size", config.pixel), ("direct_beam", config.direct_beam)):
        if values is not None:
            told[name] = told[name].copy(data=list(values))
    return told


def goniometer_of(config: PlaceConfig) -> Goniometer | None:
    """The preset or the declared goniometer, with what the recipe says of its detector; None for the file's chain."""
    told = config.goniometer
    if told is None:
        return None
    if isinstance(told, GoniometerConfig):
        found = _declared(told)
    elif told in PRESETS:
        found = PRESETS[told]
    else:
        raise UserError(
            f"convert.goniometer: expected one of {', '.join(PRESETS)}, or circles, found {told!r}"
        )
    panel = found.panel
    return replace(
        found,
        energy=config.energy if config.energy is not None else found.energy,
        panel=replace(
            panel,
            direct_beam=config.direct_beam or panel.direct_beam,
            pixel_size=config.pixel or panel.pixel_size,
            distance=config.distance or panel.distance,
        ),
    )


def _declared(told: GoniometerConfig) -> Goniometer:
    circles = [
        tuple(Circle(one.motor, one.axis, one.offset) for one in some)
        for some in (told.sample, told.detector)
    ]
    return Goniometer("declared", circles[0], circles[1], told.beam, Panel(told.rows, told.columns))


def _mounting(config: PlaceConfig) -> Mounting | Lattice | None:
    lattice = None if config.lattice is None else Lattice(*config.lattice)
    if config.mounted is None:
        return lattice
    if lattice is None:
        raise UserError("convert.mounted: expected a table convert.lattice beside it, found none")
    told = config.mounted
    return Mounting(lattice, told.in_plane, told.along, told.normal, told.up)
