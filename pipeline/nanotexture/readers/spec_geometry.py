"""What a SPEC scan says of circles, energy, UB and hkl, and what of it is SPEC's default and says nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers.frame_header import NAN, energy_from_wavelength
from nanotexture.readers.spec_file import SpecScan, canonical

Array = NDArray[np.float64]

CIRCLES = (
    *("two_theta", "tth", "theta", "th", "omega", "eta", "mu", "chi", "phi", "delta", "del", "nu", "gamma"),
    *("gam", "kappa", "kap", "keta", "kphi", "kth", "alpha", "twotheta", "ttheta"),
)
DEFAULT = 1.54  # angstrom: wavelength and lattice of a SPEC that was never told any
MOVE_TOGETHER = ("hklscan", "hscan", "kscan", "lscan", "hklmesh", "th2th", "escan")
METRIC = 2e-3  # relative difference of UB's metric from that of its lattice; both are printed


def circles(path: Path, scan: SpecScan, wanted: Sequence[str]) -> dict[str, Array]:
    """Angles (point,) of the circles asked for, or of those that have a circle's name; column before start position."""
    names = list(wanted) or [name for name in CIRCLES if name in scan.motors]
    if not names:
        known = ", ".join(list(scan.motors)[:8]) or "no motors (#O, #P)"
        raise InputError(path, f"scan {scan.number}, motors", "circles such as eta, chi, phi", known)
    found = {name: _positions(path, scan, name) for name in names}
    _check_moving(path, scan, found)
    return found


def _positions(path: Path, scan: SpecScan, name: str) -> Array:
    title = _title(scan, name)
    short = {t: s for s, t in scan.mnemonics.items()}.get(title, title)
    for label in (title, short):
        if label in scan.columns:
            return scan.columns[label]
    if title not in scan.motors:
        known = ", ".join([n for n in scan.motors if n in CIRCLES] or list(scan.motors)[:8])
        raise InputError(path, f"scan {scan.number}, motor {name}", f"one of {known}", "no such motor")
    return np.full(scan.points, scan.motors[title])


def _title(scan: SpecScan, name: str) -> str:
    plain = canonical(name)
    return plain if plain in scan.motors else scan.mnemonics.get(plain, plain)


def _check_moving(path: Path, scan: SpecScan, found: dict[str, Array]) -> None:
    """Refuse a scan of circles that has no column of any."""
    words = [canonical(word) for word in scan.command.split()]
    if not words:
        return
    titles = [_title(scan, name) for name in found]
    driven = [w for w in words[1:] if _title(scan, w) in titles]
    for word in driven:
        if not {_title(scan, word), word} & set(scan.columns):
            expected = f"a column of {word}, which {scan.command!r} moves"
            raise InputError(path, f"scan {scan.number}, #L", expected, "none")
    if words[0] in MOVE_TOGETHER and not any(np.ptp(angles) for angles in found.values()):
        expected = f"columns of the circles that {scan.command!r} moves"
        raise InputError(path, f"scan {scan.number}, #L", expected, "none")


def energy(scan: SpecScan) -> tuple[float, str]:
    """Photon energy in keV and where it stands; NaN where SPEC has only its default wavelength."""
    told = scan.numbers("UE", 1) if "keV" in scan.lines.get("UE", "") else None
    if told is not None:
        return float(told[0]), "#UE"
    for name in ("energy", "en"):
        value = scan.motors.get(_title(scan, name), NAN)
        if value > 0:
            return (value / 1000, f"motor {name}, eV") if value > 1000 else (value, f"motor {name}")
    geometry = scan.numbers("G4", 4) if len(scan.lines.get("G4", "").split()) > 3 else None
    if geometry is not None and geometry[3] > 0 and geometry[3] != DEFAULT:
        return energy_from_wavelength(float(geometry[3])), "#G4"
    return NAN, "not recorded (the wavelength of 1.54 angstrom is SPEC's default)"


def orientation(path: Path, scan: SpecScan) -> tuple[Array | None, str]:
    """UB (3, 3) in 1/angstrom with 2 pi and where it comes from; None where SPEC was never told a lattice."""
    flat, lattice = scan.numbers("G3", 9), scan.numbers("G1", 6)
    if flat is None or lattice is None:
        return None, "none: no #G1 and #G3"
    if (lattice[:3] == DEFAULT).all():
        return None, "none: the lattice of 1.54 angstrom is SPEC's default"
    ub = flat.reshape(3, 3)
    field = f"scan {scan.number}, #G3"
    if (lattice <= 0).any() or (lattice[3:] >= 180).any():
        raise InputError(path, f"scan {scan.number}, #G1", "a lattice", f"{lattice.tolist()}")
    expected = reciprocal_metric(lattice)
    error = np.abs(ub.T @ ub - expected).max() / np.abs(expected).max()
    if not error < METRIC:
        raise InputError(
            path, field, "UB of the lattice in #G1, 2 pi included", f"a metric {error:.2g} away from it"
        )
    return ub, "#G3"


def reciprocal_metric(cell: Array) -> Array:
    """Metric (3, 3) in 1/angstrom^2 of the reciprocal lattice of a cell (angstrom, deg), 2 pi included: B^T B."""
    a, b, c = cell[:3]
    alpha, beta, gamma = np.cos(np.radians(cell[3:6]))
    direct = np.array(
        [
            [a * a, a * b * gamma, a * c * beta],
            [a * b * gamma, b * b, b * c * alpha],
            [a * c * beta, b * c * alpha, c * c],
        ]
    )
    if not np.linalg.det(direct) > 0:
        return np.full((3, 3), NAN)
    return np.asarray((2 * np.pi) ** 2 * np.linalg.inv(direct))
