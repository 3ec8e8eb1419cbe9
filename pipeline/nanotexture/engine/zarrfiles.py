"""Datasets and trees as the files of a Zarr v3 group, in memory, known to the byte before writing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray as xr
import zarr
import zarr.buffer
from zarr.storage import MemoryStore

# zarr's guess makes chunks of about a megabyte; fewer files matter more here, as whole artefacts are read.
_LARGEST_CHUNK = 64 * 2**20
_SMALLEST_COMPRESSED = 2048  # compressing a scalar takes a third of the time of writing it, and gains nothing
_TEXT = np.dtypes.StringDType()


def files_from_dataset(dataset: xr.Dataset) -> dict[str, bytes]:
    """Files of a dataset; the same values and attributes give the same bytes."""
    plain = _storable(dataset.compute(scheduler="synchronous"))
    buffers: dict[str, Any] = {}
    plain.to_zarr(MemoryStore(buffers), zarr_format=3, consolidated=False, encoding=_encoding(plain))
    return _as_bytes(buffers)


def files_from_tree(tree: xr.DataTree) -> dict[str, bytes]:
    """Files of a tree of datasets; the same values and attributes give the same bytes."""
    nodes = {
        node.path: _storable(node.to_dataset(inherit=False).compute(scheduler="synchronous"))
        for node in tree.subtree
    }
    buffers: dict[str, Any] = {}
    encoding = {path: _encoding(dataset) for path, dataset in nodes.items()}
    with zarr.config.set(
        {"array.write_empty_chunks": True}
    ):  # a chunk that is lost must not read as one of NaN
        xr.DataTree.from_dict(nodes).to_zarr(
            MemoryStore(buffers), zarr_format=3, consolidated=False, encoding=encoding
        )
    return _as_bytes(buffers)


def dataset_from_files(files: Mapping[str, bytes], order: tuple[str, ...]) -> xr.Dataset:
    """Dataset of such files, loaded, its variables in the order given and its text as objects."""
    buffers: dict[str, Any] = {
        name: zarr.buffer.cpu.Buffer.from_bytes(content) for name, content in files.items()
    }
    store = MemoryStore(buffers, read_only=True)
    with xr.open_zarr(store, consolidated=False, chunks=None) as opened:
        return _rebuilt(opened.load(), order, object)


def variable_names(dataset: xr.Dataset) -> tuple[str, ...]:
    """Names of all variables in their order, which the files do not keep."""
    return tuple(str(name) for name in dataset.variables)


def _storable(dataset: xr.Dataset) -> xr.Dataset:
    """Without the encoding of the file that it was read from, text as variable-length strings."""
    return _rebuilt(dataset.drop_encoding(), tuple(dataset.variables), _TEXT)


def _rebuilt(dataset: xr.Dataset, order: tuple[Hashable, ...], text: Any) -> xr.Dataset:
    indexed = (
        text is object
    )  # an index would turn variable-length strings back into objects before they are written
    variables = {name: _with_text(dataset.variables[name], text) for name in order}
    coords = {name: variables.pop(name) for name in order if name in dataset.coords}
    given = xr.Coordinates(coords) if indexed else xr.Coordinates(coords, indexes={})
    return xr.Dataset(variables, given, dataset.attrs)


def _with_text(variable: xr.Variable, text: Any) -> xr.Variable:
    """Text in one form: fixed-length text has no Zarr v3 form, empty object arrays lose their kind."""
    if variable.dtype.kind not in "OUT":
        return variable.to_base_variable()
    values = np.asarray(variable.values, dtype=object)
    strange = [value for value in values.ravel() if not isinstance(value, str)]
    if strange:
        raise TypeError(f"expected text or numbers, found {type(strange[0]).__name__} in an object array")
    return xr.Variable(variable.dims, values.astype(text), variable.attrs)


def _encoding(dataset: xr.Dataset) -> dict[Hashable, dict[str, Any]]:
    return {name: _encoding_of(variable) for name, variable in dataset.variables.items()}


def _encoding_of(variable: xr.Variable) -> dict[str, Any]:
    encoding: dict[str, Any] = {}
    if variable.ndim and 0 < variable.nbytes <= _LARGEST_CHUNK:
        encoding["chunks"] = variable.shape
    if variable.nbytes <= _SMALLEST_COMPRESSED:
        encoding["compressors"] = None
    return encoding


def _as_bytes(buffers: Mapping[str, Any]) -> dict[str, bytes]:
    return {name: buffers[name].to_bytes() for name in sorted(buffers)}
