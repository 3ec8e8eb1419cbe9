"""The contract's map file of one simulated reflection: HDF5, written beside its place and renamed."""

from __future__ import annotations

import math
from pathlib import Path

import h5py

from nanotexture.errors import UserError
from nanotexture.simulate.counting import Measured
from nanotexture.simulate.nexus import add_field, add_group, nexus_file

COMPRESSION = "gzip"


def write_map(
    path: Path,
    measured: Measured,
    *,
    name: str,
    temperature: float | None = None,
    scale: float | None = None,
) -> Path:
    """Write one reflection: sample's name, kelvin if known, factor on the model if known; the path comes back."""
    for field, value in (("temperature", temperature), ("scale", scale)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise UserError(f"{field}: expected a number above 0, or None where unknown, got {value:g}")
    if path.is_dir():
        raise UserError(f"{path}: expected a place for a file, found a folder")
    with nexus_file(path) as file:
        _write(file, measured, name, temperature, scale)
    return path


def _write(
    file: h5py.File, measured: Measured, name: str, temperature: float | None, scale: float | None
) -> None:
    entry = add_group(file, "entry", "NXentry")
    entry.attrs["default"] = "data"
    sample = add_group(entry, "sample", "NXsample")
    sample["name"] = name
    if temperature is not None:
        add_field(sample, "temperature", temperature, "K")
    entry["reflection/hkl"] = measured.hkl
    if scale is not None:
        entry["reflection/scale"] = scale
    beam = add_group(add_group(entry, "instrument", "NXinstrument"), "beam", "NXbeam")
    add_field(beam, "incident_energy", measured.energy_kev, "keV")
    _write_data(add_group(entry, "data", "NXdata"), measured)


def _write_data(data: h5py.Group, measured: Measured) -> None:
    axes = {name: getattr(measured.axes, name) for name in ("qx", "qy", "qz")}
    axes = {name: axis for name, axis in axes.items() if axis is not None}
    data.attrs["signal"], data.attrs["axes"] = "intensity", list(axes)
    for name, axis in axes.items():
        data[name] = axis
        data[name].attrs["units"] = "1/angstrom"
    arrays = {"intensity": measured.intensity, "variance": measured.variance, "mask": measured.mask}
    for name, values in arrays.items():
        data.create_dataset(name, data=values, compression=COMPRESSION)
    data["intensity"].attrs["units"] = data["variance"].attrs["units"] = "count"
