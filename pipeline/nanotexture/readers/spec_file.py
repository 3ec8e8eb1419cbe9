"""SPEC files: the scans they hold, with motors, columns and the geometry's lines, as text and numbers.

Written here although silx reads SPEC files too: a scan in a zip needs no file, and a row that is cut short is an
error that names the line. The tests compare with silx. As there, a last row without a line end is no point: SPEC was
stopped while it wrote it, and its last number may lack digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers.lines import numbers

Array = NDArray[np.float64]

_GAP = re.compile(r"\s{2,}|\t")
_SCAN = re.compile(r"^#S\s+(\d{1,9})\b\s*(.*)$")
_MOTOR_LINE = re.compile(r"^#([OoP])(\d+)\s?(.*)$")
MAX_SHOWN = 12  # scans that a message lists at either end


@dataclass(frozen=True)
class SpecScan:
    """One scan: its command, motors at its start, columns (point,), its other lines by key ("G3", "UE", "T"), comments."""

    file: str
    number: int
    command: str
    program: str
    motors: Mapping[str, float]
    mnemonics: Mapping[str, str]
    columns: Mapping[str, Array]
    lines: Mapping[str, str]
    comments: tuple[str, ...]
    unfinished: int

    def field(self, name: str) -> str:
        """How an error names something of this scan."""
        return f"scan {self.number}, {name}"

    def column(self, name: str) -> Array:
        """Finite values (point,) of a column, however it is spelled; InputError if there is none of this name."""
        found = self.columns.get(canonical(name))
        if found is None:
            has = f"none (it has: {', '.join(self.columns)})"
            raise InputError(self.file, self.field("#L"), f"a column {name!r}", has[:300])
        if not np.isfinite(found).all():
            raise InputError(self.file, self.field(name), "finite numbers", "NaN or infinity")
        return found

    @property
    def points(self) -> int:
        """How many points were measured."""
        return len(next(iter(self.columns.values())))

    @property
    def planned(self) -> int | None:
        """How many points the command asked for; None where it does not say."""
        words = self.command.split()
        if not words or "scan" not in words[0] or len(words) < 5 or not words[-2].isdigit():
            return None
        return int(words[-2]) + 1

    def numbers(self, key: str, count: int) -> Array | None:
        """The first numbers of a line; None where there is no such line."""
        if key not in self.lines:
            return None
        words = self.lines[key].split()[:count]
        found = numbers(self.file, f"scan {self.number}, #{key}", " ".join(words))
        if len(found) != count:
            raise InputError(
                self.file, f"scan {self.number}, #{key}", f"{count} numbers or more", f"{len(found)}"
            )
        return found


@dataclass(frozen=True)
class _Head:
    """Names and mnemonics of motors by line (#O, #o), and the program (#C)."""

    names: Mapping[int, list[str]]
    mnemonics: Mapping[int, list[str]]
    program: str


def is_spec(head: bytes) -> bool:
    """Whether a file that begins like this is a SPEC file."""
    return head.startswith((b"#F ", b"#S "))


def canonical(name: str) -> str:
    """A motor's or counter's name in small letters, blanks as underscores."""
    return "_".join(name.lower().split())


def spec_scans(path: Path | str, content: bytes) -> list[int]:
    """Numbers of the scans of a SPEC file, in its order."""
    return [number for number, _ in _starts(str(path), _rows(str(path), content))]


def listed(scans: list[int]) -> str:
    """Scans as a message shows them."""
    if len(scans) <= 2 * MAX_SHOWN:
        return ", ".join(map(str, scans))
    return f"{', '.join(map(str, scans[:MAX_SHOWN]))}, ... {', '.join(map(str, scans[-MAX_SHOWN:]))}"


def only_scan(path: Path | str, content: bytes) -> int:
    """Number of the only scan of a file; InputError lists those that are there."""
    known = spec_scans(path, content)
    if len(known) != 1:
        raise InputError(
            path, "#S", "one scan, or the number of one", f"{len(known)} (scans {listed(known)})"
        )
    return known[0]


def spec_scan(path: Path | str, content: bytes, number: int) -> SpecScan:
    """The scan of this number; InputError lists those that are there."""
    file = str(path)
    rows = _rows(file, content)
    starts = _starts(file, rows)
    places = [place for found, place in starts if found == number]
    if len(places) != 1:
        known = listed([found for found, _ in starts])
        found = f"{len(places)} scans {number}" if places else f"no scan {number}"
        raise InputError(file, f"scan {number}", f"one of {known}", found)
    unfinished = int(_is_data(rows[-1]))
    own = _own(rows[: len(rows) - unfinished], places[0])
    reaches_end = places[0] == starts[-1][1]
    head = _head(rows[: places[0]])
    return _scan(file, number, own, head, unfinished if reaches_end else 0)


def _rows(file: str, content: bytes) -> list[str]:
    if not content.strip():
        raise InputError(file, "file", "a SPEC file", "an empty file")
    return [row.rstrip("\r") for row in content.decode("latin-1").split("\n")]


def _is_data(row: str) -> bool:
    return bool(row.strip()) and not row.startswith(("#", "@"))


def _starts(file: str, rows: list[str]) -> list[tuple[int, int]]:
    """Number and first row of every scan."""
    matches = [(match, place) for place, row in enumerate(rows) if (match := _SCAN.match(row))]
    if not matches:
        raise InputError(file, "#S", "at least one scan", "none (not a SPEC file, or truncated)")
    return [(int(match[1]), place) for match, place in matches]


def _head(rows: list[str]) -> _Head:
    """The last header before a scan."""
    names: dict[int, list[str]] = {}
    mnemonics: dict[int, list[str]] = {}
    program = ""
    for row in rows:
        if row.startswith("#F "):
            names, mnemonics, program = {}, {}, ""
        if row.startswith("#C ") and " User = " in row and not program:
            program = row[3:].split(" User = ")[0].strip()
        found = _MOTOR_LINE.match(row)
        if found and found[1] == "O":
            names[int(found[2])] = _split(found[3])
        elif found and found[1] == "o":
            mnemonics[int(found[2])] = found[3].split()
    return _Head(names, mnemonics, program)


def _split(text: str) -> list[str]:
    return [word for word in _GAP.split(text.strip()) if word]


def _own(rows: list[str], start: int) -> list[str]:
    """Rows of one scan: up to the next scan or the next header."""
    after = range(start + 1, len(rows))
    stop = next((place for place in after if rows[place].startswith(("#S ", "#F "))), len(rows))
    return rows[start:stop]


def _scan(file: str, number: int, rows: list[str], head: _Head, unfinished: int) -> SpecScan:
    lines: dict[str, str] = {}
    for row in rows:
        key, _, rest = row[1:].partition(" ") if row.startswith("#") else ("", "", "")
        if key and key not in lines:
            lines[key] = rest
    opened = _SCAN.match(rows[0])
    return SpecScan(
        file=file,
        number=number,
        command=opened[2].strip() if opened else "",
        program=head.program,
        motors=_motors(file, number, head, lines),
        mnemonics=_mnemonics(head),
        columns=_columns(file, number, rows, lines),
        lines=lines,
        comments=tuple(row[2:].strip() for row in rows if row.startswith("#C")),
        unfinished=unfinished,
    )


def _motors(file: str, number: int, head: _Head, lines: Mapping[str, str]) -> dict[str, float]:
    """Position of every motor when the scan started, by its canonical name."""
    found: dict[str, float] = {}
    for line, titles in head.names.items():
        field = f"scan {number}, #P{line}"
        if f"P{line}" not in lines:
            raise InputError(file, field, f"positions of {', '.join(titles[:4])} ...", "nothing")
        values = numbers(file, field, lines[f"P{line}"])
        if len(values) != len(titles):
            raise InputError(file, field, f"{len(titles)} positions as #O{line} has names", f"{len(values)}")
        for name, value in zip(titles, values, strict=True):
            found.setdefault(canonical(name), float(value))  # circles come first: 6-ID has Chi and a slit chI
    return found


def _mnemonics(head: _Head) -> dict[str, str]:
    """Canonical name of each mnemonic."""
    pairs: dict[str, str] = {}
    for line, titles in head.names.items():
        words = head.mnemonics.get(line, [])
        if len(words) == len(titles):
            for word, title in zip(words, titles, strict=True):
                pairs.setdefault(canonical(word), canonical(title))
    return pairs


def _columns(file: str, number: int, rows: list[str], lines: Mapping[str, str]) -> dict[str, Array]:
    field = f"scan {number}, #L"
    labels = _split(lines.get("L", ""))
    if not labels:
        raise InputError(file, field, "names of columns", "nothing")
    declared = lines.get("N", "").split()
    if declared and declared[0] != str(len(labels)):
        raise InputError(file, field, f"{declared[0]} names as #N says", f"{len(labels)}")
    table = [_row(file, number, place, row, len(labels)) for place, row in enumerate(_data(rows))]
    if not table:
        raise InputError(file, f"scan {number}", "at least one point", "none (aborted before the first)")
    array = np.array(table)
    found: dict[str, Array] = {}
    for place, label in enumerate(labels):
        found.setdefault(canonical(label), array[:, place])
    return found


def _data(rows: list[str]) -> list[str]:
    """Rows of numbers, without spectra (@A ..., continued by a backslash)."""
    found, spectrum = [], False
    for row in rows:
        inside = spectrum or row.startswith("@")
        spectrum = inside and row.rstrip().endswith("\\")
        if not inside and _is_data(row):
            found.append(row)
    return found


def _row(file: str, number: int, place: int, row: str, columns: int) -> list[float]:
    field = f"scan {number}, point {place}"
    words = row.split()
    if len(words) != columns:
        raise InputError(file, field, f"{columns} numbers as #L has names", f"{len(words)}")
    try:
        if "_" in row:
            raise ValueError(f"an underscore in {row[:40]!r}")  # Python reads 1_5 as 15
        return [float(word) for word in words]
    except ValueError as error:
        raise InputError(file, field, "numbers", str(error)) from error
