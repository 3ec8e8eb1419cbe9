"""Motifs of several temperatures on one grid: another number of points along the period, another origin.

Fields are (..., x, z), or (..., x, y, z) where the texture is periodic along y too: points and shifts are then pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample

Array = NDArray[np.float64]


def resampled(field: Array, points: int | Sequence[int]) -> Array:
    """Fields on `points` points of the same period, by their Fourier series: exact for a few harmonics."""
    for axis, number in _along(points):
        field = np.asarray(field if field.shape[axis] == number else resample(field, number, axis=axis))
    return field


def shifted(field: Array, shift: float | Sequence[float]) -> Array:
    """Fields moved along +x (and +y) by `shift` periods, by their Fourier series."""
    for axis, move in _along(shift):
        if move == 0.0:
            continue
        number = field.shape[axis]
        wave = np.fft.fftfreq(number, 1.0 / number)
        turn = np.exp(-2j * np.pi * wave * move).reshape(-1, *(1,) * (-axis - 1))
        field = np.asarray(np.fft.ifft(turn * np.fft.fft(field, axis=axis), axis=axis).real)
    return field


def moved(field: Array, points: int | Sequence[int], shift: float | Sequence[float]) -> Array:
    """Fields on `points` points, moved by `shift` periods."""
    return shifted(resampled(field, points), shift)


def moved_std(std: Array, points: int | Sequence[int], shift: float | Sequence[float]) -> Array:
    """Standard deviations moved likewise: it is the variance that has a short Fourier series."""
    return np.sqrt(np.clip(moved(std**2, points, shift), 0.0, None))


def best_shift(field: Array, target: Array) -> float:
    """Shift of fields (f, x, z), in periods, -0.5 to 0.5, that correlates them best with the target; whole points."""
    return best_shifts(field, target)[0]


def best_shifts(field: Array, target: Array) -> tuple[float, ...]:
    """Shifts along every direction of the plane that correlate fields (f, x, z) or (f, x, y, z) best with the target."""
    axes = tuple(range(1, field.ndim - 1))
    spectrum = np.fft.fftn(target, axes=axes) * np.conj(np.fft.fftn(field, axes=axes))
    spectrum.reshape(len(field), -1, field.shape[-1])[:, 0] = 0.0  # a plane's mean does not move
    found = np.fft.ifftn(spectrum, axes=axes).real.sum(axis=(0, -1))
    if not np.ptp(found) > 0:
        return (0.0,) * len(axes)
    places = np.unravel_index(int(found.argmax()), found.shape)
    return tuple(
        (int(at) - n if at > n // 2 else int(at)) / n for at, n in zip(places, found.shape, strict=True)
    )


def _along(values: float | Sequence[float]) -> list[tuple[int, float]]:
    """Axis and value of every direction of the plane."""
    found = list(values) if isinstance(values, Sequence) else [values]
    return [(i - len(found) - 1, value) for i, value in enumerate(found)]
