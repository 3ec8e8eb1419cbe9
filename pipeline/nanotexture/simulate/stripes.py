"""A striped ferroelastic texture: one displacement direction, a periodic profile, walls inclined to the film normal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def stripe_displacement(
    *, x: Array, z: Array, period: float, amplitude: float, tilt_deg: float, duty: float, wall: float
) -> Array:
    """Displacement (2, x, z) in angstrom of a stack of twins: components x and z, mean zero.

    x (nx,) fractions of one period, z (nz,), period, wall (full width of a wall, Gaussian) in angstrom. The profile is
    the integral of a square wave of duty cycle `duty`: constant strain in each twin; the walls lean by tilt_deg from
    the normal; the modulation fades into the substrate as 1 - exp(-2 pi z / period).
    """
    fine = np.arange(512) / 512
    square = np.where(fine < duty, 1.0 - duty, -duty)
    spectrum = np.fft.rfft(square)
    harmonic = np.arange(len(spectrum))
    blur = np.exp(-0.5 * (2 * np.pi * harmonic * wall / (2.355 * period)) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        saw = np.where(harmonic > 0, spectrum * blur / (2j * np.pi * harmonic), 0.0)
    profile = np.fft.irfft(saw, 512)
    profile *= 1.0 / np.abs(profile).max()
    phase = x[:, None] - z[None, :] * np.tan(np.radians(tilt_deg)) / period
    shape = np.interp(phase % 1.0, np.append(fine, 1.0), np.append(profile, profile[0]))
    field = amplitude * shape * (1.0 - np.exp(-2 * np.pi * z / period))[None, :]
    direction = np.array([np.sin(np.radians(tilt_deg)), np.cos(np.radians(tilt_deg))])
    displacement = direction[:, None, None] * field[None]
    return np.asarray(displacement - displacement.mean(axis=(1, 2), keepdims=True))
