"""A particle as a network sees it: intensity and phase of the middle of its diffraction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import fourier_gaussian

from nanotexture.simulate.particles import Complex, Particle, Particles, random_particle

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Example:
    """intensity (m, m, m), largest 1, of a partly coherent beam; phase (m, m, m) in rad, zero frequency at m // 2."""

    intensity: Array
    phase: Array
    particle: Particle


def example(drawn: Particles, *, grid: int, coherence: float, seed: int, number: int) -> Example:
    """Example `number`, fixed by (seed, number); coherence: largest width of the blur in voxels."""
    particle = random_particle(drawn, seed=seed, number=number)
    rng = np.random.Generator(np.random.PCG64([seed, number, 1]))
    spectrum = scipy.fft.fftshift(scipy.fft.fftn(scipy.fft.ifftshift(particle.density), workers=1))
    intensity = np.abs(spectrum) ** 2
    if rng.uniform() < 0.5 and coherence > 0:
        intensity = blurred(intensity, tuple(rng.uniform(0.0, coherence, 3)))
    middle = central(drawn.size, grid)
    seen, phase = intensity[middle], np.angle(_about_the_middle(particle.density, spectrum)[middle])
    return Example((seen / seen.max()).astype(np.float32), phase.astype(np.float32), particle)


def blurred(intensity: Array, widths: tuple[float, ...]) -> Array:
    """Intensity blurred by Gaussians of these widths in voxels."""
    spectrum = fourier_gaussian(scipy.fft.fftn(intensity, workers=1), widths)
    return np.maximum(scipy.fft.ifftn(spectrum, workers=1).real, 0.0)


def central(size: int, grid: int) -> tuple[slice, slice, slice]:
    """The middle grid^3 of size^3, zero frequency kept at the middle."""
    first = size // 2 - grid // 2
    return (slice(first, first + grid),) * 3


def _about_the_middle(density: Complex, spectrum: Complex) -> Complex:
    """The spectrum of the density with its centroid, found to a part of a voxel, at the origin."""
    weight = np.abs(density)
    found = spectrum
    for axis, n in enumerate(density.shape):
        index = np.arange(n) - n // 2
        others = tuple(a for a in range(3) if a != axis)
        off = float(weight.sum(axis=others) @ index) / float(weight.sum())
        ramp = np.exp(2j * np.pi * off * index / n).reshape([-1 if a == axis else 1 for a in range(3)])
        found = found * ramp
    return found
