from __future__ import annotations

import os

import pytest
import torch
from nanotexture.engine.cluster import Connection
from nanotexture.engine.run import run
from nanotexture.engine.selftest import Number, threads
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Task
from nanotexture.engine.threads import single_threaded
from threadpoolctl import threadpool_info


def pools() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info()]


def test_this_process_is_limited_within_a_run_and_restored_after(
    in_process: Connection, store: ArtefactStore
) -> None:
    torch.set_num_threads(2)
    before = pools(), dict(os.environ), torch.get_num_threads()
    task = Task(threads, Number())
    run([task], store, in_process)
    assert set(store.get(task.name)["pools"].values) == {1}
    assert (pools(), dict(os.environ), torch.get_num_threads()) == before


def test_limits_are_restored_after_an_error() -> None:
    torch.set_num_threads(2)
    with pytest.raises(ArithmeticError), single_threaded():
        raise ArithmeticError(torch.get_num_threads())
    assert torch.get_num_threads() == 2
