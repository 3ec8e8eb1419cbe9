"""Scans of point and line detectors as tasks: one map of each file, or of each entry of `scans`. Wires, holds no physics."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nanotexture.engine.task import Source, Task
from nanotexture.errors import UserError
from nanotexture.film.config import FilmConfig
from nanotexture.map_task import MapTask
from nanotexture.readers import is_spec_file, read_hkl_scan, read_scan
from nanotexture.stages import models
from nanotexture.stages.convert import convert
from nanotexture.stages.convert_hkl import convert_hkl
from nanotexture.tables.input import Input


def scan_maps(
    told: Input, film: FilmConfig | None, alignment: Task | None, path: Path, files: list[Path]
) -> list[MapTask]:
    """Map of each file of a point or line detector, or of each entry of `scans`; what cannot be read is refused here."""
    sources = _sources(told, path, files)
    hkls = told.hkl * len(sources) if len(told.hkl) == 1 else told.hkl
    if len(hkls) != len(sources):
        raise UserError(
            f"{path}: input.hkl: expected one reflection for each of {len(sources)} files or scans, found {len(hkls)}"
        )
    temperatures = told.temperatures or (float("nan"),) * len(sources)
    found = []
    for (file, scans), hkl, t in zip(sources, hkls, temperatures, strict=True):
        points, notes = _looked_at(file, scans)
        config = _config(told, film, hkl, t)
        task = _hkl_task(config, file, scans) if is_spec_file(file) else _angle_task(config, alignment, file)
        found.append(MapTask(file, hkl, t, task, ", ".join(map(str, scans)) or None, points, notes))
    return found


def _looked_at(file: Path, scans: tuple[int, ...]) -> tuple[int, tuple[str, ...]]:
    """Number of points, and what the file lacks of them; one that cannot be read is refused."""
    if not is_spec_file(file):
        scan = read_scan(file)
        dropped = int(scan.attrs.get("lines_dropped", "0"))
        return scan["counts"].size, (f"{file.name}: an aborted last line was left out",) if dropped else ()
    read = [read_hkl_scan(file, number) for number in scans or (None,)]
    lacking = tuple(
        f"{file.name} scan {one.attrs['scan']}: {one.attrs['points_missing']} of {one.attrs['points_promised']} points "
        "were not measured"
        for one in read
        if one.attrs["points_missing"]
    )
    return sum(one.sizes["point"] for one in read), lacking


def _sources(told: Input, path: Path, files: list[Path]) -> list[tuple[Path, tuple[int, ...]]]:
    """File and scans of each map; no scans: the file holds one."""
    if not told.scans:
        return [(file, ()) for file in files]
    if len(files) != 1 or not is_spec_file(files[0]):
        raise UserError(f"{path}: input.scans: expected with one SPEC file, found {files[0].name}")
    return [(files[0], (one,) if isinstance(one, int) else one) for one in told.scans]


def _config(told: Input, film: FilmConfig | None, hkl: models.Hkl, kelvin: float) -> models.ConvertConfig:
    return models.ConvertConfig(
        hkl=hkl,
        temperature=None if np.isnan(kelvin) else kelvin,
        voxel=_two(told.voxel),
        qx_range=told.qx_range,
        qz_range=told.qz_range,
        film=film,
    )


def _angle_task(config: models.ConvertConfig, alignment: Task | None, file: Path) -> Task:
    inputs = (Source(file),) if alignment is None else (Source(file), alignment)
    return Task(convert, config, inputs, file.name)


def _hkl_task(config: models.ConvertConfig, file: Path, scans: tuple[int, ...]) -> Task:
    named = f"{file.name} {','.join(map(str, scans))}" if scans else file.name
    return Task(convert_hkl, models.ConvertHklConfig(map=config, scans=scans), (Source(file),), named)


def _two(voxel: tuple[float, ...] | None) -> tuple[float, float] | None:
    """Steps of qx and qz."""
    return None if voxel is None else (voxel[0], voxel[-1])
