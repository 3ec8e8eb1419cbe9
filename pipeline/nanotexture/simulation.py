"""`nanotexture simulate`: a recipe's simulated measurement as files of the input format, its truth, and a recipe to run."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanotexture import __version__
from nanotexture.engine.progress import Progress
from nanotexture.engine.run import plan, run
from nanotexture.engine.store import ArtefactStore, write_tree_atomically
from nanotexture.errors import UserError
from nanotexture.plan import RunPlan, plan_recipe
from nanotexture.quantities import ReciprocalMap, Truth
from nanotexture.recipe import Recipe, model_of, read_tables
from nanotexture.runner import make_folder
from nanotexture.scoring import truth_tree
from nanotexture.simulate.map_files import write_map
from nanotexture.stages.simulate import measured_from_map
from nanotexture.store import CONTRACT, hkl_name

RECIPE = "recipe.toml"


@dataclass(frozen=True)
class Written:
    """What was written: folder, maps, truth, the recipe that inverts them; seconds, tasks in all and found finished."""

    folder: Path
    maps: tuple[Path, ...]
    truth: Path
    recipe: Path
    seconds: float
    tasks: int
    tasks_reused: int


def simulate_recipe(path: Path, out: Path, changes: tuple[str, ...], progress: Progress) -> Written:
    """Simulate, or resume, and write; the recipe comes last, so that a folder with one holds all that it names."""
    from nanotexture.engine.cluster import ClusterSettings, connect  # brings dask.distributed

    begun = time.perf_counter()
    tables = read_tables(path, changes)
    recipe = model_of(Recipe, tables, path) if "simulate" in tables else None
    if recipe is None or recipe.simulate is None:
        raise UserError(f"{path}: simulate: expected a table that says what to simulate, found none")
    tasks = plan_recipe(recipe, path)
    folder = out / recipe.name
    make_folder(folder)
    store = ArtefactStore(folder / "artefacts")
    work = plan(tasks.simulated, store)
    with connect(ClusterSettings(cluster="none")) as connection:
        try:
            run(tasks.simulated, store, connection, progress)
        except UserError as error:
            raise UserError(f"{path}: simulate: {error}") from error
    maps, truth, ready = _write(recipe, tasks, store, folder, path, changes)
    reused = len(work.tasks) - len(work.missing)
    return Written(
        folder.absolute(), maps, truth, ready, round(time.perf_counter() - begun, 3), len(work.tasks), reused
    )


def _write(
    recipe: Recipe, tasks: RunPlan, store: ArtefactStore, folder: Path, path: Path, changes: tuple[str, ...]
) -> tuple[tuple[Path, ...], Path, Path]:
    ready, truth = folder / RECIPE, folder / "truth.zarr"
    ready.unlink(missing_ok=True)
    maps = tuple(
        _write_map(ReciprocalMap(store.get(task.name)), recipe.name, folder, one.temperature)
        for one in tasks.series
        for task in one.maps
    )
    truths = [Truth(store.get(one.truth.name)) for one in tasks.series if one.truth is not None]
    write_tree_atomically(truth_tree(truths, _attrs(recipe, path, changes)), truth)
    _write_text(ready, toml_from_tables(recipe_of_maps(read_tables(path, changes), maps)))
    return tuple(one.absolute() for one in maps), truth.absolute(), ready.absolute()


def recipe_of_maps(tables: dict[str, Any], maps: tuple[Path, ...]) -> dict[str, Any]:
    """The tables of a recipe that reads maps of its own folder in place of simulating them."""
    left = {name: value for name, value in tables.items() if name != "simulate"}
    return left | {"input": {"kind": "maps", "files": [one.name for one in maps]}}


def toml_from_tables(tables: dict[str, Any]) -> str:
    """Tables as TOML: scalars first, then one table each, what is deeper inline."""
    scalars = [f"{_key(k)} = {_toml(v)}" for k, v in tables.items() if not isinstance(v, dict)]
    parts = ["\n".join(scalars)]
    for name, table in tables.items():
        if isinstance(table, dict):
            rows = [f"{_key(k)} = {_toml(v)}" for k, v in table.items()]
            parts.append("\n".join([f"[{_key(name)}]", *rows]))
    return "\n\n".join(parts) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else json.dumps(str(value))


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else json.dumps(name)


def _write_map(found: ReciprocalMap, name: str, folder: Path, temperature: float) -> Path:
    measured = measured_from_map(found)
    known = not math.isnan(temperature)
    at = f"_{temperature:g}K" if known else ""
    file = folder / f"map_{hkl_name(found['hkl'].values)}{at}.nxs"
    return write_map(file, measured, name=name, temperature=temperature if known else None)


def _write_text(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _attrs(recipe: Recipe, path: Path, changes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "contract": CONTRACT,
        "creator": "nanotexture",
        "version": __version__,
        "name": recipe.name,
        "recipe": path.read_text(encoding="utf-8"),
        "changes": json.dumps(list(changes)),
    }
