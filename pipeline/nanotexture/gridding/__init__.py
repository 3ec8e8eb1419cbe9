"""Pixels to voxels: counts, variance and what was not measured."""

from nanotexture.gridding.grid import Crop
from nanotexture.gridding.maps import map_from_scan

__all__ = ["Crop", "map_from_scan"]
