"""Counts of a film's reflections in one beam time: one flux for all, drift and monitor, dead voxels, Poisson."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.simulate.axes import Axes, Hkl
from nanotexture.simulate.brightness import Brightness
from nanotexture.simulate.instrument import Instrument, detector_mask

Array = NDArray[np.float64]

DRIFT_TERMS = 5  # slow cosines that the flux drifts by
MOST_COUNTS = 1e15  # numpy's Poisson generator ends at 9e18
STREAM = 0xC0417  # of random numbers: that of the counts, apart from that of the places


@dataclass(frozen=True)
class Measured:
    """One reflection as measured: counts of the mean flux and their variance, 0 where mask is 1; shapes of the axes."""

    hkl: Hkl
    axes: Axes
    energy_kev: float
    intensity: Array
    variance: Array
    mask: NDArray[np.uint8]


def measured_maps(
    brights: Sequence[Brightness], *, peak_counts: float, instrument: Instrument, seed: int
) -> tuple[Measured, ...]:
    """Counts of all reflections of a film; their brightest voxel that is not masked expects peak_counts of signal."""
    if not 0 < peak_counts <= MOST_COUNTS:
        raise UserError(f"peak_counts: expected above 0 and at most {MOST_COUNTS:g}, got {peak_counts:g}")
    generators = [_generator(bright.hkl, seed) for bright in brights]
    masks = [_mask(b, instrument, rng) for b, rng in zip(brights, generators, strict=True)]
    peaks = [b.intensity[m == 0].max(initial=0.0) for b, m in zip(brights, masks, strict=True)]
    if not max(peaks, default=0.0) > 0:
        raise UserError(
            "reflections: expected one that scatters outside its mask, got none with intensity; "
            "a smaller instrument.stop, or reflections that are not extinct, work"
        )
    flux = peak_counts / max(peaks)
    told = zip(brights, masks, generators, strict=True)
    return tuple(_counted(b, m, flux, instrument, rng) for b, m, rng in told)


def flux_drift(*, number: int, drift: float, rng: np.random.Generator) -> Array:
    """Relative flux (number,) along a scan, mean about 1, standard deviation `drift`, slow: the first few cosines."""
    terms = np.arange(1, DRIFT_TERMS + 1)
    strength = rng.normal(size=DRIFT_TERMS) * np.sqrt(2 / DRIFT_TERMS)
    return np.maximum(1 + drift * np.cos(np.pi * np.outer(np.linspace(0, 1, number), terms)) @ strength, 0.1)


def _counted(
    bright: Brightness, mask: NDArray[np.uint8], flux: float, instrument: Instrument, rng: np.random.Generator
) -> Measured:
    drift = flux_drift(number=len(bright.axes.qx), drift=instrument.drift, rng=rng)
    monitor = drift.reshape(-1, *(1,) * (bright.intensity.ndim - 1))
    # Behind the stop the substrate's peak may be brighter than any generator of Poisson numbers takes.
    expected = np.where(mask == 0, flux * bright.intensity + instrument.background, 0.0) * monitor
    counts = rng.poisson(expected).astype(float)
    variance = np.where(mask == 0, np.maximum(counts, 1.0), 0.0) / monitor**2
    return Measured(bright.hkl, bright.axes, instrument.energy_kev, counts / monitor, variance, mask)


def _mask(bright: Brightness, instrument: Instrument, rng: np.random.Generator) -> NDArray[np.uint8]:
    return bright.mask | detector_mask(shape=bright.mask.shape, instrument=instrument, rng=rng)


def _generator(hkl: Hkl, seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([n % 2**32 for n in (seed, *hkl, STREAM)]))
