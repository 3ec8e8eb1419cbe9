"""Geometry from a declared goniometer and the motors of a header; directions of the pixels from xrayutilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.geometry.backend import backend
from nanotexture.geometry.chain import Arm
from nanotexture.geometry.goniometer import Circle, Goniometer, turn, unit
from nanotexture.quantities import Frames

Array = NDArray[np.float64]
Pair = tuple[float, float]

ENERGIES = (0.5, 300.0)  # keV: what diffraction is done with


def energy_of(header: Frames, goniometer: Goniometer | None, file: str) -> float:
    """Photon energy in keV, the goniometer's before the header's; InputError where there is none or it cannot be keV."""
    told = None if goniometer is None else goniometer.energy
    energy = float(header["energy"]) if told is None else told
    if not np.isfinite(energy):
        raise InputError(file, "energy", "a photon energy in keV", "none")
    low, high = ENERGIES
    if low <= energy <= high:
        return energy
    hint = ""
    if low <= energy / 1000 <= high:
        hint = f": {energy:g} eV taken for keV?"
    elif low <= energy * 1000 <= high:
        hint = f": {1000 * energy:g} keV taken for eV?"
    raise InputError(file, "energy", f"{low:g} to {high:g} keV", f"{energy:g} keV{hint}")


def arm_of_goniometer(header: Frames, goniometer: Goniometer, file: str) -> Arm:
    """Arm of the circles' recorded positions."""
    positions = {
        circle.name: _position(header, circle, goniometer.name, file)
        for circle in goniometer.sample + goniometer.detector
    }
    frames = header["position"].shape[1]
    beam = unit(goniometer.beam)
    panel = goniometer.panel
    return Arm(
        beam=beam,
        sample_turn=turn(goniometer.sample, positions, frames),
        detector_turn=turn(goniometer.detector, positions, frames),
        directions=_directions(header, goniometer, file),
        panel_normal=np.cross(unit(panel.rows), unit(panel.columns)),
    )


def _position(header: Frames, circle: Circle, goniometer: str, file: str) -> Array:
    recorded = [str(name) for name in header["circle"].values]
    lower = [name.lower() for name in recorded]
    found = [lower.index(n.lower()) for n in (circle.name, *circle.also) if n.lower() in lower]
    if not found:
        raise InputError(
            file,
            circle.name,
            f"positions of this circle of goniometer {goniometer}",
            f"motors {', '.join(recorded) or 'none'}",
        )
    position = np.asarray(header["position"].values[found[0]], dtype=np.float64)
    if not np.isfinite(position).all():
        raise InputError(
            file, circle.name, "an angle in degrees at every frame", f"{position[~np.isfinite(position)][0]}"
        )
    return position


def _directions(header: Frames, goniometer: Goniometer, file: str) -> Array:
    """Unit vectors (row, column, 3) by xrayutilities: Q of one frame at circles zero is K (s - beam); here K = 1."""
    panel = goniometer.panel
    centre = _pair(header, "direct_beam", panel.direct_beam, file)
    size = _pair(header, "pixel_size", panel.pixel_size, file)
    distance = float(header["distance"]) if panel.distance is None else panel.distance
    for name, value in (("pixel_size", min(size)), ("distance", distance)):
        if not (np.isfinite(value) and value > 0):
            raise InputError(file, name, "a length above 0 mm, in the file or declared", f"{value:g}")
    rows, columns = header["mask"].shape
    beam = unit(goniometer.beam)
    conversion = backend().QConversion([], [], beam, wl=2 * np.pi)
    conversion.init_area(
        panel.rows,
        panel.columns,
        cch1=centre[0],
        cch2=centre[1],
        Nch1=rows,
        Nch2=columns,
        distance=distance,
        pwidth1=size[0],
        pwidth2=size[1],
    )
    found = np.reshape(np.stack(conversion.area(UB=np.identity(3)), axis=-1), (rows, columns, 3))
    return np.asarray(found + beam, dtype=np.float64)


def _pair(header: Frames, name: str, told: Pair | None, file: str) -> Pair:
    values = np.asarray(header[name].values if told is None else told, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError(file, name, "two numbers, in the file or declared", "unknown")
    return float(values[0]), float(values[1])
