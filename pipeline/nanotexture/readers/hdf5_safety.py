"""Whether libhdf5 survives a file, found out before the process that matters opens it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from nanotexture.errors import InputError
from nanotexture.readers.hdf5_bytes import damaged_heap, missing_bytes

PROBE = Path(__file__).with_name("hdf5_probe.py")
START = 20.0  # seconds for a child to start and read a small file on a busy machine
RATE = 5e6  # bytes per second that any disk and filter manage


def check_survives(path: Path, largest: int, fields: Sequence[str]) -> None:
    """Refuse a file whose fields end the process that reads them, or keep it for ever."""
    missing = missing_bytes(path)
    if missing:
        raise InputError(
            path, "file", "a complete HDF5 file", f"a truncated one, {missing} bytes are missing"
        )
    stat = path.stat()
    heap = _damaged_heap(path.resolve(), stat.st_mtime_ns, stat.st_size)
    if heap is not None:
        raise InputError(path, "file", "a complete HDF5 file", f"a damaged heap of strings at byte {heap}")
    reason = _probed(path.resolve(), stat.st_mtime_ns, stat.st_size, largest, tuple(fields))
    if reason:
        raise InputError(path, "file", "a complete HDF5 file", f"a damaged one: {reason}")


@lru_cache(maxsize=256)
def _damaged_heap(path: Path, changed: int, size: int) -> int | None:
    """Every byte is looked at: once for this file, not at every block of its frames."""
    return damaged_heap(path)


@lru_cache(maxsize=256)
def _probed(path: Path, changed: int, size: int, largest: int, fields: tuple[str, ...]) -> str:
    """What happened to a child that read the fields, empty if it came back; remembered for this file."""
    command = [sys.executable, "-I", str(PROBE), str(path), str(largest), *fields]
    try:
        done = subprocess.run(command, capture_output=True, timeout=START + size / RATE, check=False)
    except subprocess.TimeoutExpired:
        return "the HDF5 library did not come back from it"
    return "the HDF5 library ended the process that read it" if done.returncode < 0 else ""
