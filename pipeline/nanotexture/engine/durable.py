"""Folders that are there whole or not at all: written beside their place, forced to disk, renamed."""

from __future__ import annotations

import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

_DAY = 86_400.0


@contextmanager
def unfinished_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder named after its writer, removed at the end unless renamed before."""
    folder = parent / f"{prefix}{socket.gethostname()}+{os.getpid()}+{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove folders whose writer on this host is dead, or that are older than a day."""
    for folder in parent.iterdir() if parent.is_dir() else ():
        if folder.name.startswith(prefix) and folder.name.count("+") >= 2 and _abandoned(folder, prefix):
            shutil.rmtree(folder, ignore_errors=True)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, named by relative path, and force them and their folders to disk."""
    folders = _folders(folder, files)
    for inner in folders:
        inner.mkdir(exist_ok=True)
    for name in sorted(files):
        with (folder / name).open("wb") as stream:
            stream.write(files[name])
            stream.flush()
            os.fsync(stream.fileno())
    for inner in reversed(folders):
        sync_folder(inner)


def read_files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by relative path."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folders(folder: Path, files: Iterable[str]) -> list[Path]:
    """The folder and all below it that hold files, outermost first."""
    below = {parent for name in files for parent in Path(name).parents}
    return [folder / inner for inner in sorted(below | {Path()})]


def _abandoned(folder: Path, prefix: str) -> bool:
    host, pid, _ = folder.name.removeprefix(prefix).rsplit("+", 2)
    if host == socket.gethostname() and pid.isdecimal() and not psutil.pid_exists(int(pid)):
        return True
    try:
        return time.time() - folder.stat().st_mtime > _DAY
    except FileNotFoundError:  # its writer has just finished
        return False
