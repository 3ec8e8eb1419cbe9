"""Volumes of intensity along h, k and l in HDF5 (NXdata, as NXRefine writes them): one Brillouin zone to a map (qx, qy, qz)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from nanotexture.errors import InputError
from nanotexture.quantities import ReciprocalMap
from nanotexture.readers import hdf5
from nanotexture.readers.map_arrays import Array, MapArrays, flip, regular_axis
from nanotexture.readers.nexus_map import HC, MAX_ENERGY, NAME, TEMPERATURE, temperature_of
from nanotexture.schema import MAP, in_volume, labelled

GROUPS = ("/entry/transform", "/entry/data")  # where NXRefine, and where everybody else, puts it
AXES = ({"qh": 0, "qk": 1, "ql": 2}, {"h": 0, "k": 1, "l": 2})
RELATIVE = ("", "r.l.u.", "rlu", "1", "dimensionless")
SAMPLE = "/entry/sample"
_ONE_BY_ONE = tuple(f"{SAMPLE}/unitcell_{name}" for name in ("a", "b", "c", "alpha", "beta", "gamma"))
_BY_THREE = (f"{SAMPLE}/unit_cell_abc", f"{SAMPLE}/unit_cell_alphabetagamma")
_CELL_UNITS = ("", "angstrom", "angstroms", "a", "å", "ang", "deg", "degree", "degrees", "°")
ENERGIES = (
    ("/entry/instrument/beam/incident_energy", "energy"),
    ("/entry/instrument/monochromator/energy", "energy"),
    ("/entry/instrument/beam/incident_wavelength", "wavelength"),
    ("/entry/instrument/monochromator/wavelength", "wavelength"),
)
_MEMBERS = ("data", "counts", "intensity", "data_errors", "counts_errors", "intensity_errors", "errors")
USUAL = (  # what most files have: its safety is found out in one go, the rest in a second
    *(f"{group}/{name}" for group in GROUPS for name in (*_MEMBERS, "Qh", "Qk", "Ql", "H", "K", "L")),
    *(SAMPLE, *_ONE_BY_ONE, *_BY_THREE, *(field for field, _ in ENERGIES), TEMPERATURE, NAME),
)
SQUARE = 0.01  # deg: the axes h, k, l are those of q only where they are at right angles
HALF = (0.5, 0.5, 0.5)  # r.l.u.: one Brillouin zone


@dataclass(frozen=True)
class _Where:
    """Group and signal of the volume, its axes in the file's order, and which of h, k, l each is."""

    group: str
    signal: str
    axes: tuple[str, ...]
    order: tuple[int, ...]

    def field(self, name: str) -> str:
        """Path of a member of the group."""
        return f"{self.group}/{name}"


def read_hkl_volume(
    path: Path, hkl: tuple[int, int, int], half: tuple[float, float, float] = HALF
) -> ReciprocalMap:
    """The volume around hkl, `half` r.l.u. to either side; qx along h, qy along k, qz along l, in 1/angstrom.

    The variance is the square of the file's errors; without any it is taken as that of counts (attribute `variance_from`).
    """
    with hdf5.opened(path, USUAL) as handle:
        where = _where(path, handle)
    rest = tuple(field for field in _fields(where) if field not in USUAL)
    with hdf5.opened(path, (*USUAL, *rest)) as handle:
        cell = _cell(path, handle)
        blocks, axes = _blocks(path, handle, where, hkl, half)
        arrays, errors = _arrays(path, handle, where, blocks)
        energy, temperature = _energy(path, handle), temperature_of(path, handle)
        name = hdf5.text(path, handle, NAME)
    arrays = flip(arrays, [axis[0] > axis[-1] for axis in axes])
    dims = [where.order.index(n) for n in range(3)]
    arrays = arrays.apply(lambda array: array.transpose(dims))
    q = [np.sort(axes[dim]) * 2 * np.pi / cell[n] for n, dim in enumerate(dims)]
    attrs = {
        "file": path.name,
        "sample": name,
        "summed_over": "",
        "variance_from": "errors of the file" if errors else "Poisson",
    }
    return _labelled(arrays, q, hkl, energy, temperature, attrs)


def _where(path: Path, handle: h5py.File) -> _Where:
    """The first group that holds a signal along h, k and l."""
    hdf5.group(path, handle, "/entry")
    present = [group for group in GROUPS if hdf5.has(path, handle, group)]
    for group in present:
        node = hdf5.group(path, handle, group)
        axes = tuple(hdf5.attribute(path, node, group, "axes"))
        signal = hdf5.attribute(path, node, group, "signal")
        names = [name.lower() for name in axes]
        known = next((one for one in AXES if sorted(one) == sorted(names)), None)
        if known is not None and len(signal) == 1 and "/" not in "".join((*axes, *signal)):
            return _Where(group, signal[0], axes, tuple(known[name] for name in names))
    looked = " or ".join(present or GROUPS)
    raise InputError(
        path, f"{looked}@axes", "NXdata with a signal along Qh, Qk, Ql or H, K, L", "no such axes"
    )


def _fields(where: _Where) -> tuple[str, ...]:
    return tuple(where.field(name) for name in (where.signal, *_error_names(where), *where.axes))


def _error_names(where: _Where) -> tuple[str, ...]:
    return f"{where.signal}_errors", "errors"


def _cell(path: Path, handle: h5py.File) -> Array:
    """a, b, c in angstrom; a cell whose axes are not at right angles is refused."""
    if hdf5.has(path, handle, _ONE_BY_ONE[0]):
        found = np.array([_one(path, handle, field) for field in _ONE_BY_ONE])
    elif hdf5.has(path, handle, _BY_THREE[0]):
        found = np.concatenate([_three(path, handle, field) for field in _BY_THREE])
    else:
        raise InputError(
            path, _ONE_BY_ONE[0], "the unit cell of the sample", "neither this nor unit_cell_abc"
        )
    if not (np.isfinite(found).all() and (found[:3] > 0).all()):
        raise InputError(path, f"{SAMPLE}/unit cell", "positive lengths", f"{found.tolist()}")
    if np.abs(found[3:] - 90).max() > SQUARE:
        raise InputError(path, f"{SAMPLE}/unit cell", "angles of 90 deg", f"{found[3:].tolist()}")
    return np.asarray(found[:3])


def _one(path: Path, handle: h5py.File, field: str) -> float:
    _check_cell_units(path, hdf5.dataset(path, handle, field), field)
    return hdf5.scalar(path, handle, field)


def _three(path: Path, handle: h5py.File, field: str) -> Array:
    data = hdf5.dataset(path, handle, field)
    _check_cell_units(path, data, field)
    return np.ravel(hdf5.values(path, data, field, (1, 3) if data.shape == (1, 3) else (3,)))


def _check_cell_units(path: Path, data: h5py.Dataset, field: str) -> None:
    units = " ".join(hdf5.attribute(path, data, field, "units")).strip().lower()
    if units not in _CELL_UNITS:
        raise InputError(path, field, "angstrom or degree", f"units {units!r}")


def _blocks(
    path: Path, handle: h5py.File, where: _Where, hkl: tuple[int, int, int], half: tuple[float, float, float]
) -> tuple[tuple[slice, ...], list[Array]]:
    """Which voxels along each dimension of the file, and their h, k or l."""
    signal = hdf5.dataset(path, handle, where.field(where.signal))
    if signal.ndim != 3:
        raise InputError(path, where.field(where.signal), "3 dimensions", f"shape {signal.shape}")
    found = [
        _block(path, handle, where.field(name), size, hkl[n], half[n])
        for name, n, size in zip(where.axes, where.order, signal.shape, strict=True)
    ]
    return tuple(block for block, _ in found), [axis for _, axis in found]


def _block(
    path: Path, handle: h5py.File, field: str, size: int, centre: int, half: float
) -> tuple[slice, Array]:
    data = hdf5.dataset(path, handle, field)
    units = " ".join(hdf5.attribute(path, data, field, "units")).strip().lower()
    if units not in RELATIVE:
        raise InputError(path, field, "reciprocal lattice units", f"units {units!r}")
    raw = hdf5.values(path, data, field, (size,))
    rounding = 4 * np.finfo(data.dtype).eps * np.abs(raw).max() if data.dtype.kind == "f" else 0.0
    axis = regular_axis(path, field, raw, rounding)
    inside = np.flatnonzero(np.abs(axis - centre) <= half + rounding)
    if inside.size < 2:
        found = f"{axis.min():g} to {axis.max():g}"
        raise InputError(path, field, f"at least 2 voxels within {half:g} of {centre}", found)
    block = slice(int(inside[0]), int(inside[-1]) + 1)
    return block, axis[block]


def _arrays(
    path: Path, handle: h5py.File, where: _Where, blocks: tuple[slice, ...]
) -> tuple[MapArrays, bool]:
    """Intensity, variance and what was measured of the block, and whether the file has errors."""
    field = where.field(where.signal)
    intensity = hdf5.part(path, hdf5.dataset(path, handle, field), field, blocks)
    measured = np.isfinite(intensity)
    seen = intensity[measured]
    if seen.size == 0 or not seen.any():
        raise InputError(path, field, "counts around the reflection", "zero or NaN everywhere")
    if (seen < 0).any():
        raise InputError(path, field, "no negative counts", f"{seen.min():g}")
    name = next((n for n in _error_names(where) if hdf5.has(path, handle, where.field(n))), None)
    if name is None:
        return MapArrays(intensity, np.maximum(intensity, 1.0), measured), False
    data = hdf5.dataset(path, handle, where.field(name))
    if data.shape != hdf5.dataset(path, handle, field).shape:
        raise InputError(path, where.field(name), "the shape of the signal", f"shape {data.shape}")
    errors = hdf5.part(path, data, where.field(name), blocks)
    known = np.isfinite(errors) & (errors > 0)
    smallest = float(errors[known & measured].min()) if (known & measured).any() else np.nan
    if not np.isfinite(smallest):
        raise InputError(path, where.field(name), "positive errors", "none around the reflection")
    # a voxel without a count has no error either: the smallest that is known stands for it
    return MapArrays(intensity, np.where(known, errors, smallest) ** 2, measured), True


def _energy(path: Path, handle: h5py.File) -> float:
    """Photon energy in keV, from energy or wavelength, whichever the file has."""
    for field, kind in ENERGIES:
        if not hdf5.has(path, handle, field):
            continue
        value = hdf5.scalar(path, handle, field, "keV" if kind == "energy" else "angstrom")
        energy = value if kind == "energy" else HC / value if value > 0 else np.nan
        if not 0 < energy <= MAX_ENERGY:
            raise InputError(path, field, f"a photon energy of 0 to {MAX_ENERGY:g} keV", f"{value:g}")
        return float(energy)
    raise InputError(path, ENERGIES[0][0], "photon energy or wavelength", "neither")


def _labelled(
    arrays: MapArrays,
    q: list[Array],
    hkl: tuple[int, int, int],
    energy: float,
    temperature: float,
    attrs: dict[str, str],
) -> ReciprocalMap:
    measured = arrays.measured
    found = {
        "qx": q[0],
        "qy": q[1],
        "qz": q[2],
        "intensity": np.where(measured, arrays.intensity, np.nan),
        "variance": np.where(measured, np.asarray(arrays.variance), np.nan),
        "mask": np.where(measured, 0, 1).astype(np.uint8),
        "hkl": np.array(hkl, dtype=np.int64),
        "temperature": temperature,
        "energy": energy,
        "scale": 1.0,
    }
    return ReciprocalMap(labelled(found, in_volume(MAP), attrs))
