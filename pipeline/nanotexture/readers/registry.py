"""Which reader opens which file: a new format is one file beside this one and one line below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nanotexture.errors import InputError
from nanotexture.quantities import ReciprocalMap, Scan
from nanotexture.readers.archive import is_zip
from nanotexture.readers.asc import read_asc
from nanotexture.readers.brml import read_brml
from nanotexture.readers.frame_bliss import list_bliss_scans, read_bliss_frames
from nanotexture.readers.frame_nexus import read_nexus_frames
from nanotexture.readers.frame_scan import FrameScan, Request
from nanotexture.readers.frame_spec import list_spec_scans, read_spec_frames
from nanotexture.readers.nexus_map import MapHeader, read_nexus_map, read_nexus_map_header
from nanotexture.readers.ras import read_ras
from nanotexture.readers.rasx import read_rasx
from nanotexture.readers.spec_file import is_spec
from nanotexture.readers.xrdml import read_xrdml

SCAN_READERS: dict[str, Callable[[Path], Scan]] = {
    ".asc": read_asc,
    ".brml": read_brml,
    ".ras": read_ras,
    ".rasx": read_rasx,
    ".xrdml": read_xrdml,
}

MAP_SUFFIXES = (".nxs", ".h5", ".hdf5", ".hdf", ".nx5")
_HDF5 = b"\x89HDF\r\n\x1a\n"


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
            return is_spec(stream.read(8))
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


def read_frames(path: Path | str, scan: int | None = None, request: Request | None = None) -> FrameScan:
    """One scan of an area detector: labelled header, pixels left where they are; InputError says what is wrong.

    scan: its number in the file, which may be left out where there is only one; request: what the file leaves open.
    """
    path, request = Path(path), request or Request()
    if _has_spec(path):
        return read_spec_frames(path, scan, request)
    if request.images:
        raise InputError(
            path, "images", "a SPEC file, whose images a glob may name", "HDF5 with frames in it"
        )
    if list_bliss_scans(path):
        return read_bliss_frames(path, scan, request)
    if scan not in (None, 1):
        raise InputError(path, "scan", "1, the only one of a NeXus file", f"{scan}")
    return read_nexus_frames(path, request)


def list_scans(path: Path | str) -> list[int]:
    """Numbers of the scans of a file that have frames; 1 for the only one of a NeXus file."""
    path = Path(path)
    return list_spec_scans(path) if _has_spec(path) else list_bliss_scans(path) or [1]


def _has_spec(path: Path) -> bool:
    """Whether a file is a SPEC file or a zip with one, rather than HDF5; content before name."""
    if is_zip(path):
        return True
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise InputError(path, "file", "a readable file", error.strerror or str(error)) from error
    if not is_spec(head) and head != _HDF5 and path.suffix.lower() not in MAP_SUFFIXES:
        known = "NeXus or BLISS HDF5, a SPEC file, or a zip of one with its images"
        raise InputError(path, "file type", known, repr(head))
    return is_spec(head)
