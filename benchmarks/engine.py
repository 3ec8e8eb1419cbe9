"""Overhead of the engine: milliseconds per empty task, on workers and in this process."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nanotexture.engine.cluster import ClusterSettings, Connection, connect
from nanotexture.engine.run import order_of, run
from nanotexture.engine.selftest import Number, empty
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Task

TASKS = 200


def tasks(count: int, offset: int) -> list[Task]:
    """Empty tasks that differ in one number."""
    return [Task(empty, Number(value=offset + n)) for n in range(count)]


@contextmanager
def warm(settings: ClusterSettings) -> Iterator[Connection]:
    """A connection whose workers have imported what the stage needs."""
    with connect(settings) as connection, tempfile.TemporaryDirectory() as folder:
        run(tasks(4, -10), ArtefactStore(Path(folder)), connection)
        yield connection


def computed_and_reused(connection: Connection) -> tuple[float, float]:
    """Milliseconds per task for a first and a second run."""
    with tempfile.TemporaryDirectory() as folder:
        store = ArtefactStore(Path(folder))
        first, second = (run(tasks(TASKS, 0), store, connection) for _ in range(2))
        assert len(first.computed) == len(second.reused) == TASKS
        return 1e3 * first.seconds / TASKS, 1e3 * second.seconds / TASKS


def transport(connection: Connection) -> float:
    """Milliseconds per task where the worker finds the artefact: scheduling without computing or writing."""
    with tempfile.TemporaryDirectory() as folder:
        store = ArtefactStore(Path(folder))
        work = tasks(TASKS, 0)
        run(work, store, connection)
        orders = [order_of(task, store, {}) for task in work]
        begun = time.perf_counter()
        outcomes = list(connection.outcomes(orders))
        assert all(outcome.reused for outcome in outcomes)
        return 1e3 * (time.perf_counter() - begun) / TASKS


def rows() -> Iterator[tuple[str, float]]:
    """Name and milliseconds per task of each measurement."""
    for name, settings in (
        ("2 worker processes", ClusterSettings(workers=2)),
        ("this process", ClusterSettings(cluster="none")),
    ):
        with warm(settings) as connection:
            computed, reused = computed_and_reused(connection)
            yield f"{name}: compute and write the artefact", computed
            yield f"{name}: scheduling only, nothing written", transport(connection)
            yield f"{name}: finished before, not scheduled", reused


def main() -> None:
    """Print the table."""
    sys.stdout.write(f"{TASKS} empty tasks{'':40}ms per task\n")
    for name, milliseconds in rows():
        sys.stdout.write(f"{name:<52}{milliseconds:>10.2f}\n")


if __name__ == "__main__":
    main()
