"""Files of a scan in a folder or in a zip that somebody else made, read where they lie.

A zip is not unpacked: nothing is written, two workers share nothing, no cache grows stale, and taking one image of
1 MB out of a zip costs about 5 ms, once for each pass over the scan. Names that lead out of the zip, links, sizes
that no file has, and members whose checksum is wrong are refused.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from nanotexture.errors import InputError

MAX_DEPTH = 5  # folders below the SPEC file
SMALL = 1_000_000  # bytes: below, no ratio is dangerous
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,  # a way of packing that this Python does not know
    RuntimeError,  # an encrypted member
    ValueError,
    OverflowError,
    UnicodeError,
)


@dataclass(frozen=True)
class Limits:
    """Bytes of a member and of all, unpacked, number of members, and how many times one may unpack."""

    member: int
    total: int
    members: int
    ratio: int


# deflate cannot do more than 1032: the directory lies, or another method hides more
IMAGES = Limits(member=500_000_000, total=10**12, members=1_000_000, ratio=1100)
# counts as text shrink 5 to 40 times, zeros 1000 times
TEXTS = Limits(member=50_000_000, total=500_000_000, members=50_000, ratio=200)


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
            if len(found) > IMAGES.members:
                raise InputError(self.path, "folder", f"at most {IMAGES.members} files", "more")
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
            if size > IMAGES.member:
                raise InputError(path, "file", f"at most {IMAGES.member} bytes", f"{size} bytes")
            return path.read_bytes()
        except OSError as error:
            raise InputError(path, "file", "a readable file", error.strerror or str(error)) from error


@dataclass(frozen=True)
class Archive:
    """A zip; names as they stand in it."""

    path: Path
    limits: Limits = IMAGES

    def names(self) -> list[str]:
        """Files in the zip, hidden ones left out; InputError if any member is not safe."""
        with self._zip() as handle:
            members = handle.infolist()
        self._check(members)
        parts = {one.filename: PurePosixPath(one.filename).parts for one in members if not one.is_dir()}
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
        except _DAMAGE as error:
            raise InputError(self.path, "file", "a complete zip", str(error)) from error
        with handle:
            yield handle

    def _check(self, members: list[zipfile.ZipInfo]) -> None:
        limits = self.limits
        if len(members) > limits.members:
            raise InputError(self.path, "members", f"at most {limits.members}", f"{len(members)}")
        if len({info.filename for info in members}) != len(members):
            raise InputError(self.path, "members", "each name once", "one that stands there twice")
        total = sum(info.file_size for info in members)
        if total > limits.total:
            raise InputError(self.path, "members", f"at most {limits.total} bytes in all", f"{total}")
        for info in members:
            self._refuse_unsafe(info)

    def _read(self, handle: zipfile.ZipFile, name: str) -> bytes:
        try:
            info = handle.getinfo(name)
        except KeyError as error:
            raise InputError(self.where(name), "file", "to be in the zip", "no such member") from error
        self._refuse_unsafe(info)
        try:
            with handle.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except _DAMAGE as error:
            raise InputError(self.where(name), "file", "an undamaged member", str(error)) from error
        if len(content) != info.file_size:
            expected = f"{info.file_size} bytes as the zip says"
            raise InputError(self.where(name), "file", expected, f"{len(content)} or more")
        return content

    def _refuse_unsafe(self, info: zipfile.ZipInfo) -> None:
        reason = _unsafe(info, self.limits)
        if reason:
            raise InputError(self.path, repr(info.filename[:80]), "a plain file in the zip", reason)


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


def _unsafe(info: zipfile.ZipInfo, limits: Limits) -> str:
    """Why a member is not to be read; empty if it may be."""
    name = info.filename
    if name.startswith("/") or ".." in PurePosixPath(name).parts or not {"\\", ":"}.isdisjoint(name):
        return "a name that leads out of it"
    if not name.isprintable():
        return "a name that cannot be printed"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a symbolic link"
    if info.flag_bits & 0x1:
        return "an encrypted member"
    if info.compress_type not in _METHODS:
        return f"compression method {info.compress_type}, neither stored nor deflated"
    if info.file_size > limits.member:
        return f"{info.file_size} bytes, more than {limits.member}"
    if info.file_size > max(SMALL, limits.ratio * info.compress_size):
        return f"{info.file_size} bytes out of {info.compress_size}, more than {limits.ratio} times"
    return ""
