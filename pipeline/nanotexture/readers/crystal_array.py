"""A 3D diffraction array of one crystal: .npy, .npz, HDF5 or CXI; headers are checked before anything is allocated."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers import hdf5

HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".nxs", ".cxi")
CRYSTAL_SUFFIXES = (".npy", ".npz", *HDF5_SUFFIXES)
# where arrays lie by convention, in this order: CXI (Maia, Nat. Methods 9, 854 (2012)), NeXus
USUAL = (
    "/entry_1/data_1/data",
    "/entry_1/image_1/data",
    "/entry/data/data",
    "/entry/data/intensity",
    "/data",
)
FEWEST, MOST = 16, 512  # voxels along an axis
_HEADER = 10_000  # bytes: numpy's own limit, a longer header is text to be evaluated
_BROKEN = (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError)
_KINDS = {"c": "complex numbers", "O": "pickled objects", "b": "true and false", "U": "text", "S": "text"}


@dataclass(frozen=True)
class CrystalHeader:
    """Where in a file the array is ("" in a .npy) and its shape."""

    name: str
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class CrystalArray:
    """Values (n1, n2, n3) as the file has them, float64; masked: same shape, True where not measured, None if it says none."""

    values: NDArray[np.float64]
    masked: NDArray[np.bool_] | None


def read_crystal_header(path: Path, name: str | None = None) -> CrystalHeader:
    """Name and shape of a file's array; InputError where it is none of one crystal."""
    with _array_of(path, name) as found:
        return CrystalHeader(found.where, _checked(found))


def read_crystal(path: Path, name: str | None = None, mask: str | None = None) -> CrystalArray:
    """The array of a file and, where the file names one, its mask; InputError says what is wrong with it."""
    with _array_of(path, name) as found:
        shape = _checked(found)
        values = found.load()
    return CrystalArray(values, None if mask is None else _mask(path, mask, shape))


def read_mask(path: Path, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A mask in a file of its own, non-zero where not measured, of the shape asked for."""
    return _mask(path, None, shape)


def _mask(path: Path, name: str | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    with _array_of(path, name) as found:
        where = found.where
        if found.dtype.kind not in "fiub":
            raise InputError(path, where or "array", "a mask of numbers", _kind(found.dtype))
        if found.shape != shape:
            raise InputError(path, where or "array", f"a mask of shape {shape}", f"shape {found.shape}")
        values = found.load()
    return np.nan_to_num(values, nan=1.0) != 0


@dataclass(frozen=True)
class _Found:
    """An array not read yet."""

    path: Path
    where: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    source: Any

    def load(self) -> NDArray[np.float64]:
        if isinstance(self.source, _Stream):
            return _read_npy(self.path, self.where, self.source, self.shape, self.dtype)
        return hdf5.values(self.path, self.source, self.where)


@contextmanager
def _array_of(path: Path, name: str | None) -> Iterator[_Found]:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        if name is not None:
            raise InputError(
                path, "crystal.array or crystal.mask", "no name, a .npy holds one array", repr(name)
            )
        with _opened(path) as stream:
            yield _npy_header(path, "", stream, path.stat().st_size)
    elif suffix == ".npz":
        with _member(path, name) as (stream, where, size):
            yield _npy_header(path, where, stream, size)
    elif suffix in HDF5_SUFFIXES:
        with hdf5.opened(path, [name] if name else list(USUAL)) as handle:
            where = name or _usual(path, handle)
            found = hdf5.dataset(path, handle, where, "fiubc")
            yield _Found(path, where, tuple(map(int, found.shape)), found.dtype, found)
    else:
        raise InputError(path, "file type", f"one of {', '.join(CRYSTAL_SUFFIXES)}", repr(path.suffix))


def _usual(path: Path, handle: Any) -> str:
    found = [name for name in USUAL if hdf5.has(path, handle, name)]
    if not found:
        raise InputError(
            path,
            "crystal.array",
            f"the path of the 3D array in the file, or the array at one of {', '.join(USUAL)}",
            "nothing there",
        )
    return found[0]


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(path, "file", "a readable file", error.strerror or str(error)) from error
    with stream:
        yield stream


@contextmanager
def _member(path: Path, name: str | None) -> Iterator[tuple[IO[bytes], str, int]]:
    with _guarded(path, "file", "a complete .npz file"):
        archive = zipfile.ZipFile(path)
    with archive:
        members = {
            i.filename.removesuffix(".npy"): i for i in archive.infolist() if i.filename.endswith(".npy")
        }
        chosen = name if name is not None else next(iter(members)) if len(members) == 1 else None
        if chosen is None or chosen not in members:
            wanted = f"an array {name!r}" if name is not None else "crystal.array to name one of its arrays"
            raise InputError(path, "array", wanted, f"{', '.join(sorted(members)[:8]) or 'no arrays'}")
        with _guarded(path, chosen, "a complete .npz file"):
            stream = archive.open(members[chosen])
        with stream:
            yield stream, chosen, members[chosen].file_size


def _npy_header(path: Path, where: str, stream: IO[bytes], size: int) -> _Found:
    """Shape and dtype of an array in the .npy format whose bytes are all there."""
    with _guarded(path, where or "file", "an array in the .npy format"):
        version = np.lib.format.read_magic(stream)
        reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in reader:
            raise ValueError(f"version {version}")
        shape, fortran, dtype = reader[version](stream, max_header_size=_HEADER)
    if dtype.kind in _KINDS and dtype.kind != "b":
        raise InputError(path, where or "array", "an array of numbers", _kind(dtype))
    needed = math.prod(shape) * dtype.itemsize
    left = size - stream.tell()
    if left < needed:
        raise InputError(path, where or "file", f"{needed} bytes of values", f"a truncated file with {left}")
    return _Found(path, where, tuple(map(int, shape)), dtype, _Stream(stream, fortran))


@dataclass(frozen=True)
class _Stream:
    stream: IO[bytes]
    fortran: bool


def _read_npy(
    path: Path, where: str, source: _Stream, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> NDArray[np.float64]:
    needed = math.prod(shape) * dtype.itemsize
    with _guarded(path, where or "file", "a complete array"):
        content = source.stream.read(needed)
        if len(content) < needed:
            raise ValueError(f"a truncated file with {len(content)} of {needed} bytes")
        flat = np.frombuffer(content, dtype=dtype)
    return np.asarray(flat.reshape(shape, order="F" if source.fortran else "C"), dtype=np.float64)


@contextmanager
def _guarded(path: Path, field: str, expected: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except _BROKEN as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(path, field, expected, reason) from error


def _checked(found: _Found) -> tuple[int, int, int]:
    path, field, shape, dtype = found.path, found.where or "array", found.shape, found.dtype
    if dtype.kind not in "fiu":
        raise InputError(path, field, "real numbers, counts or their square roots", _kind(dtype))
    if len(shape) != 3:
        raise InputError(path, field, "three dimensions", f"shape {shape}")
    if min(shape) < FEWEST or max(shape) > MOST:
        raise InputError(path, field, f"{FEWEST} to {MOST} voxels along each axis", f"shape {shape}")
    return shape[0], shape[1], shape[2]


def _kind(dtype: np.dtype[Any]) -> str:
    return _KINDS.get(dtype.kind, f"dtype {dtype}")
