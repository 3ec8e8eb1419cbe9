"""Rigaku .rasx: a zip with one folder per line of points, its rows as text and its conditions as XML."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from nanotexture.errors import InputError
from nanotexture.quantities import Scan
from nanotexture.readers.archive import TEXTS, Archive, Reader
from nanotexture.readers.lines import Line, assemble, comment, number
from nanotexture.readers.rigaku import Head, is_rate, line_of, rows_of, seconds_of, wavelength_of
from nanotexture.readers.xml_tree import parse_xml

_PROFILE = re.compile(r"Data(\d{1,6})/Profile\1\.txt")
_LINES = {"Ka1": "WavelengthKalpha1", "Ka2": "WavelengthKalpha2", "Kb": "WavelengthKbeta"}


def read_rasx(path: Path) -> Scan:
    """Scan of a Rigaku .rasx file; the attenuator column becomes `attenuation`, counts stay as detected."""
    file = str(path)
    archive = Archive(path, TEXTS)
    names = archive.names()
    with archive.opened() as read:
        numbered = _profiles(file, names, read)
        lines = [_line(file, read, index) for index in numbered]
        conditions = _conditions(file, read, numbered[0])
    attrs = {
        "format": "Rigaku rasx",
        "instrument": comment(f"{_find(conditions, 'SystemName')}; {_detector(conditions)}"),
        "line_axis": "omega",
        "comment": comment(_find(conditions, "Comment")),
        "sample": comment(_find(conditions, "SampleName")),
    }
    return assemble(file, lines, _wavelength(file, _member(numbered[0]), conditions), attrs)


def _profiles(file: str, names: list[str], read: Reader) -> list[int]:
    """Numbers of the lines in order; as many as the table of contents lists."""
    found = sorted(int(match[1]) for match in map(_PROFILE.fullmatch, names) if match)
    if not found:
        raise InputError(file, "Data0/Profile0.txt", "at least one line of points", "none")
    root = parse_xml(file, "root.xml", read("root.xml"), "Root")
    listed = [entry.tag for entry in root if entry.get("Type") == "Profile"]
    lacking = [name for name in listed if name not in {f"Data{index}" for index in found}]
    if lacking:
        raise InputError(file, f"{lacking[0][:40]}/", "a profile as root.xml lists", "none")
    if len(listed) != len(found):
        raise InputError(file, "root.xml", f"all {len(found)} profiles listed", f"{len(listed)}")
    return found


def _member(index: int) -> str:
    return f"Data{index}/MesurementConditions{index}.xml"  # the maker's spelling


def _conditions(file: str, read: Reader, index: int) -> Element:
    name = _member(index)
    return parse_xml(file, name, read(name), "MeasurementConditions")


def _line(file: str, read: Reader, index: int) -> Line:
    where, conditions = _member(index), _conditions(file, read, index)
    text = read(f"Data{index}/Profile{index}.txt").decode("utf-8-sig", errors="replace")
    scan = conditions.find("ScanInformation")
    if scan is None:
        raise InputError(file, f"{where}, ScanInformation", "the scanned axis", "nothing")
    count = scan.findtext("DataCount")
    declared = None if count is None else number(file, f"{where}, DataCount", count)
    head = Head(
        axis=(scan.findtext("AxisName") or "").strip(),
        omega=_position(file, where, conditions, "Omega"),
        two_theta=_position(file, where, conditions, "TwoTheta"),
        seconds=_seconds(file, where, scan),
        rate=is_rate(file, f"{where}, IntensityUnit", scan.findtext("IntensityUnit") or "counts"),
    )
    rows = rows_of(file, f"Data{index}/Profile{index}.txt", text, declared)
    return line_of(file, f"{where}, ScanInformation/AxisName", head, rows)


def _position(file: str, where: str, conditions: Element, axis: str) -> float:
    """Where a circle stands, in degrees; the offset written beside it is part of the position already."""
    field = f"{where}, Axis[{axis}]"
    found = next((a for a in conditions.iterfind("Axes/Axis") if a.get("Name") == axis), None)
    if found is None or found.get("Unit") != "deg":
        raise InputError(
            file, field, "a position in deg", "none" if found is None else str(found.get("Unit"))
        )
    return number(file, field, found.get("Position"))


def _seconds(file: str, where: str, scan: Element) -> float:
    """Seconds a point; NaN where speed or step are not told."""
    told = {tag: scan.findtext(tag) for tag in ("Speed", "Step")}
    values = {
        tag: np.nan if text is None else number(file, f"{where}, {tag}", text) for tag, text in told.items()
    }
    return seconds_of(speed=values["Speed"], step=values["Step"], unit=scan.findtext("SpeedUnit") or "")


def _wavelength(file: str, where: str, conditions: Element) -> float:
    source = conditions.find("HWConfigurations/XrayGenerator")
    if source is None:
        raise InputError(file, f"{where}, XrayGenerator", "a wavelength", "nothing")
    wave = (source.findtext("WaveType") or "").strip()
    needed = ("Ka1", "Ka2") if wave == "Ka" else (wave,)
    lines = {
        name: number(file, f"{where}, {_LINES[name]}", source.findtext(_LINES[name]))
        for name in needed
        if name in _LINES
    }
    return wavelength_of(file, f"{where}, WaveType", wave, lines)


def _find(conditions: Element, tag: str) -> str:
    return conditions.findtext(f"GeneralInformation/{tag}") or ""


def _detector(conditions: Element) -> str:
    found = (
        c for c in conditions.iterfind("HWConfigurations/Categories/Category") if c.get("Name") == "Detector"
    )
    return next((c.get("SelectedUnit", "") for c in found), "")
