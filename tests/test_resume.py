"""Whatever is killed, the same command ends in the same result, and nothing half-written stays."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from .conftest import Finished
from .recipes_pruned import arguments, files, nanotexture

CLIENT = """
import nanotexture.report.page as page
from nanotexture.cli import main
page.write_report = lambda result, path: None
main()
"""
TOLD = ("--cluster", "local", "--workers", "2")


def wait_for(condition: Callable[[], object], process: psutil.Popen, seconds: float = 120) -> None:
    """Wait until the condition holds, while the process lives."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        assert process.poll() is None, "the run ended before it could be disturbed"
        time.sleep(0.02)


def started(out: Path) -> psutil.Popen:
    """A run of quickstart with two workers, in a process of its own, without its figures."""
    told = arguments("quickstart", out, *TOLD)
    return psutil.Popen(
        [sys.executable, "-c", CLIENT, *told], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def artefacts(out: Path, stage: str) -> list[Path]:
    return list((out / "quickstart" / "artefacts").glob(f"{stage}-*"))


def left_over(out: Path) -> list[str]:
    """Temporary folders with something in them."""
    folders = [p for p in out.rglob("*") if p.is_dir() and ("+" in p.name or p.name.startswith(".try-"))]
    return [str(folder.relative_to(out)) for folder in folders]


def is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_a_killed_run_continues_and_ends_in_the_same_bytes(
    out: Path, quickstart: Finished, no_report: None
) -> None:
    process = started(out)
    wait_for(lambda: artefacts(out, "simulate_map"), process)
    family = process.children(recursive=True)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    assert not (out / "quickstart" / "result.zarr").exists()

    finished = len(list((out / "quickstart" / "artefacts").glob("*-*/manifest.json")))
    ended = nanotexture(*arguments("quickstart", out))
    assert ended.status == 0, ended.err
    assert ended.last_json["tasks_reused"] == finished > 0
    assert files(Path(ended.last_json["result"])) == files(quickstart.result)
    assert left_over(out) == []


def test_a_killed_worker_costs_its_task_only(out: Path, quickstart: Finished) -> None:
    process = started(out)
    wait_for(lambda: artefacts(out, "simulate_map"), process)
    workers = [child for child in process.children(recursive=True) if is_worker(child)]
    busiest = max(workers, key=lambda worker: sum(worker.cpu_times()[:2]))
    busiest.kill()
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    said = json.loads(text.splitlines()[-1])
    assert said["tasks_reused"] == 0
    assert files(Path(said["result"])) == files(quickstart.result)
    assert left_over(out) == []
    assert not any(worker.is_running() for worker in workers)
