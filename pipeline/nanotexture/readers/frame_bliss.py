"""Frames in HDF5 files of ESRF's BLISS: /21.1/measurement/<detector>, most often virtual, of files beside it.

Lengths without units are metres, as BLISS copies them from the detector's calibration; the beam centre is an index
of pixels (centre of the first one at 0), as ESRF's calibrations give it; a transmission is that of the filters in
the beam.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers import hdf5
from nanotexture.readers.frame_hdf5 import hdf5_pixels, opened
from nanotexture.readers.frame_header import NAN, Recorded, frame_scan
from nanotexture.readers.frame_scan import FrameScan, Request
from nanotexture.readers.hdf5_units import ANGLE, ENERGY, LENGTH, TIME, one_value, quantity
from nanotexture.readers.lines import comment
from nanotexture.readers.spec_file import listed
from nanotexture.readers.spec_geometry import CIRCLES

Array = NDArray[np.float64]

_ENTRY = re.compile(r"^(\d+)\.1$")  # .2 holds counters read at another pace
MONITORS = ("mon", "monitor", "mon1", "i0")
ENERGIES = ("nrj", "energy", "mononrj")  # motors, keV
SECONDS = ("acq_time", "count_time", "sec")


def list_bliss_scans(path: Path) -> list[int]:
    """Scans of a BLISS file."""
    with opened(path, "/") as handle:
        return _scans(path, handle)


def read_bliss_frames(path: Path, scan: int | None, request: Request) -> FrameScan:
    """One scan of a BLISS file; InputError names the field, or the file of frames that is missing."""
    known = list_bliss_scans(path)
    if scan is None and len(known) == 1:
        scan = known[0]
    if scan not in known:
        asked = "none named" if scan is None else f"no scan {scan}"
        raise InputError(path, "scan", f"one of {listed(known) or 'no scan'}", asked)
    entry = f"/{scan}.1"
    with opened(path, f"{entry}/**") as handle:
        detector = _detector(path, handle, entry, request.detector)
        pixels, unwritten = hdf5_pixels(path, handle, [f"{entry}/measurement/{detector}"])
        points = _points(path, handle, entry)
        surplus = pixels.shape[0] - points if points else 0
        if surplus < 0:
            expected = f"{points} frames, one for each point"
            raise InputError(path, f"{entry}/measurement/{detector}", expected, f"{pixels.shape[0]}")
        pixels = pixels.first(pixels.shape[0] - surplus)
        found = _recorded(path, handle, entry, detector, pixels.shape, request)
    counted: dict[str, str | int] = {
        "scan": int(scan),
        "surplus_frames": surplus,
        "unwritten_frames": unwritten,
    }
    return frame_scan(path, found.with_attrs(counted), pixels, request.look)


def _scans(path: Path, handle: h5py.File) -> list[int]:
    names = hdf5.names(path, handle, "/")
    return sorted(int(match[1]) for name in names if (match := _ENTRY.match(name)))


def _detector(path: Path, handle: h5py.File, entry: str, wanted: str) -> str:
    """The one name in measurement that has frames; a link that is broken counts only if it is asked for."""
    group = f"{entry}/measurement"
    names = hdf5.names(path, handle, group)
    if wanted:
        if wanted not in names:
            raise InputError(
                path, f"{group}/{wanted}", "a detector", f"none of that name ({', '.join(names[:12])})"
            )
        return wanted
    found = []
    for name in names:
        with hdf5.guarded(path, f"{group}/{name}"):
            node = handle[group].get(name)
        if node is None:
            raise InputError(path, f"{group}/{name}", "to be there", "a broken link")
        if (
            isinstance(node, h5py.Dataset)
            and len(node.shape or ()) == 3
            and "spectrum" not in hdf5.attribute(path, node, f"{group}/{name}", "interpretation")
        ):
            found.append(name)
    if len(found) != 1:
        expected = "one detector with frames, rows and columns (name it, if there are more)"
        raise InputError(path, group, expected, ", ".join(found) or "none")
    return found[0]


def _points(path: Path, handle: h5py.File, entry: str) -> int:
    """How many points were measured: values of the motor that moved, else of the shortest counter; 0 if unknown."""
    group = f"{entry}/measurement"
    motors = set(hdf5.names(path, handle, f"{entry}/instrument/positioners"))
    moved: list[int] = []
    counted: list[int] = []
    for name in hdf5.names(path, handle, group):
        with hdf5.guarded(path, f"{group}/{name}"):
            node = handle[group].get(name)
            if isinstance(node, h5py.Dataset) and len(node.shape or ()) == 1:
                (moved if name in motors else counted).append(int(node.shape[0]))
    return min(moved or counted, default=0)


def _recorded(
    path: Path,
    handle: h5py.File,
    entry: str,
    detector: str,
    shape: tuple[int, int, int],
    request: Request,
) -> Recorded:
    frames, group = shape[0], f"{entry}/instrument/{detector}"
    kev, energy_from = _energy(path, handle, entry)
    monitor, monitor_from = _monitor(path, handle, entry, request.monitor, frames)
    return Recorded(
        circles=_circles(path, handle, entry, frames, request.motors),
        monitor=monitor,
        seconds=_seconds(path, handle, entry, frames),
        attenuation=_attenuation(path, handle, entry, frames),
        mask=_mask(path, handle, f"{group}/pixel_mask", shape[1:]),
        saturation=_number(path, handle, f"{group}/saturation_value"),
        energy=kev,
        pixel_size=(
            _length(path, handle, f"{group}/y_pixel_size"),
            _length(path, handle, f"{group}/x_pixel_size"),
        ),
        distance=_length(path, handle, f"{group}/distance"),
        direct_beam=(
            _number(path, handle, f"{group}/beam_center_y"),
            _number(path, handle, f"{group}/beam_center_x"),
        ),
        attrs={
            "format": "BLISS",
            "command": comment(hdf5.text(path, handle, f"{entry}/title")),
            "sample": comment(hdf5.text(path, handle, f"{entry}/sample/name")),
            "detector": detector,
            "energy_from": energy_from,
            "monitor_from": monitor_from,
            "ub_from": "none",
        },
    )


def _circles(
    path: Path, handle: h5py.File, entry: str, frames: int, wanted: Sequence[str]
) -> dict[str, Array]:
    """Motors asked for, or those with a circle's name; what moves comes from the points, not from the start."""
    group = f"{entry}/instrument/positioners"
    known = hdf5.names(path, handle, group)
    chosen = list(wanted) or [name for name in CIRCLES if name in known]
    if not chosen:
        raise InputError(path, group, "circles such as eta, phi, delta", ", ".join(known[:8]) or "none")
    return {name: _positions(path, handle, entry, name, frames, known) for name in chosen}


def _positions(
    path: Path, handle: h5py.File, entry: str, name: str, frames: int, known: Sequence[str]
) -> Array:
    measured = f"{entry}/measurement/{name}"
    field = measured if hdf5.has(path, handle, measured) else f"{entry}/instrument/positioners/{name}"
    if field != measured and name not in known:
        raise InputError(path, f"motor {name}", f"one of {', '.join(known[:12])}", "no such motor")
    values = quantity(path, handle, field, ANGLE, "deg")
    return _each(path, field, values, frames)


def _each(path: Path, field: str, values: Array, frames: int) -> Array:
    if values.size == 1:
        return np.full(frames, values[0])
    if values.size != frames:
        raise InputError(path, field, f"one value for each of {frames} frames", f"{values.size} values")
    return values


def _monitor(path: Path, handle: h5py.File, entry: str, wanted: str, frames: int) -> tuple[Array | None, str]:
    """Counter of the incident beam; one that was not asked for and is zero throughout was not connected."""
    names = hdf5.names(path, handle, f"{entry}/measurement")
    chosen = wanted or next((name for name in MONITORS if name in names), "")
    if not chosen:
        return None, "not recorded"
    field = f"{entry}/measurement/{chosen}"
    values = hdf5.values(path, hdf5.dataset(path, handle, field), field).reshape(-1)
    if not wanted and not values.any():
        return None, f"not recorded: {chosen} is zero throughout"
    return _each(path, field, values, frames), chosen


def _seconds(path: Path, handle: h5py.File, entry: str, frames: int) -> Array | None:
    for name in SECONDS:
        field = f"{entry}/measurement/{name}"
        if hdf5.has(path, handle, field):
            return _each(path, field, quantity(path, handle, field, TIME, "s"), frames)
    return None


def _attenuation(path: Path, handle: h5py.File, entry: str, frames: int) -> Array | None:
    """One over the product of the transmissions of all filters in the beam."""
    total: float | None = None
    group = f"{entry}/instrument"
    for name in hdf5.names(path, handle, group):
        field = f"{group}/{name}/transmission"
        with hdf5.guarded(path, f"{group}/{name}"):
            node = handle[group].get(name)
        if isinstance(node, h5py.Group) and hdf5.has(path, handle, field):
            share = hdf5.scalar(path, handle, field)
            if not 0 < share <= 1:
                raise InputError(path, field, "a transmission above 0, up to 1", f"{share:g}")
            total = share * (1.0 if total is None else total)
    return None if total is None else np.full(frames, 1 / total)


def _energy(path: Path, handle: h5py.File, entry: str) -> tuple[float, str]:
    for name in ENERGIES:
        field = f"{entry}/instrument/positioners/{name}"
        if hdf5.has(path, handle, field):
            return one_value(path, handle, field, ENERGY, "kev"), f"motor {name}"
    field = f"{entry}/instrument/monochromator/Energy"
    if hdf5.has(path, handle, field):
        return one_value(path, handle, field, ENERGY, "ev"), "monochromator"
    return NAN, "not recorded"


def _mask(path: Path, handle: h5py.File, field: str, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    if not hdf5.has(path, handle, field):
        return None
    return np.asarray(hdf5.values(path, hdf5.dataset(path, handle, field, "iub"), field, shape) != 0)


def _length(path: Path, handle: h5py.File, field: str) -> float:
    return one_value(path, handle, field, LENGTH, "m") if hdf5.has(path, handle, field) else NAN


def _number(path: Path, handle: h5py.File, field: str) -> float:
    return hdf5.scalar(path, handle, field) if hdf5.has(path, handle, field) else NAN
