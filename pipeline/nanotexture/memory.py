"""How much memory a worker will need, from headers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from nanotexture.map_task import MapTask
from nanotexture.readers import MAP_SUFFIXES, is_spec_file, read_map_header, read_scan
from nanotexture.recipe import Recipe

BASE = 350 * 2**20  # an idle worker with numpy, torch and xarray loaded, measured
_LINE_FIT = 30 * 8  # bytes a voxel: background basis, its products, model and residual
_SPEC_POINT = 50  # bytes of a point and its columns as text, at least
_OF_FRAMES = 120 * 2**20  # readers and the compiled kernel, measured
_PIXEL = 200  # bytes a pixel of the panel: the frames read together, directions and what makes them
_VOXEL = 80  # bytes a voxel: sums of a block, those it is added to, means; 66 to 77 measured with 2e6 and 2e7
_START = 6 * 2**20  # a start's Jacobian and its copies, typical motif


def bytes_of_inversion(recipe: Recipe, files: Sequence[Path], frames: Sequence[MapTask]) -> int:
    """Peak memory of one worker in bytes: the larger of the line fit of the largest map and a batch of starts."""
    largest = max(_voxels(recipe, files, frames), default=0)
    return BASE + max(_LINE_FIT * largest, _START * recipe.invert.batch)


def bytes_of_frames(maps: Sequence[MapTask]) -> int:
    """Peak memory of one worker in bytes while frames become maps."""
    return BASE + _OF_FRAMES + max((_PIXEL * one.pixels + _VOXEL * one.points for one in maps), default=0)


def _voxels(recipe: Recipe, files: Sequence[Path], frames: Sequence[MapTask]) -> list[int]:
    if recipe.simulate is not None:
        return [math.prod(recipe.simulate.voxels)]
    if frames:
        return [one.points for one in frames]
    return [_size(file) for file in files]


def _size(file: Path) -> int:
    if file.suffix.lower() in MAP_SUFFIXES:
        return math.prod(read_map_header(file).shape)
    if is_spec_file(file):
        return file.stat().st_size // _SPEC_POINT
    return int(read_scan(file)["counts"].size)
