"""The measured part of a recipe as tasks: map files, instrument files, substrate and thickness scans. Wires, holds no physics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nanotexture.engine.task import Source, Task
from nanotexture.errors import InputError, UserError
from nanotexture.film.config import FilmConfig
from nanotexture.inputs import resolve
from nanotexture.plan_simulation import simulated_maps
from nanotexture.readers import is_spec_file, read_hkl_scan, read_map_header, read_scan
from nanotexture.recipe import Recipe
from nanotexture.stages import models
from nanotexture.stages.convert import align, convert, load, scan_thickness
from nanotexture.stages.convert_hkl import convert_hkl
from nanotexture.stages.directions import directions
from nanotexture.tables.input import Input

Key = tuple[str, float]  # reflection, temperature


def measured(
    recipe: Recipe, film: FilmConfig, path: Path
) -> tuple[list[Path], Task | None, dict[float, tuple[Task, ...]]]:
    """Input files, alignment and maps by temperature."""
    if recipe.simulate is not None:
        return [], None, simulated_maps(recipe.simulate, film, path)
    files = resolve(recipe.input.files, path, "input.files")
    if recipe.input.kind == "maps":
        headers = [read_map_header(file) for file in files]
        entries = [((str(h.hkl), h.temperature), file) for h, file in zip(headers, files, strict=True)]
        seen = _directions(film, files) if all("qy" in header.axes for header in headers) else ()
        made = {
            key: Task(load, models.LoadConfig(film=film), (Source(file), *seen), file.name)
            for key, file in _distinct(entries)
        }
        return files, None, _by_temperature(made, path)
    return _scans(recipe, film, path, files)


def _directions(film: FilmConfig, files: list[Path]) -> tuple[Task]:
    """Whether maps that all have a qy axis show a texture that is periodic in both directions of the plane."""
    sources = tuple(Source(file) for file in files)
    return (Task(directions, models.DirectionsConfig(film=film), (sources,), "qy"),)


def _scans(
    recipe: Recipe, film: FilmConfig, path: Path, files: list[Path]
) -> tuple[list[Path], Task | None, dict[float, tuple[Task, ...]]]:
    source, alignment = _alignment(recipe, film, path)
    found = scan_maps(recipe.input, film, alignment, path, files)
    entries = [((str(one.hkl), one.temperature), (one.file, one.task)) for one in found]
    made = {key: task for key, (_, task) in _distinct(entries)}
    return [*files, *source], alignment, _by_temperature(made, path)


@dataclass(frozen=True)
class MapTask:
    """The task that makes one map, and what it is a map of; temperature in K, NaN where unknown.

    scan: its number in the file, or the numbers as text; points: how many were measured; notes: what the file lacks.
    """

    file: Path
    hkl: models.Hkl
    temperature: float
    task: Task
    scan: int | str | None = None
    points: int = 0
    notes: tuple[str, ...] = ()


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
        kelvin = None if np.isnan(t) else t
        points, notes = _looked_at(file, scans)
        task = (
            _hkl_task(told, film, file, scans, hkl, kelvin)
            if is_spec_file(file)
            else _angle_task(told, film, alignment, file, hkl, kelvin)
        )
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


def _angle_task(
    told: Input,
    film: FilmConfig | None,
    alignment: Task | None,
    file: Path,
    hkl: models.Hkl,
    kelvin: float | None,
) -> Task:
    config = models.ConvertConfig(
        hkl=hkl,
        temperature=kelvin,
        voxel=told.voxel,
        qx_range=told.qx_range,
        qz_range=told.qz_range,
        film=film,
    )
    inputs = (Source(file),) if alignment is None else (Source(file), alignment)
    return Task(convert, config, inputs, file.name)


def _hkl_task(
    told: Input,
    film: FilmConfig | None,
    file: Path,
    scans: tuple[int, ...],
    hkl: models.Hkl,
    kelvin: float | None,
) -> Task:
    config = models.ConvertHklConfig(
        hkl=hkl,
        temperature=kelvin,
        scans=scans,
        voxel=told.voxel,
        qx_range=told.qx_range,
        qz_range=told.qz_range,
        film=film,
    )
    named = f"{file.name} {','.join(map(str, scans))}" if scans else file.name
    return Task(convert_hkl, config, (Source(file),), named)


def _alignment(recipe: Recipe, film: FilmConfig, path: Path) -> tuple[list[Path], Task | None]:
    told = recipe.input.align
    if told is None:
        return [], None
    if film.substrate is None:
        raise UserError(
            f"{path}: film.substrate: expected, since input.align takes the offsets from its peak"
        )
    files = resolve([told.file], path, "input.align.file")
    in_plane = film.substrate.material.lattice[0]
    config = models.AlignConfig(hkl=told.hkl, a=in_plane, c=film.substrate.c)
    return files, Task(align, config, (Source(files[0]),), files[0].name)


def thickness_scans(recipe: Recipe, film: FilmConfig, path: Path) -> tuple[dict[str, Task], list[Path]]:
    told = recipe.input.thickness_scan
    if told is None:
        return {}, []
    if not film.single:
        raise UserError(f"{path}: input.thickness_scan: expected only with a film of one material")
    file = resolve([told.file], path, "input.thickness_scan.file")[0]
    config = models.ThicknessScanConfig(hkl=told.hkl, film=film)
    name = "".join(str(n) for n in told.hkl)
    return {name: Task(scan_thickness, config, (Source(file),), file.name)}, [file]


def _distinct(entries: list[tuple[Key, Any]]) -> Iterator[tuple[Key, Any]]:
    """The entries, refused if two files hold one reflection at one temperature."""
    seen: dict[tuple[str, str], Any] = {}
    for (name, temperature), value in entries:
        mark = name, f"{temperature:g}"
        if mark in seen:
            file = value[0] if isinstance(value, tuple) else value
            raise InputError(
                file,
                "hkl and temperature",
                "each reflection once at each temperature",
                f"{name} at {mark[1]} K again",
            )
        seen[mark] = value
        yield (name, temperature), value


def _by_temperature(made: dict[Key, Task], path: Path) -> dict[float, tuple[Task, ...]]:
    """Maps of each temperature in rising order; every temperature must have the same reflections."""
    found: dict[float, dict[str, Task]] = {}
    for (name, temperature), task in made.items():
        same = next(
            (t for t in found if t == temperature or (np.isnan(t) and np.isnan(temperature))), temperature
        )
        found.setdefault(same, {})[name] = task
    every = sorted({name for tasks in found.values() for name in tasks})
    for temperature, tasks in found.items():
        if lacking := [name for name in every if name not in tasks]:
            raise UserError(
                f"{path}: input.files: expected reflection {lacking[0]} at {temperature:g} K as at the others, found none"
            )
    return {t: tuple(found[t][name] for name in every) for t in sorted(found)}
