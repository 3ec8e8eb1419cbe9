"""A film's recipe as a job: maps inverted, and all that follows from the motif."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray as xr

from nanotexture.caveats import reflections_of as reflections_measured
from nanotexture.caveats import warnings_of
from nanotexture.engine.task import Task
from nanotexture.foresight import map_headers, not_told, reflections_of, some_volumes
from nanotexture.job import Getter
from nanotexture.lacking import lacking_record
from nanotexture.memory import bytes_of_frames, bytes_of_inversion
from nanotexture.plan import RunPlan, plan_recipe
from nanotexture.plan_temperature import TemperaturePlan
from nanotexture.quantities import (
    Alignment,
    Clusters,
    DenoisedMotif,
    Domains,
    Energy,
    FilmGuess,
    LeftOut,
    ModeChoice,
    Orders,
    ReciprocalMap,
    Reference,
    Series,
    Texture,
    Truth,
)
from nanotexture.recipe import Recipe
from nanotexture.store import Extras, OneTemperature, result_tree


@dataclass(frozen=True)
class FilmJob:
    """Recipe, its tasks, and what its reflections cannot tell."""

    recipe: Recipe
    tasks: RunPlan
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the recipe."""
        return self.recipe.name

    @property
    def files(self) -> tuple[Path, ...]:
        """Input files."""
        return self.tasks.files

    @property
    def wanted(self) -> tuple[Task, ...]:
        """Tasks whose artefacts the result is made of."""
        return self.tasks.wanted

    @cached_property
    def worker_bytes(self) -> int:
        """Peak memory of one worker."""
        return max(
            bytes_of_inversion(self.recipe, self.files, self.tasks.frames), bytes_of_frames(self.tasks.frames)
        )

    def tree(self, get: Getter, attrs: Mapping[str, Any]) -> xr.DataTree:
        """All groups of the result."""
        series = [_one(plan, get) for plan in self.tasks.series]
        scans = {name: get(task) for name, task in self.tasks.thickness_scans.items()}
        extras = Extras(
            reference=Reference(get(self.tasks.reference)),
            domains=Domains(get(self.tasks.domains)),
            energy=Energy(get(self.tasks.energy)),
            series=Series(get(self.tasks.trend)),
            alignment=None if self.tasks.alignment is None else Alignment(get(self.tasks.alignment)),
            thickness_scans=scans,
            warnings=self._warnings(series, scans),
        )
        orders = series[0].orders
        to_add = lacking_record(self.tasks.film, reflections_measured(orders), volume="period_y" in orders)
        return result_tree(series, extras, {**attrs, "to_add": to_add})

    def _warnings(self, series: list[OneTemperature], scans: Mapping[str, xr.Dataset]) -> tuple[str, ...]:
        found = [
            warnings_of(
                film=self.tasks.film,
                polarization=self.recipe.texture.polarization,
                maps=one.maps,
                orders=one.orders,
                clusters=one.clusters,
                texture=one.texture,
                thickness_scans=scans,
            )
            for one in series
        ]
        return tuple(dict.fromkeys(text for some in found for text in some))


def film_job(recipe: Recipe, path: Path) -> FilmJob:
    """The job of a film's recipe; reads headers, computes nothing; UserError says what is wrong with an input."""
    tasks = plan_recipe(recipe, path)
    headers = map_headers(recipe, path)
    told = not_told(recipe, tasks.film, reflections_of(recipe, headers, tasks.frames), headers)
    notes = tuple(note for one in tasks.frames for note in one.notes)
    return FilmJob(recipe, tasks, (*notes, *some_volumes(headers), *told))


def _one(plan: TemperaturePlan, get: Getter) -> OneTemperature:
    return OneTemperature(
        tuple(ReciprocalMap(get(task)) for task in plan.maps),
        Orders(get(plan.orders)),
        Clusters(get(plan.clusters)),
        ModeChoice(get(plan.choice)),
        Texture(get(plan.texture)),
        tuple(LeftOut(get(task)) for task in plan.left_out),
        None if plan.truth is None else Truth(get(plan.truth)),
        FilmGuess(get(plan.guess[0])) if plan.guess else None,
        None if plan.denoised is None else DenoisedMotif(get(plan.denoised)),
    )
