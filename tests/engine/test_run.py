from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from nanotexture.engine.cluster import ClusterSettings, Connection, connect
from nanotexture.engine.durable import read_files
from nanotexture.engine.run import StageError, plan, run
from nanotexture.engine.selftest import (
    Incident,
    Nothing,
    Number,
    befallen,
    empty,
    numbers_of_file,
    total,
    waves,
)
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Source, Task
from nanotexture.errors import InputError


def series(file: Path, values: tuple[float, ...] = (1, 2, 3)) -> Task:
    """One source, a wave for each value, their sum."""
    start = Task(numbers_of_file, Nothing(), (Source(file),))
    return Task(total, Nothing(), (tuple(Task(waves, Number(value=v), (start,)) for v in values),))


def incident(tmp_path: Path, kind: str, label: str = "", seconds: float = 0.0) -> Task:
    """A task that something befalls, and a count of its attempts in a file named by its label."""
    config = Incident(attempts=tmp_path / f"attempts{label}", kind=kind, seconds=seconds)
    return Task(befallen, config, (Task(empty, Number()),), label)


def stages(names: tuple[str, ...]) -> list[str]:
    return sorted(name.partition("-")[0] for name in names)


def bytes_of(store: ArtefactStore, task: Task) -> Mapping[str, bytes]:
    return read_files(store.path(task.name) / "data.zarr")


def everything(store: ArtefactStore) -> Mapping[str, Mapping[str, bytes]]:
    """Data of all artefacts of a store."""
    return {p.name: read_files(p / "data.zarr") for p in store.root.iterdir() if not p.name.startswith(".")}


@pytest.fixture(params=["workers", "in_process"])
def connection(request: pytest.FixtureRequest) -> Connection:
    found: Connection = request.getfixturevalue(request.param)
    return found


def test_a_second_run_reuses_every_task(connection: Connection, store: ArtefactStore, file: Path) -> None:
    first = run([series(file)], store, connection)
    assert stages(first.computed) == ["numbers_of_file", "total", "waves", "waves", "waves"]
    second = run([series(file)], store, connection)
    assert (second.computed, len(second.reused)) == ((), 5)
    assert first.paths == second.paths == {series(file): store.path(series(file).name)}


def test_one_more_leaf_computes_only_itself_and_what_depends_on_it(
    connection: Connection, store: ArtefactStore, file: Path
) -> None:
    run([series(file)], store, connection)
    report = run([series(file, (1, 2, 3, 4))], store, connection)
    assert stages(report.computed) == ["total", "waves"]
    assert stages(report.reused) == ["numbers_of_file", "waves", "waves", "waves"]


def test_edited_bytes_compute_everything_anew(
    in_process: Connection, store: ArtefactStore, file: Path
) -> None:
    run([series(file)], store, in_process)
    file.write_bytes(b"other bytes")
    assert len(run([series(file)], store, in_process).computed) == 5


def test_the_ancestors_of_a_finished_task_are_not_missed(
    in_process: Connection, store: ArtefactStore, file: Path
) -> None:
    task = series(file)
    run([task], store, in_process)
    for before in task.upstream:
        shutil.rmtree(store.path(before.name))
    assert plan([task], store).missing == ()
    assert run([task], store, in_process).computed == ()


def test_a_plan_lists_every_task_after_its_inputs_and_computes_nothing(
    store: ArtefactStore, file: Path
) -> None:
    work = plan([series(file), series(file, (1,))], store)
    assert [t.stage.name for t in work.tasks] == [
        "numbers_of_file",
        "waves",
        "waves",
        "waves",
        "total",
        "total",
    ]
    assert work.missing == work.tasks
    assert everything(store) == {}


def test_workers_and_this_process_write_the_same_bytes(
    workers: Connection, in_process: Connection, tmp_path: Path, file: Path
) -> None:
    stores = [ArtefactStore(tmp_path / name) for name in ("one", "two")]
    for store, connection in zip(stores, (workers, in_process), strict=True):
        run([series(file)], store, connection)
    assert everything(stores[0]) == everything(stores[1]) != {}


def test_an_artefact_names_its_config_inputs_versions_and_label(
    in_process: Connection, store: ArtefactStore
) -> None:
    task = Task(waves, Number(value=7), (Task(empty, Number()),), "seventh")
    run([task], store, in_process)
    manifest = store.manifest(task.name)
    assert manifest.identity["config"] == {"value": 7.0}
    assert manifest.identity["inputs"] == [{"artefact": Task(empty, Number()).name}]
    assert "numpy" in manifest.identity["versions"]  # type: ignore[operator]
    assert (manifest.label, manifest.seconds > 0) == ("seventh", True)


def test_a_user_error_arrives_as_it_was_raised_after_one_attempt(
    connection: Connection, store: ArtefactStore, tmp_path: Path
) -> None:
    task = Task(total, Nothing(), ((incident(tmp_path, "refuse"),),))
    with pytest.raises(InputError) as caught:
        run([task], store, connection)
    expected = InputError("a.nxs", "/entry/data", "counts", "counts per second")
    assert (type(caught.value), caught.value.args) == (type(expected), expected.args)
    assert str(caught.value) == str(expected)
    assert (tmp_path / "attempts").stat().st_size == 1
    assert [name.partition("-")[0] for name in everything(store)] == ["empty"]


def test_a_user_error_cancels_the_work_that_remains(
    workers: Connection, store: ArtefactStore, tmp_path: Path
) -> None:
    others = [incident(tmp_path, "wait", f"-{n}", 0.3) for n in range(20)]
    with pytest.raises(InputError):
        run([incident(tmp_path, "refuse"), *others], store, workers)
    assert len(list(tmp_path.glob("attempts-*"))) < 10


@pytest.mark.parametrize(("name", "attempts"), [("workers", 3), ("in_process", 1)])
def test_another_error_names_stage_and_label_after_retries(
    request: pytest.FixtureRequest, store: ArtefactStore, tmp_path: Path, name: str, attempts: int
) -> None:
    with pytest.raises(
        StageError, match=r"stage befallen \(one\) failed: ArithmeticError: no such"
    ) as caught:
        run([incident(tmp_path, "crash", "one")], store, request.getfixturevalue(name))
    assert isinstance(caught.value.__cause__, ArithmeticError)
    assert (tmp_path / "attemptsone").stat().st_size == attempts


def test_a_worker_killed_in_a_task_costs_nothing_but_the_attempt(
    workers: Connection, in_process: Connection, tmp_path: Path
) -> None:
    tasks = [incident(tmp_path, "kill", "-k"), incident(tmp_path, "wait", "-w", 0.2)]
    stores = [ArtefactStore(tmp_path / name) for name in ("one", "two")]
    report = run(tasks, stores[0], workers)
    assert stages(report.computed) == ["befallen", "befallen", "empty"]
    assert (tmp_path / "attempts-k").stat().st_size == 2
    run(tasks, stores[1], in_process)
    assert everything(stores[0]) == everything(stores[1])


def test_a_source_edited_while_the_run_reads_it_is_refused(
    in_process: Connection, store: ArtefactStore, file: Path
) -> None:
    task = Task(numbers_of_file, Nothing(), (Source(file),))
    _ = task.key
    file.write_bytes(b"edited")
    with pytest.raises(InputError, match="as it was when the run began, found a changed file"):
        run([task], store, in_process)
    assert not store.has(task.name)


def test_a_finished_run_needs_no_cluster(in_process: Connection, store: ArtefactStore, file: Path) -> None:
    run([series(file)], store, in_process)
    with connect(ClusterSettings(scheduler="tcp://127.0.0.1:1")) as nobody:
        assert run([series(file)], store, nobody).computed == ()
