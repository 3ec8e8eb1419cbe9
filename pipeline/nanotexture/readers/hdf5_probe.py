"""Reads the named fields of an HDF5 file and throws them away, in a process of its own, which may crash.

libhdf5 can end the process, or never return, on damaged metadata. The arguments are the file, the largest
number of values to read, and the fields. Exit 0: what a reader will do to these fields ends no process.
"""

from __future__ import annotations

import contextlib
import math
import sys

import h5py
import numpy as np


def probe(path: str, largest: int, fields: list[str]) -> None:
    """Touch links, attributes, types and content of every field; what can be raised is left to the reader."""
    with contextlib.suppress(Exception), h5py.File(path, "r", locking="best-effort") as handle:
        for field in fields:
            with contextlib.suppress(Exception):
                _touch(handle, field, largest)


def _touch(handle: h5py.File, field: str, largest: int) -> None:
    node = handle
    for name in field.strip("/").split("/"):
        node.get(name, getlink=True)
        sorted(node)
        node = node[name]
    for name in node.attrs:
        with contextlib.suppress(Exception):
            np.ravel(node.attrs[name])
    if isinstance(node, h5py.Dataset):
        node.external, node.is_virtual, node.dtype  # noqa: B018
        if math.prod(node.shape or ()) <= largest:
            node[()]


if __name__ == "__main__":
    probe(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
