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
from nanotexture.map_task import MapTask, files_of
from nanotexture.plan_frames import frame_maps
from nanotexture.plan_scans import scan_maps
from nanotexture.plan_simulation import simulated_maps
from nanotexture.readers import read_map_header
from nanotexture.recipe import Recipe
from nanotexture.stages import models
from nanotexture.stages.convert import align, lattice_limits, load, scan_thickness
from nanotexture.stages.directions import directions

Key = tuple[str, float]  # reflection, temperature


@dataclass(frozen=True)
class Measured:
    """Input files, alignment and maps by temperature; frames: those made of frames, whose headers were read."""

    files: list[Path]
    alignment: Task | None
    maps: dict[float, tuple[Task, ...]]
    frames: tuple[MapTask, ...] = ()


def measured(recipe: Recipe, film: FilmConfig, path: Path) -> Measured:
    """What a recipe inverts, as tasks."""
    if recipe.simulate is not None:
        return Measured([], None, simulated_maps(recipe.simulate, film, path))
    files = resolve(recipe.input.files, path, "input.files")
    if recipe.input.kind == "maps":
        headers = [read_map_header(file) for file in files]
        entries = [((str(h.hkl), h.temperature), file) for h, file in zip(headers, files, strict=True)]
        seen = _directions(film, files) if all("qy" in header.axes for header in headers) else ()
        made = {
            key: Task(load, models.LoadConfig(film=film), (Source(file), *seen), file.name)
            for key, file in _distinct(entries)
        }
        return Measured(files, None, _by_temperature(made, path))
    if recipe.input.kind == "frames":
        return _frames(recipe, film, path, files)
    return _scans(recipe, film, path, files)


def _frames(recipe: Recipe, film: FilmConfig, path: Path, files: list[Path]) -> Measured:
    if recipe.input.align is not None:
        raise UserError(f'{path}: input.align: expected only with kind = "scans", found it with "frames"')
    found = frame_maps(recipe.input, recipe.convert, path, files, lattice_limits(film))
    return Measured(files_of(found), None, _of_tasks(found, path), tuple(found))


def _directions(film: FilmConfig, files: list[Path]) -> tuple[Task]:
    """Whether maps that all have a qy axis show a texture that is periodic in both directions of the plane."""
    sources = tuple(Source(file) for file in files)
    return (Task(directions, models.DirectionsConfig(film=film), (sources,), "qy"),)


def _scans(recipe: Recipe, film: FilmConfig, path: Path, files: list[Path]) -> Measured:
    source, alignment = _alignment(recipe, film, path)
    found = scan_maps(recipe.input, film, alignment, path, files)
    return Measured([*files, *source], alignment, _of_tasks(found, path))


def _of_tasks(found: list[MapTask], path: Path) -> dict[float, tuple[Task, ...]]:
    """Maps of instrument files by temperature."""
    entries = [((str(one.hkl), one.temperature), (one.file, one.task)) for one in found]
    return _by_temperature({key: task for key, (_, task) in _distinct(entries)}, path)


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
