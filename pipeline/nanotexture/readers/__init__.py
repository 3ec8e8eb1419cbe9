"""Instrument files to labelled scans and maps: the only code that opens them."""

from nanotexture.readers.frame_header import with_defects
from nanotexture.readers.frame_scan import FrameScan, Pixels, Request
from nanotexture.readers.map_arrays import MapArrays, sum_over_qy
from nanotexture.readers.nexus_map import MapHeader
from nanotexture.readers.registry import (
    MAP_SUFFIXES,
    SCAN_READERS,
    is_spec_file,
    list_scans,
    read_frames,
    read_map,
    read_map_header,
    read_scan,
)
from nanotexture.readers.spec_hkl import read_hkl_scan

__all__ = [
    "MAP_SUFFIXES",
    "SCAN_READERS",
    "FrameScan",
    "MapArrays",
    "MapHeader",
    "Pixels",
    "Request",
    "is_spec_file",
    "list_scans",
    "read_frames",
    "read_hkl_scan",
    "read_map",
    "read_map_header",
    "read_scan",
    "sum_over_qy",
    "with_defects",
]
