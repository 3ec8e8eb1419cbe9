"""Frames of an area detector to maps: a survey of each scan, one grid for all, sums block by block, means.

Blocks are tasks, so that no worker ever holds more than a few frames and the sums of one block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.errors import InputError
from nanotexture.geometry import Spot, check_map_near_hkl, check_peaks
from nanotexture.gridding import (
    Brightest,
    Correction,
    Detector,
    FrameSums,
    Grid,
    Reference,
    add_frames,
    brightest_of,
    brightest_of_block,
    choose_grid,
    pixel_steps,
    worth_of_block,
    worth_of_frames,
)
from nanotexture.gridding.accumulate import means_from_sums
from nanotexture.quantities import BlockSums, FrameGrid, Frames, ReciprocalMap
from nanotexture.readers import FrameScan, Request, read_frames, with_defects
from nanotexture.schema import FRAME_GRID, FRAME_SUMS, MAP, labelled
from nanotexture.schema.volumes import in_volume
from nanotexture.stages.frame_models import (
    BlockConfig,
    FrameGridConfig,
    FrameMapConfig,
    FramesConfig,
    MergeConfig,
    PlaceConfig,
    SurveyConfig,
)
from nanotexture.stages.place_frames import energy_in, placed

Array = NDArray[np.float64]

AT_ONCE = 16  # frames read together
FEWEST = 0.5  # pixels of a voxel: a share of less is an edge
_FIELDS = ("counts", "weight", "pixels", "ground")  # as the kernel has them


@stage(version=1)
def survey(file: Path, *, config: SurveyConfig) -> Frames:
    """Header of a scan with its bad pixels masked: the first pass over its frames, or over those that were there first."""
    if config.looked is None:
        return read_frames(file, config.frames.scan, _request(config.frames)).header
    header = with_defects(file, _opened(file, config.frames).first(config.looked)).header
    return Frames(header.drop_attrs(deep=False).assign_attrs(_of_any_part(header.attrs)))


def _of_any_part(attrs: Mapping[Any, Any]) -> dict[Any, Any]:
    """What is true of a scan however many of its frames are there."""
    return {name: value for name, value in attrs.items() if name not in _OF_WHOLE}


@stage(version=1)
def frame_grid(surveys: list[Frames], every: list[Frames], *, config: FrameGridConfig) -> FrameGrid:
    """Voxels that hold all scans of a reflection, and the exposure that those of every reflection are put to."""
    grid = grid_of_headers(surveys, config)
    values = {
        "first": np.array([axis.first for axis in grid.axes]),
        "step": np.array([axis.step for axis in grid.axes]),
        "shape": np.array(grid.shape, dtype=np.int64),
        "order": np.array(grid.order, dtype=np.int64),
        "width": _widest(surveys, config.place) if config.shared else np.full(3, np.nan),
        "monitor": _middle(every, "monitor"),
        "seconds": _middle(every, "seconds"),
    }
    return FrameGrid(labelled(values, FRAME_GRID))


@stage(version=1)
def block_sums(file: Path, first: Frames, grid: FrameGrid, *, config: BlockConfig) -> BlockSums:
    """Sums over the voxels of some frames of a scan; `first` is its survey."""
    scan = _opened(file, config.frames)
    header = Frames(scan.header.isel(frame=slice(config.start, config.stop)).assign(mask=first["mask"]))
    placement = placed(header, config.place)
    pedestal = float(first.attrs["pedestal"]) if config.pedestal is None else config.pedestal
    exposure = Reference(float(grid["monitor"]), float(grid["seconds"]))
    asked = _corrections(config, pedestal, exposure)
    worth = worth_of_frames(header, placement, asked, _detector(header, config, pedestal), exposure)
    sums, width, spots = FrameSums.empty(grid_of(grid), bool(pedestal)), _width(grid), []
    for start in range(config.start, config.stop, AT_ONCE):
        stop = min(start + AT_ONCE, config.stop)
        at = start - config.start
        part = worth_of_block(worth, at, stop - config.start)
        counts = scan.pixels.read(start, stop)
        add_frames(sums, counts, placement, part, start=at, width=width)
        spots += [brightest_of_block(counts, header["mask"].values, start)] if config.spot else []
    return _sparse(sums, _of_spot(brightest_of(spots)) if config.spot else None)


@stage(version=1)
def merge_sums(parts: list[BlockSums], grid: FrameGrid, *, config: MergeConfig) -> BlockSums:
    """Sums of several blocks together."""
    spots = [one["brightest"].values for one in parts if "brightest" in one]
    return _sparse(
        dense_sums(parts, grid), max(spots, key=lambda one: np.nan_to_num(one[0])) if spots else None
    )


@stage(version=1)
def frame_map(sums: BlockSums, first: Frames, grid: FrameGrid, *, config: FrameMapConfig) -> ReciprocalMap:
    """Means of the voxels: the map of a scan."""
    whole = dense_sums([sums], grid)
    sums_of_voxels = whole.sums
    mean, variance, mask = means_from_sums(sums=sums_of_voxels, least=FEWEST)
    if mask.all():
        raise InputError(_file(first), "frames", "a pixel within the ranges of the grid", "none")
    if not (mean[mask == 0] > 0).any():
        expected = "an intensity above 0, less the pedestal and without what is masked or saturated"
        raise InputError(_file(first), "frames", expected, "none")
    if config.check:
        _check_geometry(sums, first, config)
    axes = {f"q{name}": axis.centres for name, axis in zip("xyz", whole.grid.axes, strict=True)}
    flat = whole.grid.flat
    values = {
        **{name: axis for name, axis in axes.items() if not (flat and name == "qy")},
        "intensity": mean,
        "variance": variance,
        "mask": mask,
        "contributions": sums_of_voxels.contributions,
        "hkl": np.array(config.hkl, dtype=np.int64),
        "temperature": float(first["temperature"]) if config.temperature is None else config.temperature,
        "energy": energy_in(first, config.place),
        "scale": 1.0,
    }
    dropped = {
        f"dropped_{name}": float(n)
        for name, n in zip(_REASONS, whole.dropped[:, _FIELDS.index("pixels")], strict=True)
    }
    growing = {"growing": "yes: the file is not hashed"} if config.growing else {}
    attrs = {"sample": "", **first.attrs, "frames": config.frames, **growing, **dropped}
    found = ReciprocalMap(labelled(values, MAP if flat else in_volume(MAP), attrs))
    if config.near is not None:
        check_map_near_hkl(found, config.near[0], config.near[1:])
    return found


_OF_WHOLE = (
    "detector_chain",
    "frames",
    "images",
    "planned_frames",
    "sample_chain",
    "surplus_frames",
    "unfinished_points",
    "unwritten_frames",
)
_REASONS = ("outside", "masked", "saturated")


def grid_of_headers(headers: Iterable[Frames], config: FrameGridConfig) -> Grid:
    """Voxels that hold all scans of these headers; the geometry of one panel at a time is in memory."""
    placements = (placed(one, config.place) for one in headers)
    return choose_grid(
        placements, steps=config.steps, crop=config.ranges, flat=config.flat, as_told=config.as_told
    )


def _widest(headers: Iterable[Frames], place: PlaceConfig) -> Array:
    """Box around the largest steps of a row and a column (3,)."""
    steps = [pixel_steps(placed(one, place))[:2].sum(axis=0) for one in headers]
    return np.asarray(np.max(steps, axis=0))


def grid_of(grid: FrameGrid) -> Grid:
    """The voxels as the kernel has them."""
    return Grid.from_arrays(*(grid[name].values for name in ("first", "step", "shape", "order")))


def _opened(file: Path, config: FramesConfig) -> FrameScan:
    """A scan whose frames nobody looks at; remembered, since a worker adds up many blocks of one."""
    try:
        state = file.stat()
    except OSError as error:
        raise InputError(file, "file", "a readable file", error.strerror or str(error)) from error
    return _remembered(file, state.st_mtime_ns, state.st_size, config.scan, replace(_request(config), look=0))


@lru_cache(maxsize=4)
def _remembered(file: Path, changed: int, size: int, scan: int | None, request: Request) -> FrameScan:
    return read_frames(file, scan, request)


def _request(config: FramesConfig) -> Request:
    return Request(config.motors, config.detector, config.monitor, config.images)


def _corrections(config: BlockConfig, pedestal: float, exposure: Reference) -> frozenset[Correction]:
    """Those told, or those for which something was recorded; a pedestal where there is one."""
    if config.corrections is not None:
        asked = {Correction(one) for one in config.corrections}
    else:
        counted = {Correction.MONITOR: exposure.monitor, Correction.SECONDS: exposure.seconds}
        asked = {Correction.ATTENUATOR, *[one for one, value in counted.items() if np.isfinite(value)][:1]}
    return frozenset(asked | {Correction.PEDESTAL} if pedestal else asked)


def _detector(header: Frames, config: BlockConfig, pedestal: float) -> Detector:
    """Flat field of the scan's own files, where they have one, and the polarization that the recipe tells."""
    axis, share = config.polarization or (None, 1.0)
    flat = header["response"].values if "response" in header else None
    return Detector(flat_field=flat, pedestal=pedestal, horizontal=share, polarization_axis=axis)


def _middle(surveys: list[Frames], name: str) -> float:
    """Median over all frames of all scans; NaN where it was not recorded throughout."""
    values = np.concatenate([one[name].values for one in surveys])
    return float(np.median(values)) if np.isfinite(values).all() else float("nan")


def _width(grid: FrameGrid) -> tuple[float, float, float] | None:
    width = grid["width"].values
    return (float(width[0]), float(width[1]), float(width[2])) if np.isfinite(width).all() else None


def _sparse(sums: FrameSums, spot: Array | None) -> BlockSums:
    """What of the voxels holds a pixel; spot: the brightest, where it was looked for."""
    voxels = sums.records[: -len(sums.dropped)]
    names = _FIELDS[: voxels.shape[1]]
    seen = np.flatnonzero(voxels[:, _FIELDS.index("pixels")])
    values = {name: voxels[seen, n] for n, name in enumerate(names)}
    more = {} if spot is None else {"brightest": spot}
    return BlockSums(labelled({"voxel": seen, **values, "dropped": sums.dropped, **more}, FRAME_SUMS))


def dense_sums(parts: list[BlockSums], grid: FrameGrid) -> FrameSums:
    """Sums of several blocks together, at every voxel of the grid."""
    found = FrameSums.empty(grid_of(grid), "ground" in parts[0])
    for part in parts:
        for n, name in enumerate(_FIELDS[: found.records.shape[1]]):
            found.records[part["voxel"].values, n] += part[name].values
        found.dropped[:] += part["dropped"].values
    return found


def _of_spot(found: Brightest | None) -> Array:
    """Counts, frame, row, column."""
    if found is None:
        return np.full(4, np.nan)
    return np.array([found.counts, found.spot.frame, found.spot.row, found.spot.column], dtype=float)


def _check_geometry(sums: BlockSums, first: Frames, config: FrameMapConfig) -> None:
    """Refuse a geometry that puts the brightest spot on none of the reflections told."""
    counts, *place = sums["brightest"].values
    if np.isnan(counts):
        raise InputError(_file(first), "frames", "a bright spot to check the geometry with", "none")
    frame, row, column = (int(n) for n in place)
    placement = placed(first, config.place)
    check_peaks(placement, brightest=Spot(frame, row, column), hkls=config.check, tolerance=config.tolerance)


def _file(header: Frames) -> str:
    return str(header.attrs.get("file", "frames"))
