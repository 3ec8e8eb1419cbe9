from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from nanotexture.engine.cluster import Connection
from nanotexture.engine.durable import read_files
from nanotexture.engine.run import run
from nanotexture.engine.selftest import (
    FREE_ATTEMPTS,
    Incident,
    Nothing,
    Number,
    befallen,
    empty,
    held_by,
    total,
    waves,
)
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Task

PARTS = 8
LONG = 240.0  # seconds after which it hangs; what is waited for comes as soon as it can
CLIENT = """
import importlib.util, sys
from pathlib import Path
from nanotexture.engine.cluster import ClusterSettings, connect
from nanotexture.engine.run import run
from nanotexture.engine.store import ArtefactStore
if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location("this_test", sys.argv[1])
    this_test = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(this_test)
    with connect(ClusterSettings(workers=2)) as connection:
        run([this_test.slow(Path(sys.argv[2]))], ArtefactStore(Path(sys.argv[2]) / "store"), connection)
"""


def slow(folder: Path) -> Task:
    """Eight tasks, two of which pass while the others are held, and their sum."""
    start = Task(empty, Number())
    parts = []
    for n in range(PARTS):
        config = Incident(attempts=folder / "attempts", kind="hold")
        parts.append(Task(befallen, config, (Task(waves, Number(value=n), (start,)),)))
    return Task(total, Nothing(), (tuple(parts),))


def wait_for(condition, seconds: float) -> bool:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def client(tmp_path: Path) -> psutil.Popen:
    """A client in a process of its own, held in the middle of its run however slow the machine is."""
    held_by(tmp_path / "attempts").touch()
    script = tmp_path / "client.py"
    script.write_text(CLIENT)
    process = psutil.Popen([sys.executable, str(script), __file__, str(tmp_path)], stderr=subprocess.DEVNULL)
    store = tmp_path / "store"
    assert wait_for(lambda: len(list(store.glob("befallen-*"))) >= 2 or process.poll() is not None, LONG)
    return process


def test_a_killed_client_leaves_no_workers_and_the_next_run_continues(
    client: psutil.Popen, workers: Connection, in_process: Connection, tmp_path: Path
) -> None:
    children = client.children(recursive=True)
    assert len(children) >= 2
    client.kill()
    client.wait()
    _, alive = psutil.wait_procs(children, timeout=LONG)
    assert alive == []
    held_by(tmp_path / "attempts").unlink()

    store, other, task = ArtefactStore(tmp_path / "store"), ArtefactStore(tmp_path / "other"), slow(tmp_path)
    finished = {path.name for path in store.root.glob("*-*")}
    report = run([task], store, workers)
    assert set(report.reused) == finished
    assert len(report.computed) == 2 * PARTS + 2 - len(finished)
    assert sum(name.startswith("befallen") for name in finished) == FREE_ATTEMPTS
    assert not list((store.root / ".unfinished").iterdir())

    run([task], other, in_process)
    for name in (*report.computed, *report.reused):
        assert read_files(store.path(name) / "data.zarr") == read_files(other.path(name) / "data.zarr")
