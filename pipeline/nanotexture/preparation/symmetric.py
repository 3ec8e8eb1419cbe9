"""Thickness from a symmetric two-theta-omega scan: film fringes beating with the substrate's rod."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.config import FilmConfig
from nanotexture.film.kernel import substrate_amplitude
from nanotexture.preparation.film_peak import film_peak, single_layer_amplitude, thickness_scan_range
from nanotexture.preparation.rod_fit import RodData, RodFit, fit_rod, thickness_guess

Array = NDArray[np.float64]

SUBSTRATE_PEAK = (
    0.006  # relative half width in qz around the substrate's peak that a kinematic rod cannot follow
)
LOOSE = 3.0  # a cut along qz does not hold the sum of all orders: no prior on scale and coherent share worth the name


def qz_pinned_to_substrate(*, two_theta: Array, intensity: Array, wavelength: float, bragg: float) -> Array:
    """qz (point,) in 1/angstrom of two_theta (point,) in deg, its zero moved so that the brightest point near the
    substrate's Bragg position `bragg` (1/angstrom) falls on it: 4 pi sin(theta) / wavelength."""
    expected = 2 * np.degrees(np.arcsin(np.clip(bragg * wavelength / (4 * np.pi), -1, 1)))
    near = np.abs(two_theta - expected) < 0.5
    if not near.any():
        return np.asarray(4 * np.pi / wavelength * np.sin(np.radians(two_theta / 2)))
    top = np.flatnonzero(near)[int(intensity[near].argmax())]
    core = slice(max(top - 2, 0), top + 3)
    centre = float((two_theta[core] * intensity[core]).sum() / intensity[core].sum())
    return np.asarray(4 * np.pi / wavelength * np.sin(np.radians((two_theta - centre + expected) / 2)))


def uniform_rows(*, qz: Array, intensity: Array, variance: Array) -> tuple[Array, Array, Array]:
    """The scan on uniform rows of its mean spacing: qz, intensity, variance (row,)."""
    grid = np.linspace(qz[0], qz[-1], len(qz))
    return grid, np.interp(grid, qz, intensity), np.maximum(np.interp(grid, qz, variance), 1.0)


def fit_symmetric_scan(
    *,
    qz: Array,
    intensity: Array,
    variance: Array,
    film: FilmConfig,
    hkl: tuple[int, int, int],
    energy_kev: float,
    tolerance: float,
) -> RodFit:
    """Thickness, c and gap (angstrom) from intensity (row,) on uniform qz (row,) in 1/angstrom."""
    bragg = 2 * np.pi * hkl[2] / film.substrate.c if film.substrate is not None else np.inf
    seen = (
        np.abs(qz - bragg) > SUBSTRATE_PEAK * bragg if film.substrate is not None else np.ones(len(qz), bool)
    )
    clean = np.where(seen, intensity, np.nan)
    peak = film_peak(qz, clean, film, hkl[2], tolerance)
    c = 2 * np.pi * hkl[2] / peak
    near = np.abs(qz - peak) < np.abs(bragg - peak)
    amplitude = single_layer_amplitude(qz=qz, film=film, hkl=hkl, energy_kev=energy_kev, c=c)
    below = substrate_amplitude(
        substrate=film.below(), hkl=hkl, qz=qz, in_plane=film.in_plane, energy_kev=energy_kev
    )
    data = RodData(qz, clean, variance, clean, amplitude, below, scale_prior=LOOSE, coherent_prior=LOOSE)
    around = np.where(near, np.nan_to_num(clean - np.nanmin(clean)), 0.0)
    scan = thickness_scan_range(film, c, qz, around)
    if film.thickness is None:
        scan = thickness_guess(qz, around) * np.geomspace(0.7, 1.6, 29)
    return fit_rod(data, c=c, thicknesses=scan)
