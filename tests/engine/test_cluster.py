from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import psutil
import pytest
from nanotexture.engine.cluster import ClusterSettings, Connection, SlurmSettings, Workers, connect
from nanotexture.engine.run import run
from nanotexture.engine.selftest import Number, empty, threads
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Task
from nanotexture.errors import UserError

SBATCH = """#!/bin/sh
cp "$1" {folder}/job.sh
PATH=/usr/bin:/bin setsid sh {folder}/job.sh > {folder}/log 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
echo "$1" >> {folder}/cancelled
kill -- -"$1" 2> /dev/null
true
"""


def test_workers_run_one_thread_each(workers: Connection, store: ArtefactStore) -> None:
    task = Task(threads, Number())
    run([task], store, workers)
    found = store.get(task.name)
    assert set(found["limits"].values) == {"1"}
    assert set(found["pools"].values) == {1}


def test_an_existing_scheduler_is_used_by_address_and_by_file(workers: Connection, tmp_path: Path) -> None:
    assert isinstance(workers, Workers)
    address = workers.client().scheduler.address
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": address}))
    for n, settings in enumerate((ClusterSettings(scheduler=address), ClusterSettings(scheduler_file=file))):
        with connect(settings) as connection:
            report = run([Task(empty, Number(value=n))], ArtefactStore(tmp_path / "store"), connection)
            assert len(report.computed) == 1


def test_two_stores_on_one_scheduler_both_get_the_artefact(workers: Connection, tmp_path: Path) -> None:
    for name in ("one", "two"):
        store = ArtefactStore(tmp_path / name)
        run([Task(empty, Number(value=12))], store, workers)
        assert store.has(Task(empty, Number(value=12)).name)


def test_a_local_cluster_listens_on_the_loopback_address_only(workers: Connection) -> None:
    assert isinstance(workers, Workers)
    workers.client()
    own = psutil.Process()
    processes = [own, *own.children(recursive=True)]
    listening = [c.laddr.ip for p in processes for c in p.net_connections() if c.status == "LISTEN"]
    assert set(listening) == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ClusterSettings(scheduler="tcp://127.0.0.1:1", timeout=0.5),
            "expected a dask scheduler that answers",
        ),
        (ClusterSettings(scheduler="nonsense://x", timeout=0.5), "expected a dask scheduler that answers"),
        (ClusterSettings(scheduler_file=Path("gone.json")), "--scheduler-file gone.json: expected a file"),
        (ClusterSettings(cluster="slurm"), "expected the command sbatch on the PATH"),
    ],
)
def test_a_cluster_that_cannot_be_had_is_the_users_to_mend(
    settings: ClusterSettings, message: str, store: ArtefactStore
) -> None:
    with pytest.raises(UserError, match=message), connect(settings) as connection:
        run([Task(empty, Number())], store, connection)


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with sbatch and scancel that run the job's script here."""
    for name, script in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        path = tmp_path / name
        path.write_text(script.format(folder=tmp_path))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_slurm_jobs_compute_tasks_and_are_cancelled_afterwards(slurm: Path, store: ArtefactStore) -> None:
    settings = ClusterSettings(
        cluster="slurm", workers=1, slurm=SlurmSettings(memory="1 GB", queue="short", walltime="00:10:00")
    )
    with connect(settings) as connection:
        task = Task(threads, Number())
        run([task], store, connection)
        assert set(store.get(task.name)["pools"].values) == {1}
    job = (slurm / "job.sh").read_text()
    assert "#SBATCH -p short" in job
    assert "export OMP_NUM_THREADS=1" in job
    assert (slurm / "cancelled").exists()


def test_a_refused_slurm_job_is_the_users_to_mend(slurm: Path, store: ArtefactStore) -> None:
    (slurm / "sbatch").write_text("#!/bin/sh\necho 'invalid account' >&2\nexit 1\n")
    settings = ClusterSettings(cluster="slurm", workers=1)
    with (
        pytest.raises(UserError, match=r"(?s)--cluster slurm.*invalid account"),
        connect(settings) as connection,
    ):
        run([Task(empty, Number())], store, connection)
