"""A look at the bytes of an HDF5 file before libhdf5 sees them: is it whole, and do its strings end.

libhdf5 (that of h5py 3.16) never returns from a damaged global heap, where strings of variable length are
kept: an object of no size is read again and again. Layout: "HDF5 File Format Specification" 3.0, II.A, III.E.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_SIGNATURE = b"GCOL\x01\0\0\0"  # with version and reserved bytes: libhdf5 itself refuses others
_HEAP = struct.Struct("<8xQ")  # size of the collection
_OBJECT = struct.Struct("<HH4xQ")  # index (0: free space), reference count, size
_PIECE = 16 * 2**20  # bytes


_END_OF_FILE = {0: 40, 1: 44, 2: 28, 3: 28}  # where the superblock of each version keeps the end of the file


def missing_bytes(path: Path) -> int:
    """How many bytes fewer a file has than its superblock says; 0 where it does not say."""
    with path.open("rb") as stream:
        head = stream.read(52)
    if len(head) < 52 or head[:8] != b"\x89HDF\r\n\x1a\n" or head[8] not in _END_OF_FILE:
        return 0
    width = head[13] if head[8] < 2 else head[9]
    end = struct.unpack_from("<Q", head, _END_OF_FILE[head[8]])[0] if width == 8 else 0
    return max(0, end - path.stat().st_size)


def damaged_heap(path: Path) -> int | None:
    """Offset of the first global heap whose objects do not fit into it; None where all do."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        return next((start for start in _heaps(stream) if not _fits(stream, start, size)), None)


def _heaps(stream: BinaryIO) -> Iterator[int]:
    """Offsets of all signatures, piece by piece: mapped, a long scan would stand in a worker's memory as a whole."""
    before, tail = 0, b""
    while piece := stream.read(_PIECE):
        content = tail + piece
        place = content.find(_SIGNATURE)
        while place >= 0:
            here = stream.tell()
            yield before - len(tail) + place
            stream.seek(here)
            place = content.find(_SIGNATURE, place + 1)
        before += len(piece)
        tail = content[1 - len(_SIGNATURE) :]


def _fits(stream: BinaryIO, start: int, whole: int) -> bool:
    """Whether the objects of one heap follow each other to its end."""
    if start + _HEAP.size > whole:
        return False
    (size,) = _HEAP.unpack(_at(stream, start, _HEAP.size))
    if start + size > whole:
        return False
    place, end = start + _HEAP.size, start + size
    while place + _OBJECT.size <= end:
        index, _, length = _OBJECT.unpack(_at(stream, place, _OBJECT.size))
        step = length if index == 0 else _OBJECT.size + -(-length // 8) * 8
        if not 0 < step <= end - place:
            return False
        place += step
    return True


def _at(stream: BinaryIO, place: int, number: int) -> bytes:
    stream.seek(place)
    return stream.read(number)
