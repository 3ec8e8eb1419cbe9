"""How long starts take, on one worker and on two."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from inversion_rows import written
from main_job import RECIPES, seconds_of_starts
from nanotexture.engine.cluster import ClusterSettings, connect
from nanotexture.engine.progress import Silent
from nanotexture.engine.store import ArtefactStore
from nanotexture.plan import plan_recipe
from nanotexture.recipe import read_recipe
from nanotexture.runner import run_recipe
from nanotexture.simulate.suite import Case

TARGET = 60.0  # seconds for 32 starts with six reflections on two workers
STARTS = 32
TEMPERATURES = [f"{t} K" for t in range(10, 250, 20)]  # 12
SERIES = (
    f"simulate.temperatures={TEMPERATURES}",
    "simulate.hkl=[[0, 0, 6], [0, 0, 8], [-2, 0, 6], [2, 0, 6]]",
)


def speed(case: Case, starts: int, folder: Path, told: tuple[str, ...]) -> Iterator[str]:
    """Seconds of the starts of one case with all its reflections; orders and numbers of modes are there already."""
    recipe = written(case, folder / "cases", False) / "recipe.toml"
    found = {}
    yield f"{case.name}: {starts} starts, {len(case.film.reflections)} reflections"
    for workers in (1, 2):
        with TemporaryDirectory() as out, connect(ClusterSettings(workers=workers)) as connection:
            store = ArtefactStore(Path(out) / "artefacts")
            warm = ("invert.starts=2", "invert.batch=1")  # other tasks than those timed, the same orders
            for changes in (warm, (f"invert.starts={starts}",)):
                plan = plan_recipe(read_recipe(recipe, (*changes, *told)), recipe)
                found[workers] = seconds_of_starts(plan, store, connection)
        yield f"{workers} workers  {found[workers]:8.1f} s"
    yield f"two workers do {found[1] / found[2]:.2f} times the work of one"
    scaled = found[2] * STARTS / starts
    yield f"{STARTS} starts on two workers: {scaled:.1f} s, target {TARGET:.0f} s {'met' if scaled <= TARGET else 'missed'}"


def series(starts: int, folder: Path) -> Iterator[str]:
    """Seconds from recipe to report of a simulated laminate at 12 temperatures, four reflections each."""
    recipe, found = RECIPES / "sim_cro_laminate_series.toml", {}
    for workers in (1, 2):
        with TemporaryDirectory(dir=folder) as out:
            begun = time.perf_counter()
            settings = ClusterSettings(workers=workers)
            changes = (*SERIES, f"invert.starts={starts}")
            run_recipe(recipe, Path(out), changes, settings, Silent())
            found[workers] = time.perf_counter() - begun
        yield f"{workers} workers  {found[workers]:8.1f} s, {len(TEMPERATURES)} temperatures, {starts} starts"
    yield f"two workers do {found[1] / found[2]:.2f} times the work of one"
