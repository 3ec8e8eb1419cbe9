"""What a worker does with one order: look in the store, check, compute, write."""

from __future__ import annotations

import json
import logging
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import xarray as xr

from nanotexture.engine.fingerprint import code_digest, versions
from nanotexture.engine.order import FileInput, FileState, Order, OrderInput, Outcome
from nanotexture.engine.stage import Stage, stage_at
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import canonical_json
from nanotexture.errors import InputError, UserError

logger = logging.getLogger(__name__)


def execute(order: Order, *upstream: Outcome) -> Outcome:
    """Write the artefact of an order unless it is there; a UserError is an outcome: nothing retries it."""
    refused = next((o.refusal for o in upstream if o.refusal is not None), None)
    if refused is not None:
        return Outcome(order.name, refusal=refused)
    store = ArtefactStore(Path(order.store))
    if store.has(order.name):
        return Outcome(order.name, reused=True)
    try:
        return _computed(order, store)
    except UserError as error:
        return Outcome(order.name, refusal=_portable(error))


def _computed(order: Order, store: ArtefactStore) -> Outcome:
    identity = json.loads(order.identity)
    stage = stage_at(order.location)
    _check_same_code(stage, identity)
    inputs = [_loaded(value, store) for value in order.inputs]
    config = stage.config_model.model_validate_json(canonical_json(identity["config"]))
    begun = time.perf_counter()
    with dask.config.set(scheduler="synchronous"):  # a lazy array in a stage must not go back to the cluster
        dataset = stage(*inputs, config=config)
        if not isinstance(dataset, xr.Dataset):
            raise TypeError(f"{order.location}: must return an xarray.Dataset, got {type(dataset).__name__}")
        dataset = dataset.load()
    seconds = time.perf_counter() - begun
    _check_sources(order)
    store.put(order.name, dataset, identity=identity, label=order.label, seconds=seconds)
    logger.debug("%s (%s) took %.3f s", order.name, order.label, seconds)
    return Outcome(order.name, seconds=seconds)


def _loaded(value: OrderInput, store: ArtefactStore) -> Any:
    if isinstance(value, tuple):
        return [_loaded(leaf, store) for leaf in value]
    return Path(value.main.path) if isinstance(value, FileInput) else store.get(value.name)


def _check_same_code(stage: Stage[Any], identity: dict[str, Any]) -> None:
    """UserError if this process would compute something else than the key says."""
    here = dict(versions()) | {"code": code_digest(stage.module), "version": str(stage.version)}
    key = identity["versions"] | {"code": identity["code"], "version": str(identity["stage_version"])}
    differing = sorted(name for name in here.keys() | key.keys() if here.get(name) != key.get(name))
    if differing:
        found = ", ".join(f"{name} {here.get(name)} instead of {key.get(name)}" for name in differing)
        raise UserError(
            f"stage {stage.name}: expected workers with the client's code and versions, found {found}; "
            "start the workers from the same environment and run again"
        )


def _check_sources(order: Order) -> None:
    for state in _file_states(order.inputs):
        if state.changed():
            raise InputError(state.path, "bytes", "the file as it was when the run began", "a changed file")


def _file_states(inputs: tuple[OrderInput, ...]) -> Iterator[FileState]:
    for value in inputs:
        if isinstance(value, tuple):
            yield from _file_states(value)
        elif isinstance(value, FileInput):
            yield from (value.main, *value.companions)


def _portable(error: UserError) -> UserError:
    """The error if it survives the journey to the client, else one with its text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever a class's own __reduce__ or __init__ raises
        return UserError(str(error))
    return error
