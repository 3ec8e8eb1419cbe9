"""Tasks: a stage with its config and inputs, named by the content that decides its result."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from nanotexture.engine.fingerprint import ENGINE_VERSION, code_digest, versions
from nanotexture.engine.order import FileState, sha256_of_file
from nanotexture.engine.stage import Kind, Stage
from nanotexture.errors import InputError


@dataclass(frozen=True)
class Source:
    """A file that somebody else wrote, and files it refers to; bytes and suffix count, the path does not."""

    path: Path
    companions: tuple[Path, ...] = ()

    @cached_property
    def state(self) -> FileState:
        """The file with its digest; InputError if it cannot be read."""
        return _state(self.path)

    @cached_property
    def companion_states(self) -> tuple[FileState, ...]:
        """The companions with their digests; InputError if one cannot be read."""
        return tuple(_state(path) for path in self.companions)

    @property
    def identity(self) -> dict[str, Any]:
        """What of the file counts; companions keep the relative name by which the file finds them."""
        names = (_relative(path, self.path.parent) for path in self.companions)
        found = zip(names, self.companion_states, strict=True)
        return {
            "suffix": self.path.suffix,
            "sha256": self.state.sha256,
            "companions": sorted([name, state.sha256] for name, state in found),
        }


@dataclass(frozen=True)
class Part(Source):
    """Some of a file that is still being written; `content` tells that part apart, the rest of the file may change."""

    content: str = ""

    @cached_property
    def state(self) -> FileState:
        """The file, free to change."""
        return FileState(str(self.path.absolute()), "", 0, 0, growing=True)

    @property
    def identity(self) -> dict[str, Any]:
        """The part's content."""
        return {"suffix": self.path.suffix, "part": self.content}


@dataclass(frozen=True, eq=False)
class Task:
    """One application of a stage; tasks with equal keys are equal, whatever their labels."""

    stage: Stage[Any]
    config: BaseModel
    inputs: tuple[TaskInput, ...] = ()
    label: str = ""

    def __post_init__(self) -> None:
        if type(self.config) is not self.stage.config_model:
            expected, found = self.stage.config_model.__name__, type(self.config).__name__
            raise TypeError(f"stage {self.stage.name}: config must be a {expected}, found {found}")
        kinds = tuple(_kinds(value) for value in self.inputs)
        wanted = self.stage.kinds[: len(kinds)]
        fits = len(kinds) == len(wanted) and all(w in k for w, k in zip(wanted, kinds, strict=True))
        if not fits or len(kinds) < self.stage.required:
            found = ", ".join("/".join(sorted(k)) for k in kinds)
            raise TypeError(
                f"stage {self.stage.name}: inputs must be ({', '.join(self.stage.kinds)}), found ({found})"
            )

    @cached_property
    def identity(self) -> str:
        """Canonical JSON of all that decides the result; InputError if a source cannot be read."""
        return canonical_json(
            {
                "engine": ENGINE_VERSION,
                "stage": self.stage.name,
                "stage_version": self.stage.version,
                "config": config_values(self.config),
                "inputs": [_identity(value) for value in self.inputs],
                "versions": dict(versions()),
                "code": code_digest(self.stage.module),
            }
        )

    @cached_property
    def key(self) -> str:
        """Digest of identity."""
        return hashlib.sha256(self.identity.encode()).hexdigest()

    @cached_property
    def name(self) -> str:
        """Name of the artefact: <stage>-<key>."""
        return f"{self.stage.name}-{self.key}"

    @cached_property
    def upstream(self) -> tuple[Task, ...]:
        """Tasks whose artefacts this one reads."""
        return tuple(leaf for leaf in _leaves(self.inputs) if isinstance(leaf, Task))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


TaskInput = Task | Source | tuple[Task | Source, ...]


def canonical_json(values: object) -> str:
    """JSON with sorted names and no spaces: equal values give equal text."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def config_values(config: BaseModel) -> dict[str, Any]:
    """A config as JSON values; TypeError if a worker could not restore it from them."""
    values = config.model_dump(mode="json")
    restored = type(config).model_validate_json(canonical_json(values))
    if canonical_json(restored.model_dump(mode="json")) != canonical_json(values):
        raise TypeError(f"{type(config).__name__}: does not survive being written as JSON and read back")
    return values


def _kinds(value: TaskInput) -> set[Kind]:
    """Kinds of parameter that an input can stand for; an empty tuple is a list of anything."""
    if isinstance(value, Task):
        return {"dataset"}
    if isinstance(value, Source):
        return {"file"}
    inner = {Task if isinstance(leaf, Task) else Source for leaf in value}
    if not inner:
        return {"datasets", "files"}
    return {"datasets"} if inner == {Task} else {"files"} if inner == {Source} else set()


def _leaves(inputs: tuple[TaskInput, ...]) -> Iterator[Task | Source]:
    for value in inputs:
        yield from value if isinstance(value, tuple) else (value,)


def _identity(value: TaskInput) -> object:
    if isinstance(value, tuple):
        return [_identity(leaf) for leaf in value]
    return {"artefact": value.name} if isinstance(value, Task) else {"file": value.identity}


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _state(path: Path) -> FileState:
    try:
        state = path.stat()
        digest = _digest(path.absolute(), state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise InputError(path, "file", "a readable file", error.strerror or str(error)) from error
    # absolute, not resolved: a link's suffix says what the file is, its target's may be a digest (git-annex)
    return FileState(str(path.absolute()), digest, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=4096)
def _digest(path: Path, size: int, modified_ns: int) -> str:
    """Digest of a file, taken once for each size and time of change that it is seen with."""
    return sha256_of_file(path)
