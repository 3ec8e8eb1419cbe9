"""Chains of NXtransformations, evaluated frame by frame.

x' = R x + offset for a rotation, x' = x + value vector + offset for a translation; a chain applies its first link
first, then what that depends on (NeXus, NXtransformations: T(f) of the first, left of it those it depends on).
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers import hdf5
from nanotexture.readers.hdf5_units import ANGLE, LENGTH, factor, quantity, vector

Array = NDArray[np.float64]

MAX_LINKS = 40
END = "."


@dataclass(frozen=True)
class Link:
    """One transformation: values (n,) in deg or mm, unit vector (3,), offset (3,) in mm."""

    field: str
    kind: str
    values: Array
    vector: Array
    offset: Array

    @property
    def name(self) -> str:
        """The axis' own name."""
        return posixpath.basename(self.field)

    @property
    def text(self) -> str:
        """One line that says all of it."""
        low, high = float(self.values.min()), float(self.values.max())
        span = f"{low:.9g}" if low == high else f"{low:.9g} to {high:.9g} in {self.values.size}"
        unit = "deg" if self.kind == "rotation" else "mm"
        at = f", offset ({_numbers(self.offset)}) mm" if self.offset.any() else ""
        return f"{self.field}: {self.kind} {span} {unit}, vector ({_numbers(self.vector)}){at}"


def _numbers(values: Array) -> str:
    return ", ".join(f"{value:.9g}" for value in values)


def read_chain(file: Path, handle: h5py.File, start: str, group: str) -> list[Link]:
    """Links from the one named (as seen from a group) to the laboratory, innermost first."""
    links: list[Link] = []
    field = _absolute(start, group)
    while field:
        if len(links) >= MAX_LINKS or field in (link.field for link in links):
            raise InputError(
                file, field, f"a chain of at most {MAX_LINKS} links that ends", "a longer one, or a ring"
            )
        link, after = _link(file, handle, field)
        links.append(link)
        field = _absolute(after, posixpath.dirname(field))
    return links


def _absolute(name: str, group: str) -> str:
    """Path in the file of what a depends_on names; empty at the chain's end."""
    if name.strip() == END:
        return ""
    return posixpath.normpath(posixpath.join(group, name.strip()))


def _link(file: Path, handle: h5py.File, field: str) -> tuple[Link, str]:
    node = hdf5.dataset(file, handle, field)
    kind = "".join(hdf5.attribute(file, node, field, "transformation_type"))
    if kind not in ("rotation", "translation"):
        raise InputError(file, f"{field}@transformation_type", "rotation or translation", repr(kind))
    after = "".join(hdf5.attribute(file, node, field, "depends_on"))
    if not after.strip():
        raise InputError(file, f"{field}@depends_on", "the next axis, or '.'", "nothing")
    values = quantity(file, handle, field, ANGLE if kind == "rotation" else LENGTH)
    return Link(field, kind, values, _direction(file, node, field), _offset(file, node, field)), after


def _direction(file: Path, node: h5py.Dataset, field: str) -> Array:
    found = vector(file, node, field, "vector")
    with np.errstate(over="ignore"):
        length = 0.0 if found is None else float(np.linalg.norm(found))
    if found is None or not 0 < length < np.inf:
        raise InputError(file, f"{field}@vector", "a direction", "nothing" if found is None else "no length")
    return found / length


def _offset(file: Path, node: h5py.Dataset, field: str) -> Array:
    found = vector(file, node, field, "offset")
    if found is None or not found.any():
        return np.zeros(3)
    units = " ".join(hdf5.attribute(file, node, field, "offset_units"))
    units = units or " ".join(hdf5.attribute(file, node, field, "units"))
    return found * factor(file, f"{field}@offset_units", units, LENGTH)


def evaluate(file: Path, links: Sequence[Link], frames: int) -> tuple[Array, Array]:
    """Rotation (frame, 3, 3) and translation (frame, 3) in mm of a whole chain."""
    turn, shift = np.broadcast_to(np.eye(3), (frames, 3, 3)).copy(), np.zeros((frames, 3))
    for link in links:
        values = spread(file, link, frames)
        if link.kind == "rotation":
            step = rotations(link.vector, values)
            turn, shift = step @ turn, np.einsum("fij,fj->fi", step, shift) + link.offset
        else:
            shift = shift + values[:, None] * link.vector + link.offset
    return turn, shift


def spread(file: Path, link: Link, frames: int) -> Array:
    """Values (frame,) of a link; one value serves all frames."""
    if link.values.size == 1:
        return np.full(frames, link.values[0])
    if link.values.size != frames:
        raise InputError(
            file, link.field, f"one value or one for each of {frames} frames", f"{link.values.size} values"
        )
    return link.values


def rotations(axis: Array, degrees: Array) -> Array:
    """Right-handed rotations (n, 3, 3) about a unit vector: cos 1 + sin [a]x + (1 - cos) a a^T."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = np.radians(degrees)[:, None, None]
    along = np.outer(axis, axis)
    return np.asarray(np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * along)
