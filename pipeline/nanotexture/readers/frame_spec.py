"""A scan of a SPEC file with its images (TIFF, EDF, CBF), in a folder or in a zip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers.archive import Archive, Folder, Place, Reader, is_zip
from nanotexture.readers.detector_image import ImageHeader, image_header, read_image
from nanotexture.readers.flat_fields import Fields, read_fields
from nanotexture.readers.frame_header import NAN, Recorded, energy_from_wavelength, frame_scan
from nanotexture.readers.frame_scan import FrameScan, Request
from nanotexture.readers.image_series import ImagePixels, Series, find_series, scans_with_images
from nanotexture.readers.lines import comment
from nanotexture.readers.spec_file import SpecScan, canonical, is_spec, listed, spec_scan, spec_scans
from nanotexture.readers.spec_geometry import circles, energy, orientation

Array = NDArray[np.float64]

SPEC_SUFFIXES = (".spec", ".spe", ".dat", ".spc", "")
MONITORS = ("monitor",)  # SPEC's own: zero throughout where nothing is connected
TRANSMISSIONS = ("transm", "transmission")  # of filters, above 0 and up to 1 where anything writes them


@dataclass(frozen=True)
class _Source:
    """A SPEC file: the place with its images, all names there, the SPEC file's own name and content."""

    path: Path
    place: Place
    names: list[str]
    name: str
    content: bytes

    @property
    def file(self) -> Path:
        """How messages call the SPEC file."""
        return Path(self.place.where(self.name))


def list_spec_scans(path: Path) -> list[int]:
    """Scans of a SPEC file, or of the one in a zip, that have images by their names."""
    source = _source(path)
    held = scans_with_images(source.names)
    return [scan for scan in spec_scans(source.file, source.content) if scan in held]


def read_spec_frames(path: Path, scan: int | None, request: Request) -> FrameScan:
    """One scan of a SPEC file and its images; InputError names the file and what is wrong with it."""
    source = _source(path)
    number = _chosen(source, request) if scan is None else scan
    spec = spec_scan(source.file, source.content, number)
    series = find_series(source.file, source.names, scan=number, points=spec.points, images=request.images)
    with source.place.opened() as read:
        first = read(series.names[0])
    rows, columns = read_image(source.place.where(series.names[0]), first).shape
    place = replace(source.place, path=source.place.path.absolute())  # workers may stand in other folders
    pixels = ImagePixels(place, series.names, rows, columns)
    fields = read_fields(source.place, source.names, spec, (rows, columns))
    found = _recorded(source, spec, series, request, image_header(first), fields)
    return frame_scan(source.file, found, pixels, request.look)


def _source(path: Path) -> _Source:
    place: Place = Archive(path) if is_zip(path) else Folder(path.parent)
    names = place.names()
    with place.opened() as read:
        name = _spec_name(path, names, read) if isinstance(place, Archive) else path.name
        return _Source(path, place, names, name, read(name))


def _spec_name(path: Path, names: list[str], read: Reader) -> str:
    """The one SPEC file of a zip, told by how it begins."""
    perhaps = [name for name in names if PurePosixPath(name).suffix.lower() in SPEC_SUFFIXES]
    found = [name for name in perhaps if is_spec(read(name)[:8])]
    if len(found) != 1:
        raise InputError(path, "SPEC file", "one in the zip", ", ".join(found[:8]) or "none")
    return found[0]


def _chosen(source: _Source, request: Request) -> int:
    """The only scan there is; InputError lists them if there are more."""
    scans = spec_scans(source.file, source.content)
    held = scans_with_images(source.names)
    usable = scans if request.images else [scan for scan in scans if scan in held]
    if len(usable) != 1:
        known = f"one of {listed(usable)}" if usable else "a scan with images"
        raise InputError(source.file, "scan", known, "none named" if usable else "no image of any")
    return usable[0]


def _recorded(
    source: _Source, spec: SpecScan, series: Series, request: Request, header: ImageHeader, fields: Fields
) -> Recorded:
    path = source.file
    kev, origin = energy(spec)
    if np.isnan(kev) and header.wavelength:
        kev, origin = energy_from_wavelength(header.wavelength), "header of the images"
    ub, ub_origin = orientation(path, spec)
    monitor, monitor_origin = _monitor(path, spec, request)
    attenuation, attenuation_origin = _attenuation(spec)
    more = {} if fields.response is None else {"response": fields.response}
    if ub is not None:
        more["ub"] = ub
        hkl = [spec.columns[axis] for axis in "hkl" if axis in spec.columns]
        more |= {"scan_hkl": np.stack(hkl, axis=1)} if len(hkl) == 3 else {}
    attrs = {
        "format": "SPEC with images",
        "scan": spec.number,
        "command": comment(spec.command),
        "geometry": comment(spec.program),
        "images": f"{series.names[0]} to {PurePosixPath(series.names[-1]).name}",
        "surplus_frames": series.surplus,
        "unfinished_points": spec.unfinished,
        "planned_frames": spec.planned or spec.points,
        "energy_from": origin,
        "ub_from": ub_origin,
        "monitor_from": monitor_origin,
        "attenuation_from": attenuation_origin,
        **fields.attrs,
    }
    return Recorded(
        circles=circles(path, spec, request.motors),
        monitor=monitor,
        seconds=_seconds(spec, header),
        attenuation=attenuation,
        mask=fields.mask,
        saturation=header.cutoff or NAN,
        energy=kev,
        temperature=_temperature(spec),
        pixel_size=header.pixel_size or (NAN, NAN),
        distance=header.distance or spec.motors.get("camdist", 0.0) or NAN,
        direct_beam=header.direct_beam or (NAN, NAN),
        more=more,
        attrs=attrs,
    )


def _monitor(path: Path, spec: SpecScan, request: Request) -> tuple[Array | None, str]:
    """Counts of the incident beam and their column; a column that SPEC always writes may be zero throughout."""
    name = canonical(request.monitor)
    if name and name not in spec.columns:
        known = ", ".join(list(spec.columns)[:12])
        raise InputError(path, f"scan {spec.number}, monitor {name}", f"one of {known} ...", "no such column")
    chosen = name or next((m for m in MONITORS if m in spec.columns), "")
    if not chosen:
        return None, "not recorded"
    if not name and not spec.columns[chosen].any():
        return None, f"not recorded: column {chosen} is zero throughout"
    return spec.columns[chosen], chosen


def _attenuation(spec: SpecScan) -> tuple[Array | None, str]:
    """One over the filters' transmission where a column has it."""
    for name in TRANSMISSIONS:
        share = spec.columns.get(name)
        if share is not None and ((share > 0) & (share <= 1)).all():
            return 1 / share, name
    return None, "not recorded: taken for 1"


def _seconds(spec: SpecScan, header: ImageHeader) -> Array | None:
    """Counting time (point,): the column, else #T, else the header of the images."""
    if "seconds" in spec.columns and (spec.columns["seconds"] > 0).all():
        return spec.columns["seconds"]
    told = spec.numbers("T", 1)
    value = float(told[0]) if told is not None else header.seconds or 0.0
    return np.full(spec.points, value) if value > 0 else None


def _temperature(spec: SpecScan) -> float:
    """Mean of the column DegK, which SPEC's temperature macros write in kelvin."""
    column = spec.columns.get("degk")
    return float(column.mean()) if column is not None and (column > 0).all() else NAN
