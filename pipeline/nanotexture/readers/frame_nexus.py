"""Frames in NeXus files in the manner of NXmx, those of Eiger detectors (master and data files) among them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers import hdf5
from nanotexture.readers.frame_chain import Link, evaluate, read_chain, spread
from nanotexture.readers.frame_hdf5 import hdf5_pixels, opened
from nanotexture.readers.frame_header import NAN, Recorded, energy_from_wavelength, frame_scan
from nanotexture.readers.frame_scan import FrameScan, Request
from nanotexture.readers.hdf5_units import ANGLE, ENERGY, TIME, WAVELENGTH, one_value, quantity
from nanotexture.readers.lines import comment
from nanotexture.readers.nexus_detector import BEAM, Camera, read_camera
from nanotexture.readers.nexus_orientation import read_orientation
from nanotexture.readers.nexus_tree import Tree, nexus_tree

Array = NDArray[np.float64]


def read_nexus_frames(path: Path, request: Request) -> FrameScan:
    """The one scan of a NeXus file; InputError names the field, or the data file that is missing."""
    with opened(path, "/**") as handle:
        tree = nexus_tree(path, handle, request.detector, request.monitor)
        pixels, unwritten = hdf5_pixels(path, handle, tree.frames)
        found = _recorded(path, handle, tree, pixels.shape, unwritten, request.motors)
    return frame_scan(path, found, pixels, request.look)


def _recorded(
    path: Path,
    handle: h5py.File,
    tree: Tree,
    shape: tuple[int, int, int],
    unwritten: int,
    motors: Sequence[str],
) -> Recorded:
    written = shape[0]
    frames = written + unwritten  # motors are there for all that was planned
    camera = read_camera(path, handle, tree.detector, frames)
    sample = _sample_chain(path, handle, tree)
    circles = _circles(path, handle, tree, (*sample, *camera.chain), frames, motors)
    more = dict(camera.placed)
    if sample:
        more["sample_turn"] = evaluate(path, sample, frames)[0]
    per_frame = {name: values[:written] for name, values in more.items()}
    if per_frame:
        per_frame["beam"] = _beam(path, handle, tree)
    ub, ub_origin = read_orientation(path, handle, tree.sample)
    hkl = _hkl(path, handle, tree)
    per_frame |= {} if ub is None else {"ub": ub}
    per_frame |= {} if hkl is None else {"hkl": hkl}
    return Recorded(
        circles={name: values[:written] for name, values in circles.items()},
        monitor=_each(path, handle, f"{tree.monitor}/data", frames, written) if tree.monitor else None,
        seconds=_seconds(path, handle, tree, frames, written),
        attenuation=_attenuation(path, handle, tree, frames, written),
        mask=_mask(path, handle, tree, shape[1:]),
        saturation=_saturation(path, handle, tree),
        energy=_energy(path, handle, tree),
        temperature=_temperature(path, handle, tree),
        pixel_size=camera.pixel_size,
        distance=camera.distance,
        direct_beam=camera.direct_beam,
        more=per_frame,
        attrs=_attrs(path, handle, tree, camera, sample)
        | {"unwritten_frames": unwritten, "ub_from": ub_origin},
    )


def _attrs(
    path: Path, handle: h5py.File, tree: Tree, camera: Camera, sample: Sequence[Link]
) -> dict[str, str | int]:
    return {
        "format": "NeXus",
        "sample": comment(hdf5.text(path, handle, f"{tree.sample}/name")) if tree.sample else "",
        "detector": tree.detector.rpartition("/")[2],
        "detector_chain": "\n".join(link.text for link in camera.chain),
        "sample_chain": "\n".join(link.text for link in sample),
        "axes": "NeXus: z along the beam, y up",
    }


def _sample_chain(path: Path, handle: h5py.File, tree: Tree) -> tuple[Link, ...]:
    start = hdf5.text(path, handle, f"{tree.sample}/depends_on") if tree.sample else ""
    return tuple(read_chain(path, handle, start, tree.sample)) if start else ()


def _circles(
    path: Path,
    handle: h5py.File,
    tree: Tree,
    chain: Sequence[Link],
    frames: int,
    motors: Sequence[str],
) -> dict[str, Array]:
    """Rotations of the chains by their names; without any, what stands in the sample's goniometer."""
    found = {link.name: spread(path, link, frames) for link in chain if link.kind == "rotation"}
    found = found or _goniometer(path, handle, tree, frames)
    for name in motors:
        if name not in found:
            known = ", ".join(found) or "none"
            raise InputError(path, f"motor {name}", f"one of {known}", "no such axis")
    return {name: found[name] for name in motors} if motors else found


def _goniometer(path: Path, handle: h5py.File, tree: Tree, frames: int) -> dict[str, Array]:
    group = f"{tree.sample}/goniometer"
    found: dict[str, Array] = {}
    if tree.sample and hdf5.has(path, handle, group):
        for name in ("omega", "chi", "phi", "kappa", "mu", "eta"):
            field = f"{group}/{name}"
            if hdf5.has(path, handle, field):
                found[name] = _each(path, handle, field, frames, frames, ANGLE, "deg")
    if not found:
        raise InputError(
            path, f"{tree.sample or tree.entry}/depends_on", "a chain of axes", "none, and no goniometer"
        )
    return found


def _each(
    path: Path,
    handle: h5py.File,
    field: str,
    frames: int,
    written: int,
    table: dict[str, float] | None = None,
    default: str = "",
) -> Array:
    """One value for each frame that was written, from one for all or one for each that was planned."""
    if table is None:
        values = hdf5.values(path, hdf5.dataset(path, handle, field), field).reshape(-1)
    else:
        values = quantity(path, handle, field, table, default)
    if values.size == 1:
        return np.full(written, values[0])
    if values.size not in (frames, written):
        raise InputError(path, field, f"one value or {frames}, one for each frame", f"{values.size} values")
    return values[:written]


def _beam(path: Path, handle: h5py.File, tree: Tree) -> Array:
    """Direction of the beam: z, turned by the beam's own chain where it has one."""
    start = hdf5.text(path, handle, f"{tree.beam}/depends_on") if tree.beam else ""
    if not start:
        return BEAM
    turn, _ = evaluate(path, read_chain(path, handle, start, tree.beam), 1)
    return np.asarray(turn[0] @ BEAM)


def _hkl(path: Path, handle: h5py.File, tree: Tree) -> NDArray[Any] | None:
    field = f"{tree.entry}/reflection/hkl"
    if not hdf5.has(path, handle, field):
        return None
    found = hdf5.values(path, hdf5.dataset(path, handle, field), field).reshape(-1)
    if found.shape != (3,) or not (found == np.round(found)).all() or not 0 < np.abs(found).max() <= 100:
        raise InputError(path, field, "3 integers, not all 0, within 100", f"{found.tolist()[:4]}")
    return found.astype(np.int64)


def _seconds(path: Path, handle: h5py.File, tree: Tree, frames: int, written: int) -> Array | None:
    field = f"{tree.detector}/count_time"
    return _each(path, handle, field, frames, written, TIME, "s") if hdf5.has(path, handle, field) else None


def _attenuation(path: Path, handle: h5py.File, tree: Tree, frames: int, written: int) -> Array | None:
    """One over the attenuator's transmission."""
    field = f"{tree.instrument}/attenuator/attenuator_transmission"
    if not hdf5.has(path, handle, field):
        return None
    share = _each(path, handle, field, frames, written)
    if not ((share > 0) & (share <= 1)).all():
        raise InputError(path, field, "a transmission above 0, up to 1", f"{share.min():g}")
    return 1 / share


def _mask(path: Path, handle: h5py.File, tree: Tree, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Pixels for which pixel_mask has any bit set."""
    for name in ("pixel_mask", "detectorSpecific/pixel_mask"):
        field = f"{tree.detector}/{name}"
        if hdf5.has(path, handle, field):
            data = hdf5.dataset(path, handle, field, "iub")
            return np.asarray(hdf5.values(path, data, field, shape) != 0)
    return None


def _saturation(path: Path, handle: h5py.File, tree: Tree) -> float:
    """Counts from which a pixel is not trusted: as said, else the last two values of an unsigned type are flags."""
    for name in ("saturation_value", "detectorSpecific/countrate_correction_count_cutoff"):
        field = f"{tree.detector}/{name}"
        if hdf5.has(path, handle, field):
            return hdf5.scalar(path, handle, field)
    kind = hdf5.dataset(path, handle, tree.frames[0]).dtype
    return float(np.iinfo(kind).max - 1) if kind.kind == "u" else NAN


def _energy(path: Path, handle: h5py.File, tree: Tree) -> float:
    if not tree.beam:
        return NAN
    if hdf5.has(path, handle, f"{tree.beam}/incident_energy"):
        return one_value(path, handle, f"{tree.beam}/incident_energy", ENERGY)
    if hdf5.has(path, handle, f"{tree.beam}/incident_wavelength"):
        wavelength = one_value(path, handle, f"{tree.beam}/incident_wavelength", WAVELENGTH, "angstrom")
        if not wavelength > 0:
            raise InputError(path, f"{tree.beam}/incident_wavelength", "above 0", f"{wavelength:g}")
        return energy_from_wavelength(wavelength)
    return NAN


def _temperature(path: Path, handle: h5py.File, tree: Tree) -> float:
    field = f"{tree.sample}/temperature"
    if not tree.sample or not hdf5.has(path, handle, field):
        return NAN
    data = hdf5.dataset(path, handle, field)
    hdf5.check_units(path, data, field, "K")
    return float(np.mean(hdf5.values(path, data, field)))
