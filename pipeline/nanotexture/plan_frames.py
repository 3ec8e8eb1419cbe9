"""Scans of area detectors as tasks: surveys, one grid for each reflection, sums block by block, maps. Wires, holds no physics."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nanotexture.engine.task import Part, Source, Task
from nanotexture.errors import InputError, UserError
from nanotexture.map_task import MapTask
from nanotexture.readers import FrameScan, Request, read_frames
from nanotexture.stages import frame_models as models
from nanotexture.stages.frames import block_sums, frame_grid, frame_map, grid_of_headers, merge_sums, survey
from nanotexture.stages.place_frames import energy_in
from nanotexture.tables.convert import Convert, GoniometerTable
from nanotexture.tables.input import Input

FAN_IN = 8  # sums added by one task
ODD = 1e-3  # of an energy: more between file and recipe is worth a word


@dataclass(frozen=True)
class _Scan:
    """One scan of a file, its header read."""

    file: Path
    number: int | None
    scan: FrameScan
    hkl: models.Hkl
    temperature: float
    config: models.FramesConfig

    @property
    def label(self) -> str:
        return self.file.name if self.number is None else f"{self.file.name} scan {self.number}"


@dataclass(frozen=True)
class Summed:
    """Sums over the voxels of one scan as a task, the survey and the grid that they were made with; voxels of that grid."""

    scan: _Scan
    sums: Task
    first: Task
    grid: Task
    voxels: int


def frame_maps(
    told: Input, convert: Convert, path: Path, files: list[Path], near: models.Vector | None = None
) -> list[MapTask]:
    """Map of each scan; headers are read, frames are not; near: in-plane lattice, least and largest c of a film that is told."""
    place = place_config(convert)
    return [_map_task(one, convert, place, near) for one in frame_sums(told, convert, path, files)]


def frame_sums(told: Input, convert: Convert, path: Path, files: list[Path]) -> list[Summed]:
    """Sums of each scan, reflection by reflection; headers are read, frames are not."""
    _refuse_growing(told, convert, path)
    scans = list(_scans(told, convert, path, files))
    _refuse_unlike(scans, convert)
    place = place_config(convert)
    found = []
    every = [_survey(one, convert) for one in scans]
    for hkl in dict.fromkeys(one.hkl for one in scans):
        these = [one for one in scans if one.hkl == hkl]
        surveys = [first for one, first in zip(scans, every, strict=True) if one.hkl == hkl]
        config = _grid_config(told, convert, place)
        grid = Task(frame_grid, config, (tuple(surveys), tuple(every)), _name(hkl))
        voxels = grid_of_headers((one.scan.header for one in these), config).voxels
        found += [
            Summed(one, _sums(one, first, grid, convert, place), first, grid, voxels)
            for one, first in zip(these, surveys, strict=True)
        ]
    return found


def _notes(one: _Scan, convert: Convert) -> Iterator[str]:
    """What a user should know of a scan before its map is taken for the whole truth."""
    frames, header = one.scan.pixels.shape[0], one.scan.header
    if convert.growing:
        yield f"{one.label}: still growing, {frames} frames are converted and the file is not hashed"
    planned = int(header.attrs.get("planned_frames", frames))
    if planned > frames:
        yield f"{one.label}: {planned - frames} of {planned} frames were not measured"
    if convert.energy is not None and abs(convert.energy - float(header["energy"])) > ODD * convert.energy:
        yield f"{one.label}: the energy is {float(header['energy']):g} keV in the file, {convert.energy:g} keV in the recipe"


def place_config(convert: Convert) -> models.PlaceConfig:
    """Geometry as the stages take it."""
    lattice, mounted = convert.lattice, convert.mounted
    return models.PlaceConfig(
        goniometer=_goniometer(convert.goniometer),
        energy=convert.energy,
        distance=convert.distance,
        pixel=convert.pixel,
        direct_beam=convert.direct_beam,
        lattice=None
        if lattice is None
        else (lattice.a, lattice.b, lattice.c, lattice.alpha, lattice.beta, lattice.gamma),
        mounted=None if mounted is None else models.MountedConfig.model_validate(mounted.model_dump()),
        in_plane=convert.in_plane,
        normal=convert.normal,
    )


def _goniometer(told: str | GoniometerTable | None) -> str | models.GoniometerConfig | None:
    return (
        models.GoniometerConfig.model_validate(told.model_dump())
        if isinstance(told, GoniometerTable)
        else told
    )


def _refuse_growing(told: Input, convert: Convert, path: Path) -> None:
    """What grows may outgrow a grid that is taken from what is there now, and its brightest spot may be yet to come."""
    if convert.growing and convert.check:
        raise UserError(
            f"{path}: convert.check: expected of a whole scan only, found it with convert.growing = true"
        )
    needed = {"qx_range": told.qx_range, "qz_range": told.qz_range, "voxel": told.voxel}
    lacking = [name for name, value in needed.items() if value is None]
    if convert.growing and lacking:
        raise UserError(
            f"{path}: input.{lacking[0]}: expected, since convert.growing = true needs a grid that does not grow, found nothing"
        )


def _refuse_unlike(scans: list[_Scan], convert: Convert) -> None:
    """A goniometer that is declared has one panel and one direct beam: frames of another shape would be misplaced."""
    first = scans[0].scan.pixels.shape[1:]
    for one in scans:
        shape = one.scan.pixels.shape[1:]
        if convert.goniometer is not None and shape != first:
            expected = f"{first[0]} x {first[1]} pixels as {scans[0].label}, since convert.goniometer places all alike"
            raise InputError(one.file, f"frames of {one.label}", expected, f"{shape[0]} x {shape[1]}")


def _scans(told: Input, convert: Convert, path: Path, files: list[Path]) -> Iterator[_Scan]:
    numbers: list[int | None] = [one for one in told.scans if isinstance(one, int)]
    every = [(file, number) for file in files for number in numbers or [None]]
    for name, values in (("hkl", told.hkl), ("temperatures", told.temperatures)):
        if len(values) not in {0, len(every)} | ({1} if name == "hkl" else set()):
            raise UserError(
                f"{path}: input.{name}: expected one for each of {len(every)} scans, found {len(values)}"
            )
    for index, (file, number) in enumerate(every):
        config = models.FramesConfig(
            scan=number,
            motors=convert.motors,
            detector=convert.detector,
            monitor=convert.monitor,
            images=convert.images,
        )
        request = Request(convert.motors, convert.detector, convert.monitor, convert.images, look=0)
        scan = read_frames(file, number, request)
        hkl = told.hkl[index if len(told.hkl) > 1 else 0] if told.hkl else _told_hkl(scan, file)
        temperature = told.temperatures[index] if told.temperatures else float(scan.header["temperature"])
        yield _Scan(file, number, scan, hkl, temperature, config)


def _told_hkl(scan: FrameScan, file: Path) -> models.Hkl:
    if "hkl" not in scan.header:
        raise InputError(file, "hkl", "a reflection, in the file or as input.hkl of the recipe", "none")
    h, k, index = (int(n) for n in scan.header["hkl"].values)
    return h, k, index


def _survey(one: _Scan, convert: Convert) -> Task:
    looked = convert.block if convert.growing else None
    source = _part(one, 0, min(convert.block, one.scan.pixels.shape[0])) if convert.growing else _source(one)
    return Task(survey, models.SurveyConfig(frames=one.config, looked=looked), (source,), one.label)


def _grid_config(told: Input, convert: Convert, place: models.PlaceConfig) -> models.FrameGridConfig:
    return models.FrameGridConfig(
        place=place,
        ranges=(told.qx_range, told.qy_range, told.qz_range),
        steps=_steps(told),
        flat=not convert.volume,
        shared=convert.shared,
        as_told=convert.growing,
    )


def _steps(told: Input) -> models.Vector | None:
    if told.voxel is None:
        return None
    return (told.voxel[0], told.voxel[0], told.voxel[1]) if len(told.voxel) == 2 else told.voxel


def _map_task(
    one: Summed, convert: Convert, place: models.PlaceConfig, near: models.Vector | None
) -> MapTask:
    scan = one.scan
    frames, rows, columns = scan.scan.pixels.shape
    temperature = None if np.isnan(scan.temperature) else scan.temperature
    config = models.FrameMapConfig(
        place=place,
        hkl=scan.hkl,
        temperature=temperature,
        frames=frames,
        growing=convert.growing,
        check=convert.check,
        tolerance=convert.tolerance,
        near=near,
    )
    return MapTask(
        file=scan.file,
        hkl=scan.hkl,
        temperature=scan.temperature,
        task=Task(frame_map, config, (one.sums, one.first, one.grid), scan.label),
        scan=scan.number,
        points=one.voxels,
        notes=tuple(_notes(scan, convert)),
        energy=energy_in(scan.scan.header, place),
        pixels=rows * columns,
    )


def _sums(one: _Scan, first: Task, grid: Task, convert: Convert, place: models.PlaceConfig) -> Task:
    blocks = _blocks(one, convert)
    return _together([_block(one, start, stop, first, grid, convert, place) for start, stop in blocks], grid)


def _blocks(one: _Scan, convert: Convert) -> Iterator[tuple[int, int]]:
    """Whole blocks, then what is left over; where a scan grows, whole blocks stay as they are."""
    frames = one.scan.pixels.shape[0]
    for start in range(0, frames, convert.block):
        yield start, min(start + convert.block, frames)


def _block(
    one: _Scan, start: int, stop: int, first: Task, grid: Task, convert: Convert, place: models.PlaceConfig
) -> Task:
    config = models.BlockConfig(
        frames=one.config,
        place=place,
        start=start,
        stop=stop,
        corrections=convert.corrections,
        polarization=None
        if convert.polarization is None
        else (convert.polarization.axis, convert.polarization.share),
        pedestal=None if convert.pedestal == "auto" else convert.pedestal,
        spot=bool(convert.check),
    )
    source = _part(one, start, stop) if convert.growing else _source(one)
    return Task(block_sums, config, (source, first, grid), f"{one.label}, frames {start} to {stop - 1}")


def _together(parts: list[Task], grid: Task) -> Task:
    """A tree of sums, so that none waits for all and none holds many."""
    while len(parts) > 1:
        groups = [parts[i : i + FAN_IN] for i in range(0, len(parts), FAN_IN)]
        parts = [
            Task(merge_sums, models.MergeConfig(), (tuple(group), grid)) if len(group) > 1 else group[0]
            for group in groups
        ]
    return parts[0]


def _source(one: _Scan) -> Source:
    own = one.file.absolute()
    return Source(one.file, tuple(file for file in one.scan.pixels.files if file.absolute() != own))


def _part(one: _Scan, start: int, stop: int) -> Part:
    """Frames start to stop of a file that grows: told apart by what stands beside them, their counts are not read again."""
    digest = hashlib.sha256(f"{one.file.name} {one.number} {start} {stop}".encode())
    header = one.scan.header.isel(frame=slice(start, stop))
    for name in ("position", "monitor", "seconds", "attenuation", "sample_turn", "pixel_origin"):
        if name in header:
            digest.update(np.ascontiguousarray(header[name].values).tobytes())
    return Part(one.file, content=digest.hexdigest())


def _name(hkl: models.Hkl) -> str:
    return " ".join(map(str, hkl))
