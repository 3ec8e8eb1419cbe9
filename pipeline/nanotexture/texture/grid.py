"""Motifs of several temperatures on one grid: another number of points along the period, another origin of x."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample

Array = NDArray[np.float64]


def resampled(field: Array, points: int) -> Array:
    """Fields (..., x, z) on `points` points of the same period, by their Fourier series: exact for a few harmonics."""
    return np.asarray(field if field.shape[-2] == points else resample(field, points, axis=-2))


def shifted(field: Array, shift: float) -> Array:
    """Fields (..., x, z) moved along +x by `shift` periods, by their Fourier series."""
    if shift == 0.0:
        return field
    wave = np.fft.fftfreq(field.shape[-2], 1.0 / field.shape[-2])
    turned = np.exp(-2j * np.pi * wave * shift)[:, None] * np.fft.fft(field, axis=-2)
    return np.asarray(np.fft.ifft(turned, axis=-2).real)


def moved(field: Array, points: int, shift: float) -> Array:
    """Fields (..., x, z) on `points` points, moved by `shift` periods."""
    return shifted(resampled(field, points), shift)


def moved_std(std: Array, points: int, shift: float) -> Array:
    """Standard deviations (..., x, z) moved likewise: it is the variance that has a short Fourier series."""
    return np.sqrt(np.clip(moved(std**2, points, shift), 0.0, None))


def best_shift(field: Array, target: Array) -> float:
    """Shift of fields (f, x, z), in periods, -0.5 to 0.5, that correlates them best with the target; whole points."""
    spectrum = np.fft.fft(target, axis=-2) * np.conj(np.fft.fft(field, axis=-2))
    spectrum[..., 0, :] = 0.0  # a plane's mean does not move
    found = np.fft.ifft(spectrum, axis=-2).real.sum(axis=(0, -1))
    if not np.ptp(found) > 0:
        return 0.0
    at = int(found.argmax())
    return (at - len(found) if at > len(found) // 2 else at) / len(found)
