"""A particle as a network sees it: amplitude and phase of the middle of its diffraction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import fourier_gaussian

from nanotexture.simulate.particles import Complex, Particles, random_particle
from nanotexture.simulate.relaxed_particles import diffraction_of_atoms, relaxed_particle

Array = NDArray[np.floating[Any]]
Rng = np.random.Generator

EDGE = 4  # voxels about the grid within which the peak of a particle of atoms is looked for


@dataclass(frozen=True)
class Example:
    """What is learnt from, and what was drawn.

    amplitude (m, m, m), largest 1, of a partly coherent beam; phase (m, m, m) in rad, zero frequency at m // 2; phase_range in
    rad.
    """

    amplitude: Array
    phase: Array
    family: str
    strain: str
    phase_range: float


def example(drawn: Particles, *, grid: int, coherence: float, seed: int, number: int) -> Example:
    """Example `number`, fixed by (seed, number); coherence: largest width of the blur in voxels."""
    rng = np.random.Generator(np.random.PCG64([seed, number, 1]))
    widths = tuple(rng.uniform(0.0, coherence, 3)) if rng.uniform() < 0.5 and coherence > 0 else ()
    if rng.uniform() < drawn.relaxed:
        return _of_atoms(drawn, grid, widths, rng, (seed, number))
    particle = random_particle(drawn, seed=seed, number=number)
    spectrum = scipy.fft.fftshift(scipy.fft.fftn(scipy.fft.ifftshift(particle.density), workers=1))
    middle = central(drawn.size, grid)
    seen = _amplitude(spectrum, widths)[middle]
    phase = np.angle(_about_the_middle(particle.density, spectrum)[middle])
    return _example(seen, phase, particle.family, particle.strain, particle.phase_range)


def blurred(intensity: Array, widths: tuple[float, ...]) -> Array:
    """Intensity blurred by Gaussians of these widths in voxels."""
    spectrum = fourier_gaussian(scipy.fft.fftn(intensity, workers=1), widths)
    return np.maximum(scipy.fft.ifftn(spectrum, workers=1).real, 0.0)


def central(size: int, grid: int) -> tuple[slice, slice, slice]:
    """The middle grid^3 of size^3, zero frequency kept at the middle."""
    first = size // 2 - grid // 2
    return (slice(first, first + grid),) * 3


def _of_atoms(
    drawn: Particles, grid: int, widths: tuple[float, ...], rng: Rng, which: tuple[int, int]
) -> Example:
    """A relaxed particle; its peak off the middle by what was drawn, to a voxel."""
    particle = relaxed_particle(drawn, seed=which[0], number=which[1])
    step = 2.0 * np.pi / (np.ptp(particle.positions, axis=0) * rng.uniform(*drawn.sampling, 3))
    wide = diffraction_of_atoms(particle, step, grid + 2 * EDGE)
    off = rng.uniform(-drawn.off_centre, drawn.off_centre, 3)
    places = [int(np.clip(round(c + o), -EDGE, EDGE)) for c, o in zip(_centroid(wide), off, strict=True)]
    cut = tuple(slice(EDGE + p, EDGE + p + grid) for p in places)
    seen, spectrum = _amplitude(wide, widths)[cut], wide[cut]
    density = scipy.fft.fftshift(scipy.fft.ifftn(scipy.fft.ifftshift(spectrum), workers=1))
    phase = np.angle(_about_the_middle(density, spectrum))
    return _example(seen, phase, particle.family, particle.strain, particle.phase_range)


def _example(seen: Array, phase: Array, family: str, strain: str, phase_range: float) -> Example:
    return Example(
        (seen / seen.max()).astype(np.float32), phase.astype(np.float32), family, strain, phase_range
    )


def _amplitude(spectrum: Complex, widths: tuple[float, ...]) -> Array:
    intensity = np.abs(spectrum) ** 2
    return np.sqrt(blurred(intensity, widths) if widths else intensity)


def _centroid(spectrum: Complex) -> list[float]:
    """Of the intensity, in voxels from n // 2."""
    intensity = np.abs(spectrum) ** 2
    axes = range(intensity.ndim)
    profiles = [intensity.sum(axis=tuple(a for a in axes if a != axis)) for axis in axes]
    return [float(p @ (np.arange(len(p)) - len(p) // 2)) / float(p.sum()) for p in profiles]


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
