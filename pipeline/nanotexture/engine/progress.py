"""Progress of a run, on stderr: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

_SECONDS_BETWEEN_LINES = 1.0


class Progress(Protocol):
    """Told how a run goes on."""

    def begin(self, totals: Mapping[str, int], reused: int) -> None:
        """Tasks to compute by stage, and how many are there already."""
        ...

    def advance(self, stage: str) -> None:
        """One task of a stage has finished."""
        ...

    def end(self) -> None:
        """Nothing more will come."""
        ...


class Silent:
    """Shows nothing."""

    def begin(self, totals: Mapping[str, int], reused: int) -> None:
        """See Progress."""

    def advance(self, stage: str) -> None:
        """See Progress."""

    def end(self) -> None:
        """See Progress."""


class Lines:
    """One line of text, not more often than once a second, and one when a run begins and ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._done: Counter[str] = Counter()
        self._totals: dict[str, int] = {}
        self._begun = self._written = 0.0

    def begin(self, totals: Mapping[str, int], reused: int) -> None:
        """See Progress."""
        self._done, self._totals = Counter(), dict(totals)
        self._begun = self._written = time.monotonic()
        self._write(f"{sum(totals.values())} tasks to compute, {reused} reused")

    def advance(self, stage: str) -> None:
        """See Progress."""
        self._done[stage] += 1
        now = time.monotonic()
        if now - self._written >= _SECONDS_BETWEEN_LINES:
            self._written = now
            self._write(f"{stage} {self._done[stage]}/{self._totals[stage]}, {self._overall(now)}")

    def end(self) -> None:
        """See Progress."""
        now = time.monotonic()
        self._write(f"{self._done.total()} tasks computed in {now - self._begun:.1f} s")

    def _overall(self, now: float) -> str:
        done, total = self._done.total(), sum(self._totals.values())
        left = (now - self._begun) / done * (total - done)
        return f"{done}/{total} in all, about {left:.0f} s left"

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


class Terminal:
    """One bar for each stage and one for the run."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bars = Bars(*columns, console=console)
        self._rows = {"": self._bars.add_task("all", visible=False)}

    def begin(self, totals: Mapping[str, int], reused: int) -> None:
        """See Progress."""
        self._rows |= {stage: self._bars.add_task(stage, total=n) for stage, n in totals.items()}
        all_text = f"all ({reused} reused)"
        self._bars.update(
            self._rows[""], description=all_text, total=sum(totals.values()), completed=0, visible=True
        )
        self._bars.start()

    def advance(self, stage: str) -> None:
        """See Progress."""
        for row in (stage, ""):
            self._bars.advance(self._rows[row])

    def end(self) -> None:
        """See Progress."""
        self._bars.stop()


def progress_on(stream: TextIO = sys.stderr) -> Progress:
    """Bars if the stream is a terminal, lines otherwise."""
    return Terminal(Console(file=stream)) if stream.isatty() else Lines(stream)
