"""Partial coherence: the detector sees |F|^2 blurred by a Gaussian, the transform of the beam's mutual coherence.

Clark et al., Nat. Commun. 3, 993 (2012). Widths are standard deviations in voxels of the pattern, one for each axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.optimize import minimize

from nanotexture.phasing.constraints import Data, Real, chi2_of_magnitudes
from nanotexture.phasing.farfield import Complex, from_corner

Widths = tuple[float, ...]
FIRST, NARROWEST, WIDEST = 0.4, 0.02, 3.0  # voxels: a pattern blurred by more is sampled too coarsely anyhow
EDGE = 0.3  # of the first simplex, in logarithms


def transfer(shape: tuple[int, ...], widths: Widths) -> NDArray[np.float32]:
    """Transform of the unit-area Gaussian on the half grid of a real transform, exp(-(sigma w)^2 / 2) per axis."""
    found = np.ones((1,) * len(shape))
    for axis, (n, sigma) in enumerate(zip(shape, widths, strict=True)):
        last = axis == len(shape) - 1
        w = 2 * np.pi * (np.fft.rfftfreq(n) if last else np.fft.fftfreq(n))
        found = found * np.exp(-0.5 * (sigma * w) ** 2).reshape(
            [-1 if a == axis else 1 for a in range(len(shape))]
        )
    return found.astype(np.float32)


def blurred(intensity: Real, across: NDArray[np.float32]) -> Real:
    """Intensity (n1, n2, ...) convolved with the Gaussian of a transfer; the sum is kept, the edges wrap."""
    spectrum = scipy.fft.rfftn(intensity, workers=1)
    np.multiply(spectrum, across, out=spectrum)
    found: Real = scipy.fft.irfftn(spectrum, s=intensity.shape, workers=1, overwrite_x=True)
    return np.maximum(found, 0.0, out=found)


@dataclass(frozen=True)
class PartlyCoherent(Data):
    """Magnitudes of a partly coherent beam: P x = F^-1 [ F A / sqrt(|F|^2 * gaussian) ] where measured.

    widths: standard deviations of the blur in voxels.
    """

    widths: Widths = ()

    def seen(self, spectrum: Complex) -> Real:
        """sqrt(|F|^2 * gaussian), at least what the voxel itself gives: rounding must not leave a bright voxel dark."""
        own = np.abs(spectrum) ** 2
        values = np.maximum(blurred(own, self._transfer), self._own * own)
        return np.sqrt(values, out=values)

    @cached_property
    def _own(self) -> np.float32:
        """Weight of the Gaussian at its centre."""
        grids = (2 * np.pi * np.fft.fftfreq(n) for n in self.amplitude.shape)
        return np.float32(
            np.prod([np.mean(np.exp(-0.5 * (s * w) ** 2)) for s, w in zip(self.widths, grids, strict=True)])
        )

    @cached_property
    def _transfer(self) -> NDArray[np.float32]:
        return transfer(self.amplitude.shape, self.widths)


def fitted_widths(x: Complex, data: Data, first: Widths | None = None) -> Widths:
    """Widths of least chi2 for an object x (n1, n2, ...), by the simplex of Nelder and Mead on their logarithms."""
    intensity = np.abs(from_corner(x)) ** 2
    shape, spectrum, weight = intensity.shape, scipy.fft.rfftn(intensity, workers=1), ~data.free

    def chi2(logs: NDArray[np.float64]) -> float:
        widths = tuple(np.exp(np.clip(logs, np.log(NARROWEST), np.log(WIDEST))))
        seen = scipy.fft.irfftn(spectrum * transfer(shape, widths), s=shape, workers=1)
        magnitude = np.sqrt(np.maximum(seen, 0.0))
        return chi2_of_magnitudes(magnitude=magnitude, amplitude=data.amplitude, weight=weight)

    # a width of nearly nothing is left slowly, and the usual simplex is a point where a logarithm is 0
    start = np.log(np.maximum(first or (FIRST,) * len(shape), FIRST))
    simplex = start + EDGE * np.vstack([np.zeros(len(shape)), np.eye(len(shape))])
    told = {"maxfev": 60, "xatol": 0.02, "fatol": 1e-7, "initial_simplex": simplex}
    found = minimize(chi2, start, method="Nelder-Mead", options=told)
    return tuple(float(v) for v in np.exp(np.clip(found.x, np.log(NARROWEST), np.log(WIDEST))))
