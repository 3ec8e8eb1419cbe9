"""Frames of a six-circle scan as a NeXus file in the manner of NXmx: counts, motors, and the chain that places each pixel.

Vectors are in NeXus laboratory axes; the first pixel's centre is half a pixel from module_offset along both directions.
ub_matrix takes hkl of the reference lattice to the laboratory with all motors at zero, 2 pi included, in 1/angstrom.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotexture.simulate.frames import Frames
from nanotexture.simulate.nexus import add_field, add_group, nexus_file
from nanotexture.simulate.six_circle import (
    BEAM,
    DETECTOR_CIRCLES,
    FAST,
    HC,
    ORIENTATION,
    SAMPLE_CIRCLES,
    SLOW,
    Circle,
    Vector,
)

DETECTOR = "/entry/instrument/detector"
SAMPLE = "/entry/sample"


def write_frames(path: Path, frames: Frames, *, name: str, temperature: float | None = None) -> Path:
    """Write one scan beside its place and rename it; sample's name, kelvin if known; the path comes back."""
    with nexus_file(path) as file:
        _write(file, frames, name, temperature)
    return path


def _write(file: h5py.File, frames: Frames, name: str, temperature: float | None) -> None:
    entry = add_group(file, "entry", "NXentry")
    entry.attrs["default"] = "data"
    entry["definition"], entry["title"] = "NXmx", f"{name} {' '.join(map(str, frames.hkl))}"
    entry["reflection/hkl"] = frames.hkl
    instrument = add_group(entry, "instrument", "NXinstrument")
    beam = add_group(instrument, "beam", "NXbeam")
    add_field(beam, "incident_energy", frames.energy_kev, "keV")
    add_field(beam, "incident_wavelength", HC / frames.energy_kev, "angstrom")
    _write_detector(add_group(instrument, "detector", "NXdetector"), frames)
    _write_sample(add_group(entry, "sample", "NXsample"), frames, name, temperature)
    monitor = add_group(entry, "monitor", "NXmonitor")
    monitor["data"] = frames.monitor
    monitor["mode"] = "timer"
    add_field(monitor, "preset", frames.count_time, "s")
    data = add_group(entry, "data", "NXdata")
    data.attrs["signal"], data.attrs["axes"] = "data", ["eta", ".", "."]
    data["data"] = h5py.SoftLink(f"{DETECTOR}/data")
    data["eta"] = h5py.SoftLink(f"{SAMPLE}/transformations/eta")


def _write_detector(group: h5py.Group, frames: Frames) -> None:
    detector = frames.detector
    group.create_dataset("data", data=frames.counts, chunks=(1, *detector.shape), compression="gzip")
    group["data"].attrs["units"] = "count"
    group["pixel_mask"], group["saturation_value"] = frames.pixel_mask, frames.saturation
    add_field(group, "count_time", np.full(frames.angles.frames, frames.count_time), "s")
    add_field(group, "distance", detector.distance, "mm")
    for axis, index in (("x", 1), ("y", 0)):
        add_field(group, f"{axis}_pixel_size", detector.pixel, "mm")
        add_field(group, f"beam_center_{axis}", detector.centre[index] + 0.5, "pixel")
    chain = f"{DETECTOR}/transformations"
    arm = add_group(group, "transformations", "NXtransformations")
    last = _circles(arm, chain, DETECTOR_CIRCLES, frames)
    _axis(arm, "distance", detector.distance, "mm", "translation", BEAM, last)
    group["depends_on"] = f"{chain}/distance"
    module = add_group(group, "module", "NXdetector_module")
    module["data_origin"], module["data_size"] = np.zeros(2, int), np.array(detector.shape)
    rows, columns = ((c + 0.5) * detector.pixel for c in detector.centre)
    corner = -(rows * np.array(SLOW) + columns * np.array(FAST))
    length = float(np.linalg.norm(corner))
    unit = np.array(FAST) if length == 0 else corner / length
    _axis(module, "module_offset", length, "mm", "translation", unit, f"{chain}/distance")
    origin = f"{DETECTOR}/module/module_offset"
    _axis(module, "fast_pixel_direction", detector.pixel, "mm", "translation", FAST, origin)
    _axis(module, "slow_pixel_direction", detector.pixel, "mm", "translation", SLOW, origin)


def _write_sample(group: h5py.Group, frames: Frames, name: str, temperature: float | None) -> None:
    group["name"] = name
    if temperature is not None:
        add_field(group, "temperature", temperature, "K")
    group["unit_cell"] = np.array([*frames.cell, 90.0, 90.0, 90.0])
    group["orientation_matrix"] = ORIENTATION
    add_field(group, "ub_matrix", ORIENTATION @ np.diag(2 * np.pi / np.array(frames.cell)), "1/angstrom")
    group["in_plane_direction"], group["surface_normal"] = np.array([1, 0, 0]), np.array([0, 0, 1])
    chain = f"{SAMPLE}/transformations"
    group["depends_on"] = _circles(
        add_group(group, "transformations", "NXtransformations"), chain, SAMPLE_CIRCLES, frames
    )


def _circles(group: h5py.Group, chain: str, circles: Sequence[Circle], frames: Frames) -> str:
    """Writes the motors, each depending on the one outside it; the path of the innermost comes back."""
    last = "."
    for circle in circles:
        positions = getattr(frames.angles, circle.name)
        _axis(group, circle.name, positions, "deg", "rotation", circle.axis, last)
        last = f"{chain}/{circle.name}"
    return last


def _axis(
    group: h5py.Group,
    name: str,
    value: float | NDArray[np.float64],
    units: str,
    kind: str,
    vector: Vector | NDArray[np.float64],
    depends_on: str,
) -> None:
    add_field(group, name, value, units)
    group[name].attrs["transformation_type"], group[name].attrs["depends_on"] = kind, depends_on
    group[name].attrs["vector"] = np.array(vector)
