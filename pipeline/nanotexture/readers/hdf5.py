"""HDF5 read with suspicion: every access names its field, and nothing that is missing is read as zeros."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers.hdf5_safety import check_survives

MAX_VALUES = 200_000_000
SOURCE_VALUES = 20_000_000  # of a source, up to which all of it is tried out
MAX_DEPTH = 4  # virtual datasets of virtual datasets
_INVERSE = ("1/{}", "{}^-1", "{}**-1", "{}⁻¹", "{}-1")
# A list, not the unit registry: that calls a count dimensionless, takes a second to load, and evaluates text.
SPELLINGS = {
    "count": ("count", "counts"),
    "keV": ("kev", "kiloelectronvolt", "kiloelectron_volt"),
    "K": ("k", "kelvin"),
    "angstrom": ("angstrom", "angstroms", "ang", "a", "å"),
    "1/angstrom": tuple(
        form.format(name) for name in ("angstrom", "angstroms", "ang", "a", "å") for form in _INVERSE
    ),
}
_LOW_LEVEL = (
    OSError,
    RuntimeError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    UnicodeError,
    MemoryError,
)


@contextmanager
def opened(path: Path, fields: Sequence[str], largest: int = MAX_VALUES) -> Iterator[h5py.File]:
    """The file, open for reading of these fields; InputError if it is missing, empty, damaged or not HDF5.

    Fields are tried out first in a process of their own, datasets of more than `largest` values at both ends only.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(path, "file", "a readable file", error.strerror or str(error)) from error
    if size == 0:
        raise InputError(path, "file", "an HDF5 file", "an empty file")
    check_survives(path, largest, fields)
    try:
        handle = h5py.File(path, "r", locking="best-effort")
    except _LOW_LEVEL as error:
        raise InputError(path, "file", "a complete HDF5 file", str(error)) from error
    try:
        yield handle
    finally:
        handle.close()


@contextmanager
def guarded(file: Path, field: str) -> Iterator[None]:
    """What h5py raises on damaged content, as an InputError that names the field."""
    try:
        yield
    except InputError:
        raise
    except _LOW_LEVEL as error:
        raise InputError(file, field, "readable HDF5", f"{type(error).__name__}: {error}") from error


def has(file: Path, handle: h5py.File, field: str) -> bool:
    """Whether the path leads to a link, be it broken."""
    with guarded(file, field):
        group, _, name = field.rpartition("/")
        parent = handle.get(group or "/")
        return isinstance(parent, h5py.Group) and parent.get(name, getlink=True) is not None


def group(file: Path, handle: h5py.File, field: str) -> h5py.Group:
    """The group at an absolute path."""
    with guarded(file, field):
        found = _follow(file, handle, field)
        if not isinstance(found, h5py.Group):
            raise InputError(file, field, "a group", "a dataset")
        return found


def names(file: Path, handle: h5py.File, field: str) -> list[str]:
    """Names in a group, in order; h5py hands out those that are no UTF-8 as bytes."""
    node = handle if field == "/" else group(file, handle, field)
    with guarded(file, field):
        return sorted(_decoded(name) for name in node)


def dataset(file: Path, handle: h5py.File, field: str, kinds: str = "fiu") -> h5py.Dataset:
    """The dataset at an absolute path, of one of the numpy kinds, all its sources present."""
    with guarded(file, field):
        found = _follow(file, handle, field)
        if not isinstance(found, h5py.Dataset):
            raise InputError(file, field, "a dataset", "a group")
        if found.dtype.kind not in kinds or h5py.check_string_dtype(found.dtype) is not None:
            raise InputError(file, field, "numbers", f"dtype {found.dtype}")
        _check_sources(
            Path(found.file.filename), found, field
        )  # beside its own file, should a link lead there
        return found


def values(
    file: Path, data: h5py.Dataset, field: str, shape: tuple[int, ...] | None = None
) -> NDArray[np.float64]:
    """Content of a dataset, of the shape asked for, in float64."""
    if shape is not None and data.shape != shape:
        raise InputError(file, field, f"shape {shape}", f"shape {data.shape}")
    check_size(file, data, field)
    with guarded(file, field):
        return np.asarray(data[()], dtype=np.float64)


def part(file: Path, data: h5py.Dataset, field: str, where: tuple[slice, ...]) -> NDArray[np.float64]:
    """Content of a block of a dataset, in float64; nothing else of it is read."""
    size = math.prod(len(range(*one.indices(n))) for one, n in zip(where, data.shape, strict=True))
    if size > MAX_VALUES:
        raise InputError(file, field, f"at most {MAX_VALUES} values", f"{size}")
    with guarded(file, field):
        return np.asarray(data[where], dtype=np.float64)


def check_size(file: Path, data: h5py.Dataset, field: str) -> None:
    """Refuse a dataset that is too large to read, before anything is allocated for it."""
    if math.prod(data.shape or ()) > MAX_VALUES:
        raise InputError(file, field, f"at most {MAX_VALUES} values", f"shape {data.shape}")


def scalar(file: Path, handle: h5py.File, field: str, units: str | None = None) -> float:
    """One number, of shape () or (1,), in the unit asked for."""
    data = dataset(file, handle, field)
    if data.shape not in ((), (1,)):
        raise InputError(file, field, "one number", f"shape {data.shape}")
    if units is not None:
        check_units(file, data, field, units)
    return float(values(file, data, field).reshape(()))


def text(file: Path, handle: h5py.File, field: str) -> str:
    """A string dataset; empty where there is none or it is not text."""
    if not has(file, handle, field):
        return ""
    with guarded(file, field):
        found = _follow(file, handle, field)
        if not isinstance(found, h5py.Dataset) or found.size != 1 or found.dtype.kind not in "OS":
            return ""
        return _decoded(np.ravel(found[()])[0])


def attribute(file: Path, node: h5py.HLObject, field: str, name: str) -> list[str]:
    """Strings of an attribute, however they are stored; empty where there is none."""
    with guarded(file, f"{field}@{name}"):
        if name not in node.attrs:
            return []
        return [_decoded(entry) for entry in np.ravel(node.attrs[name])]


def check_units(file: Path, data: h5py.Dataset, field: str, expected: str) -> None:
    """Refuse a dataset whose `units` are missing or mean something else."""
    found = " ".join(attribute(file, data, field, "units")).strip()
    if found.lower().replace(" ", "") not in SPELLINGS[expected]:
        name = field.rpartition("/")[2]
        raise InputError(file, field, f"{name} in {expected!r}", f"units {found!r}" if found else "no units")


def _decoded(entry: object) -> str:
    return entry.decode("utf-8", errors="replace") if isinstance(entry, bytes) else str(entry)


def _follow(file: Path, handle: h5py.File, field: str) -> h5py.HLObject:
    """The object at a path; a broken link is an error that names the file it asks for."""
    node: h5py.HLObject = handle
    for name in field.strip("/").split("/"):
        link = node.get(name, getlink=True) if isinstance(node, h5py.Group) else None
        if isinstance(link, h5py.ExternalLink):
            _check_file(file, field, link.filename)
        found = node.get(name) if link is not None else None
        if found is None:
            raise InputError(file, field, "to be there", _absence(file, handle, node, name))
        node = found
    return node


def _absence(file: Path, handle: h5py.File, node: h5py.HLObject, name: str) -> str:
    """Why a name is not there, in words: what is there instead, and any source file that is missing."""
    here = ", ".join(sorted(map(_decoded, node))[:8]) if isinstance(node, h5py.Group) else "no group"
    lost = _first_missing_source(file, handle)
    hint = f"; the file also needs {lost!r}, which is not there" if lost else ""
    return f"no {name!r} in {node.name} (it has: {here or 'nothing'}){hint}"


def _first_missing_source(file: Path, handle: h5py.File) -> str | None:
    """Name of an external file that a virtual dataset anywhere in the file needs and that is not there."""

    def visit(_: str, node: h5py.HLObject) -> str | None:
        if not isinstance(node, h5py.Dataset) or not node.is_virtual:
            return None
        return next((s.file_name for s in node.virtual_sources() if not _present(file, s.file_name)), None)

    with guarded(file, "/"):
        return handle.visititems(visit)


def _check_sources(file: Path, data: h5py.Dataset, field: str, depth: int = 0) -> None:
    """Refuse a dataset that HDF5 would fill with zeros because a file or dataset behind it is missing."""
    for name, _, _ in data.external or ():
        _check_file(file, field, name)
    if not data.is_virtual:
        return
    if depth > MAX_DEPTH:
        raise InputError(file, field, f"at most {MAX_DEPTH} levels of virtual datasets", "more")
    for source in data.virtual_sources():
        if source.file_name != ".":
            _check_file(file, field, source.file_name)
        if "%" not in source.file_name + source.dset_name:
            _check_source_dataset(file, data, field, source.file_name, source.dset_name, depth)


def _check_source_dataset(
    file: Path, data: h5py.Dataset, field: str, name: str, inside: str, depth: int
) -> None:
    where = file if name == "." else file.parent / name
    with opened(where, [inside], SOURCE_VALUES) as handle:
        source = handle.get(inside)
        if not isinstance(source, h5py.Dataset):
            raise InputError(file, field, f"its source dataset {inside} in {name}", "it is not there")
        _check_sources(where, source, field, depth + 1)


def _check_file(file: Path, field: str, name: str) -> None:
    if not _present(file, name):
        raise InputError(file, field, f"its source file {name!r} beside it", "no such file")


def _present(file: Path, name: str) -> bool:
    """Whether a source file is there, looked for as HDF5 does: from the folder of the file that names it."""
    if "%b" in name:
        return any(file.parent.glob(name.replace("%b", "*")))
    return name == "." or (file.parent / name).is_file()
