"""Strain and rotation from displacement on the motif's grid, and which of them the measured directions of Q determine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ALONG = 1e-3  # a direction closer than this to x or z is that component


def gradient_from_field(*, field: Array, period: float, z: Array) -> Array:
    """d/dx and d/dz of fields (..., x, z), (..., 2, x, z); x is one period in angstrom, z (z,) heights in angstrom.

    Along x by the Fourier series of the periodic motif, along z by second-order differences.
    """
    number = field.shape[-2]
    wave = 2j * np.pi * np.fft.fftfreq(number, period / number)
    if number % 2 == 0:
        wave[number // 2] = 0.0  # the Nyquist harmonic has no defined slope
    along = np.fft.ifft(wave[:, None] * np.fft.fft(field, axis=-2), axis=-2).real
    return np.stack([along, np.gradient(field, z, axis=-1, edge_order=2)], axis=-3)


def strain_from_gradient(*, gradient: Array) -> Array:
    """Strain (xx, zz, xz) (3, x, z) from the gradient (component, direction, x, z): e_ij = (du_i/dj + du_j/di) / 2."""
    return np.stack([gradient[0, 0], gradient[1, 1], 0.5 * (gradient[0, 1] + gradient[1, 0])])


def strain_std_from_gradient_std(*, std: Array) -> Array:
    """Standard deviations (xx, zz, xz) from those of the gradient, its entries taken as independent."""
    return np.stack([std[0, 0], std[1, 1], 0.5 * np.hypot(std[0, 1], std[1, 0])])


def rotation_from_gradient(*, gradient: Array) -> Array:
    """Lattice rotation about y (x, z) in rad, (du_x/dz - du_z/dx) / 2: positive turns z towards x."""
    return np.asarray(0.5 * (gradient[0, 1] - gradient[1, 0]))


def components_from_fields(*, fields: Array, axes: Array) -> Array:
    """Components x and z (2, ...) of fields (f, ...) along unit vectors axes (f, 2); NaN where not determined."""
    found = np.full((2, *fields.shape[1:]), np.nan)
    for field, axis in zip(fields, axes, strict=True):
        component = int(np.argmax(np.abs(axis)))
        if abs(axis[1 - component]) < ALONG:
            found[component] = field * np.sign(axis[component])
    return found
