"""Whether a texture is periodic in both directions of the plane: a comb of satellites along qy in any of the maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.preparation.lines import MapWindow
from nanotexture.preparation.period import SATELLITE, Comb, find_combs, rise_at
from nanotexture.quantities import Directions, ReciprocalMap
from nanotexture.readers import MapArrays, read_map, sum_over_qy
from nanotexture.schema import DIRECTIONS, labelled
from nanotexture.stages.models import DirectionsConfig

SHORTEST_PERIOD = 30.0  # angstrom


@stage(version=1)
def directions(files: list[Path], *, config: DirectionsConfig) -> Directions:
    """1 where any of the files has satellites along qy: then all maps are kept as volumes, else they are summed over qy."""
    found = any(_has_satellites(read_map(file, volume=True), config) for file in files)
    return Directions(labelled({"both": int(found)}, DIRECTIONS))


def _has_satellites(volume: ReciprocalMap, config: DirectionsConfig) -> bool:
    window = summed(volume, over="qx")
    k = int(volume["hkl"].values[1])
    comb = comb_of(window, 2 * np.pi * k / config.film.in_plane)
    if comb is None:
        return False
    rises = [rise_at(window, comb.centre + side * comb.spacing, comb.spacing) for side in (-1.0, 1.0)]
    return max(rises) > SATELLITE


def comb_of(window: MapWindow, expected: float) -> Comb | None:
    """The comb of one map about an expected centre (1/angstrom), if there is one."""
    smallest, largest = spacings(window, expected)
    if smallest >= largest:
        return None
    return find_combs([window], [expected], smallest, largest)[0]


def spacings(window: MapWindow, expected: float) -> tuple[float, float]:
    """Smallest and largest spacing (1/angstrom) of satellites that a map can show about an expected centre."""
    step = window.qx[1] - window.qx[0]
    reach = max(window.qx[-1] - expected, expected - window.qx[0])
    return max(6 * step, reach / 25), min(0.95 * reach, 2 * np.pi / SHORTEST_PERIOD)


def summed(volume: ReciprocalMap, *, over: str, where: slice | np.ndarray = slice(None)) -> MapWindow:
    """Counts summed over some voxels of qx or qy, as a map of the other direction and qz."""
    measured = volume["mask"].values == 0
    arrays = MapArrays(
        np.where(measured, volume["intensity"].values, 0.0),
        np.where(measured, np.maximum(volume["variance"].values, 1e-12), 0.0),
        measured,
    )
    if over == "qx":
        arrays = arrays.apply(lambda array: array.swapaxes(0, 1))
    flat = sum_over_qy(arrays.apply(lambda array: array[:, where]))
    assert flat.variance is not None
    along = volume["qy" if over == "qx" else "qx"].values
    return MapWindow(
        along,
        volume["qz"].values,
        np.where(flat.measured, flat.intensity, 0.0),
        np.where(flat.measured, np.maximum(flat.variance, 1e-12), 1.0),
        flat.measured,
    )
