"""Store of artefacts: one folder for each finished task, named by its key, there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xarray as xr
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from nanotexture.engine.durable import (
    read_files,
    remove_abandoned,
    sync_folder,
    unfinished_folder,
    write_files,
)
from nanotexture.engine.zarrfiles import (
    dataset_from_files,
    files_from_dataset,
    files_from_tree,
    variable_names,
)

_MANIFEST, _DATA, _UNFINISHED = "manifest.json", "data.zarr", ".unfinished"


class StoreError(Exception):
    """An artefact that is not there, or whose files are not those that were written."""


class Manifest(BaseModel):
    """What an artefact was made from, by whom, and the digest of what it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: str
    identity: dict[
        str, JsonValue
    ]  # stage, config, inputs, versions, code: the key is the digest of this as JSON
    variables: tuple[str, ...]
    data_sha256: str
    data_bytes: int
    seconds: float
    host: str
    created: str


@dataclass(frozen=True)
class ArtefactStore:
    """Artefacts below one folder, each `<stage>-<key>` with data.zarr and manifest.json."""

    root: Path

    def prepare(self) -> None:
        """Make the folder, and remove what killed writers left in it."""
        self.root.mkdir(parents=True, exist_ok=True)
        remove_abandoned(self.root / _UNFINISHED, "")

    def path(self, name: str) -> Path:
        """Folder in which an artefact is or would be."""
        return self.root / name

    def has(self, name: str) -> bool:
        """Whether the artefact is there: a folder in its place with a manifest of that name."""
        try:
            return self.manifest(name).name == name
        except StoreError:
            return False

    def manifest(self, name: str) -> Manifest:
        """Manifest of an artefact; StoreError if there is none or it cannot be read."""
        path = self.path(name) / _MANIFEST
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise StoreError(f"{path}: expected a manifest, found {error}") from error

    def get(self, name: str) -> xr.Dataset:
        """The dataset of an artefact, loaded; StoreError if missing or not the bytes that were written."""
        manifest = self.manifest(name)
        files = read_files(self.path(name) / _DATA)
        if _digest(files) != manifest.data_sha256:
            self._set_aside(name)
            raise StoreError(f"{self.path(name)}: damaged, removed; run again to compute it anew")
        return dataset_from_files(files, manifest.variables)

    def put(
        self,
        name: str,
        dataset: xr.Dataset,
        *,
        identity: dict[str, Any],
        label: str = "",
        seconds: float = 0.0,
    ) -> Path:
        """Write an artefact and return its folder; where another writer was first, its artefact stays."""
        files = files_from_dataset(dataset)
        manifest = Manifest(
            name=name,
            label=label,
            identity=identity,
            variables=variable_names(dataset),
            data_sha256=_digest(files),
            data_bytes=sum(map(len, files.values())),
            seconds=seconds,
            host=socket.gethostname(),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        contents = {f"{_DATA}/{file}": content for file, content in files.items()}
        contents[_MANIFEST] = manifest.model_dump_json(indent=1).encode()
        with unfinished_folder(self.root / _UNFINISHED, "") as folder:
            write_files(folder, contents)
            self._publish(folder, name)
        return self.path(name)

    def _publish(self, folder: Path, name: str) -> None:
        try:
            os.rename(folder, self.path(name))
        except OSError as error:
            if self.has(name):
                return
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            self._set_aside(name)  # something without a manifest is in the way
            self._publish(folder, name)
        sync_folder(self.root)

    def _set_aside(self, name: str) -> None:
        # another process may have been first
        with unfinished_folder(self.root / _UNFINISHED, "") as folder, suppress(FileNotFoundError):
            os.rename(self.path(name), folder)


def write_tree_atomically(tree: xr.DataTree, path: Path) -> None:
    """Write a tree as Zarr v3; at any moment there is the old result whole, the new one whole, or none."""
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.name}+"
    remove_abandoned(path.parent, prefix)
    files = files_from_tree(tree)
    with unfinished_folder(path.parent, prefix) as old, unfinished_folder(path.parent, prefix) as new:
        write_files(new, files)
        old.rmdir()
        if path.exists():
            os.rename(path, old)
        os.rename(new, path)
        sync_folder(path.parent)


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()
