"""A measured map of a known texture, by the simple forward model: orders with lines, background, Poisson counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import voigt_profile

from nanotexture.film.kernel import plane_kernel, substrate_amplitude
from nanotexture.film.stack import Stack, Substrate

Array = NDArray[np.float64]

ORDERS = 8
WIDEN = 0.35  # FWHM of order n grows as 1 + WIDEN * (n^2 - 1): cumulative disorder
RESOLUTION = 0.0015  # FWHM of order 0 along qx, 1/angstrom
MARGIN = 3.5  # orders on either side of the peak that the map covers


@dataclass(frozen=True)
class Brightness:
    """A simulated map: axes (nx,), (nz,) in 1/angstrom, intensity (nx, nz), mask (nx, nz) non-zero behind the beam stop."""

    qx: Array
    qz: Array
    intensity: Array
    mask: NDArray[np.uint8]

    @property
    def peak(self) -> float:
        """Brightest voxel outside the mask."""
        return float(self.intensity[self.mask == 0].max())


def order_amplitudes(
    *,
    displacement: Array,
    stack: Stack,
    substrate: Substrate | None,
    hkl: tuple[int, int, int],
    period: float,
    qz: Array,
    energy_kev: float,
) -> NDArray[np.complex128]:
    """Amplitudes (2 ORDERS + 1, nz) with exp(i Q.u) at Q itself, not at G: displacement (2, x, planes) in angstrom.

    Independent of the inversion's model, which takes Q.u at G and knows the displacement in a few modes only.
    """
    number = displacement.shape[1]
    kernel = plane_kernel(stack=stack, hkl=hkl, qz=qz, energy_kev=energy_kev)
    below = substrate_amplitude(
        substrate=substrate, hkl=hkl, qz=qz, in_plane=stack.in_plane, energy_kev=energy_kev
    )
    gx = 2 * np.pi * hkl[0] / stack.in_plane
    x = np.arange(number) / number
    found = np.empty((2 * ORDERS + 1, len(qz)), np.complex128)
    for i, n in enumerate(range(-ORDERS, ORDERS + 1)):
        qx = gx + 2 * np.pi * n / period
        phase = np.exp(
            1j * (qx * displacement[0][:, :, None] + qz[None, None, :] * displacement[1][:, :, None])
        )
        wave = np.exp(-2j * np.pi * n * x) / number
        found[i] = np.einsum("x,xpq,qp->q", wave, phase, kernel)
    found[ORDERS] += below
    return found


def bright_map(
    *,
    displacement: Array,
    stack: Stack,
    substrate: Substrate | None,
    hkl: tuple[int, int, int],
    period: float,
    correlation_length: float,
    energy_kev: float,
) -> Brightness:
    """Noise-free map of one reflection per unit flux; the substrate's peak is masked."""
    gx, gz = 2 * np.pi * hkl[0] / stack.in_plane, 2 * np.pi * hkl[2] / stack.mean_c
    spacing, fringe = 2 * np.pi / period, 2 * np.pi / stack.thickness
    qx = np.arange(gx - MARGIN * spacing, gx + MARGIN * spacing, 0.4 * RESOLUTION)
    qz = np.arange(gz - 5 * fringe, gz + 5 * fringe, fringe / 6)
    amplitudes = order_amplitudes(
        displacement=displacement,
        stack=stack,
        substrate=substrate,
        hkl=hkl,
        period=period,
        qz=qz,
        energy_kev=energy_kev,
    )
    lines = np.stack([_line(qx, gx, n, spacing, correlation_length) for n in range(-ORDERS, ORDERS + 1)])
    return Brightness(qx, qz, lines.T @ np.abs(amplitudes) ** 2, _beam_stop(qx, qz, gx, hkl[2], substrate))


def counted(
    bright: Brightness, *, flux: float, background: float, seed: tuple[int, ...]
) -> NDArray[np.float64]:
    """Poisson counts (nx, nz) at a flux that all reflections of a film share."""
    expected = np.minimum(flux * bright.intensity + background, 1e15)
    return np.random.Generator(np.random.PCG64([n % 2**32 for n in seed])).poisson(expected).astype(float)


def _line(qx: Array, gx: float, n: int, spacing: float, correlation_length: float) -> Array:
    """Voigt satellites: Gaussian resolution, Lorentzian FWHM 2 / correlation length growing with n^2; order 0 has none."""
    half = 0.0 if n == 0 else (1 + WIDEN * (n**2 - 1)) / correlation_length
    return np.asarray(voigt_profile(qx - gx - n * spacing, RESOLUTION / 2.355, half))


def _beam_stop(qx: Array, qz: Array, gx: float, index: int, substrate: Substrate | None) -> NDArray[np.uint8]:
    mask = np.zeros((len(qx), len(qz)), np.uint8)
    if substrate is not None:
        bragg = 2 * np.pi * index / substrate.c
        near = np.abs(qz - bragg) < 0.01
        mask[np.ix_(np.abs(qx - gx) < 0.006, near)] = 1
    return mask
