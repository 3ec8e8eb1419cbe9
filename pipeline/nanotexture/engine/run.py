"""A run: the tasks that are not in the store yet, each after its inputs, and what came of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nanotexture.engine.order import ArtefactInput, FileInput, Order, OrderInput, Outcome
from nanotexture.engine.progress import Progress, Silent
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Source, Task, TaskInput

if TYPE_CHECKING:
    from nanotexture.engine.cluster import Connection  # brings dask.distributed, which planning needs not


class StageError(Exception):
    """A stage failed with something other than a UserError; names the stage and the task's label."""


@dataclass(frozen=True)
class Plan:
    """All tasks of a run, each after its inputs, and those that must be computed."""

    tasks: tuple[Task, ...]
    missing: tuple[Task, ...]


@dataclass(frozen=True)
class Report:
    """What a run did: paths of the tasks asked for, names of those not in the store before, and the rest."""

    paths: Mapping[Task, Path]
    computed: tuple[str, ...]
    reused: tuple[str, ...]
    seconds: float


def plan(tasks: Iterable[Task], store: ArtefactStore) -> Plan:
    """What a run would do; a task whose artefact is there needs none of its inputs."""
    wanted = tuple(tasks)
    return Plan(tuple(_sorted(wanted)), tuple(_missing(wanted, store)))


def run(
    tasks: Iterable[Task], store: ArtefactStore, connection: Connection, progress: Progress | None = None
) -> Report:
    """Have every task's artefact in the store; raises a stage's UserError as it is, else StageError."""
    begun = time.perf_counter()
    wanted = tuple(tasks)
    store.prepare()
    work = plan(wanted, store)
    computed = set(_finished(work, store, connection, progress or Silent()))
    store.prepare()  # what a worker killed in this run left half written
    names = [task.name for task in work.tasks]
    return Report(
        paths={task: store.path(task.name) for task in wanted},
        computed=tuple(name for name in names if name in computed),
        reused=tuple(name for name in names if name not in computed),
        seconds=time.perf_counter() - begun,
    )


def _finished(work: Plan, store: ArtefactStore, connection: Connection, progress: Progress) -> Iterator[str]:
    """Names of the tasks computed now, as they finish."""
    missing = {task.name: task for task in work.missing}
    orders = [order_of(task, store, missing) for task in missing.values()]
    progress.begin(Counter(task.stage.name for task in missing.values()), len(work.tasks) - len(missing))
    try:
        # closing cancels what is still open when a task was refused, failed, or the user pressed Ctrl-C
        with closing(connection.outcomes(orders)) as outcomes:
            for outcome in outcomes:
                task = missing[outcome.name]
                _raise_failure(task, outcome)
                progress.advance(task.stage.name)
                # even if outcome.reused: the attempt after a killed worker's finds its artefact in the store
                yield outcome.name
    finally:
        progress.end()


def _raise_failure(task: Task, outcome: Outcome) -> None:
    if outcome.refusal is not None:
        raise outcome.refusal
    if outcome.crash is not None:
        label = f" ({task.label})" if task.label else ""
        cause = f"{type(outcome.crash).__name__}: {outcome.crash}"
        raise StageError(f"stage {task.stage.name}{label} failed: {cause}") from outcome.crash


def _sorted(wanted: Iterable[Task]) -> Iterator[Task]:
    """Every task once, after its inputs."""
    seen: set[str] = set()

    def visit(task: Task) -> Iterator[Task]:
        if task.name not in seen:
            seen.add(task.name)
            for before in task.upstream:
                yield from visit(before)
            yield task

    for task in wanted:
        yield from visit(task)


def _missing(wanted: Iterable[Task], store: ArtefactStore) -> Iterator[Task]:
    seen: set[str] = set()

    def visit(task: Task) -> Iterator[Task]:
        if task.name not in seen:
            seen.add(task.name)
            if not store.has(task.name):
                for before in task.upstream:
                    yield from visit(before)
                yield task

    for task in wanted:
        yield from visit(task)


def order_of(task: Task, store: ArtefactStore, missing: Mapping[str, Task]) -> Order:
    return Order(
        name=task.name,
        location=task.stage.location,
        identity=task.identity,
        inputs=tuple(_order_input(value) for value in task.inputs),
        store=str(store.root.absolute()),
        label=task.label,
        gpu=task.stage.gpu,
        needs=tuple(dict.fromkeys(before.name for before in task.upstream if before.name in missing)),
    )


def _order_input(value: TaskInput) -> OrderInput:
    if isinstance(value, tuple):
        return tuple(_order_leaf(leaf) for leaf in value)
    return _order_leaf(value)


def _order_leaf(leaf: Task | Source) -> FileInput | ArtefactInput:
    if isinstance(leaf, Source):
        return FileInput(leaf.state, leaf.companion_states)
    return ArtefactInput(leaf.name)
