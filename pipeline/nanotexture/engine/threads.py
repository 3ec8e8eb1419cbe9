"""One thread for each process: libraries that split a sum over threads must not decide its last digits."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from distributed.diagnostics.plugin import WorkerPlugin
from threadpoolctl import threadpool_limits

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ),
    "1",
)
# numba reads its variable again at each compilation and refuses a change once its threads run
ONE_THREAD_FROM_START = ONE_THREAD | {"NUMBA_NUM_THREADS": "1"}


class SingleThread(WorkerPlugin):
    """Limits a worker that somebody else started; ours start with the environment set."""

    name = "nanotexture-single-thread"

    def setup(self, worker: Any) -> None:
        """Called by the worker before its first task."""
        os.environ.update(ONE_THREAD if "numba" in sys.modules else ONE_THREAD_FROM_START)
        threadpool_limits(1)
        for set_threads, _ in _loaded_pools():
            set_threads(1)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Limit this process to one thread within the block, and restore what was."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(1))
        for set_threads, count in _loaded_pools():
            stack.callback(set_threads, count)
            set_threads(1)
        stack.callback(_restore_environment, before)
        os.environ.update(ONE_THREAD)  # for libraries imported within the block
        yield


def _restore_environment(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _loaded_pools() -> list[tuple[Any, int]]:
    """Setter and present count of libraries with pools of their own, if they are loaded."""
    found = [sys.modules[name] for name in ("torch", "numba") if name in sys.modules]
    return [(m.set_num_threads, m.get_num_threads()) for m in found if hasattr(m, "set_num_threads")]
