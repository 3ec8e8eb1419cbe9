"""Rigaku .ras: text, blocks of `angle counts attenuator` under a header of quoted keys."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nanotexture.errors import InputError
from nanotexture.quantities import Scan
from nanotexture.readers.lines import Array, Line, assemble, comment, number, numbers, read_bytes

Keys = dict[str, str]

_BLOCK = re.compile(r"^\*RAS_HEADER_START(.*?)^\*RAS_INT_START(.*?)^\*RAS_INT_END", re.DOTALL | re.MULTILINE)
_KEY = re.compile(r'^\*([\w-]+) "(.*)"\s*$', re.MULTILINE)
_MARKS = ("*RAS_HEADER_START", "*RAS_HEADER_END", "*RAS_INT_START", "*RAS_INT_END")
_WAVELENGTH_KEYS = {"Ka1": "ALPHA1", "Ka2": "ALPHA2", "Kb": "BETA"}
_COUPLED = ("TwoThetaOmega", "TwoThetaTheta")


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
    rows = _rows(file, name, keys, text)
    angle, recorded, attenuation = rows.T
    seconds = _seconds(file, keys, rows)
    omega, two_theta = _angles(file, keys, angle)
    return Line(
        counts=recorded * seconds if _is_rate(file, keys) else recorded,
        attenuation=attenuation,
        seconds=seconds,
        omega=omega,
        two_theta=two_theta,
    )


def _rows(file: str, name: str, keys: Keys, text: str) -> Array:
    """Array (point, 3): angle, counts, attenuator factor."""
    split = [row.split() for row in text.splitlines() if row.strip()]
    odd = next((row for row in split if len(row) != 3), None)
    if odd is not None or not split:
        raise InputError(
            file, f"{name}, data", "rows of angle, counts, attenuator", " ".join(odd or ["no rows"])[:60]
        )
    declared = _value(file, keys, "MEAS_DATA_COUNT") if "MEAS_DATA_COUNT" in keys else len(split)
    if declared != len(split):
        raise InputError(file, f"{name}, *MEAS_DATA_COUNT", f"{declared:g} rows", f"{len(split)} rows")
    return numbers(file, f"{name}, data", " ".join(" ".join(row) for row in split)).reshape(-1, 3)


def _angles(file: str, keys: Keys, angle: Array) -> tuple[Array, Array]:
    """omega and two theta of every point; the axes that do not move stand where the header says."""
    omega, two_theta = _position(file, keys, "Omega"), _position(file, keys, "TwoTheta")
    axis = _scan_axis(file, keys)
    if axis in _COUPLED:
        return omega + (angle - two_theta) / 2, angle
    if axis == "TwoTheta":
        return np.full_like(angle, omega), angle
    if axis == "Omega":
        return angle, np.full_like(angle, two_theta)
    raise InputError(
        file, "*MEAS_SCAN_AXIS_X_INTERNAL", "TwoThetaOmega, TwoThetaTheta, TwoTheta or Omega", repr(axis)
    )


def _position(file: str, keys: Keys, axis: str) -> float:
    names = {
        v: k.rpartition("-")[2] for k, v in keys.items() if k.startswith("MEAS_COND_AXIS_NAME_INTERNAL-")
    }
    if axis not in names:
        raise InputError(file, "*MEAS_COND_AXIS_NAME_INTERNAL", f"an axis {axis}", "none")
    return _value(file, keys, f"MEAS_COND_AXIS_POSITION-{names[axis]}")


def _scan_axis(file: str, keys: Keys) -> str:
    if "MEAS_SCAN_AXIS_X_INTERNAL" not in keys:
        raise InputError(file, "*MEAS_SCAN_AXIS_X_INTERNAL", "the scanned axis", "nothing")
    return keys["MEAS_SCAN_AXIS_X_INTERNAL"]


def _seconds(file: str, keys: Keys, rows: Array) -> Array:
    """Counting time of a point: step over speed of a continuous scan; NaN where the header does not say."""
    unit = keys.get("MEAS_SCAN_SPEED_UNIT", "")
    speed = _value(file, keys, "MEAS_SCAN_SPEED") if "MEAS_SCAN_SPEED" in keys else np.nan
    step = _value(file, keys, "MEAS_SCAN_STEP") if "MEAS_SCAN_STEP" in keys else np.nan
    per_minute = 60 * step / speed if speed else np.nan
    seconds = {"deg/min": per_minute, "sec": speed, "sec/step": speed}.get(unit, np.nan)
    return np.full(len(rows), seconds)


def _is_rate(file: str, keys: Keys) -> bool:
    unit = keys.get("MEAS_SCAN_UNIT_Y", "counts")
    if unit not in ("counts", "cps"):
        raise InputError(file, "*MEAS_SCAN_UNIT_Y", "counts or cps", repr(unit))
    return unit == "cps"


def _wavelength(file: str, keys: Keys) -> float:
    """Wavelength in angstrom of the line that the header names; the 2:1 mean for unresolved K alpha."""
    wave = keys.get("MEAS_COND_XG_WAVE_TYPE", "Ka1")
    if wave == "Ka":
        one, two = (_value(file, keys, f"HW_XG_WAVE_LENGTH_ALPHA{n}") for n in (1, 2))
        return (2 * one + two) / 3
    if wave not in _WAVELENGTH_KEYS:
        raise InputError(file, "*MEAS_COND_XG_WAVE_TYPE", "Ka, Ka1, Ka2 or Kb", repr(wave))
    return _value(file, keys, f"HW_XG_WAVE_LENGTH_{_WAVELENGTH_KEYS[wave]}")


def _value(file: str, keys: Keys, key: str) -> float:
    if key not in keys:
        raise InputError(file, f"*{key}", "a number", "nothing")
    return number(file, f"*{key}", keys[key])


def _english(keys: Keys, key: str) -> str:
    """The part after the bar: the one before it is in Japanese."""
    return keys.get(key, "").rpartition("|")[2]
