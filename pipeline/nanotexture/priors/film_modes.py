"""A motif as a learned prior sees it: few complex coefficients of harmonics along x and Legendre polynomials through the film.

    f(x, z) = Re sum_k sum_m c_km exp(2 pi i k (x - lean z)) P_m(z),  k = 0..K, m = 0..M

x in periods, lean in periods per angstrom of height. A shift along x by s turns c_km by exp(-2 pi i k s), which no intensity
tells: what compares coefficients must allow for it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.phasing.modes import legendre_profiles

Array = NDArray[np.float64]
Tensor = torch.Tensor

FIELDS = ("u_x", "u_z", "P_x", "P_z")
HARMONICS, POLYNOMIALS = 4, 8  # highest harmonic, number of polynomials
UNITS = np.array([0.2, 0.2, 0.5, 0.5])  # angstrom, angstrom, C/m^2, C/m^2: near 1 where a phase is near 1 rad
SHAPE = (len(FIELDS), HARMONICS + 1, POLYNOMIALS)


def coefficients_from_fields(*, fields: Array, z: Array, lean: float) -> NDArray[np.complex128]:
    """Coefficients (b, f, k, m) in UNITS of fields (b, f, x, z) in angstrom and C/m^2, z (z,) in angstrom; least squares."""
    points = fields.shape[2]
    waves = np.fft.fft(fields, axis=2)[:, :, : HARMONICS + 1] * (2.0 / points)
    waves[:, :, 0] *= 0.5
    upright = waves * np.exp(2j * np.pi * lean * np.outer(np.arange(HARMONICS + 1), z))
    found = upright @ np.linalg.pinv(_profiles(z))
    found[:, :, 0] = found[:, :, 0].real
    return np.asarray(found / UNITS[: fields.shape[1], None, None])


def fields_from_coefficients(*, coefficients: Tensor, points: int, z: Tensor, lean: float) -> Tensor:
    """Fields (b, f, x, z) in angstrom and C/m^2 of coefficients (b, f, k, m) complex, in UNITS."""
    profiles = torch.from_numpy(_profiles(z.numpy())).to(coefficients.dtype)
    units = torch.from_numpy(UNITS)[: coefficients.shape[1], None, None]
    number = torch.arange(coefficients.shape[2], dtype=torch.float64)
    along = torch.exp(
        2j * torch.pi * number * torch.arange(points, dtype=torch.float64)[:, None] / points
    )  # (x, k)
    leaning = torch.exp(-2j * torch.pi * lean * number[:, None] * z)
    heights = (coefficients * units) @ profiles * leaning
    return (along.to(heights.dtype) @ heights).real


def _profiles(z: Array) -> Array:
    """Legendre polynomials of unit mean square through the film, (m, z)."""
    thickness = float(z[-1] - z[0]) * len(z) / max(len(z) - 1, 1)
    return np.asarray(legendre_profiles(z=z, number=POLYNOMIALS, thickness=thickness).values.numpy())
