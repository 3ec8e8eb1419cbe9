"""The contract's map files: one reflection's counts on regular axes of Q in HDF5, to one labelled map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.quantities import ReciprocalMap
from nanotexture.readers import hdf5
from nanotexture.readers.map_arrays import MapArrays, check_counts, flip, regular_axis, sum_over_qy
from nanotexture.schema import MAP, in_volume, labelled

Array = NDArray[np.float64]

HKL = "/entry/reflection/hkl"
SCALE = "/entry/reflection/scale"
ENERGY = "/entry/instrument/beam/incident_energy"
TEMPERATURE = "/entry/sample/temperature"
NAME = "/entry/sample/name"
DATA = "/entry/data"
INTENSITY = "/entry/data/intensity"
HEADER_FIELDS = (HKL, SCALE, ENERGY, TEMPERATURE, NAME, DATA)
FIELDS = (*HEADER_FIELDS, *(f"{DATA}/{n}" for n in ("intensity", "variance", "mask", "qx", "qy", "qz")))

MAX_ENERGY = 200.0  # keV: above, the number is in eV
MAX_INDEX = 100
HC = 12.398419843320026  # keV angstrom, exact in the SI of 2019


@dataclass(frozen=True)
class MapHeader:
    """What a map file says of itself: its axes in the file's order with their lengths, hkl, kelvin, keV."""

    file: str
    name: str
    hkl: tuple[int, int, int]
    temperature: float
    energy: float
    scale: float
    axes: tuple[str, ...]
    shape: tuple[int, ...]


def read_nexus_map_header(path: Path) -> MapHeader:
    """The header of a map file; its intensities are not read."""
    with hdf5.opened(path, HEADER_FIELDS) as handle:
        return _header(path, handle)


def read_nexus_map(path: Path, *, volume: bool = False) -> ReciprocalMap:
    """The labelled map of a file; a qy axis is summed over, or kept in a volume; intensity is NaN where not measured."""
    with hdf5.opened(path, FIELDS) as handle:
        header = _header(path, handle)
        axes = {name: _axis(path, handle, name, n) for name, n in zip(header.axes, header.shape, strict=True)}
        arrays = _arrays(path, handle, header)
    arrays = flip(arrays, [axis[0] > axis[-1] for axis in axes.values()])
    check_counts(path, DATA, arrays)
    arrays = _qx_first(arrays, header.axes)
    kept = volume and "qy" in axes
    if "qy" in axes and not kept:
        arrays = sum_over_qy(arrays)
    along = {name: np.sort(axes[name]) for name in (("qx", "qy", "qz") if kept else ("qx", "qz"))}
    _check_reachable(path, header, along["qx"], along["qz"])
    return _labelled(header, along, arrays)


def _header(path: Path, handle: h5py.File) -> MapHeader:
    hdf5.group(path, handle, "/entry")
    axes = _axes(path, handle)
    intensity = hdf5.dataset(path, handle, INTENSITY)
    hdf5.check_units(path, intensity, INTENSITY, "count")
    hdf5.check_size(path, intensity, INTENSITY)
    shape = tuple(int(n) for n in intensity.shape)
    if len(shape) != len(axes):
        raise InputError(path, INTENSITY, f"{len(axes)} dimensions as axes={list(axes)}", f"shape {shape}")
    return MapHeader(
        file=path.name,
        name=hdf5.text(path, handle, NAME),
        hkl=_hkl(path, handle),
        temperature=temperature_of(path, handle),
        energy=_energy(path, handle),
        scale=_scale(path, handle),
        axes=axes,
        shape=shape,
    )


def _axes(path: Path, handle: h5py.File) -> tuple[str, ...]:
    """Names of the axes in the order of the array's dimensions."""
    data = hdf5.group(path, handle, DATA)
    signal = hdf5.attribute(path, data, DATA, "signal")
    if signal not in ([], ["intensity"]):
        raise InputError(path, f"{DATA}@signal", "'intensity'", repr(signal))
    axes = hdf5.attribute(path, data, DATA, "axes")
    if sorted(axes) not in (["qx", "qz"], ["qx", "qy", "qz"]):
        raise InputError(path, f"{DATA}@axes", "['qx', 'qz'] or ['qx', 'qy', 'qz']", repr(axes))
    return tuple(axes)


def _hkl(path: Path, handle: h5py.File) -> tuple[int, int, int]:
    data = hdf5.dataset(path, handle, HKL)
    if data.shape != (3,):
        raise InputError(path, HKL, "3 integers", f"shape {data.shape}")
    found = hdf5.values(path, data, HKL)
    whole = np.isfinite(found).all() and (found == np.round(found)).all()
    if not whole or not found.any() or np.abs(found).max() > MAX_INDEX:
        raise InputError(path, HKL, f"3 integers, not all 0, within {MAX_INDEX}", f"{found.tolist()}")
    h, k, index = (int(n) for n in found)
    return h, k, index


def _energy(path: Path, handle: h5py.File) -> float:
    energy = hdf5.scalar(path, handle, ENERGY, "keV")
    if not 0 < energy <= MAX_ENERGY:
        hint = " (eV?)" if energy > MAX_ENERGY else ""
        raise InputError(path, ENERGY, f"0 to {MAX_ENERGY:g} keV", f"{energy:g}{hint}")
    return energy


def temperature_of(path: Path, handle: h5py.File) -> float:
    """Temperature of the sample in kelvin; NaN where the file does not say."""
    if not hdf5.has(path, handle, TEMPERATURE):
        return float("nan")
    temperature = hdf5.scalar(path, handle, TEMPERATURE, "K")
    if temperature <= 0 or np.isinf(temperature):
        raise InputError(path, TEMPERATURE, "a temperature above 0 K", f"{temperature:g}")
    return temperature


def _scale(path: Path, handle: h5py.File) -> float:
    if not hdf5.has(path, handle, SCALE):
        return 1.0
    scale = hdf5.scalar(path, handle, SCALE)
    if not (scale > 0 and np.isfinite(scale)):
        raise InputError(path, SCALE, "a positive factor", f"{scale:g}")
    return scale


def _axis(path: Path, handle: h5py.File, name: str, size: int) -> Array:
    """Voxel centres of one axis in 1/angstrom, checked to be uniform and put exactly on that grid."""
    field = f"{DATA}/{name}"
    data = hdf5.dataset(path, handle, field)
    hdf5.check_units(path, data, field, "1/angstrom")
    axis = hdf5.values(path, data, field, (size,))
    rounding = 4 * np.finfo(data.dtype).eps * np.abs(axis).max() if data.dtype.kind == "f" else 0.0
    return regular_axis(path, field, axis, rounding)


def _arrays(path: Path, handle: h5py.File, header: MapHeader) -> MapArrays:
    intensity = hdf5.values(path, hdf5.dataset(path, handle, INTENSITY), INTENSITY)
    return MapArrays(
        intensity=intensity,
        variance=_optional(path, handle, "variance", header.shape),
        measured=_measured(path, handle, header.shape),
    )


def _optional(path: Path, handle: h5py.File, name: str, shape: tuple[int, ...]) -> Array | None:
    field = f"{DATA}/{name}"
    if not hdf5.has(path, handle, field):
        return None
    return hdf5.values(path, hdf5.dataset(path, handle, field, "fiub"), field, shape)


def _measured(path: Path, handle: h5py.File, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = _optional(path, handle, "mask", shape)
    return np.ones(shape, dtype=bool) if mask is None else mask == 0


def _qx_first(arrays: MapArrays, axes: tuple[str, ...]) -> MapArrays:
    order = [axes.index(name) for name in ("qx", "qy", "qz") if name in axes]
    return arrays.apply(lambda array: array.transpose(order))


def _check_reachable(path: Path, header: MapHeader, qx: Array, qz: Array) -> None:
    """Refuse axes that no reflection at this energy reaches: |Q| <= 4 pi E / hc."""
    limit = 4 * np.pi * header.energy / HC
    nearest = float(np.hypot(np.abs(qx).min(), np.abs(qz).min()))
    if nearest > limit:
        expected = f"|Q| up to {limit:.4g} 1/angstrom at {header.energy:g} keV"
        raise InputError(path, f"{DATA}/qz", expected, f"{nearest:.4g} and more")


def _labelled(header: MapHeader, along: dict[str, Array], arrays: MapArrays) -> ReciprocalMap:
    intensity, variance, measured = arrays.intensity, arrays.variance, arrays.measured
    poisson = np.maximum(intensity, 1.0)
    spread = poisson if variance is None else np.where(variance > 0, variance, poisson)
    found = {
        **along,
        "intensity": np.where(measured, intensity, np.nan),
        "variance": np.where(measured, spread, np.nan),
        "mask": np.where(measured, 0, 1).astype(np.uint8),
        "hkl": np.array(header.hkl, dtype=np.int64),
        "temperature": header.temperature,
        "energy": header.energy,
        "scale": header.scale,
    }
    summed = "qy" in header.axes and "qy" not in along
    attrs = {"file": header.file, "sample": header.name, "summed_over": "qy" if summed else ""}
    return ReciprocalMap(labelled(found, in_volume(MAP) if "qy" in along else MAP, attrs))
