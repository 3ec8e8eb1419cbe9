"""Files of a scan in a folder or in a zip, read where they lie.

A zip is not unpacked: nothing is written, two workers share nothing, no cache grows stale, and taking one image of
1 MB out of a zip costs about 5 ms, once for each pass over the scan. Names that lead out of the zip, links, sizes
that no file has, and members whose checksum is wrong are refused.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from nanotexture.errors import InputError

MAX_MEMBER = 500_000_000  # bytes of one image or SPEC file
MAX_TOTAL = 10**12
MAX_MEMBERS = 1_000_000
MAX_RATIO = 1100  # deflate cannot do more than 1032: the directory lies, or another method hides more
MAX_DEPTH = 5  # folders below the SPEC file
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Reader(Protocol):
    """Content of one file of a place, by its name there."""

    def __call__(self, name: str) -> bytes: ...


@dataclass(frozen=True)
class Folder:
    """A folder and what lies below it; names are relative, with slashes."""

    path: Path

    def names(self) -> list[str]:
        """Files below, at most MAX_DEPTH folders down, hidden ones and links to folders left out."""
        found: list[str] = []
        for root, folders, files in os.walk(self.path):
            inside = Path(root).relative_to(self.path)
            deep = len(inside.parts) >= MAX_DEPTH
            folders[:] = [] if deep else sorted(f for f in folders if not f.startswith("."))
            found += [(inside / name).as_posix() for name in files if not name.startswith(".")]
            if len(found) > MAX_MEMBERS:
                raise InputError(self.path, "folder", f"at most {MAX_MEMBERS} files", "more")
        return sorted(found)

    @contextmanager
    def opened(self) -> Iterator[Reader]:
        """A reader of files by name; InputError names the file that cannot be read."""
        yield self._read

    def files(self, names: Sequence[str]) -> tuple[Path, ...]:
        """Files on disk that hold these."""
        return tuple(self.path / name for name in names)

    def where(self, name: str) -> str:
        """How a message calls a file."""
        return str(self.path / name)

    def _read(self, name: str) -> bytes:
        path = self.path / name
        try:
            size = path.stat().st_size
            if size > MAX_MEMBER:
                raise InputError(path, "file", f"at most {MAX_MEMBER} bytes", f"{size} bytes")
            return path.read_bytes()
        except OSError as error:
            raise InputError(path, "file", "a readable file", error.strerror or str(error)) from error


@dataclass(frozen=True)
class Archive:
    """A zip; names as they stand in it."""

    path: Path

    def names(self) -> list[str]:
        """Files in the zip, hidden ones left out; InputError if any member is not safe."""
        with self._zip() as handle:
            members = [info for info in handle.infolist() if not info.is_dir()]
        self._check(members)
        parts = {info.filename: PurePosixPath(info.filename).parts for info in members}
        return sorted(n for n, p in parts.items() if not any(s.startswith((".", "__MACOSX")) for s in p))

    @contextmanager
    def opened(self) -> Iterator[Reader]:
        """A reader of members by name, the zip kept open; InputError names the member that cannot be read."""
        with self._zip() as handle:
            yield lambda name: self._read(handle, name)

    def files(self, names: Sequence[str]) -> tuple[Path, ...]:
        """The zip itself."""
        return (self.path,)

    def where(self, name: str) -> str:
        """How a message calls a member."""
        return f"{self.path}/{name}"

    @contextmanager
    def _zip(self) -> Iterator[zipfile.ZipFile]:
        try:
            handle = zipfile.ZipFile(self.path)
        except OSError as error:
            raise InputError(self.path, "file", "a readable file", error.strerror or str(error)) from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OverflowError) as error:
            raise InputError(self.path, "file", "a complete zip", str(error)) from error
        with handle:
            yield handle

    def _check(self, members: list[zipfile.ZipInfo]) -> None:
        if len(members) > MAX_MEMBERS:
            raise InputError(self.path, "members", f"at most {MAX_MEMBERS}", f"{len(members)}")
        if len({info.filename for info in members}) != len(members):
            raise InputError(self.path, "members", "each name once", "one that stands there twice")
        if sum(info.file_size for info in members) > MAX_TOTAL:
            raise InputError(self.path, "members", f"at most {MAX_TOTAL} bytes in all", "more")
        for info in members:
            reason = _unsafe(info)
            if reason:
                raise InputError(self.path, repr(info.filename[:200]), "a plain file in the zip", reason)

    def _read(self, handle: zipfile.ZipFile, name: str) -> bytes:
        try:
            info = handle.getinfo(name)
            reason = _unsafe(info)
            if reason:
                raise InputError(self.path, repr(name), "a plain file in the zip", reason)
            with handle.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except KeyError as error:
            raise InputError(self.where(name), "file", "to be in the zip", "nothing") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
            raise InputError(self.where(name), "file", "an undamaged member", str(error)) from error
        if len(content) != info.file_size:
            expected = f"{info.file_size} bytes as the zip says"
            raise InputError(self.where(name), "file", expected, f"{len(content)}")
        return content


Place = Folder | Archive


def is_zip(path: Path) -> bool:
    """Whether a file is a zip, or says so by its name."""
    if path.suffix.lower() == ".zip":
        return True
    try:
        with path.open("rb") as stream:
            return stream.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise InputError(path, "file", "a readable file", error.strerror or str(error)) from error


def _unsafe(info: zipfile.ZipInfo) -> str:
    """Why a member is not to be read; empty if it may be."""
    name = info.filename
    parts = PurePosixPath(name).parts
    if name.startswith(("/", "\\")) or "\\" in name or ":" in name or ".." in parts:
        return "a name that leads out of it"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a symbolic link"
    if info.flag_bits & 0x1:
        return "an encrypted member"
    if info.compress_type not in _METHODS:
        return f"compression method {info.compress_type}, neither stored nor deflated"
    if info.file_size > MAX_MEMBER:
        return f"{info.file_size} bytes, more than {MAX_MEMBER}"
    if info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return f"{info.file_size} bytes out of {info.compress_size}"
    return ""
