"""Goniometer offsets from the peak of a substrate whose lattice is known."""

from __future__ import annotations

from nanotexture.errors import InputError
from nanotexture.geometry.experiment import grazing_exit, nominal_angles
from nanotexture.geometry.peak import NoPeakError, Peak, fit_peak
from nanotexture.quantities import Alignment, Scan
from nanotexture.schema import ALIGNMENT, labelled

LARGEST = 2.0  # deg: farther than this from nominal, it is not an offset but another reflection


def alignment_from_substrate(scan: Scan, hkl: tuple[int, int, int], a: float, c: float) -> Alignment:
    """Recorded minus nominal angles of the brightest peak: hkl of a substrate with a, c in angstrom."""
    file = scan.attrs.get("file", "scan")
    nominal = nominal_angles(
        hkl=hkl, a=a, c=c, wavelength=float(scan["wavelength"]), grazing_exit=grazing_exit(scan)
    )
    peak = _peak(file, scan)
    offsets = peak.omega - nominal[0], peak.two_theta - nominal[1]
    if max(map(abs, offsets)) > LARGEST:
        expected = (
            f"{_name(hkl)} within {LARGEST:g} deg of omega {nominal[0]:.3f}, two theta {nominal[1]:.3f}"
        )
        raise InputError(file, "substrate peak", expected, f"{peak.omega:.3f}, {peak.two_theta:.3f}")
    values = {
        "omega_offset": offsets[0],
        "omega_offset_std": peak.omega_std,
        "two_theta_offset": offsets[1],
        "two_theta_offset_std": peak.two_theta_std,
    }
    return Alignment(labelled(values, ALIGNMENT, {"file": file, "hkl": _name(hkl), "a": a, "c": c}))


def _peak(file: str, scan: Scan) -> Peak:
    incident = scan["counts"].values * scan["attenuation"].values
    try:
        return fit_peak(incident, scan["omega"].values, scan["two_theta"].values)
    except NoPeakError as error:
        raise InputError(file, "substrate peak", "one bright peak", str(error)) from error


def _name(hkl: tuple[int, int, int]) -> str:
    return " ".join(str(index) for index in hkl)
