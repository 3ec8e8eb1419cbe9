"""Strain and rotation from displacement on the motif's grid, and which of them the measured directions of Q determine.

Vectors have components x, z on a grid (x, z), or x, y, z on (x, y, z) where the texture is periodic along y too.
"""

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


def gradient_from_volume(*, field: Array, periods: tuple[float, float], z: Array) -> Array:
    """d/dx, d/dy and d/dz of fields (..., x, y, z), (..., 3, x, y, z); periods along x and y in angstrom."""
    turned = field.swapaxes(-3, -2)
    along_x = gradient_from_field(field=turned, period=periods[0], z=z)[..., 0, :, :].swapaxes(-3, -2)
    along_y, up = np.moveaxis(gradient_from_field(field=field, period=periods[1], z=z), -3, 0)
    return np.stack([along_x, along_y, up], axis=-4)


def strain_from_gradient(*, gradient: Array) -> Array:
    """Strain (xx, zz, xz) from the gradient (component, direction, ...): e_ij = (du_i/dj + du_j/di) / 2.

    In three dimensions (xx, yy, zz, xy, yz, xz).
    """
    pairs = _pairs(len(gradient))
    return np.stack([0.5 * (gradient[i, j] + gradient[j, i]) if i != j else gradient[i, i] for i, j in pairs])


def strain_std_from_gradient_std(*, std: Array) -> Array:
    """Standard deviations of the strain from those of the gradient, its entries taken as independent."""
    return np.stack(
        [0.5 * np.hypot(std[i, j], std[j, i]) if i != j else std[i, i] for i, j in _pairs(len(std))]
    )


def _pairs(components: int) -> list[tuple[int, int]]:
    shears = [(0, 1)] if components == 2 else [(0, 1), (1, 2), (0, 2)]
    return [(i, i) for i in range(components)] + shears


def rotation_from_gradient(*, gradient: Array) -> Array:
    """Lattice rotation in rad: about y (x, z), (du_x/dz - du_z/dx) / 2, positive turns z towards x.

    In three dimensions (3, x, y, z), about x, y and z: half the curl of u.
    """
    if len(gradient) == 2:
        return np.asarray(0.5 * (gradient[0, 1] - gradient[1, 0]))
    return np.stack(
        [0.5 * (gradient[(i + 2) % 3, (i + 1) % 3] - gradient[(i + 1) % 3, (i + 2) % 3]) for i in range(3)]
    )


def components_from_fields(*, fields: Array, axes: Array) -> Array:
    """Components (c, ...) of fields (f, ...) along unit vectors axes (f, c); NaN where not determined."""
    found = np.full((axes.shape[1], *fields.shape[1:]), np.nan)
    for field, axis in zip(fields, axes, strict=True):
        component = int(np.argmax(np.abs(axis)))
        if np.delete(np.abs(axis), component).max() < ALONG:
            found[component] = field * np.sign(axis[component])
    return found
