"""Reads the named fields of an HDF5 file and throws them away, in a process of its own, which may crash.

libhdf5 can end the process, or never return, on damaged metadata. The arguments are the file, the largest
number of values to read, and the fields; "/a/**" means everything below /a, links followed. Of a larger dataset
the first and the last slab are read. Exit 0: what a reader will do to these fields ends no process.
"""

from __future__ import annotations

import contextlib
import math
import sys

import h5py
import hdf5plugin  # noqa: F401  registers the filters of detector files
import numpy as np

MOST_NODES = 20_000
ATTRIBUTES = (
    *("NX_class", "units", "vector", "offset", "offset_units", "depends_on", "transformation_type"),
    *("interpretation", "signal", "axes", "default"),
)


def probe(path: str, largest: int, fields: list[str]) -> None:
    """Touch links, attributes, types and content of every field; what can be raised is left to the reader."""
    with contextlib.suppress(Exception), h5py.File(path, "r", locking="best-effort") as handle:
        for field in fields:
            with contextlib.suppress(Exception):
                if field.endswith("/**"):
                    _touch_all(handle[field[:-2].rstrip("/") or "/"], largest, set())
                else:
                    _touch(handle, field, largest)


def _touch_all(node: h5py.HLObject, largest: int, seen: set[str]) -> None:
    """Every group and dataset below, each path once however links run."""
    with contextlib.suppress(Exception):
        _touch_node(node, largest)
    if not isinstance(node, h5py.Group):
        return
    for name in list(node):  # not sorted: a name that is no UTF-8 comes as bytes
        with contextlib.suppress(Exception):
            node.get(name, getlink=True)
            child = node[name]
            place = f"{child.file.filename}:{child.name}"
            if place not in seen and len(seen) < MOST_NODES:
                seen.add(place)
                _touch_all(child, largest, seen)


def _touch(handle: h5py.File, field: str, largest: int) -> None:
    node = handle
    for name in filter(None, field.split("/")):
        node.get(name, getlink=True)
        list(node)
        node = node[name]
    _touch_node(node, largest)


def _touch_node(node: h5py.HLObject, largest: int) -> None:
    _touch_attributes(node)
    if isinstance(node, h5py.Dataset):
        with contextlib.suppress(Exception):
            node.external, node.is_virtual, node.dtype  # noqa: B018
        with contextlib.suppress(Exception):
            node.id.chunk_iter(lambda chunk: None)
        if math.prod(node.shape or ()) <= largest:
            node[()]
        else:
            node[:1], node[-1:]


def _touch_attributes(node: h5py.HLObject) -> None:
    """All that can be listed, and those that readers ask for by name, listed or not."""
    names = set(ATTRIBUTES)
    with contextlib.suppress(Exception):
        names |= set(node.attrs)
    for name in names:
        with contextlib.suppress(Exception):
            np.ravel(node.attrs[name])


if __name__ == "__main__":
    probe(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
