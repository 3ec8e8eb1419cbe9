from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pytest
from nanotexture.engine import progress
from nanotexture.engine.cluster import Connection
from nanotexture.engine.progress import Lines, Terminal, progress_on
from nanotexture.engine.run import run
from nanotexture.engine.selftest import Incident, Number, befallen, empty
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Task
from nanotexture.errors import InputError
from rich.console import Console


class Recorded:
    def __init__(self) -> None:
        self.events: list[object] = []

    def begin(self, totals: Mapping[str, int], reused: int) -> None:
        self.events.append((dict(totals), reused))

    def advance(self, stage: str) -> None:
        self.events.append(stage)

    def end(self) -> None:
        self.events.append("end")


def test_a_run_reports_totals_reuse_and_each_task(in_process: Connection, store: ArtefactStore) -> None:
    run([Task(empty, Number(value=0))], store, in_process)
    recorded = Recorded()
    run([Task(empty, Number(value=n)) for n in range(3)], store, in_process, recorded)
    assert recorded.events == [({"empty": 2}, 1), "empty", "empty", "end"]


def test_the_end_is_told_after_an_error(in_process: Connection, store: ArtefactStore, tmp_path: Path) -> None:
    recorded = Recorded()
    config = Incident(attempts=tmp_path / "attempts", kind="refuse")
    with pytest.raises(InputError):
        run([Task(befallen, config, (Task(empty, Number()),))], store, in_process, recorded)
    assert recorded.events[-1] == "end"


def test_lines_come_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, *(0.25 * n for n in range(1, 9)), 2.5])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    stream = io.StringIO()
    lines = Lines(stream)
    lines.begin({"map": 4, "fit": 16}, 3)
    for stage in ("map",) * 4 + ("fit",) * 4:
        lines.advance(stage)
    lines.end()
    assert stream.getvalue().splitlines() == [
        "20 tasks to compute, 3 reused",
        "map 4/4, 4/20 in all, about 4 s left",
        "fit 4/16, 8/20 in all, about 3 s left",
        "8 tasks computed in 2.5 s",
    ]


def test_a_terminal_shows_each_stage_and_the_whole() -> None:
    stream = io.StringIO()
    bars = Terminal(Console(file=stream, force_terminal=True, width=100))
    bars.begin({"map": 2, "fit": 1}, 3)
    for stage in ("map", "map", "fit"):
        bars.advance(stage)
    bars.end()
    for text in ("map", "2/2", "fit", "1/1", "all (3 reused)", "3/3"):
        assert text in stream.getvalue()


def test_a_stream_that_is_no_terminal_gets_lines() -> None:
    assert isinstance(progress_on(io.StringIO()), Lines)
