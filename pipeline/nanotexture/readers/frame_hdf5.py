"""Pixels in HDF5 files, and whether all of them were ever written.

HDF5 gives zeros for chunks that were never written, and for parts of a virtual dataset whose source is missing or
too short: all of that is looked for before a frame is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  registers the filters of detector files, in workers too
import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers import hdf5

SMALL = 50_000_000  # bytes up to which all of a file is tried out at once, whatever of it will be read
PROBED = 20_000_000  # values of a dataset up to which all of it is tried out in a process of its own
_RAISED = (OSError, RuntimeError, KeyError, IndexError, ValueError, TypeError, AttributeError, MemoryError)


@dataclass(frozen=True)
class Segment:
    """Frames of one dataset, in the order of the scan."""

    file: Path
    dataset: str
    frames: int


@dataclass(frozen=True)
class Hdf5Pixels:
    """Pixels of a scan in one or more datasets; `sources` are all files behind them."""

    segments: tuple[Segment, ...]
    sources: tuple[Path, ...]
    rows: int
    columns: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""
        return sum(segment.frames for segment in self.segments), self.rows, self.columns

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the counts lie in."""
        return self.sources

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Counts (stop - start, rows, columns); InputError names the file that cannot be read."""
        if not 0 <= start < stop <= self.shape[0]:
            raise ValueError(f"frames {start} to {stop} of {self.shape[0]}")
        for source in self.sources:
            if not source.is_file():
                raise InputError(source, "file", "the frames", "no such file")
        blocks, before = [], 0
        for segment in self.segments:
            first, last = max(start - before, 0), min(stop - before, segment.frames)
            if first < last:
                blocks.append(self._block(segment, first, last))
            before += segment.frames
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def first(self, frames: int) -> Hdf5Pixels:
        """The same pixels of the first frames only."""
        kept, before = [], 0
        for segment in self.segments:
            here = min(segment.frames, frames - before)
            if here > 0:
                kept.append(replace(segment, frames=here))
            before += segment.frames
        return replace(self, segments=tuple(kept))

    def _block(self, segment: Segment, first: int, last: int) -> NDArray[Any]:
        try:
            with h5py.File(segment.file, "r", locking="best-effort") as handle:
                found = np.asarray(handle[segment.dataset][first:last])
        except _RAISED as error:
            said = f"{type(error).__name__}: {error}"
            raise InputError(segment.file, segment.dataset, f"frames {first} to {last - 1}", said) from error
        if found.shape != (last - first, self.rows, self.columns):
            expected = f"{last - first} x {self.rows} x {self.columns} pixels"
            raise InputError(segment.file, segment.dataset, expected, f"{found.shape}")
        return found


@contextmanager
def opened(path: Path, field: str) -> Iterator[h5py.File]:
    """The file, open for reading of one field and, with /**, what lies below; tried out once where it is small."""
    try:
        small = path.stat().st_size <= SMALL
    except OSError:
        small = False
    with hdf5.opened(path, ("/**",) if small else (field,), PROBED) as handle:
        yield handle


def hdf5_pixels(path: Path, handle: h5py.File, fields: Sequence[str]) -> tuple[Hdf5Pixels, int]:
    """Pixels of datasets (frame, row, column) one after the other, and how many frames were never written.

    Only frames at the very end may be missing: the scan was stopped.
    """
    segments: list[Segment] = []
    sources: list[Path] = [path]
    shapes, unwritten = set(), 0
    for place, field in enumerate(fields):
        data = hdf5.dataset(path, handle, field, "iuf")
        if len(data.shape) != 3:
            raise InputError(path, field, "frames, rows and columns", f"shape {data.shape}")
        written = _written(path, data, field, sources)
        unwritten = data.shape[0] - written
        if unwritten and (place < len(fields) - 1 or written == 0):
            raise InputError(path, field, f"{data.shape[0]} frames", f"{written} that were ever written")
        shapes.add(data.shape[1:])
        segments.append(Segment(path.absolute(), field, written))
    if len(shapes) != 1:
        raise InputError(path, fields[-1], "frames of one shape", " and ".join(map(str, sorted(shapes))))
    ((rows, columns),) = shapes
    behind = tuple(
        dict.fromkeys(source.absolute() for source in sources)
    )  # workers may stand in other folders
    return Hdf5Pixels(tuple(segments), behind, int(rows), int(columns)), unwritten


def _written(path: Path, data: h5py.Dataset, field: str, sources: list[Path]) -> int:
    """How many frames, from the first on, were written; InputError if one is missing between others."""
    own = Path(data.file.filename)
    sources.append(own)
    try:
        if data.is_virtual:
            _check_virtual(path, own, data, field, sources)
            return int(data.shape[0])
        if data.external:
            return int(data.shape[0])
        if data.chunks is None:
            return int(data.shape[0]) if data.id.get_storage_size() > 0 else 0
        held = _held(data)
    except _RAISED as error:
        raise InputError(path, field, "readable HDF5", f"{type(error).__name__}: {error}") from error
    count = int(np.argmin(held)) if not held.all() else len(held)
    if held[count:].any():
        after = count + int(np.argmax(held[count:]))
        raise InputError(path, field, f"frame {count}, as frame {after} is there", "nothing was written")
    return count


def _held(data: h5py.Dataset) -> NDArray[np.bool_]:
    """Whether all chunks of each frame were written."""
    frames, rows, columns = data.shape
    deep, high, wide = data.chunks
    found = np.zeros(math.ceil(frames / deep), np.int64)

    def visit(chunk: Any) -> None:
        found[chunk.chunk_offset[0] // deep] += 1

    data.id.chunk_iter(visit)
    whole = found >= math.ceil(rows / high) * math.ceil(columns / wide)
    return np.repeat(whole, deep)[:frames]


def _check_virtual(path: Path, own: Path, data: h5py.Dataset, field: str, sources: list[Path]) -> None:
    """Refuse a virtual dataset that any part of has no source, or a source that is too short."""
    mapped = 0
    for source in data.virtual_sources():
        if "%" in source.file_name + source.dset_name:
            raise InputError(path, field, "sources named one by one", source.file_name)
        points = source.vspace.get_select_npoints()
        mapped += points
        where = own if source.file_name == "." else own.parent / source.file_name
        with h5py.File(where, "r", locking="best-effort") as handle:
            inside = handle[source.dset_name]
            shape = inside.shape
            last = _last(source.src_space, inside, points)
            written = _written(where, inside, source.dset_name, sources) if last is not None else 0
        if last is None or written <= last:
            expected = f"{points} values for {path.name}{field}"
            found = f"shape {shape}" if last is None else f"{written} frames written"
            raise InputError(where, source.dset_name, expected, found)
    if mapped < math.prod(data.shape):
        expected = f"sources for all {math.prod(data.shape)} values"
        raise InputError(path, field, expected, f"for {mapped}")


def _last(space: Any, inside: h5py.Dataset, points: int) -> int | None:
    """The last frame that a selection of a source reaches; None where it goes beyond the source."""
    if space.get_select_type() == h5py.h5s.SEL_ALL:
        return inside.shape[0] - 1 if inside.size == points else None
    reach = space.get_select_bounds()[1]
    if len(reach) != len(inside.shape) or any(n >= s for n, s in zip(reach, inside.shape, strict=True)):
        return None
    return int(reach[0])
