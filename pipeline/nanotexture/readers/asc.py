"""Rigaku .asc: text, one *BEGIN block per line of the map, omega in the block's *OFFSET."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nanotexture.errors import InputError
from nanotexture.quantities import Scan
from nanotexture.readers.lines import Array, Line, assemble, comment, number, numbers, read_bytes

_KEY = re.compile(r"^\*(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$")
STEP_ROUNDING = 1e-4  # deg: *STEP is printed rounded (0.0078 for 2/256), START and STOP are not


@dataclass(frozen=True)
class _Section:
    """Keys of the file's head or of one block, and the block's numbers as text."""

    name: str
    keys: dict[str, str]
    data: str = ""


def read_asc(path: Path) -> Scan:
    """Scan of a Rigaku .asc file."""
    file = str(path)
    head, blocks = _sections(file, read_bytes(path).decode("cp932", errors="replace"))
    _check_complete(file, head, blocks)
    lines = [_line(file, head, block) for block in blocks]
    attrs = {
        "format": "Rigaku asc",
        "instrument": comment(f"{head.keys.get('GONIO', '')}; {head.keys.get('COUNTER', '')}"),
        "line_axis": "omega",
        "comment": comment(head.keys.get("COMMENT")),
        "sample": comment(head.keys.get("SAMPLE")),
    }
    return assemble(file, lines, _wavelength(file, head), attrs)


def _sections(file: str, text: str) -> tuple[_Section, list[_Section]]:
    before, *parts = re.split(r"^\*BEGIN\b.*$", text, flags=re.MULTILINE)
    if not parts:
        raise InputError(
            file, "*BEGIN", "at least one block of data", "none (truncated, or not an .asc file)"
        )
    if not re.search(r"^\*EOF\b", parts[-1], flags=re.MULTILINE):
        raise InputError(file, "*EOF", "the end mark *EOF", "none: the file is truncated")
    head = _Section("head", _keys(before.splitlines()))
    return head, [_block(file, index, part) for index, part in enumerate(parts)]


def _block(file: str, index: int, text: str) -> _Section:
    name = f"block {index}"
    inside, end, _ = text.partition("*END")
    if not end:
        raise InputError(file, name, "the end mark *END", "none: the block is truncated")
    rows = inside.splitlines()
    return _Section(name, _keys(rows), "\n".join(row for row in rows if not row.startswith("*")))


def _keys(rows: list[str]) -> dict[str, str]:
    return {m[1]: m[2] for m in map(_KEY.match, rows) if m}


def _check_complete(file: str, head: _Section, blocks: list[_Section]) -> None:
    declared = number(file, "*SEC_COUNT", head.keys["SEC_COUNT"]) if "SEC_COUNT" in head.keys else len(blocks)
    if declared != len(blocks):
        raise InputError(file, "*SEC_COUNT", f"{declared:g} blocks as the head says", f"{len(blocks)}")
    axis = head.keys.get("SCAN_AXIS", "").lower()
    if axis != "2theta":
        # What *OFFSET means for coupled axes is not recorded in the file: no guess.
        raise InputError(file, "*SCAN_AXIS", "2theta, with omega in *OFFSET", repr(axis))


def _line(file: str, head: _Section, block: _Section) -> Line:
    two_theta = _two_theta(file, block)
    recorded = numbers(file, f"{block.name}, counts", block.data)
    if recorded.size != two_theta.size:
        expected = f"{two_theta.size} values as *COUNT says"
        raise InputError(file, f"{block.name}, counts", expected, f"{recorded.size}")
    seconds = _seconds(file, head, block, two_theta)
    rate = _is_rate(file, head)
    return Line(
        counts=recorded * seconds if rate else recorded,
        attenuation=np.ones_like(recorded),
        seconds=seconds,
        omega=np.full_like(recorded, _value(file, block, "OFFSET")),
        two_theta=two_theta,
    )


def _two_theta(file: str, block: _Section) -> Array:
    """Detector angles from *START, *STOP and *COUNT, never from the rounded *STEP."""
    start, stop, count = (_value(file, block, key) for key in ("START", "STOP", "COUNT"))
    held = len(block.data.replace(",", " ").split())
    if count != held or count < 2:
        raise InputError(file, f"{block.name}, *COUNT", f"the number of values, {held}", f"{count:g}")
    exact = (stop - start) / (count - 1)
    step = _value(file, block, "STEP") if "STEP" in block.keys else exact
    if abs(step - exact) > STEP_ROUNDING:
        raise InputError(
            file, f"{block.name}, *STEP", f"(STOP - START) / (COUNT - 1) = {exact:g}", f"{step:g}"
        )
    return np.linspace(start, stop, int(count))


def _seconds(file: str, head: _Section, block: _Section, two_theta: Array) -> Array:
    speed = _value(file, block, "SPEED") if "SPEED" in block.keys else np.nan
    unit = head.keys.get("SPEED_DIM", "").lower()
    step = abs(two_theta[1] - two_theta[0])
    seconds = {"sec": speed, "deg": 60 * step / speed if speed else np.nan}.get(unit[:3], np.nan)
    return np.full(two_theta.shape, seconds)


def _is_rate(file: str, head: _Section) -> bool:
    unit = head.keys.get("YUNIT", "counts").lower()
    if unit not in ("counts", "cps"):
        raise InputError(file, "*YUNIT", "counts or cps", repr(unit))
    return unit == "cps"


def _wavelength(file: str, head: _Section) -> float:
    """Wavelength in angstrom: K alpha 1, or the 2:1 mean where both lines are let through."""
    one = _value(file, head, "WAVE_LENGTH1")
    if head.keys.get("XRAY_CHAR", "").upper() == "K-ALPHA":
        return (2 * one + _value(file, head, "WAVE_LENGTH2")) / 3
    return one


def _value(file: str, section: _Section, key: str) -> float:
    field = f"*{key}" if section.name == "head" else f"{section.name}, *{key}"
    if key not in section.keys:
        raise InputError(file, field, "a number", "nothing")
    return number(file, field, section.keys[key])
