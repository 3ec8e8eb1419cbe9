"""A look at the bytes of an HDF5 file before libhdf5 sees them: is it whole, and do its strings end.

libhdf5 (that of h5py 3.16) never returns from a damaged global heap, where strings of variable length are
kept: an object of no size is read again and again. Layout: "HDF5 File Format Specification" 3.0, II.A, III.E.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_SIGNATURE = b"GCOL\x01\0\0\0"  # with version and reserved bytes: libhdf5 itself refuses others
_HEAP = struct.Struct("<8xQ")  # size of the collection
_OBJECT = struct.Struct("<HH4xQ")  # index (0: free space), reference count, size


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
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = content.find(_SIGNATURE)
        while start >= 0:
            if not _fits(content, start):
                return start
            start = content.find(_SIGNATURE, start + 1)
    return None


def _fits(content: mmap.mmap, start: int) -> bool:
    """Whether the objects of one heap follow each other to its end."""
    if start + _HEAP.size > len(content):
        return False
    (size,) = _HEAP.unpack_from(content, start)
    if start + size > len(content):
        return False
    place, end = start + _HEAP.size, start + size
    while place + _OBJECT.size <= end:
        index, _, length = _OBJECT.unpack_from(content, place)
        step = length if index == 0 else _OBJECT.size + -(-length // 8) * 8
        if not 0 < step <= end - place:
            return False
        place += step
    return True
