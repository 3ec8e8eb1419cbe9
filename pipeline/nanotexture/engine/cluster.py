"""Connection to workers: a scheduler, SLURM, this machine or this process; the run sees no difference."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Protocol

import dask
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster, as_completed
from pydantic import BaseModel, ConfigDict, PositiveInt

from nanotexture.engine.execute import execute
from nanotexture.engine.order import Order, Outcome
from nanotexture.engine.threads import ONE_THREAD_FROM_START, SingleThread, single_threaded
from nanotexture.errors import UserError

RETRIES = 2
_CONFIG = {
    # Without Dask's MALLOC_TRIM_THRESHOLD_=65536: it hands every freed tensor back to the kernel, 2.8 times the time.
    "distributed.nanny.pre-spawn-environ": ONE_THREAD_FROM_START,
    "distributed.worker.multiprocessing-method": "spawn",  # fork after an OpenMP call deadlocks
    # Results live on disk: nothing to spill; a worker paused by memory it cannot return would wait for ever.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    # C code that holds the GIL (xrayutilities) may keep a healthy worker from answering for over 5 minutes.
    "distributed.scheduler.worker-ttl": None,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
# an HTTP server starts whatever one says: give it no pages, and a free port of the loopback address
_NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}


class SlurmSettings(BaseModel):
    """One job for each worker; what is None comes from dask-jobqueue's own configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory: str = "4 GB"
    walltime: str | None = None
    queue: str | None = None
    account: str | None = None
    directives: tuple[str, ...] = ()


class ClusterSettings(BaseModel):
    """Where tasks run: a scheduler's address or file, else what `cluster` names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster: Literal["local", "none", "slurm"] = "local"
    scheduler: str | None = None
    scheduler_file: Path | None = None
    workers: PositiveInt | None = None
    gpu: bool = False  # each local worker takes one GPU task at a time
    slurm: SlurmSettings = SlurmSettings()
    timeout: float = 30.0


class Connection(Protocol):
    """Takes orders, each after those that it needs, and yields outcomes as they come."""

    def outcomes(self, orders: Sequence[Order]) -> Generator[Outcome, None, None]:
        """One outcome for each order; orders still open are cancelled when the iterator is closed."""
        ...


class InProcess:
    """Orders one after the other in this process: for debugging."""

    def outcomes(self, orders: Sequence[Order]) -> Generator[Outcome, None, None]:
        """See Connection; an error is an outcome at once, without retries."""
        with single_threaded():
            for order in orders:
                yield _attempt(order)


class Workers:
    """Orders as futures of dask.distributed; the cluster starts with the first of them."""

    def __init__(self, settings: ClusterSettings, stack: ExitStack) -> None:
        self._settings, self._stack = settings, stack
        self._client: Client | None = None

    def client(self) -> Client:
        """The client, started when first asked for: a run that is finished already needs no cluster."""
        if self._client is None:
            self._client = self._stack.enter_context(_client(self._settings))
        return self._client

    def outcomes(self, orders: Sequence[Order]) -> Generator[Outcome, None, None]:
        """See Connection; errors other than UserError are outcomes after retries."""
        if not orders:
            return
        client = self.client()
        resources = {"GPU": 1} if _offers_gpu(client) else None
        futures: dict[str, Any] = {}
        for position, order in enumerate(orders):
            needs = [futures[name] for name in order.needs]
            wanted = resources if order.gpu else None
            futures[order.name] = client.submit(
                execute,
                order,
                *needs,
                key=_dask_key(order),
                retries=RETRIES,
                resources=wanted,
                priority=-position,  # first come, first served: chains are followed to their end
            )
        try:
            names = {future.key: name for name, future in futures.items()}
            for future in as_completed(futures.values(), loop=client.loop):
                yield _outcome(names[future.key], future)
        finally:
            client.cancel([future for future in futures.values() if not future.done()])


@contextmanager
def connect(settings: ClusterSettings) -> Iterator[Connection]:
    """A connection for the block; UserError, from its first use, if there is no reaching the cluster."""
    if settings.cluster == "none" and not (settings.scheduler or settings.scheduler_file):
        yield InProcess()
        return
    with ExitStack() as stack:
        yield Workers(settings, stack)


def _attempt(order: Order) -> Outcome:
    try:
        return execute(order)
    except Exception as error:  # any defect of a stage is reported with its name by the run
        return Outcome(order.name, crash=error)


def _outcome(name: str, future: Any) -> Outcome:
    if future.status == "finished":
        outcome: Outcome = future.result()
        return outcome
    if future.status == "error":
        return Outcome(name, crash=future.exception())
    return Outcome(name, crash=ConnectionError("the scheduler gave the task up or is gone"))


def _dask_key(order: Order) -> str:
    """Two runs on one scheduler may write to different stores, so the key of a future names the store."""
    return f"{order.name}-{dask.base.tokenize(order.store)[:8]}"


def _offers_gpu(client: Client) -> bool:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return any(worker.get("resources", {}).get("GPU") for worker in workers)


@contextmanager
def _client(settings: ClusterSettings) -> Iterator[Client]:
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(_CONFIG))
        address: Any = _address(settings)
        if address is None:
            address = (_slurm_cluster if settings.cluster == "slurm" else _local_cluster)(settings, stack)
        client = stack.enter_context(_connected(address, settings.timeout))
        client.register_plugin(SingleThread())
        yield client


def _address(settings: ClusterSettings) -> str | None:
    """Address of an existing scheduler, if one is named; UserError if its file cannot be read."""
    if settings.scheduler_file is None:
        return settings.scheduler
    try:
        return str(json.loads(settings.scheduler_file.read_text())["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        wanted = "expected a file written by a dask scheduler"
        raise UserError(f"--scheduler-file {settings.scheduler_file}: {wanted}, found {error!r}") from error


def _connected(address: Any, timeout: float) -> Client:
    try:
        return Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"--scheduler {address}: expected a dask scheduler that answers, found {error}"
        ) from error


def _local_cluster(settings: ClusterSettings, stack: ExitStack) -> LocalCluster:
    cluster = LocalCluster(
        n_workers=settings.workers or CPU_COUNT,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs=_NO_DASHBOARD,
        silence_logs=logging.CRITICAL,
        resources={"GPU": 1} if settings.gpu else {},
    )
    return stack.enter_context(cluster)


def _slurm_cluster(settings: ClusterSettings, stack: ExitStack) -> Any:
    if shutil.which("sbatch") is None:
        raise UserError("--cluster slurm: expected the command sbatch on the PATH, found none")
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise UserError(f"--cluster slurm: expected the package dask-jobqueue, found {error}") from error
    with _slurm_errors():
        cluster = SLURMCluster(**_slurm_arguments(settings.slurm))
        stack.callback(_close_slurm, cluster)
        # what scale() does, but waiting, so that a refused job is an error here and not a line in a log
        for _ in range(settings.workers or 1):
            cluster.worker_spec.update(cluster.new_worker_spec())
        cluster.sync(_started, cluster)
    return cluster


@contextmanager
def _slurm_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"--cluster slurm: expected jobs that start, found {error}") from error


def _close_slurm(cluster: Any) -> None:
    with suppress(
        AssertionError
    ):  # dask asserts, at the very end of close(), that every job had been submitted
        cluster.close()


async def _started(cluster: Any) -> None:
    await cluster


def _slurm_arguments(slurm: SlurmSettings) -> dict[str, Any]:
    return {
        "cores": 1,
        "processes": 1,
        "memory": slurm.memory,
        "walltime": slurm.walltime,
        "queue": slurm.queue,
        "account": slurm.account,
        "job_extra_directives": list(slurm.directives),
        "job_script_prologue": [f"export {name}={value}" for name, value in ONE_THREAD_FROM_START.items()],
        "silence_logs": logging.CRITICAL,
        "scheduler_options": _NO_DASHBOARD,
    }
