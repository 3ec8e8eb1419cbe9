"""Pixels to voxels: counts, variance and what was not measured."""

from nanotexture.gridding.brightest import Brightest, brightest_of, brightest_of_block
from nanotexture.gridding.corrections import (
    USUAL,
    Correction,
    Detector,
    Reference,
    worth_of_block,
    worth_of_frames,
)
from nanotexture.gridding.frame_grid import Grid, choose_grid, extent, pixel_steps
from nanotexture.gridding.frames import FrameSums, add_frames
from nanotexture.gridding.grid import Crop
from nanotexture.gridding.maps import map_from_scan

__all__ = [
    "USUAL",
    "Brightest",
    "Correction",
    "Crop",
    "Detector",
    "FrameSums",
    "Grid",
    "Reference",
    "add_frames",
    "brightest_of",
    "brightest_of_block",
    "choose_grid",
    "extent",
    "map_from_scan",
    "pixel_steps",
    "worth_of_block",
    "worth_of_frames",
]
