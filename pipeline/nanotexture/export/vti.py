"""Textures and three-dimensional maps as VTK image data (.vti), for ParaView and the like.

Image data has even spacing: planes of a film are interpolated linearly where their spacing is not even. XML with binary
arrays in base64, little endian, each behind its length as UInt64 (VTK file formats, "inline binary").
"""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nanotexture.errors import UserError

Array = NDArray[np.float64]

SPACE = ("x", "y", "z")
_COMPONENTS = ("component", "strain_component")
_MAP_AXES = {"qx": "x", "qy": "y", "qz": "z"}


def write_vti(tree: xr.DataTree, folder: Path, stem: str) -> tuple[Path, ...]:
    """One file for each temperature of /texture, for /object, and for each map with three axes; the paths come back."""
    images = dict(_images(tree))
    if not images:
        raise UserError(
            "result: expected a group /texture or /object, or maps with qx, qy and qz, found none"
        )
    return tuple(_write(folder / f"{stem}_{name}.vti", image) for name, image in images.items())


def _images(tree: xr.DataTree) -> Iterator[tuple[str, xr.Dataset]]:
    """Datasets on x, y, z in angstrom (or qx, qy, qz named so), by the name of their file."""
    if "texture" in tree.children:
        for name, one in _by_temperature(tree["texture"].to_dataset()):
            yield f"texture{name}", _in_angstrom(one)
    if "object" in tree.children:
        yield "object", tree["object"].to_dataset()
    for hkl, node in (tree["maps"].children if "maps" in tree.children else {}).items():
        if "qy" in node.dims:
            for name, one in _by_temperature(node.to_dataset()):
                yield f"map_{hkl}{name}", one.rename(_MAP_AXES)


def _by_temperature(dataset: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    for t in range(dataset.sizes["temperature"]):
        kelvin = float(dataset["temperature"][t])
        at = f"_{kelvin:g}K" if math.isfinite(kelvin) else f"_{t}" if dataset.sizes["temperature"] > 1 else ""
        yield at, dataset.isel(temperature=t)


def _in_angstrom(one: xr.Dataset) -> xr.Dataset:
    """x and y as lengths in place of fractions of a period."""
    lengths = {axis: one[f"{axis}_position"].values for axis in ("x", "y") if f"{axis}_position" in one}
    return one.drop_vars([f"{axis}_position" for axis in lengths]).assign_coords(lengths)


def _write(path: Path, image: xr.Dataset) -> Path:
    axes = [axis for axis in SPACE if axis in image.dims]
    even = image.interp(
        {axis: _even(image[axis].values) for axis in axes if not _is_even(image[axis].values)}
    )
    points = {axis: even[axis].values if axis in axes else np.zeros(1) for axis in SPACE}
    root = _header(points)
    data = SubElement(root[0][0], "PointData")
    for name, values in _fields(even, axes).items():
        components = values.shape[-1]
        attributes = {
            "type": "Float64",
            "Name": name,
            "NumberOfComponents": str(components),
            "format": "binary",
        }
        SubElement(data, "DataArray", attributes).text = _encoded(values)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        ElementTree(root).write(beside, encoding="utf-8", xml_declaration=True)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def _header(points: Mapping[str, Array]) -> Element:
    extent = " ".join(f"0 {axis.size - 1}" for axis in points.values())
    steps = [float(axis[1] - axis[0]) if axis.size > 1 else 1.0 for axis in points.values()]
    root = Element(
        "VTKFile", type="ImageData", version="1.0", byte_order="LittleEndian", header_type="UInt64"
    )
    whole = {
        "WholeExtent": extent,
        "Origin": " ".join(repr(float(axis[0])) for axis in points.values()),
        "Spacing": " ".join(map(repr, steps)),
    }
    SubElement(SubElement(root, "ImageData", whole), "Piece", Extent=extent)
    return root


def _fields(image: xr.Dataset, axes: list[str]) -> dict[str, Array]:
    """Arrays (point, component), x fastest, with units in their names; x, z components become vectors x, y, z."""
    found = {}
    for name, variable in image.data_vars.items():
        inner = [str(dim) for dim in variable.dims if dim in _COMPONENTS]
        if set(variable.dims) != {*axes, *inner} or variable.dtype.kind not in "fiub":
            continue
        values = variable.transpose(*reversed(axes), *inner).values.astype(np.float64)
        flat = values.reshape(math.prod(image.sizes[axis] for axis in axes), -1)
        vector = inner == ["component"] and flat.shape[1] == 2
        found[f"{name} ({variable.attrs.get('units', '1')})"] = _as_vector(flat) if vector else flat
    return found


def _as_vector(flat: Array) -> Array:
    """Components x and z with y = 0 between them."""
    return np.stack([flat[:, 0], np.zeros(len(flat)), flat[:, 1]], axis=1)


def _encoded(values: Array) -> str:
    raw = np.ascontiguousarray(values, dtype="<f8").tobytes()
    return base64.b64encode(np.array([len(raw)], dtype="<u8").tobytes() + raw).decode("ascii")


def _is_even(axis: Array) -> bool:
    return axis.size < 3 or bool(np.allclose(np.diff(axis), axis[1] - axis[0], rtol=1e-6))


def _even(axis: Array) -> Array:
    return np.linspace(axis[0], axis[-1], axis.size)
