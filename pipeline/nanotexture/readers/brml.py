"""Bruker .brml: a zip with one XML file per scan; a snapshot of a line detector is one line of points.

Two theta of channel i of a snapshot is Reference + Start + i Increment of the scan axis, and omega is the
drive's Position. VirtualPosition, and the angles and Q written beside the counts, hold the wizard's offset
once more: in a real map of Si 004 they put the substrate 5 degrees away from its Bragg angle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from nanotexture.errors import InputError
from nanotexture.quantities import Scan
from nanotexture.readers.archive import TEXTS, Archive, Reader
from nanotexture.readers.lines import Array, Line, assemble, comment, number, numbers
from nanotexture.readers.xml_tree import parse_xml

_COUNTER = "what the detector counted"
_AXES = {"omega": "Theta", "two_theta": "TwoTheta"}
_WAVELENGTHS = (".//MethodAlignment/WaveLength", ".//WaveLengthAlpha1")


@dataclass(frozen=True)
class _Route:
    """One measured scan in its file: member, elements, rows of numbers, and first place and number of each value in a row."""

    file: str
    member: str
    root: Element
    route: Element
    data: Array
    places: Mapping[str, tuple[int, int]]

    @property
    def channels(self) -> int:
        """Counts in a row."""
        return self.places[_COUNTER][1]


def read_brml(path: Path) -> Scan:
    """Scan of a Bruker .brml file; the absorber's factor becomes `attenuation`, counts stay as detected."""
    file = str(path)
    lines: list[Line] = []
    archive = Archive(path, TEXTS)
    members = archive.names()
    with archive.opened() as read:
        names = _listed(file, members, read)
        first = last = _route(file, read, names[0])
        for name in names:
            last = _route(file, read, name)
            lines += _lines(last)
    kept = lines[:-1] if _aborted(lines, last) else lines
    attrs = {
        "format": "Bruker brml",
        "instrument": comment(_detector(first)),
        "line_axis": "omega",
        "comment": comment(_info(first.root, "Comment")),
        "sample": comment(_info(first.root, "SampleName")),
        "lines_dropped": str(len(lines) - len(kept)),
    }
    return assemble(file, kept, _wavelength(first), attrs)


def _listed(file: str, members: list[str], read: Reader) -> list[str]:
    """Members with measured data, in the order of the first experiment's table of contents."""
    tables = sorted(name for name in members if name.endswith("/DataContainer.xml"))
    if not tables:
        raise InputError(file, "DataContainer.xml", "a table of contents", "none")
    if len(tables) > 1:
        raise InputError(file, tables[1][:60], "one experiment", f"{len(tables)}")
    root = parse_xml(file, tables[0], read(tables[0]), "DataContainer")
    found = [(entry.text or "").strip() for entry in root.iterfind("RawDataReferenceList/string")]
    if not found:
        raise InputError(file, f"{tables[0]}, RawDataReferenceList", "measured data", "none")
    if len(set(found)) != len(found):
        raise InputError(file, f"{tables[0]}, RawDataReferenceList", "each scan once", "one twice")
    return found


def _route(file: str, read: Reader, member: str) -> _Route:
    """The measured data of one member."""
    root = parse_xml(file, member, read(member), "RawData")
    routes = root.findall("DataRoutes/DataRoute")
    route = next((r for r in routes if r.get("RouteFlag") == "Measured"), routes[0] if routes else None)
    if route is None:
        raise InputError(file, f"{member}, DataRoute", "measured data", "none")
    rows = [numbers(file, f"{member}, Datum", datum.text or "") for datum in route.iterfind("Datum")]
    if not rows or rows[0].size == 0 or any(row.size != rows[0].size for row in rows):
        raise InputError(file, f"{member}, Datum", "rows of equally many numbers", "none, or unequal rows")
    places = _places(file, member, route)
    end = max(place + size for place, size in places.values())
    if end != rows[0].size:
        expected = f"{end} numbers as DataViews says"
        raise InputError(file, f"{member}, Datum", expected, f"{rows[0].size}")
    return _Route(file, member, root, route, np.stack(rows), places)


def _places(file: str, member: str, route: Element) -> dict[str, tuple[int, int]]:
    """First place and number of the values in a row, by name; what the detector counted among them."""
    found: dict[str, tuple[int, int]] = {}
    for index, view in enumerate(route.iterfind("DataViews/RawDataView")):
        field = f"{member}, RawDataView {index}"
        name = _name_of(view) or f"view {index}"
        if name in found:
            raise InputError(file, field, "each quantity once, and one detector", f"{name} twice")
        rows = view.findtext("Recording/Size/Y") or "1"
        if name == _COUNTER and number(file, f"{field}, Size/Y", rows) != 1:
            raise InputError(
                file, f"{field}, Size/Y", "a point or line detector, 1 row of channels", rows[:20]
            )
        varying = view.find("Varying")
        # Q of every channel is announced (Length), but that of one is stored (VectorLength)
        stored = view.get("Length") if varying is None else varying.get("VectorLength") or view.get("Length")
        place, size = (
            number(file, f"{field}@Start", view.get("Start")),
            number(file, f"{field}@Length", stored),
        )
        if min(place, size - 1) < 0 or place != int(place) or size != int(size):
            raise InputError(file, field, "a place and a length", f"{place:g}, {size:g}")
        found[name] = int(place), int(size)
    if _COUNTER not in found:
        raise InputError(file, f"{member}, DataViews", "a recorded counter", "none")
    return found


def _name_of(view: Element) -> str:
    recording = view.find("Recording")
    if recording is not None:
        return _COUNTER if recording.get("Category") == "Count" else recording.get("LogicName", "")
    inside = view.find("Varying")
    return view.get("LogicName", "") if inside is None else inside.get("LogicName", "")


def _lines(route: _Route) -> list[Line]:
    """Snapshots of a line detector as one line each, points of a point detector as one line together."""
    first, channels = route.places[_COUNTER]
    counts = route.data[:, first : first + channels]
    shape = counts.shape
    values = {
        "counts": counts,
        "attenuation": _once_a_row(route, "AbsorptionFactor", 1.0),
        "seconds": _once_a_row(route, "MeasuredTime", np.nan),
        **{name: _angle(route, axis) for name, axis in _AXES.items()},
    }
    full = {name: np.broadcast_to(value, shape) for name, value in values.items()}
    if channels == 1:
        return [_one_line({name: value[:, 0] for name, value in full.items()})]
    return [_one_line({name: value[row] for name, value in full.items()}) for row in range(shape[0])]


def _one_line(values: Mapping[str, Array]) -> Line:
    copied = {name: np.array(value) for name, value in values.items()}
    return Line(
        counts=copied["counts"],
        attenuation=copied["attenuation"],
        seconds=copied["seconds"],
        omega=copied["omega"],
        two_theta=copied["two_theta"],
    )


def _once_a_row(route: _Route, name: str, absent: float) -> Array:
    """Values (row, 1) that stand once in each row."""
    place = route.places.get(name)
    if place is None:
        return np.full((len(route.data), 1), absent)
    return route.data[:, place[0] : place[0] + 1]


def _angle(route: _Route, axis: str) -> Array:
    """Angles in degrees, (1, channel), (row, 1) or (1, 1): scanned, or where the drive stands."""
    where = f"{route.member}, {axis}"
    scanned = [
        a for a in route.route.iterfind("ScanInformation/ScanAxes/ScanAxisInfo") if a.get("AxisId") == axis
    ]
    if not scanned:
        return np.array([[_drive(route, axis)]])
    if scanned[0].get("Unit") not in ("°", "deg"):
        raise InputError(route.file, where, "an axis in degrees", repr(scanned[0].get("Unit")))
    reference, start, stop, step = (
        number(route.file, f"{where}/{tag}", scanned[0].findtext(tag))
        for tag in ("Reference", "Start", "Stop", "Increment")
    )
    along_channels = route.channels > 1 and axis == "TwoTheta"
    steps = np.arange(route.channels if along_channels else len(route.data))
    # a scan that was aborted has fewer points than Start to Stop holds, never more; a detector's edge may count
    if abs(step) * (steps.size - 1) > abs(stop - start) + 1.5 * abs(step) or (step == 0 and steps.size > 1):
        expected = f"steps of {step:g} from {start:g} to {stop:g}"
        raise InputError(route.file, f"{where}/Increment", expected, f"{steps.size} points")
    angles = np.asarray(reference + start + steps * step, dtype=np.float64)
    return angles[None, :] if along_channels else angles[:, None]


def _drive(route: _Route, axis: str) -> float:
    drives = route.root.iterfind("FixedInformation/Drives/InfoData")
    found = next((drive for drive in drives if drive.get("AxisId") == axis), None)
    position = None if found is None else found.find("Position")
    if position is None or position.get("Unit") not in ("°", "deg"):
        raise InputError(route.file, f"{route.member}, Drives[{axis}]", "a position in degrees", "none")
    return number(route.file, f"{route.member}, Drives[{axis}]", position.get("Value"))


def _aborted(lines: list[Line], last: _Route) -> bool:
    """Whether the last line is shorter than the first and its file says that it was not measured to its end."""
    short = len(lines) > 1 and lines[-1].counts.size < lines[0].counts.size
    return short and (last.root.findtext("MeasurementStatus") or "").strip() != "Measured"


def _wavelength(route: _Route) -> float:
    """Wavelength in angstrom that the reflection was set up with, else the tube's K alpha 1."""
    found = next((e for e in map(route.root.find, _WAVELENGTHS) if e is not None), None)
    field = f"{route.member}, WaveLength"
    if found is None or found.get("Unit") != "Å":
        raise InputError(
            route.file, field, "a length in Å", "none" if found is None else repr(found.get("Unit"))
        )
    return number(route.file, field, found.get("Value"))


def _detector(route: _Route) -> str:
    found = next(
        (
            v.find("Recording")
            for v in route.route.iterfind("DataViews/RawDataView")
            if v.find("Recording") is not None
        ),
        None,
    )
    return "" if found is None else found.get("VisibleName", "")


def _info(root: Element, name: str) -> str:
    return next((e.get("Value", "") for e in root.iterfind(".//InfoItem") if e.get("Name") == name), "")
