"""A recipe without a film as a job: maps, and nothing inverted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from nanotexture.conversion_recipe import ConversionRecipe
from nanotexture.engine.task import Task
from nanotexture.errors import UserError
from nanotexture.inputs import resolve
from nanotexture.job import Getter
from nanotexture.map_task import MapTask, files_of
from nanotexture.memory import BASE, bytes_of_frames
from nanotexture.plan_frames import frame_maps
from nanotexture.plan_scans import scan_maps
from nanotexture.quantities import ReciprocalMap
from nanotexture.store_maps import Converted, maps_tree

_POINT = (
    300  # bytes: what a point of a scan costs while it becomes a map, measured with one of a million points
)


@dataclass(frozen=True)
class ConversionJob:
    """Recipe, its maps as tasks, and the files these read."""

    recipe: ConversionRecipe
    maps: tuple[MapTask, ...]
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the recipe."""
        return self.recipe.name

    @property
    def wanted(self) -> tuple[Task, ...]:
        """Maps."""
        return tuple(one.task for one in self.maps)

    @property
    def worker_bytes(self) -> int:
        """Peak memory of one worker."""
        if self.recipe.input.kind == "frames":
            return bytes_of_frames(self.maps)
        return BASE + _POINT * max(one.points for one in self.maps)

    def tree(self, get: Getter, attrs: Mapping[str, Any]) -> xr.DataTree:
        """All groups of the result."""
        found = [Converted(ReciprocalMap(get(one.task)), _source(one)) for one in self.maps]
        return maps_tree(found, attrs, self.notes)


def conversion_job(recipe: ConversionRecipe, path: Path) -> ConversionJob:
    """The job of a recipe without a film; reads headers, computes nothing."""
    told = recipe.input
    for name in ("align", "thickness_scan"):
        if getattr(told, name) is not None:
            raise UserError(f"{path}: input.{name}: expected only with a table [film] and its substrate")
    files = resolve(told.files, path, "input.files")
    if not files:
        raise UserError(f"{path}: input.files: expected files to convert, found none")
    maps = _maps(recipe, path, files)
    notes = tuple(note for one in maps for note in one.notes)
    return ConversionJob(recipe, tuple(maps), tuple(files_of(maps)), notes)


def _maps(recipe: ConversionRecipe, path: Path, files: list[Path]) -> list[MapTask]:
    if recipe.input.kind == "frames":
        return frame_maps(recipe.input, recipe.convert, path, files)
    return scan_maps(recipe.input, None, None, path, files)


def _source(one: MapTask) -> str:
    return one.file.name if one.scan is None else f"{one.file.name} scan {one.scan}"
