"""How much memory a worker will need, from headers alone."""

from __future__ import annotations

from nanotexture.readers import MAP_SUFFIXES, read_map_header, read_scan
from nanotexture.runner import Prepared

_BASE = 350 * 2**20  # an idle worker with numpy, torch and xarray loaded, measured
_LINE_FIT = 30 * 8  # bytes a voxel: background basis, its products, model and residual
_START = 6 * 2**20  # a start's Jacobian and its copies, typical motif


def estimated_bytes(ready: Prepared) -> int:
    """Peak memory of one worker in bytes: the larger of the line fit of the largest map and a batch of starts."""
    return _BASE + max(_LINE_FIT * max(_voxels(ready), default=0), _START * ready.recipe.invert.batch)


def _voxels(ready: Prepared) -> list[int]:
    if ready.recipe.simulate is not None:
        nx, nz = ready.recipe.simulate.voxels
        return [nx * nz]
    found = []
    for file in ready.tasks.files:
        if file.suffix.lower() in MAP_SUFFIXES:
            number = 1
            for length in read_map_header(file).shape:
                number *= length
            found.append(number)
        else:
            found.append(int(read_scan(file)["counts"].size))
    return found
