"""Instrument files to labelled scans and maps: the only code that opens them."""

from nanotexture.readers.map_arrays import MapArrays, sum_over_qy
from nanotexture.readers.nexus_map import MapHeader
from nanotexture.readers.registry import (
    MAP_SUFFIXES,
    SCAN_READERS,
    is_spec_file,
    read_map,
    read_map_header,
    read_scan,
)
from nanotexture.readers.spec_hkl import read_hkl_scan

__all__ = [
    "MAP_SUFFIXES",
    "SCAN_READERS",
    "MapArrays",
    "MapHeader",
    "is_spec_file",
    "read_hkl_scan",
    "read_map",
    "read_map_header",
    "read_scan",
    "sum_over_qy",
]
