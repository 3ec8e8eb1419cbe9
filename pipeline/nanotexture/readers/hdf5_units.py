"""Numbers of an HDF5 file brought to one unit by what their `units` say."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers import hdf5

Array = NDArray[np.float64]

# A list, not the unit registry, for the reasons given in hdf5.py.
LENGTH = {
    **dict.fromkeys(("mm", "millimeter", "millimetre", "millimeters", "millimetres"), 1.0),
    **dict.fromkeys(("m", "meter", "metre", "meters", "metres"), 1e3),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometre"), 1e-3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 10.0),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-6),
}
ANGLE = {
    **dict.fromkeys(("deg", "degree", "degrees", "°"), 1.0),
    **dict.fromkeys(("rad", "radian", "radians"), float(np.degrees(1.0))),
    **dict.fromkeys(("mrad",), float(np.degrees(1e-3))),
}
ENERGY = {"kev": 1.0, "ev": 1e-3, "mev": 1e3}
WAVELENGTH = {
    **dict.fromkeys(("angstrom", "angstroms", "ang", "a", "å"), 1.0),
    **dict.fromkeys(("nm", "nanometer"), 10.0),
    **dict.fromkeys(("m", "meter", "metre"), 1e10),
}
TIME = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    "ms": 1e-3,
    "us": 1e-6,
    "ns": 1e-9,
}
PER_LENGTH = {
    **dict.fromkeys(("1/angstrom", "angstrom^-1", "1/a", "1/ang", "a^-1", "angstrom-1", "1/å"), 1.0),
    **dict.fromkeys(("1/nm", "nm^-1"), 0.1),
}


def factor(file: Path, field: str, units: str, table: dict[str, float], default: str = "") -> float:
    """What a number in these units is multiplied by; `default` stands in for no units, none is an error."""
    plain = units.strip().lower().replace(" ", "") or default
    if plain not in table:
        known = ", ".join(list(table)[:1] + list(table)[-1:])
        raise InputError(file, f"{field}@units", f"units such as {known}", repr(units) if units else "none")
    return table[plain]


def quantity(file: Path, handle: h5py.File, field: str, table: dict[str, float], default: str = "") -> Array:
    """Finite numbers (n,) of a dataset of one dimension or none, in the table's unit."""
    data = hdf5.dataset(file, handle, field)
    if len(data.shape) > 1:
        raise InputError(file, field, "a number or a list of numbers", f"shape {data.shape}")
    units = " ".join(hdf5.attribute(file, data, field, "units"))
    values = hdf5.values(file, data, field).reshape(-1) * factor(file, field, units, table, default)
    if values.size == 0 or not np.isfinite(values).all():
        raise InputError(file, field, "finite numbers", "nothing" if values.size == 0 else "NaN or infinity")
    return values


def one_value(file: Path, handle: h5py.File, field: str, table: dict[str, float], default: str = "") -> float:
    """A quantity that is one number, or the same for every frame to 1e-4."""
    values = quantity(file, handle, field, table, default)
    if np.ptp(values) > 1e-4 * np.abs(values).max():
        raise InputError(file, field, "one value for all frames", f"{values.min():g} to {values.max():g}")
    return float(values.mean())


def vector(file: Path, node: h5py.HLObject, field: str, name: str) -> Array | None:
    """An attribute of three finite numbers; None where there is none."""
    words = hdf5.attribute(file, node, field, name)
    if not words:
        return None
    try:
        found = np.array([float(word) for word in words])
    except ValueError as error:
        raise InputError(file, f"{field}@{name}", "three numbers", str(error)) from error
    if found.shape != (3,) or not np.isfinite(found).all():
        raise InputError(file, f"{field}@{name}", "three finite numbers", " ".join(words)[:80])
    return found
