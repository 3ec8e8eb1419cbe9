"""A result as one NeXus file: every group with data is an NXdata, named as in the result."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from nanotexture.simulate.nexus import add_group, nexus_file

# What a viewer shows first of a group; groups without one of these show their largest variable.
_SIGNALS = (
    "intensity", "displacement", "displacement_along_q", "amplitude", "energy_density", "order_parameter", "cost",
)  # fmt: skip
_FIRST = ("texture", "object", "maps")


def write_nexus(tree: xr.DataTree, folder: Path, stem: str) -> tuple[Path, ...]:
    """One file <stem>.nxs that silx and nexusformat open; the path comes back."""
    path = folder / f"{stem}.nxs"
    groups = {node.path.strip("/"): node.to_dataset() for node in tree.subtree if node.data_vars}
    with nexus_file(path) as file:
        entry = add_group(file, "entry", "NXentry")
        entry["title"] = str(tree.attrs.get("name", stem))
        entry["program_name"] = "nanotexture"
        entry["program_name"].attrs["version"] = str(tree.attrs.get("version", ""))
        _add_process(entry, tree)
        for name, dataset in groups.items():
            _add_data(entry, name, dataset)
        entry.attrs["default"] = _default(list(groups))
    return (path,)


def _default(names: list[str]) -> str:
    return next((name for first in _FIRST for name in names if name.split("/")[0] == first), names[0])


def _add_process(entry: h5py.Group, tree: xr.DataTree) -> None:
    """Recipe, inputs and versions, as the result's root has them."""
    process = add_group(entry, "process", "NXprocess")
    process["program"] = "nanotexture"
    for name, value in tree.attrs.items():
        process.attrs[str(name)] = value


def _add_data(entry: h5py.Group, name: str, dataset: xr.Dataset) -> None:
    """A dataset as NXdata; groups above it are NXcollection."""
    parent = entry
    for part in name.split("/")[:-1]:
        parent = parent[part] if part in parent else add_group(parent, part, "NXcollection")
    group = add_group(parent, name.split("/")[-1], "NXdata")
    for key, value in dataset.attrs.items():
        group.attrs[str(key)] = value
    for variable in dataset.variables:
        _add_variable(group, str(variable), dataset[variable])
    signal = _signal(dataset)
    group.attrs["signal"] = signal
    group.attrs["axes"] = [_axis(dataset, str(dim)) for dim in dataset[signal].dims]
    if f"{signal}_std" in dataset:
        group[f"{signal}_errors"] = h5py.SoftLink(group[f"{signal}_std"].name)


def _signal(dataset: xr.Dataset) -> str:
    known = next((name for name in _SIGNALS if name in dataset.data_vars), None)
    return known or max(
        map(str, dataset.data_vars), key=lambda name: (dataset[name].dtype.kind == "f", dataset[name].size)
    )


def _axis(dataset: xr.Dataset, dim: str) -> str:
    """The coordinate of a dim where it holds numbers; "." says that there is none."""
    return dim if dim in dataset.variables and dataset[dim].dtype.kind in "fiu" else "."


def _add_variable(group: h5py.Group, name: str, variable: xr.DataArray) -> None:
    values = variable.values
    if values.dtype.kind in "OUT":
        group.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    elif values.ndim:
        group.create_dataset(name, data=values, compression="gzip" if values.size > 1 else None)
    else:
        group[name] = values
    for key, value in variable.attrs.items():
        group[name].attrs[str(key)] = value
    group[name].attrs["dims"] = (
        np.array([str(dim) for dim in variable.dims], dtype=object) if variable.dims else ""
    )
