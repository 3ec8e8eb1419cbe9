"""How much memory a worker will need, from headers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from nanotexture.readers import MAP_SUFFIXES, is_spec_file, read_map_header, read_scan
from nanotexture.recipe import Recipe

BASE = 350 * 2**20  # an idle worker with numpy, torch and xarray loaded, measured
_LINE_FIT = 30 * 8  # bytes a voxel: background basis, its products, model and residual
_SPEC_POINT = 50  # bytes of a point and its columns as text, at least
_START = 6 * 2**20  # a start's Jacobian and its copies, typical motif


def bytes_of_inversion(recipe: Recipe, files: Sequence[Path]) -> int:
    """Peak memory of one worker in bytes: the larger of the line fit of the largest map and a batch of starts."""
    return BASE + max(_LINE_FIT * max(_voxels(recipe, files), default=0), _START * recipe.invert.batch)


def _voxels(recipe: Recipe, files: Sequence[Path]) -> list[int]:
    if recipe.simulate is not None:
        return [math.prod(recipe.simulate.voxels)]
    return [_size(file) for file in files]


def _size(file: Path) -> int:
    if file.suffix.lower() in MAP_SUFFIXES:
        return math.prod(read_map_header(file).shape)
    if is_spec_file(file):
        return file.stat().st_size // _SPEC_POINT
    return int(read_scan(file)["counts"].size)
