"""Members of a zip that somebody else made: bounded in number and size, none of them outside the archive."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nanotexture.errors import InputError

MAX_MEMBERS = 50_000
MAX_MEMBER = 50_000_000  # bytes of one member, unpacked
MAX_TOTAL = 500_000_000
SMALL = 1_000_000  # below, no ratio is dangerous
MAX_RATIO = 200  # counts as text shrink 5 to 40 times, zeros 1000 times

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
class Members:
    """The readable members of an open archive."""

    file: str
    archive: zipfile.ZipFile

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all members in the archive's order."""
        return tuple(self.archive.namelist())

    def read(self, name: str) -> bytes:
        """Content of a member; InputError if it is not there, damaged, or longer than it says."""
        try:
            info = self.archive.getinfo(name)
        except KeyError as error:
            raise InputError(self.file, name, "to be in the archive", "no such member") from error
        try:
            with self.archive.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except _DAMAGE as error:
            raise InputError(self.file, name, "an undamaged member", str(error)) from error
        if len(content) != info.file_size:
            raise InputError(self.file, name, f"{info.file_size} bytes as listed", f"{len(content)} or more")
        return content


@contextmanager
def opened(path: Path) -> Iterator[Members]:
    """The members of a zip; InputError if it is none, or if any of its members is not to be trusted."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise InputError(path, "file", "a readable file", error.strerror or str(error)) from error
    except _DAMAGE as error:
        raise InputError(path, "file", "a complete zip archive", str(error)) from error
    with archive:
        _check(str(path), archive.infolist())
        yield Members(str(path), archive)


def _check(file: str, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise InputError(file, "archive", f"at most {MAX_MEMBERS} members", str(len(members)))
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL:
        raise InputError(file, "archive", f"at most {MAX_TOTAL} bytes unpacked", f"{total}")
    seen: set[str] = set()
    for member in members:
        _check_member(file, member)
        if member.filename in seen:
            raise InputError(file, member.filename[:80], "each member once", "two of this name")
        seen.add(member.filename)


def _check_member(file: str, member: zipfile.ZipInfo) -> None:
    name = member.filename
    field = name[:80] or "archive"
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or not name.isprintable():
        raise InputError(file, repr(field), "members inside the archive", "a path that leads out of it")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise InputError(file, field, "files and folders", "a symbolic link")
    if member.flag_bits & 1:
        raise InputError(file, field, "no encryption", "an encrypted member")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(file, field, "a member stored or deflated", f"method {member.compress_type}")
    if member.file_size > MAX_MEMBER:
        raise InputError(file, field, f"at most {MAX_MEMBER} bytes", f"{member.file_size}")
    if member.file_size > SMALL and member.file_size > MAX_RATIO * member.compress_size:
        ratio = f"{member.compress_size} bytes that unpack to {member.file_size}"
        raise InputError(file, field, f"members packed at most {MAX_RATIO} times", ratio)
