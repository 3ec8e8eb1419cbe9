"""Noise-free maps of a textured film: places of a wandering texture, atom by atom at Q.

I(qx, qz) = mean over places of |sum over h of B_h(qx) W_h(qx, qz)|^2
B_h(qx)   = sum over cells of w(x) exp(i (qx - Gx) x + 2 pi i h phi(x))

The mean is taken of the products B_h B_h'* first, so that many places cost little; lines have unit area, which makes
the map of a flat film |F_film + F_substrate|^2 times one line. Voxels are means over their extent, as gridding gives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from nanotexture.errors import UserError
from nanotexture.film.stack import Stack, Substrate
from nanotexture.simulate.instrument import Instrument, stop_mask
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.places import Disorder, texture_phases, window_amplitudes
from nanotexture.simulate.texture_factor import TextureFactor, texture_factor

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Hkl = tuple[int, int, int]

ORDERS = 3.5  # on either side of the peak that a map covers
REPEATS = 2.2  # distances of superlattice peaks, on either side of the peak, that a map covers
FRINGES = 6.0  # on either side of the peak that a map covers, at least
SHAPE = (145, 169)
PER_LINE = 2.0  # points across one standard deviation of the sharpest line, at least
MAX_BYTES = 4e9
STREAM = 0x91ACE  # of random numbers: that of the places, apart from that of the counts


@dataclass(frozen=True)
class Axes:
    """Centres of voxels in 1/angstrom, absolute and uniform; qy None where a map has none."""

    qx: Array
    qz: Array
    qy: Array | None = None


@dataclass(frozen=True)
class Brightness:
    """A map per unit flux: axes, intensity (nx, nz) or (nx, ny, nz), mask of that shape: 1 where not measured."""

    hkl: Hkl
    axes: Axes
    intensity: Array
    mask: NDArray[np.uint8]

    @property
    def peak(self) -> float:
        """Brightest voxel outside the mask."""
        return float(self.intensity[self.mask == 0].max())


def sensible_axes(
    *, period: float, stack: Stack, hkl: Hkl, orders: float = ORDERS, shape: tuple[int, int] = SHAPE
) -> Axes:
    """Axes over +- orders satellites, and along qz over FRINGES fringes or REPEATS superlattice peaks on either side.

    Lengths in angstrom; at least five voxels to a fringe; the film's peak lies at the middle voxel of both axes.
    """
    if not (math.isfinite(period) and period > 0):
        raise UserError(f"period: expected a length above 0 angstrom, e.g. 120, got {period:g}")
    once = sum(layer.cells * layer.c for layer in stack.layers)
    repeats = REPEATS / once if stack.repeat > 1 else 0.0
    wide = min(max(FRINGES / stack.thickness, repeats), shape[1] / 10 / stack.thickness)
    half = (2 * np.pi * orders / period, 2 * np.pi * wide)
    centre = (2 * np.pi * hkl[0] / stack.in_plane, 2 * np.pi * hkl[2] / stack.mean_c)
    qx, qz = (c + np.linspace(-h, h, n) for c, h, n in zip(centre, half, shape, strict=True))
    return Axes(qx, qz)


def bright_map(
    *,
    motif: Motif,
    stack: Stack,
    substrate: Substrate | None,
    hkl: Hkl,
    axes: Axes,
    disorder: Disorder,
    instrument: Instrument,
    seed: int,
    gap: float = 0.0,
) -> Brightness:
    """Map (nx, nz), or (nx, ny, nz) with axes.qy, of one reflection of a 2D texture at unit flux, resolution included.

    gap: angstrom between the film's first plane and where the substrate's next would be. The places depend on the seed
    alone: all reflections see the same.
    """
    check_axes(axes, motif)
    gx = 2 * np.pi * hkl[0] / stack.in_plane
    fine_x = refined(axes.qx, math.hypot(disorder.width, instrument.resolution[0]), instrument.resolution[0])
    fine_z = refined(axes.qz, np.pi / 4 / stack.thickness, instrument.resolution[1])
    factor = texture_factor(
        motif=motif,
        stack=stack,
        substrate=substrate,
        gap=gap,
        hkl=hkl,
        qx=(float(fine_x.points[0]), float(fine_x.points[-1])),
        qz=fine_z.points,
        energy_kev=instrument.energy_kev,
    )
    products = place_products(
        dqx=fine_x.points - gx,
        harmonics=factor.harmonics,
        period=motif.periods[0],
        in_plane=stack.in_plane,
        disorder=disorder,
        seed=seed,
    )
    fine = intensity_from_places(factor=factor, qx=fine_x.points, products=products)
    plane = fine_x.voxels(fine_z.voxels(fine, axis=1), axis=0)
    mask = _stopped(axes, gx, hkl, substrate, instrument)
    plane += (
        instrument.diffuse * plane[mask == 0].max(initial=0.0) * diffuse_shape(axes, hkl, stack, instrument)
    )
    return Brightness(hkl, axes, *along_qy(plane, mask, axes, hkl, stack, instrument))


def place_products(
    *, dqx: Array, harmonics: NDArray[np.int64], period: float, in_plane: float, disorder: Disorder, seed: int
) -> Complex:
    """Mean over places of B_h B_h'* (dqx, H, H) in angstrom, dqx = qx - Gx in 1/angstrom."""
    x, weight = window_amplitudes(disorder=disorder, in_plane=in_plane)
    rng = np.random.Generator(np.random.PCG64([seed % 2**32, STREAM]))
    phases = texture_phases(x=x, period=period, disorder=disorder, rng=rng)
    shift = (weight * np.exp(1j * np.outer(dqx, x))).astype(np.complex64)
    waves = [shift @ _powers(np.exp(2j * np.pi * phase), harmonics) for phase in phases]
    found = np.stack(waves, axis=2)
    return np.asarray(found @ found.conj().swapaxes(1, 2), np.complex128) / len(phases)


def _powers(base: Complex, exponents: NDArray[np.int64]) -> NDArray[np.complex64]:
    """base ** exponents (cells, H) of numbers on the unit circle: products, which are faster than exponentials."""
    most = int(np.abs(exponents).max(initial=0))
    table = np.cumprod(np.column_stack([np.ones_like(base), *[base] * most]), axis=1)
    found = table[:, np.abs(exponents)]
    return np.where(exponents < 0, found.conj(), found).astype(np.complex64)


def intensity_from_places(*, factor: TextureFactor, qx: Array, products: Complex) -> Array:
    """I (qx, nz) from W_h and the mean products of B_h (qx, H, H)."""
    found = np.empty((len(qx), factor.amplitudes.shape[2]))
    for i, w in enumerate(factor.at(qx)):
        found[i] = np.sum(w * (products[i] @ w.conj()), axis=0).real
    return np.maximum(found, 0.0)


@dataclass(frozen=True)
class Refined:
    """A finer axis under a map's: points, how many to a voxel, voxels of margin, resolution in points."""

    points: Array
    each: int
    margin: int
    resolution: float

    def voxels(self, values: Array, axis: int) -> Array:
        """Values on the finer axis under the resolution, as means over the voxels of the map."""
        smooth = gaussian_filter1d(values, self.resolution, axis=axis) if self.resolution > 0.1 else values
        first = (
            np.moveaxis(smooth, axis, 0).reshape(-1, self.each, *np.delete(values.shape, axis)).mean(axis=1)
        )
        return np.moveaxis(first[self.margin : len(first) - self.margin], 0, axis)


def refined(axis: Array, finest: float, resolution: float) -> Refined:
    """Points PER_LINE to a width `finest` or closer, with a margin of 4 resolutions; all in 1/angstrom."""
    step = float(axis[1] - axis[0])
    each, margin = max(math.ceil(PER_LINE * step / finest), 1), math.ceil(4 * resolution / step)
    count = (len(axis) + 2 * margin) * each
    points = axis[0] - margin * step + step * ((np.arange(count) + 0.5) / each - 0.5)
    return Refined(points, each, margin, resolution * each / step)


def check_axes(axes: Axes, motif: Motif) -> None:
    """UserError where axes are too short, not uniform, or too coarse to tell the satellites apart."""
    for name in ("qx", "qy", "qz"):
        axis = getattr(axes, name)
        if axis is None:
            continue
        steps = np.diff(axis)
        if len(axis) < 2 or steps.min() <= 0 or np.ptp(steps) > 1e-3 * steps.mean():
            raise UserError(f"axes.{name}: expected a uniform, rising axis of 2 or more voxels")
    spacing, step = 2 * np.pi / motif.periods[0], float(axes.qx[1] - axes.qx[0])
    if step > 0.5 * spacing:
        raise UserError(
            f"axes.qx: expected steps of {0.5 * spacing:.3g} 1/angstrom or less, half the distance of the satellites of "
            f"a period of {motif.periods[0]:g} angstrom, got {step:.3g}"
        )


def diffuse_shape(axes: Axes, hkl: Hkl, stack: Stack, instrument: Instrument) -> Array:
    """Lorentzian squared (nx, nz) about the film's peak, 1 there: defects and heat, without any texture."""
    away = np.hypot(
        (axes.qx - 2 * np.pi * hkl[0] / stack.in_plane)[:, None],
        (axes.qz - 2 * np.pi * hkl[2] / stack.mean_c)[None, :],
    )
    return (1 + (away / instrument.diffuse_width) ** 2) ** -2


def along_qy(
    plane: Array, mask: NDArray[np.uint8], axes: Axes, hkl: Hkl, stack: Stack, instrument: Instrument
) -> tuple[Array, NDArray[np.uint8]]:
    """The plane (nx, nz) as it is, or spread over axes.qy by a Gaussian of unit area: a 2D texture has no order there."""
    if axes.qy is None:
        return plane, mask
    distance = (axes.qy - 2 * np.pi * hkl[1] / stack.in_plane) / instrument.qy_width
    line = np.exp(-0.5 * distance**2) / (math.sqrt(2 * np.pi) * instrument.qy_width)
    return plane[:, None, :] * line[:, None], np.repeat(mask[:, None, :], len(axes.qy), axis=1)


def _stopped(
    axes: Axes, gx: float, hkl: Hkl, substrate: Substrate | None, instrument: Instrument
) -> NDArray[np.uint8]:
    if substrate is None:
        return np.zeros((len(axes.qx), len(axes.qz)), np.uint8)
    return stop_mask(
        qx=axes.qx, qz=axes.qz, peak=(gx, 2 * np.pi * hkl[2] / substrate.c), instrument=instrument
    )
