"""PANalytical .xrdml: XML, one <scan> per line; <intensities> carry attenuation, <counts> do not."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from nanotexture.errors import InputError
from nanotexture.quantities import Scan
from nanotexture.readers.lines import Array, Line, assemble, comment, number, numbers, read_bytes
from nanotexture.readers.xml_tree import parse_xml

_LINES = {"K-Alpha 1": "kAlpha1", "K-Alpha 2": "kAlpha2", "K-Beta": "kBeta"}


def read_xrdml(path: Path) -> Scan:
    """Scan of a PANalytical .xrdml file; counts are as detected, attenuation factors stay apart."""
    file = str(path)
    root = parse_xml(file, "XML", read_bytes(path), "xrdMeasurements")
    scans = root.findall(".//{*}scan")
    if not scans:
        raise InputError(file, "xrdMeasurement/scan", "at least one scan", "none")
    lines = [_line(file, f"scan {index}", scan) for index, scan in enumerate(scans)]
    kept = _without_aborted_end(lines, scans)
    attrs = {
        "format": "PANalytical xrdml",
        "instrument": comment(_attribute(root, ".//{*}detector", "name")),
        "line_axis": "omega",
        "comment": comment(" ".join(e.text or "" for e in root.findall(".//{*}comment/{*}entry"))),
        "sample": comment(root.findtext(".//{*}sample/{*}id")),
        "lines_dropped": str(len(lines) - len(kept)),
    }
    return assemble(file, kept, _wavelength(file, root), attrs)


def _line(file: str, name: str, scan: Element) -> Line:
    points = scan.find("{*}dataPoints")
    if points is None:
        raise InputError(file, f"{name}/dataPoints", "data", "nothing")
    recorded, corrected = _recorded(file, name, points)
    attenuation = _per_point(file, name, points, "beamAttenuationFactor", recorded.size, 1.0)
    if not (attenuation > 0).all():
        raise InputError(file, f"{name}/beamAttenuationFactors", "positive factors", f"{attenuation.min():g}")
    return Line(
        counts=recorded / attenuation if corrected else recorded,
        attenuation=attenuation,
        seconds=_per_point(file, name, points, "countingTime", recorded.size, np.nan),
        omega=_positions(file, name, points, "Omega", recorded.size),
        two_theta=_positions(file, name, points, "2Theta", recorded.size),
    )


def _recorded(file: str, name: str, points: Element) -> tuple[Array, bool]:
    """Recorded values (point,) and whether they are corrected for attenuation already."""
    for tag in ("counts", "intensities"):
        found = points.find(f"{{*}}{tag}")
        if found is not None:
            unit = found.get("unit", "counts")
            if unit != "counts":
                raise InputError(file, f"{name}/{tag}", "unit counts", repr(unit))
            return numbers(file, f"{name}/{tag}", found.text or ""), tag == "intensities"
    raise InputError(file, f"{name}/dataPoints", "<counts> or <intensities>", "neither")


def _per_point(file: str, name: str, points: Element, tag: str, size: int, absent: float) -> Array:
    """Values (point,) given one by one (<tags>) or once (<commonTag>), else `absent`."""
    listed = points.findtext(f"{{*}}{tag}s")
    if listed is not None:
        return _sized(file, f"{name}/{tag}s", numbers(file, f"{name}/{tag}s", listed), size)
    once = f"common{tag[0].upper()}{tag[1:]}"
    common = points.findtext(f"{{*}}{once}")
    if common is not None:
        return np.full(size, number(file, f"{name}/{once}", common))
    return np.full(size, absent)


def _positions(file: str, name: str, points: Element, axis: str, size: int) -> Array:
    """Angles (point,) in degrees: listed, from start to end, or common to all points."""
    field = f"{name}/positions[{axis}]"
    found = next((p for p in points.findall("{*}positions") if p.get("axis") == axis), None)
    if found is None:
        raise InputError(file, field, "positions of the axis", "none")
    if found.get("unit", "deg") != "deg":
        raise InputError(file, field, "unit deg", repr(found.get("unit")))
    for tag in ("listPositions", "unspacedPositions"):
        listed = found.findtext(f"{{*}}{tag}")
        if listed is not None:
            return _sized(file, field, numbers(file, field, listed), size)
    common = found.findtext("{*}commonPosition")
    if common is not None:
        return np.full(size, number(file, field, common))
    start, end = (
        number(file, field, found.findtext(f"{{*}}{tag}")) for tag in ("startPosition", "endPosition")
    )
    return np.linspace(start, end, size)


def _sized(file: str, field: str, values: Array, size: int) -> Array:
    if values.size != size:
        raise InputError(file, field, f"{size} values, one per point", f"{values.size}")
    return values


def _without_aborted_end(lines: list[Line], scans: list[Element]) -> list[Line]:
    """All lines, but for a last one that the instrument says was aborted before its end."""
    short = len(lines) > 1 and lines[-1].counts.size < lines[0].counts.size
    aborted = scans[-1].get("status", "") == "Aborted"
    return lines[:-1] if short and aborted else lines


def _wavelength(file: str, root: Element) -> float:
    """Wavelength in angstrom of the line that was intended; the weighted mean for unresolved K alpha."""
    used = root.find(".//{*}usedWavelength")
    if used is None:
        raise InputError(file, "usedWavelength", "a wavelength", "nothing")
    intended = used.get("intended", "K-Alpha 1")
    if intended == "K-Alpha":
        one, two = (_angstrom(file, used, tag) for tag in ("kAlpha1", "kAlpha2"))
        ratio = number(file, "ratioKAlpha2KAlpha1", used.findtext("{*}ratioKAlpha2KAlpha1") or "0.5")
        return (one + ratio * two) / (1 + ratio) if ratio >= 0 else -1.0
    if intended not in _LINES:
        raise InputError(file, "usedWavelength", f"one of {', '.join(_LINES)}, K-Alpha", repr(intended))
    return _angstrom(file, used, _LINES[intended])


def _angstrom(file: str, used: Element, tag: str) -> float:
    found = used.find(f"{{*}}{tag}")
    field = f"usedWavelength/{tag}"
    if found is None or found.get("unit", "Angstrom") != "Angstrom":
        raise InputError(
            file, field, "a length in Angstrom", "nothing" if found is None else str(found.get("unit"))
        )
    return number(file, field, found.text)


def _attribute(root: Element, tag: str, name: str) -> str:
    found = root.find(tag)
    return "" if found is None else found.get(name, "")
