"""Instrument files to labelled scans and maps: the only code that opens them."""

from nanotexture.readers.nexus_map import MapHeader
from nanotexture.readers.registry import MAP_SUFFIXES, SCAN_READERS, read_map, read_map_header, read_scan

__all__ = ["MAP_SUFFIXES", "SCAN_READERS", "MapHeader", "read_map", "read_map_header", "read_scan"]
