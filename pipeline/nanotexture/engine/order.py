"""What travels between client and workers: names, JSON, paths and small outcomes, never an array."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from nanotexture.errors import UserError


def sha256_of_file(path: Path) -> str:
    """Digest of a file's bytes; OSError if it cannot be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class FileState:
    """A file as it was when its digest was taken."""

    path: str
    sha256: str
    size: int
    modified_ns: int
    growing: bool = False  # still written: it may change, but must be there

    def changed(self) -> bool:
        """Whether the bytes differ now; read again only if size or time do."""
        path = Path(self.path)
        if not path.is_file():
            return True
        if self.growing:
            return False
        state = path.stat()
        same = (state.st_size, state.st_mtime_ns) == (self.size, self.modified_ns)
        return not same and sha256_of_file(path) != self.sha256


@dataclass(frozen=True)
class FileInput:
    """A source file; a stage is given its path and finds the companions relative to it."""

    main: FileState
    companions: tuple[FileState, ...] = ()


@dataclass(frozen=True)
class ArtefactInput:
    """Name of an artefact in the store."""

    name: str


OrderInput = FileInput | ArtefactInput | tuple[FileInput | ArtefactInput, ...]


@dataclass(frozen=True)
class Order:
    """One task as a worker is told of it."""

    name: str
    location: str
    identity: str  # canonical JSON whose digest is the key: stage, config, inputs, versions, code
    inputs: tuple[OrderInput, ...]
    store: str
    label: str
    gpu: bool = False
    needs: tuple[str, ...] = ()  # artefacts that another order of this run writes


@dataclass(frozen=True)
class Outcome:
    """How a task ended: an artefact is in the store unless refusal or crash says why not."""

    name: str
    reused: bool = False
    seconds: float = 0.0
    refusal: UserError | None = None
    crash: BaseException | None = None
