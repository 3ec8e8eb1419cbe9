"""Runs a recipe: plan, tasks, result, report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import xarray as xr

from nanotexture import __version__
from nanotexture.caveats import reflections_of as reflections_measured
from nanotexture.caveats import warnings_of
from nanotexture.engine.fingerprint import versions
from nanotexture.engine.progress import Progress
from nanotexture.engine.run import Plan, plan, run
from nanotexture.engine.store import ArtefactStore, write_tree_atomically
from nanotexture.engine.task import Source, Task
from nanotexture.errors import UserError
from nanotexture.foresight import not_told, reflections_of
from nanotexture.lacking import lacking_record
from nanotexture.plan import RunPlan, plan_recipe
from nanotexture.plan_temperature import TemperaturePlan
from nanotexture.quantities import (
    Alignment,
    Clusters,
    Domains,
    Energy,
    LeftOut,
    ModeChoice,
    Orders,
    ReciprocalMap,
    Reference,
    Series,
    Texture,
    Truth,
)
from nanotexture.recipe import Recipe, read_recipe
from nanotexture.store import CONTRACT, Extras, OneTemperature, result_tree

if TYPE_CHECKING:
    from nanotexture.engine.cluster import ClusterSettings


@dataclass(frozen=True)
class Summary:
    """What a run left and did; seconds of wall time, tasks in all and those found finished."""

    result: Path
    report: Path
    seconds: float
    tasks: int
    tasks_reused: int


@dataclass(frozen=True)
class Prepared:
    """A recipe read, its tasks, what of them is not in the store yet, and what its reflections cannot tell."""

    recipe: Recipe
    tasks: RunPlan
    plan: Plan
    store: ArtefactStore
    folder: Path
    notes: tuple[str, ...] = ()


def prepare_run(path: Path, out: Path, changes: tuple[str, ...]) -> Prepared:
    """Read a recipe and its inputs' headers; computes nothing."""
    recipe = read_recipe(path, changes)
    tasks = plan_recipe(recipe, path)
    folder = out / recipe.name
    store = ArtefactStore(folder / "artefacts")
    notes = not_told(recipe, tasks.film, reflections_of(recipe, path))
    return Prepared(recipe, tasks, plan(tasks.wanted, store), store, folder, notes)


def run_recipe(
    path: Path,
    out: Path,
    changes: tuple[str, ...],
    settings: ClusterSettings,
    progress: Progress,
    warn: Callable[[str], object] = lambda text: None,
) -> Summary:
    """Run or resume a recipe; the result and its report are put in place whole, or not at all.

    warn is told, before anything is computed, each thing that was asked and that the reflections cannot give.
    """
    from nanotexture.report.page import write_report  # drawing takes a second to import

    begun = time.perf_counter()
    ready = prepare_run(path, out, changes)
    for note in ready.notes:
        warn(note)
    make_folder(ready.folder)
    if ready.plan.missing:
        from nanotexture.engine.cluster import connect

        with connect(settings) as connection:
            run(ready.tasks.wanted, ready.store, connection, progress)
    result, report = ready.folder / "result.zarr", ready.folder / "report.html"
    write_tree_atomically(_tree(ready, path, changes), result)
    write_report(result, report)
    return Summary(
        result.absolute(),
        report.absolute(),
        round(time.perf_counter() - begun, 3),
        len(ready.plan.tasks),
        len(ready.plan.tasks) - len(ready.plan.missing),
    )


def make_folder(folder: Path) -> None:
    """The folder of a result, tried with a folder in it: permissions, quotas and read-only disks all say no here."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryDirectory(dir=folder, prefix=".try-").cleanup()
    except OSError as error:
        raise UserError(
            f"--out {folder.parent}: expected a folder to write in, found {error.strerror or error} for {error.filename}"
        ) from error


def _tree(ready: Prepared, path: Path, changes: tuple[str, ...]) -> xr.DataTree:
    tasks, get = ready.tasks, _getter(ready.store)
    series = [_one(plan, get) for plan in tasks.series]
    scans = {name: get(task) for name, task in tasks.thickness_scans.items()}
    found = [
        warnings_of(
            film=tasks.film,
            polarization=ready.recipe.texture.polarization,
            maps=one.maps,
            orders=one.orders,
            clusters=one.clusters,
            texture=one.texture,
            thickness_scans=scans,
        )
        for one in series
    ]
    extras = Extras(
        reference=Reference(get(tasks.reference)),
        domains=Domains(get(tasks.domains)),
        energy=Energy(get(tasks.energy)),
        series=Series(get(tasks.trend)),
        alignment=None if tasks.alignment is None else Alignment(get(tasks.alignment)),
        thickness_scans=scans,
        warnings=tuple(dict.fromkeys(text for some in found for text in some)),
    )
    to_add = lacking_record(tasks.film, reflections_measured(series[0].orders))
    return result_tree(series, extras, _attrs(ready, path, changes) | {"to_add": to_add})


def _getter(store: ArtefactStore) -> Any:
    def get(task: Task) -> xr.Dataset:
        return store.get(task.name)

    return get


def _one(plan: TemperaturePlan, get: Any) -> OneTemperature:
    return OneTemperature(
        tuple(ReciprocalMap(get(task)) for task in plan.maps),
        Orders(get(plan.orders)),
        Clusters(get(plan.clusters)),
        ModeChoice(get(plan.choice)),
        Texture(get(plan.texture)),
        tuple(LeftOut(get(task)) for task in plan.left_out),
        None if plan.truth is None else Truth(get(plan.truth)),
    )


def _attrs(ready: Prepared, path: Path, changes: tuple[str, ...]) -> dict[str, Any]:
    """Provenance: nothing in it depends on when, where or on how many workers the result was made."""
    files = [Source(file) for file in ready.tasks.files]
    inputs = [{"file": s.path.name, "sha256": s.state.sha256, "bytes": s.state.size} for s in files]
    return {
        "contract": CONTRACT,
        "creator": "nanotexture",
        "version": __version__,
        "name": ready.recipe.name,
        "recipe": path.read_text(encoding="utf-8"),
        "changes": json.dumps(list(changes)),
        "inputs": json.dumps(inputs),
        "versions": json.dumps(dict(versions())),
    }
