"""Which reader opens which file: a new format is one file beside this one and one line below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nanotexture.errors import InputError
from nanotexture.quantities import ReciprocalMap, Scan
from nanotexture.readers.asc import read_asc
from nanotexture.readers.brml import read_brml
from nanotexture.readers.nexus_map import MapHeader, read_nexus_map, read_nexus_map_header
from nanotexture.readers.ras import read_ras
from nanotexture.readers.rasx import read_rasx
from nanotexture.readers.xrdml import read_xrdml

SCAN_READERS: dict[str, Callable[[Path], Scan]] = {
    ".asc": read_asc,
    ".brml": read_brml,
    ".ras": read_ras,
    ".rasx": read_rasx,
    ".xrdml": read_xrdml,
}

MAP_SUFFIXES = (".nxs", ".h5", ".hdf5", ".hdf", ".nx5")


def read_scan(path: Path | str) -> Scan:
    """The labelled scan that an instrument's file holds; InputError says what is wrong with it."""
    path = Path(path)
    reader = SCAN_READERS.get(path.suffix.lower())
    if reader is None:
        known = f"one of {', '.join(SCAN_READERS)}, or a SPEC file"
        raise InputError(path, "file type", known, repr(path.suffix))
    return reader(path)


def is_spec_file(path: Path | str) -> bool:
    """Whether a file is one of SPEC, with many scans in it (read_hkl_scan), by its first bytes."""
    path = Path(path)
    if path.suffix.lower() in SCAN_READERS:
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(3) in (b"#F ", b"#S ")
    except OSError as error:
        raise InputError(path, "file", "a readable file", error.strerror or str(error)) from error


def read_map(path: Path | str, *, volume: bool = False) -> ReciprocalMap:
    """The labelled reciprocal-space map of a contract map file; InputError says what is wrong with it.

    A qy axis is summed over unless the map is asked for as a volume.
    """
    return read_nexus_map(_map_path(path), volume=volume)


def read_map_header(path: Path | str) -> MapHeader:
    """What a map file says of itself, without its intensities."""
    return read_nexus_map_header(_map_path(path))


def _map_path(path: Path | str) -> Path:
    path = Path(path)
    if path.suffix.lower() not in MAP_SUFFIXES:
        raise InputError(path, "file type", f"one of {', '.join(MAP_SUFFIXES)}", repr(path.suffix))
    return path
