"""Rigaku .ras: text, blocks of `angle counts attenuator` under a header of quoted keys."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nanotexture.errors import InputError
from nanotexture.quantities import Scan
from nanotexture.readers.lines import Line, assemble, comment, number, read_bytes
from nanotexture.readers.rigaku import Head, is_rate, line_of, rows_of, seconds_of, wavelength_of

Keys = dict[str, str]

_BLOCK = re.compile(r"^\*RAS_HEADER_START(.*?)^\*RAS_INT_START(.*?)^\*RAS_INT_END", re.DOTALL | re.MULTILINE)
_KEY = re.compile(r'^\*([\w-]+) "(.*)"\s*$', re.MULTILINE)
_MARKS = ("*RAS_HEADER_START", "*RAS_HEADER_END", "*RAS_INT_START", "*RAS_INT_END")
_WAVELENGTH_KEYS = {"Ka1": "ALPHA1", "Ka2": "ALPHA2", "Kb": "BETA"}


def read_ras(path: Path) -> Scan:
    """Scan of a Rigaku .ras file; the attenuator column becomes `attenuation`, counts stay as detected."""
    file = str(path)
    blocks = _blocks(file, read_bytes(path).decode("cp932", errors="replace"))
    lines = [_line(file, f"block {i}", keys, rows) for i, (keys, rows) in enumerate(blocks)]
    keys = blocks[0][0]
    attrs = {
        "format": "Rigaku ras",
        "instrument": comment(
            f"{_english(keys, 'HW_GONIOMETER_NAME')}; {_english(keys, 'HW_COUNTER_SELECT_NAME')}"
        ),
        "line_axis": "omega",
        "comment": comment(keys.get("FILE_COMMENT")),
        "sample": comment(keys.get("FILE_SAMPLE")),
    }
    return assemble(file, lines, _wavelength(file, keys), attrs)


def _blocks(file: str, text: str) -> list[tuple[Keys, str]]:
    """Header keys and data rows of every block; a count of marks that does not fit means a damaged file."""
    found = [(dict(_KEY.findall(head)), rows) for head, rows in _BLOCK.findall(text)]
    if not found:
        raise InputError(
            file, "*RAS_INT_START", "at least one block of data", "none (truncated, or not a .ras file)"
        )
    if not re.search(r"^\*RAS_DATA_END", text, flags=re.MULTILINE):
        raise InputError(file, "*RAS_DATA_END", "the end mark *RAS_DATA_END", "none: the file is truncated")
    for mark in _MARKS:
        times = text.count(mark)
        if times != len(found):
            raise InputError(file, mark, f"{len(found)} times, once per block", f"{times} times")
    return found


def _line(file: str, name: str, keys: Keys, text: str) -> Line:
    declared = _value(file, keys, "MEAS_DATA_COUNT") if "MEAS_DATA_COUNT" in keys else None
    rows = rows_of(file, name, text, declared)
    head = Head(
        axis=_text(file, keys, "MEAS_SCAN_AXIS_X_INTERNAL"),
        omega=_position(file, keys, "Omega"),
        two_theta=_position(file, keys, "TwoTheta"),
        seconds=_seconds(file, keys),
        rate=is_rate(file, "*MEAS_SCAN_UNIT_Y", keys.get("MEAS_SCAN_UNIT_Y", "counts")),
    )
    return line_of(file, "*MEAS_SCAN_AXIS_X_INTERNAL", head, rows)


def _position(file: str, keys: Keys, axis: str) -> float:
    names = {
        v: k.rpartition("-")[2] for k, v in keys.items() if k.startswith("MEAS_COND_AXIS_NAME_INTERNAL-")
    }
    if axis not in names:
        raise InputError(file, "*MEAS_COND_AXIS_NAME_INTERNAL", f"an axis {axis}", "none")
    return _value(file, keys, f"MEAS_COND_AXIS_POSITION-{names[axis]}")


def _seconds(file: str, keys: Keys) -> float:
    speed = _value(file, keys, "MEAS_SCAN_SPEED") if "MEAS_SCAN_SPEED" in keys else np.nan
    step = _value(file, keys, "MEAS_SCAN_STEP") if "MEAS_SCAN_STEP" in keys else np.nan
    return seconds_of(speed=speed, step=step, unit=keys.get("MEAS_SCAN_SPEED_UNIT", ""))


def _wavelength(file: str, keys: Keys) -> float:
    """Wavelength in angstrom of the line that the header names; only the lines it needs are looked up."""
    wave = keys.get("MEAS_COND_XG_WAVE_TYPE", "Ka1")
    needed = ("Ka1", "Ka2") if wave == "Ka" else (wave,)
    lines = {
        name: _value(file, keys, f"HW_XG_WAVE_LENGTH_{_WAVELENGTH_KEYS[name]}")
        for name in needed
        if name in _WAVELENGTH_KEYS
    }
    return wavelength_of(file, "*MEAS_COND_XG_WAVE_TYPE", wave, lines)


def _value(file: str, keys: Keys, key: str) -> float:
    return number(file, f"*{key}", _text(file, keys, key))


def _text(file: str, keys: Keys, key: str) -> str:
    if key not in keys:
        raise InputError(file, f"*{key}", "a value", "nothing")
    return keys[key]


def _english(keys: Keys, key: str) -> str:
    """The part after the bar: the one before it is in Japanese."""
    return keys.get(key, "").rpartition("|")[2]
