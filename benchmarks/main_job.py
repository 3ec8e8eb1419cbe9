"""The main job, measured: seconds of each stage of pto_kto from raw files, and motif starts on one and two workers.

Run: .venv/bin/python benchmarks/main_job.py [starts]
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from nanotexture.engine.cluster import ClusterSettings, Connection, connect
from nanotexture.engine.progress import Silent
from nanotexture.engine.run import run
from nanotexture.engine.store import ArtefactStore, Manifest
from nanotexture.engine.task import Task
from nanotexture.errors import UserError
from nanotexture.plan import RunPlan, plan_recipe
from nanotexture.recipe import read_recipe
from nanotexture.runner import run_recipe

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
STARTS = 64
TARGET = 30.0  # seconds for 64 starts on two cores
PACKAGES = ("nanotexture", "numpy", "scipy", "torch", "distributed", "xarray", "zarr")


def machine() -> Iterator[str]:
    """What the numbers below were measured on."""
    yield f"date      {datetime.now(UTC).isoformat(timespec='minutes')}"
    yield f"CPU       {cpu_model()}"
    yield f"cores     {psutil.cpu_count(logical=False)} physical, {psutil.cpu_count()} logical"
    yield f"memory    {psutil.virtual_memory().total / 2**30:.1f} GiB"
    yield f"load      {psutil.getloadavg()[0]:.1f} before the start"
    yield f"versions  python {platform.python_version()}, " + ", ".join(f"{n} {version(n)}" for n in PACKAGES)


def cpu_model() -> str:
    """Model name as the kernel gives it, else what Python knows."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return found[0] if found else platform.processor() or platform.machine()


def manifests(root: Path) -> list[Manifest]:
    """Manifests of all artefacts of a store."""
    return [ArtefactStore(root).manifest(path.parent.name) for path in root.glob("*/manifest.json")]


def table(found: Sequence[Manifest]) -> Iterator[str]:
    """Seconds of the tasks of each stage, longest first."""
    by_stage: Mapping[str, list[float]] = defaultdict(list)
    for one in found:
        by_stage[one.name.partition("-")[0]].append(one.seconds)
    yield f"{'stage':<18}{'tasks':>6}{'seconds':>10}{'longest':>10}"
    for stage, seconds in sorted(by_stage.items(), key=lambda pair: -sum(pair[1])):
        yield f"{stage:<18}{len(seconds):>6}{sum(seconds):>10.2f}{max(seconds):>10.2f}"
    yield f"{'all':<18}{len(found):>6}{sum(one.seconds for one in found):>10.2f}"


def whole_job(name: str, out: Path) -> Iterator[str]:
    """A recipe from raw files to report, nothing in the store, two workers."""
    settings = ClusterSettings(cluster="local", workers=2)
    summary = run_recipe(RECIPES / f"{name}.toml", out, (), settings, Silent())
    found = manifests(out / name / "artefacts")
    yield from table(found)
    share = sum(one.seconds for one in found) / (2 * summary.seconds)
    yield f"wall {summary.seconds:.1f} s from command to report, stages fill {share:.0%} of two workers"


def planned(name: str, starts: int) -> RunPlan:
    """The plan of a recipe with this number of starts."""
    path = RECIPES / f"{name}.toml"
    return plan_recipe(read_recipe(path, (f"invert.starts={starts}",)), path)


def batches(plan: RunPlan) -> list[Task]:
    """Tasks that invert, of the first temperature."""
    return [task for task in plan.series[0].clusters.upstream if task.stage.name == "invert"]


def seconds_of_starts(plan: RunPlan, store: ArtefactStore, connection: Connection) -> float:
    """Wall time of all starts, with what they need in the store and the workers warm."""
    one = plan.series[0]
    run([one.orders, one.choice, plan.reference], store, connection)
    begun = time.perf_counter()
    run(batches(plan), store, connection)
    return time.perf_counter() - begun


def starts_on(workers: int, name: str, starts: int, out: Path) -> float:
    """Seconds of the starts of a recipe on so many workers; a few extra starts warm every worker."""
    store = ArtefactStore(out / f"{workers}" / "artefacts")
    with connect(ClusterSettings(cluster="local", workers=workers)) as connection:
        warm = plan_recipe(
            read_recipe(RECIPES / f"{name}.toml", ("invert.starts=4", "invert.batch=1", "invert.seed=1")),
            RECIPES / f"{name}.toml",
        )
        seconds_of_starts(warm, store, connection)
        return seconds_of_starts(planned(name, starts), store, connection)


def scaling(name: str, starts: int, out: Path) -> Iterator[str]:
    """Starts per minute on one and on two workers."""
    found = {workers: starts_on(workers, name, starts, out) for workers in (1, 2)}
    yield f"{'workers':<10}{'seconds':>10}{'starts/min':>12}"
    for workers, seconds in found.items():
        yield f"{workers:<10}{seconds:>10.1f}{60 * starts / seconds:>12.0f}"
    met = "met" if found[2] * STARTS / starts <= TARGET else "missed"
    yield f"two workers do {found[1] / found[2]:.2f} times the work of one"
    yield f"{STARTS} starts on two workers: {found[2] * STARTS / starts:.1f} s, target {TARGET:.0f} s {met}"


def main() -> None:
    starts = int(sys.argv[1]) if len(sys.argv) > 1 else STARTS
    with tempfile.TemporaryDirectory() as folder:
        sections = {
            "machine": machine(),
            "pto_kto, cold, two workers": whole_job("pto_kto", Path(folder) / "cold"),
            f"pto_kto, {starts} motif starts, modes chosen": scaling(
                "pto_kto", starts, Path(folder) / "starts"
            ),
        }
        for title, lines in sections.items():
            sys.stdout.write(f"\n{title}\n")
            for line in lines:
                sys.stdout.write(f"  {line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"main_job: {error}")
