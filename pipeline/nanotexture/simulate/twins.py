"""Profiles of two alternating twins across their walls: the share of the first, and the displacement that follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

FWHM = 2.3548  # of a Gaussian, in standard deviations
NEAR = 3  # periods on either side whose walls reach here: walls are narrower than a period
SHARPEST = 1e-9  # of a period: a wall of no width


def twin_share(*, phase: Array, duty: float, wall: float) -> Array:
    """1 in the first twin (0 < phase < duty of each period), 0 in the second; walls are Gaussian steps of FWHM `wall` periods."""
    sigma = max(wall / FWHM, SHARPEST)
    near = _near(phase)
    return np.asarray((ndtr(near / sigma) - ndtr((near - duty) / sigma)).sum(axis=0))


def twin_displacement(*, phase: Array, duty: float, wall: float) -> Array:
    """Integral of twin_share - duty over the phase, of mean zero over a period: a saw that rises where the share is 1."""
    return _saw(phase, duty, wall) - _saw(np.arange(512) / 512, duty, wall).mean()


def fade_in(*, z: Array, period: float) -> Array:
    """1 - exp(-2 pi z / period): how a modulation of this period, held at the substrate, grows with height (Saint-Venant)."""
    return np.asarray(1.0 - np.exp(-2 * np.pi * z / period))


def _saw(phase: Array, duty: float, wall: float) -> Array:
    sigma = max(wall / FWHM, SHARPEST)
    near = _near(phase)
    risen = _ramp(near, sigma) - _ramp(near - duty, sigma)
    return np.asarray(risen.sum(axis=0) - duty * (phase % 1.0))


def _near(phase: Array) -> Array:
    """Distance from the beginnings of the periods around, (2 NEAR + 1, ...)."""
    shift = np.arange(-NEAR, NEAR + 1).reshape(-1, *(1,) * phase.ndim)
    return np.asarray((phase % 1.0)[None] + shift)


def _ramp(t: Array, sigma: float) -> Array:
    """Integral of a Gaussian step."""
    density = np.exp(-0.5 * (t / sigma) ** 2) / np.sqrt(2 * np.pi)
    return np.asarray(t * ndtr(t / sigma) + sigma * density)
