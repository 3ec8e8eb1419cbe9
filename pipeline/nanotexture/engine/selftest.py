"""Tiny but genuine stages: the engine is tested and timed with them, wherever its workers are."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import xarray as xr
from pydantic import BaseModel, ConfigDict
from threadpoolctl import threadpool_info

from nanotexture.engine.stage import stage
from nanotexture.engine.threads import ONE_THREAD
from nanotexture.errors import InputError

FREE_ATTEMPTS = 2  # that nothing holds


class Nothing(BaseModel):
    """No settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Number(BaseModel):
    """One number, so that tasks differ."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float = 0.0


class Incident(BaseModel):
    """Something that befalls a task; attempts are counted in a file, one byte each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: Path
    kind: str  # "kill" once, "refuse" always, "crash" always, "wait" for `seconds`, "hold" all but the first two attempts
    seconds: float = 0.0


@stage()
def empty(*, config: Number) -> xr.Dataset:
    """One number."""
    return xr.Dataset({"value": ((), config.value)})


@stage()
def numbers_of_file(file: Path, *, config: Nothing) -> xr.Dataset:
    """Bytes of a file as numbers."""
    return xr.Dataset({"value": ("index", np.frombuffer(file.read_bytes(), dtype="u1").astype(float))})


@stage()
def waves(start: xr.Dataset, *, config: Number) -> xr.Dataset:
    """A sum and a matrix product whose last digits depend on the number of threads."""
    seed = int(start["value"].sum()) + int(config.value)
    matrix = np.random.default_rng(seed).normal(size=(200, 200))
    return xr.Dataset({"value": ("index", np.fft.rfft(matrix @ matrix.T).real.sum(axis=1))})


@stage()
def total(parts: list[xr.Dataset], *, config: Nothing) -> xr.Dataset:
    """Sum over the parts."""
    return xr.Dataset({"value": ((), sum(float(part["value"].sum()) for part in parts))})


@stage()
def threads(*, config: Number) -> xr.Dataset:
    """Threads that the numerical libraries of the process would use, and what its environment says."""
    np.ones((4, 4)) @ np.ones((4, 4))
    pools = [pool["num_threads"] for pool in threadpool_info()]
    limits = [os.environ.get(name, "") for name in ONE_THREAD]
    return xr.Dataset({"pools": ("pool", pools), "limits": ("name", np.array(limits, dtype=object))})


@stage()
def befallen(start: xr.Dataset, *, config: Incident) -> xr.Dataset:
    """Its input, if the incident lets it; InputError if it is to refuse."""
    _happen(config, _count(config.attempts))
    return start


def _count(attempts: Path) -> int:
    with attempts.open("ab") as stream:
        stream.write(b"x")
    return attempts.stat().st_size


def _happen(config: Incident, attempt: int) -> None:
    if config.kind == "kill" and attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    elif config.kind == "refuse":
        raise InputError("a.nxs", "/entry/data", "counts", "counts per second")
    elif config.kind == "crash":
        raise ArithmeticError("no such number")
    elif config.kind == "wait":
        time.sleep(config.seconds)
    elif config.kind == "hold":
        while attempt > FREE_ATTEMPTS and held_by(config.attempts).exists():
            time.sleep(0.02)


def held_by(attempts: Path) -> Path:
    """The file that holds tasks of kind "hold" for as long as it is there."""
    return attempts.with_suffix(".hold")
