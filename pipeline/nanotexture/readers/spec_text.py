"""SPEC files as text: one scan's command, columns, rows and header lines.

Parsed here and not by silx, whose reader in C turns a damaged number into a shorter one without a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nanotexture.errors import InputError
from nanotexture.readers.lines import Array, numbers, read_bytes

_SCAN = re.compile(r"^#S[ \t]+(\d+)[ \t]*(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class SpecScan:
    """One scan: its number, command, names of the columns, rows (point, column), header lines by key, comments."""

    file: str
    number: int
    command: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Array
    header: dict[str, str]
    comments: tuple[str, ...]

    def field(self, name: str) -> str:
        """How an error names something of this scan."""
        return f"scan {self.number}, {name}"

    def column(self, name: str) -> Array:
        """Values (point,) of a column; InputError if there is none of this name."""
        if name not in self.columns:
            has = ", ".join(self.columns)
            raise InputError(self.file, self.field("#L"), f"a column {name!r}", f"none (it has: {has})"[:300])
        return self.rows[:, self.columns.index(name)]


def scan_numbers(path: Path) -> list[int]:
    """Numbers of all scans of a SPEC file in the file's order."""
    return [int(match[1]) for match in _SCAN.finditer(_text(path))]


def read_spec_scan(path: Path, number: int | None = None) -> SpecScan:
    """One scan of a SPEC file; the number may be left out where there is one scan only."""
    file, text = str(path), _text(path)
    found = list(_SCAN.finditer(text))
    if not found:
        raise InputError(file, "#S", "a SPEC file with at least one scan", "none")
    wanted = [i for i, match in enumerate(found) if number is None or int(match[1]) == number]
    if len(wanted) != 1:
        what = "one scan, or the number of one" if number is None else f"one scan {number}"
        numbered = ", ".join(match[1] for match in found[:12])
        raise InputError(file, "#S", what, f"{len(wanted)} (scans {numbered}{', ...' * (len(found) > 12)})")
    index = wanted[0]
    end = found[index + 1].start() if index + 1 < len(found) else len(text)
    # a last row without its line end is no point: SPEC was stopped while it wrote it, and digits may be lacking
    whole = text.rfind("\n") + 1 if end == len(text) else end
    return _scan(file, int(found[index][1]), found[index][2], text[found[index].end() : whole])


def _text(path: Path) -> str:
    return read_bytes(path).decode("utf-8", errors="replace").replace("\r\n", "\n")


def _scan(file: str, number: int, command: str, body: str) -> SpecScan:
    header: dict[str, str] = {}
    comments: list[str] = []
    rows: list[str] = []
    for line in body.split("\n"):
        if line.startswith(("#F", "#E")):
            break  # a file written on into: what follows is the head of its next part
        if line.startswith("#C"):
            comments.append(line[2:].strip())
        elif line.startswith("#"):
            key, _, rest = line[1:].partition(" ")
            header[key] = rest.strip()
        elif line.startswith("@"):
            raise InputError(file, f"scan {number}", "the counts of a point detector", "spectra (@ lines)")
        elif line.strip():
            rows.append(line)
    columns = tuple(name.strip() for name in re.split(r"[ \t]{2,}|\t", header.get("L", "")) if name.strip())
    values = _rows(file, number, columns, rows)
    return SpecScan(file, number, tuple(command.split()), columns, values, header, tuple(comments))


def _rows(file: str, number: int, columns: tuple[str, ...], rows: list[str]) -> Array:
    if not columns or len(set(columns)) != len(columns):
        found = "none" if not columns else "two of one name"
        raise InputError(file, f"scan {number}, #L", "names of columns, each once", found)
    if not rows:
        raise InputError(file, f"scan {number}", "at least one point", "none")
    for index, row in enumerate(rows):
        if len(row.split()) != len(columns):
            expected = f"{len(columns)} numbers, one per column"
            raise InputError(file, f"scan {number}, point {index}", expected, f"{len(row.split())}")
    return numbers(file, f"scan {number}, points", " ".join(rows)).reshape(len(rows), len(columns))
