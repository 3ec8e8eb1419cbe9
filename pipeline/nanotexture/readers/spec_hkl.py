"""SPEC scans in h, k and l of a point detector (hklscan, hscan, kscan, lscan, hklmesh), to one labelled scan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from nanotexture.errors import InputError
from nanotexture.quantities import HklScan
from nanotexture.readers.lines import WAVELENGTHS, Array, comment, number, read_bytes
from nanotexture.readers.nexus_map import HC
from nanotexture.readers.spec_file import SpecScan, canonical, only_scan, spec_scan
from nanotexture.schema import HKL_SCAN, labelled

MAX_INDEX = 200
MAX_INTERVALS = 1_000_000
_CELL = slice(0, 6)  # of #G1: a, b, c in angstrom, alpha, beta, gamma in deg
_WAVELENGTH = 30  # of #G1, in fourc, sixc and psic geometries
_TRANSMISSION = ("trans", "transm", "transmission")
_NOT_MONITORS = ("h", "k", "l", "epoch", "seconds", "two_theta", "theta", "chi", "phi")


@dataclass(frozen=True)
class Columns:
    """Which columns of a scan hold what; None: as SPEC says (last column, monitor of #M), "" for none at all.

    A point whose monitor is 0 cannot be normalised: the scan is refused, or the point is left out (monitor NaN).
    """

    counter: str | None = None
    monitor: str | None = None
    transmission: str | None = None
    without_monitor: Literal["refuse", "leave out"] = "refuse"


AS_SPEC_SAYS = Columns()


def read_hkl_scan(path: Path, scan: int | None = None, columns: Columns = AS_SPEC_SAYS) -> HklScan:
    """The labelled scan of SPEC's number `scan`; points that an aborted scan lacks are counted in the attributes."""
    content = read_bytes(path)
    found = spec_scan(path, content, only_scan(path, content) if scan is None else scan)
    promised = _promised(found)
    size = found.points
    if size > promised:
        raise InputError(found.file, found.field("points"), f"at most {promised}, as #S says", f"{size}")
    counter = list(found.columns)[-1] if columns.counter is None else columns.counter
    monitor_name = _monitor_name(found) if columns.monitor is None else columns.monitor
    monitor = _monitor(found, monitor_name, columns.without_monitor == "leave out")
    values = {
        "counts": _counts(found, counter),
        "monitor": monitor,
        "seconds": _seconds(found, needed=not monitor_name),
        "attenuation": _attenuation(found, columns.transmission),
        "hkl": _hkl(found),
        **_lattice_and_energy(found),
    }
    aborted = next((one for one in found.comments if "abort" in one.lower()), "")
    attrs = {
        "file": Path(found.file).name,
        "format": "SPEC",
        "scan": found.number,
        "command": comment(" ".join(found.command.split())),
        "counter": counter,
        "monitor": monitor_name,
        "points_per_line": _per_line(found),
        "points_promised": promised,
        "points_missing": promised - size,
        "points_without_monitor": int(np.isnan(monitor).sum()) if monitor_name else 0,
        "aborted": comment(aborted) if size < promised else "",
    }
    return HklScan(labelled(values, HKL_SCAN, attrs))


def _promised(scan: SpecScan) -> int:
    """Number of points of the scan's command."""
    name, *rest = scan.command.split() or [""]
    try:
        if name == "hklscan":
            return _points(rest[6])
        if name in ("hscan", "kscan", "lscan"):
            return _points(rest[2])
        if name == "hklmesh":
            return _points(rest[3]) * _points(rest[7])
    except (IndexError, ValueError) as error:
        raise InputError(
            scan.file, scan.field("#S"), f"the arguments of {name}", " ".join(rest)[:80]
        ) from error
    raise InputError(scan.file, scan.field("#S"), "hklscan, hscan, kscan, lscan or hklmesh", repr(name[:40]))


def _points(intervals: str) -> int:
    """Points of an axis of so many intervals."""
    number = int(intervals)
    if not 0 <= number <= MAX_INTERVALS:
        raise ValueError(f"{number} intervals")
    return number + 1


def _per_line(scan: SpecScan) -> int:
    """Points of the axis that moves fastest: one line of a mesh, or all of a line scan."""
    return _points(scan.command.split()[4]) if scan.command.startswith("hklmesh") else _promised(scan)


def _counts(scan: SpecScan, counter: str) -> Array:
    counts = scan.column(counter)
    if (counts < 0).any():
        raise InputError(scan.file, scan.field(counter), "no negative counts", f"{counts.min():g}")
    if not counts.any():
        raise InputError(scan.file, scan.field(counter), "counts", "zero at every point")
    return counts


def _monitor_name(scan: SpecScan) -> str:
    """The monitor that #M names, else SPEC's place for it: the column before the detector's, if it is a counter."""
    named = re.search(r"\(([^)]*)\)", scan.lines.get("M", ""))
    if named is not None:
        return canonical(named[1])
    before = list(scan.columns)[-2] if len(scan.columns) > 1 else ""
    return "" if before in _NOT_MONITORS else before


def _monitor(scan: SpecScan, name: str, leave_out: bool) -> Array:
    """Monitor of each point, above 0; NaN where it is 0 and such points are to be left out."""
    if not name:
        return np.full(scan.points, np.nan)
    monitor = scan.column(name)
    dead = monitor <= 0
    if dead.all() or (dead.any() and not leave_out):
        worst = int(np.argmax(dead))
        found = f"{monitor[worst]:g} at point {worst}, and at {dead.sum() - 1} more"
        raise InputError(scan.file, scan.field(name), "a monitor above 0 at every point", found)
    return np.where(dead, np.nan, monitor)


def _seconds(scan: SpecScan, needed: bool) -> Array:
    """Counting times; NaN where there is no column, or a clock that failed at a point whose monitor tells the dose."""
    name = "seconds"
    if name not in scan.columns:
        return np.full(scan.points, np.nan)
    seconds = scan.column(name)
    if needed and not (seconds > 0).all():
        raise InputError(scan.file, scan.field(name), "positive seconds", f"{seconds.min():g}")
    return np.where(seconds > 0, seconds, np.nan)


def _attenuation(scan: SpecScan, told: str | None) -> Array:
    """One over the transmission of the filters; 1 where no column holds it."""
    present = (column for column in scan.columns if column in _TRANSMISSION)
    name = next(present, "") if told is None else told
    if not name:
        return np.ones(scan.points)
    transmission = scan.column(name)
    if not ((transmission > 0) & (transmission <= 1)).all():
        found = f"{transmission.min():g} to {transmission.max():g}"
        raise InputError(scan.file, scan.field(name), "transmissions above 0, up to 1", found)
    return 1 / transmission


def _hkl(scan: SpecScan) -> Array:
    hkl = np.stack([scan.column(name) for name in ("H", "K", "L")], axis=1)
    if np.abs(hkl).max() > MAX_INDEX:
        raise InputError(scan.file, scan.field("H, K, L"), f"within {MAX_INDEX}", f"{np.abs(hkl).max():g}")
    return hkl


def _lattice_and_energy(scan: SpecScan) -> dict[str, Array | float]:
    """Lattice (angstrom, deg) and energy (keV) of #G1; NaN where it does not say, as zeros do not."""
    words = scan.lines.get("G1", "").split()
    values = np.array([number(scan.file, scan.field("#G1"), word) for word in words])
    cell = values[_CELL] if values.size >= 6 else np.zeros(6)
    known = bool((cell > 0).all())
    wavelength = float(values[_WAVELENGTH]) if values.size > _WAVELENGTH else 0.0
    sensible = WAVELENGTHS[0] < wavelength < WAVELENGTHS[1]
    return {
        "lengths": cell[:3] if known else np.full(3, np.nan),
        "angles": cell[3:] if known else np.full(3, np.nan),
        "energy": HC / wavelength if sensible else np.nan,
    }
