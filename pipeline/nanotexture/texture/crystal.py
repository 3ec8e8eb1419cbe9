"""A crystal's complex density to displacement and strain along Q.

psi(r) = |psi| exp(i Q.u(r)): the intensity is |sum psi exp(+i q.r)|^2, q counted from the Bragg peak. Where the peak's
centre is put decides the mean lattice that u is measured from: the mean slope of the phase is taken off.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.restoration import unwrap_phase

Array = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]
Mask = NDArray[np.bool_]


def without_ramp(psi: Complex, support: Mask) -> tuple[Complex, Array]:
    """psi (x, y, z) with mean slope and mean phase of the support taken off, and the slope in rad a voxel, (3,).

    Slope: phase of sum conj(psi(r)) psi(r + 1) along each axis over neighbours within the support, so no unwrapping.
    """
    inside = np.where(support, psi, 0.0)
    slopes = np.array([_slope(inside, axis) for axis in range(psi.ndim)])
    found = psi
    for axis, (n, slope) in enumerate(zip(psi.shape, slopes, strict=True)):
        ramp = np.exp(-1j * slope * (np.arange(n) - n // 2))
        found = found * ramp.reshape([-1 if a == axis else 1 for a in range(psi.ndim)])
    total = found[support].sum()
    return (found * np.exp(-1j * np.angle(total))).astype(psi.dtype), slopes


def _slope(inside: Complex, axis: int) -> float:
    n = inside.shape[axis]
    before, after = (inside.take(range(*part), axis) for part in ((0, n - 1), (1, n)))
    return float(np.angle(np.sum(before.conj() * after)))


def unwrapped_phase(psi: Complex, support: Mask) -> Array:
    """Phase (x, y, z) in rad without jumps of 2 pi where that is possible, mean zero; NaN outside the support.

    Herraez et al., Appl. Opt. 41, 7437 (2002). Round a dislocation it cannot be: a cut remains, where strain is still right.
    """
    hidden = np.ma.array(np.angle(psi), mask=~support)
    phase = np.ma.filled(unwrap_phase(hidden, rng=0), np.nan).astype(float)
    turns = np.rint(np.nanmean(phase) / (2 * np.pi)) if support.any() else 0.0
    return np.where(support, phase - 2 * np.pi * turns, np.nan)


def displacement_from_phase(*, phase: Array, q: float) -> Array:
    """u = phase / |Q| in angstrom along Q, its mean zero; phase in rad, |Q| in 1/angstrom."""
    u = phase / q
    return u - np.nanmean(u)


def strain_from_phase(
    *, phase: Array, support: Mask, steps: tuple[float, float, float], direction: Array, q: float
) -> Array:
    """du/ds along the unit vector of Q, from differences of neighbours' phases wrapped into +-pi; NaN outside the support.

    phase: rad, wrapped or not; steps: voxel in angstrom; direction: (3,) of Q along x, y, z; q: |Q| in 1/angstrom.
    Central differences within the support, one-sided at its surface; NaN where a voxel has no neighbour.
    """
    strain = np.zeros(phase.shape)
    for axis in range(3):
        if direction[axis] != 0.0:
            strain += direction[axis] * _derivative(phase, support, axis) / (steps[axis] * q)
    return np.where(support, strain, np.nan)


def _derivative(phase: Array, support: Mask, axis: int) -> Array:
    """rad a voxel; NaN where no neighbour along the axis is in the support."""
    n = phase.shape[axis]
    rise = np.diff(phase, axis=axis)
    rise = (rise + np.pi) % (2 * np.pi) - np.pi
    both = support.take(range(n - 1), axis) & support.take(range(1, n), axis)
    rise = np.where(both, rise, 0.0)
    widths = [(1, 1) if a == axis else (0, 0) for a in range(phase.ndim)]
    padded, counted = np.pad(rise, widths), np.pad(both, widths).astype(float)
    total = padded.take(range(n), axis) + padded.take(range(1, n + 1), axis)
    number = counted.take(range(n), axis) + counted.take(range(1, n + 1), axis)
    return np.where(number > 0, total / np.maximum(number, 1.0), np.nan)
