"""Angles to momentum transfer in the coplanar geometry, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.geometry.backend import backend
from nanotexture.quantities import Alignment, Scan

Array = NDArray[np.float64]

HC = 12.398419843320026  # keV angstrom, exact in the SI of 2019


def energy_from_wavelength(*, wavelength: float) -> float:
    """Photon energy in keV, E = hc / lambda, of a wavelength in angstrom."""
    return HC / wavelength


def wavelength_from_energy(*, energy: float) -> float:
    """Wavelength in angstrom, lambda = hc / E, of a photon energy in keV."""
    return HC / energy


def q_from_angles(*, omega: Array, two_theta: Array, wavelength: float) -> tuple[Array, Array]:
    """In-plane and normal momentum transfer in 1/angstrom of true angles in degrees, of one shape.

    |Q| = 4 pi sin(two_theta / 2) / lambda, at omega - two_theta / 2 from the normal: in-plane is positive
    where omega > two_theta / 2 (grazing exit). From xrayutilities.HXRD.Ang2Q, given the energy explicitly.
    """
    omega, two_theta = np.broadcast_arrays(np.asarray(omega, float), np.asarray(two_theta, float))
    _, parallel, normal = _hxrd(wavelength).Ang2Q(np.ravel(omega), np.ravel(two_theta), deg=True)
    return np.reshape(parallel, omega.shape), np.reshape(normal, omega.shape)


def angles_from_q(*, parallel: float, normal: float, wavelength: float) -> tuple[float, float]:
    """omega and two theta in degrees of Q in 1/angstrom; grazing exit if its in-plane part is positive."""
    limit = 4 * np.pi / wavelength
    if np.hypot(parallel, normal) > limit:
        raise UserError(
            f"|Q| = {np.hypot(parallel, normal):.4g} 1/angstrom cannot be reached: limit {limit:.4g}"
        )
    geometry = "hi_lo" if parallel >= 0 else "lo_hi"
    found = _hxrd(wavelength).Q2Ang(0.0, abs(parallel), normal, trans=False, deg=True, geometry=geometry)
    return float(found[0]), float(found[3])


def nominal_angles(
    *, hkl: tuple[int, int, int], a: float, c: float, wavelength: float, grazing_exit: bool
) -> tuple[float, float]:
    """omega and two theta in degrees of hkl of a tetragonal crystal, c along the normal (angstrom)."""
    parallel, normal = 2 * np.pi * np.hypot(hkl[0], hkl[1]) / a, 2 * np.pi * hkl[2] / c
    signed = parallel if grazing_exit else -parallel
    return angles_from_q(parallel=signed, normal=normal, wavelength=wavelength)


def grazing_exit(scan: Scan) -> bool:
    """Whether the scan was taken with omega above two theta / 2 (grazing exit), judged at its middle."""
    return bool(np.median(scan["omega"]) >= np.median(scan["two_theta"]) / 2)


def scan_to_q(scan: Scan, alignment: Alignment | None, hkl: tuple[int, int, int]) -> tuple[Array, Array]:
    """qx, qz (line, point) in 1/angstrom, offsets taken off; qx has the sign of the in-plane index of hkl."""
    omega, two_theta = true_angles(scan, alignment)
    wavelength = float(scan["wavelength"])
    parallel, normal = q_from_angles(omega=omega, two_theta=two_theta, wavelength=wavelength)
    return in_plane_sign(hkl, grazing_exit=grazing_exit(scan)) * parallel, normal


def true_angles(scan: Scan, alignment: Alignment | None) -> tuple[Array, Array]:
    """omega and two theta (line, point) in degrees: recorded less the goniometer's offsets."""
    offsets = [0.0, 0.0]
    if alignment is not None:
        offsets = [float(alignment["omega_offset"]), float(alignment["two_theta_offset"])]
    return scan["omega"].values - offsets[0], scan["two_theta"].values - offsets[1]


def in_plane_sign(hkl: tuple[int, int, int], *, grazing_exit: bool) -> int:
    """Sign that takes in-plane Q of the goniometer to the side of the crystal that hkl names."""
    index = hkl[0] if hkl[0] else hkl[1]
    side = 1 if grazing_exit else -1
    return side * (1 if index > 0 else -1) if index else 1


def _hxrd(wavelength: float) -> Any:
    # en= must be given: without it HXRD falls back to Cu K alpha 1 without a word.
    return backend().HXRD((1, 0, 0), (0, 0, 1), en=1000 * energy_from_wavelength(wavelength=wavelength))
