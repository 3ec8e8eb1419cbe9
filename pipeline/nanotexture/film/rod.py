"""Amplitudes along qz of a flat film and of its substrate's truncation rod (kinematic, per unit cell of area)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

ABSORPTION = 1e-3  # eps of the semi-infinite sum: keeps the substrate's Bragg point finite


def nearest_bragg(*, qz: Array | float, c: float) -> Array:
    """The Bragg point 2 pi l / c, 1/angstrom, nearest to each qz (1/angstrom), c in angstrom."""
    return np.asarray(2 * np.pi / c * np.rint(qz * c / (2 * np.pi)))


def film_sum_from_thickness(*, qz: Array, c: float, thickness: float, roughness: float = 0.0) -> Complex:
    """Sum of exp(i qz j c) over the N = thickness / c planes of a uniform film; N may be fractional.

    (1 - w exp(i dq t)) / (1 - exp(i qz c)), dq = qz - 2 pi l / c from the nearest Bragg point l, lengths in angstrom,
    w = exp(-(dq roughness)^2 / 2) from a Gaussian spread of the thickness. Exact where N is an integer; dq in place of
    qz makes it smooth between integers, so that t can be fitted. The limit at the Bragg point is N.
    """
    return film_sum_slopes(qz=qz, c=c, thickness=thickness, roughness=roughness)[0]


def film_sum_slopes(*, qz: Array, c: float, thickness: float, roughness: float) -> Complex:
    """That sum, and its derivatives by c and by roughness, (3, nz); lengths in angstrom, qz (nz,) in 1/angstrom."""
    bragg = nearest_bragg(qz=0.5 * (qz[0] + qz[-1]), c=c)
    detuning = qz - bragg
    edge = np.exp(1j * detuning * thickness - 0.5 * (detuning * roughness) ** 2)
    bottom = 1.0 - np.exp(1j * detuning * c)
    near = np.abs(bottom) < 1e-9
    safe = np.where(near, 1.0, bottom)
    found = np.where(near, thickness / c, (1.0 - edge) / safe)
    # the Bragg point moves with c, by -bragg / c
    by_c = (bragg / c) * (detuning * roughness**2 - 1j * thickness) * edge + 1j * qz * (1.0 - bottom) * found
    at_bragg = (0.5j * bragg * (thickness * (thickness - c) + roughness**2) - thickness) / c**2
    by_roughness = detuning**2 * roughness * edge / safe
    return np.stack([found, np.where(near, at_bragg, by_c / safe), np.where(near, 0.0, by_roughness)])


def substrate_sum_from_gap(*, qz: Array, c: float, gap: float, absorption: float = ABSORPTION) -> Complex:
    """Sum over the substrate's planes at -gap - c, -gap - 2 c, ..., the film's first plane being at 0.

    exp(-i qz (c + gap)) / (1 - exp(-i qz c - eps)), with lengths in angstrom (Robinson, Phys. Rev. B 33, 3830 (1986)).
    """
    return np.exp(-1j * qz * (c + gap)) / (1.0 - np.exp(-1j * qz * c - absorption))


def smoothed_along_qz(values: Array, step: float, sigma: float) -> Array:
    """Values (..., nz) on a uniform qz axis under a Gaussian resolution of standard deviation sigma (unit of step)."""
    return values if sigma < 0.05 * step else gaussian_filter1d(values, sigma / step, axis=-1, mode="nearest")
