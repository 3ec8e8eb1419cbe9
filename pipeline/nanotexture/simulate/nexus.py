"""NeXus files: written beside their place and renamed, groups with their class, fields with their units."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray


@contextmanager
def nexus_file(path: Path) -> Iterator[h5py.File]:
    """A new file with the root's default set; it appears at its path whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with h5py.File(beside, "w") as file:
            file.attrs["default"] = "entry"
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def add_group(parent: h5py.Group, name: str, kind: str) -> h5py.Group:
    """A group of one NeXus class."""
    group = parent.create_group(name)
    group.attrs["NX_class"] = kind
    return group


def add_field(group: h5py.Group, name: str, value: float | NDArray[np.float64], units: str) -> None:
    """A number or an array with its units."""
    group[name] = value
    group[name].attrs["units"] = units
