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
from nanotexture.engine.fingerprint import versions
from nanotexture.engine.progress import Progress
from nanotexture.engine.run import Plan, plan, run
from nanotexture.engine.store import ArtefactStore, write_tree_atomically
from nanotexture.engine.task import Source, Task
from nanotexture.errors import UserError
from nanotexture.job import Getter, Job
from nanotexture.jobs import job_of
from nanotexture.store import CONTRACT

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
    """A recipe's job, what of its tasks is not in the store yet, and where the result goes."""

    job: Job
    plan: Plan
    store: ArtefactStore
    folder: Path


def prepare_run(path: Path, out: Path, changes: tuple[str, ...]) -> Prepared:
    """Read a recipe and its inputs' headers; computes nothing."""
    job = job_of(path, changes)
    folder = out / job.name
    store = ArtefactStore(folder / "artefacts")
    return Prepared(job, plan(job.wanted, store), store, folder)


def run_recipe(
    path: Path,
    out: Path,
    changes: tuple[str, ...],
    settings: ClusterSettings,
    progress: Progress,
    warn: Callable[[str], object] = lambda text: None,
) -> Summary:
    """Run or resume a recipe; the result and its report are put in place whole, or not at all.

    warn is told, before anything is computed, each thing that was asked and that the input cannot give.
    """
    from nanotexture.report.page import write_report  # drawing takes a second to import

    begun = time.perf_counter()
    ready = prepare_run(path, out, changes)
    for note in ready.job.notes:
        warn(note)
    make_folder(ready.folder)
    if ready.plan.missing:
        from nanotexture.engine.cluster import connect

        with connect(settings) as connection:
            run(ready.job.wanted, ready.store, connection, progress)
    result, report = ready.folder / "result.zarr", ready.folder / "report.html"
    write_tree_atomically(ready.job.tree(_getter(ready.store), _attrs(ready, path, changes)), result)
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


def _getter(store: ArtefactStore) -> Getter:
    def get(task: Task) -> xr.Dataset:
        return store.get(task.name)

    return get


def _attrs(ready: Prepared, path: Path, changes: tuple[str, ...]) -> dict[str, Any]:
    """Provenance: nothing in it depends on when, where or on how many workers the result was made."""
    files = [Source(file) for file in ready.job.files]
    inputs = [{"file": s.path.name, "sha256": s.state.sha256, "bytes": s.state.size} for s in files]
    return {
        "contract": CONTRACT,
        "creator": "nanotexture",
        "version": __version__,
        "name": ready.job.name,
        "recipe": path.read_text(encoding="utf-8"),
        "changes": json.dumps(list(changes)),
        "inputs": json.dumps(inputs),
        "versions": json.dumps(dict(versions())),
    }
