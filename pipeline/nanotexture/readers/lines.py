"""What every scan reader shares: bytes to text, text to numbers, and lines of points to one labelled scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.quantities import Scan
from nanotexture.readers.noise import oversampling
from nanotexture.schema import SCAN, labelled

Array = NDArray[np.float64]

MAX_BYTES = 500_000_000
WAVELENGTHS = (0.05, 50.0)  # angstrom: outside, the number is not a wavelength in angstrom
COMMENT_LENGTH = 300


@dataclass(frozen=True)
class Line:
    """One line of a scan, arrays (point,): detected counts, attenuation factor, seconds, angles in deg."""

    counts: Array
    attenuation: Array
    seconds: Array
    omega: Array
    two_theta: Array


def read_bytes(path: Path) -> bytes:
    """Content of an input file, refused if it is not there, empty or too large to be a scan."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(path, "file", f"at most {MAX_BYTES} bytes", f"{size} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(path, "file", "a readable file", error.strerror or str(error)) from error
    if not content.strip():
        raise InputError(path, "file", "a measurement", "an empty file")
    return content


def numbers(file: str, field: str, text: str) -> Array:
    """Finite numbers separated by blanks or commas."""
    if "_" in text:  # Python reads 1_5 as 15
        raise InputError(file, field, "numbers", "an underscore")
    words = text.replace(",", " ").split()
    try:
        values = np.array([float(word) for word in words], dtype=np.float64)
    except ValueError as error:
        raise InputError(file, field, "numbers", str(error)) from error
    if not np.isfinite(values).all():
        raise InputError(file, field, "finite numbers", "NaN or infinity")
    return values


def number(file: str, field: str, text: str | None) -> float:
    """One finite number."""
    values = numbers(file, field, text or "")
    if values.size != 1:
        raise InputError(file, field, "one number", repr((text or "")[:40]))
    return float(values[0])


def assemble(file: str, lines: Sequence[Line], wavelength: float, attrs: Mapping[str, str]) -> Scan:
    """The labelled scan of equally long lines; oversampling is estimated from the counts."""
    _check_shape(file, lines)
    stacked = {f.name: np.stack([getattr(line, f.name) for line in lines]) for f in fields(Line)}
    _check_values(file, stacked)
    if not WAVELENGTHS[0] < wavelength < WAVELENGTHS[1]:
        low, high = WAVELENGTHS
        raise InputError(file, "wavelength", f"{low} to {high} angstrom", f"{wavelength:g}")
    values = {**stacked, "wavelength": wavelength, "oversampling": oversampling(stacked["counts"])}
    return Scan(
        labelled(values, SCAN, {"file": Path(file).name, "point_axis": _point_axis(stacked), **attrs})
    )


def _check_shape(file: str, lines: Sequence[Line]) -> None:
    if not lines:
        raise InputError(file, "lines", "at least one line of points", "none")
    for index, line in enumerate(lines):
        for entry in fields(Line):
            found = getattr(line, entry.name).shape
            if found != lines[0].counts.shape:
                expected = f"{lines[0].counts.size} points as in line 0"
                raise InputError(file, f"line {index}, {entry.name}", expected, f"{found}")
    if lines[0].counts.size < 2:
        raise InputError(file, "lines", "at least 2 points", str(lines[0].counts.size))


def _check_values(file: str, stacked: Mapping[str, Array]) -> None:
    for name in ("counts", "attenuation", "omega", "two_theta"):
        if not np.isfinite(stacked[name]).all():
            raise InputError(file, name, "finite numbers", "NaN or infinity (is the counting time missing?)")
    if (stacked["counts"] < 0).any():
        raise InputError(file, "counts", "no negative counts", f"{stacked['counts'].min():g}")
    if not stacked["counts"].any():
        raise InputError(file, "counts", "counts", "zero at every point")
    if not (stacked["attenuation"] > 0).all():
        raise InputError(file, "attenuation", "positive factors", f"{stacked['attenuation'].min():g}")
    if (stacked["seconds"] <= 0).any():
        raise InputError(file, "counting time", "positive seconds", f"{np.nanmin(stacked['seconds']):g}")
    for name in ("omega", "two_theta"):
        if (np.abs(stacked[name]) > 360).any():
            raise InputError(file, name, "angles within 360 deg", f"{np.abs(stacked[name]).max():g} deg")
    if not (np.ptp(stacked["two_theta"]) > 0 or np.ptp(stacked["omega"]) > 0):
        raise InputError(file, "omega, two_theta", "an axis that moves", "one position for all points")


def _point_axis(stacked: Mapping[str, Array]) -> str:
    """The angles that move from point to point of a line."""
    moving = [name for name in ("omega", "two_theta") if np.ptp(stacked[name], axis=1).any()]
    return "/".join(moving)


def comment(text: str | None) -> str:
    """Free text of a file on one line, of bounded length, for the attributes."""
    plain = "".join(c if c.isprintable() else " " for c in text or "")
    return " ".join(plain.split())[:COMMENT_LENGTH]
