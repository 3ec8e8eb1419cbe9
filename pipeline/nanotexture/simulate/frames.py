"""A reflection as the frames of an area detector on a six-circle diffractometer, with the counts that pixels would hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from nanotexture.errors import UserError
from nanotexture.film.stack import Stack
from nanotexture.simulate.axes import Hkl, middle
from nanotexture.simulate.brightness import Brightness
from nanotexture.simulate.counting import MOST_COUNTS, flux_drift
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.six_circle import Angles, AreaDetector, pixel_q

Array = NDArray[np.float64]

SATURATION = 2**20  # counts of a pixel and frame, beyond which the detector no longer counts
STREAM = 0xF2A3E5  # of random numbers: that of the frames


@dataclass(frozen=True)
class Frames:
    """Raw counts (frames, rows, columns) with what is needed to place them.

    monitor (frames,): counts of the incident beam; pixel_mask (rows, columns): 1 where dead; saturation: largest count;
    cell: reference lattice a, b, c in angstrom; count_time in seconds.
    """

    hkl: Hkl
    counts: NDArray[np.uint32]
    monitor: Array
    pixel_mask: NDArray[np.uint32]
    saturation: int
    angles: Angles
    detector: AreaDetector
    energy_kev: float
    cell: tuple[float, float, float]
    count_time: float = 1.0


def frames_from_map(
    bright: Brightness,
    *,
    stack: Stack,
    angles: Angles,
    detector: AreaDetector,
    instrument: Instrument,
    peak_counts: float,
    monitor_counts: float = 1e6,
    saturation: int = SATURATION,
    seed: int,
) -> Frames:
    """Poisson counts of every pixel; the brightest pixel where the map is not masked expects peak_counts of signal.

    Linear between the voxels of the map, which should be finer than the pixels; without axes.qy a Gaussian of
    instrument.qy_width stands along qy. Pixels outside the map hold the background alone. No correction of solid angle.
    """
    if not 0 < peak_counts <= min(MOST_COUNTS, saturation):
        raise UserError(
            f"peak_counts: expected above 0, at most saturation = {saturation}, got {peak_counts:g}"
        )
    rng = np.random.Generator(np.random.PCG64([n % 2**32 for n in (seed, *bright.hkl, STREAM)]))
    q = pixel_q(angles=angles, detector=detector, energy_kev=instrument.energy_kev)
    signal, hidden = intensity_at(
        bright, q, centre=middle(bright.hkl[1], stack.in_plane), instrument=instrument
    )
    brightest = signal[~hidden].max(initial=0.0)
    if not brightest > 0:
        raise UserError("angles: no pixel sees the map; its centre is at " + _centre(bright))
    beam = flux_drift(number=angles.frames, drift=instrument.drift, rng=rng)
    expected = (peak_counts / brightest * signal + instrument.background) * beam[:, None, None]
    dead = (rng.random(detector.shape) < instrument.dead).astype(np.uint32)
    counts = np.minimum(rng.poisson(np.minimum(expected, 2.0 * saturation)), saturation) * (1 - dead)
    return Frames(
        hkl=bright.hkl,
        counts=counts.astype(np.uint32),
        monitor=rng.poisson(monitor_counts * beam).astype(float),
        pixel_mask=dead,
        saturation=saturation,
        angles=angles,
        detector=detector,
        energy_kev=instrument.energy_kev,
        cell=(stack.in_plane, stack.in_plane, stack.mean_c),
    )


def intensity_at(
    bright: Brightness, q: Array, *, centre: float, instrument: Instrument
) -> tuple[Array, NDArray[np.bool_]]:
    """Map's intensity at q (..., 3), 0 outside it, and whether its nearest voxel is masked; shapes q.shape[:-1]."""
    axes, where = bright.axes, q
    line = np.ones(q.shape[:-1])
    if axes.qy is None:
        where = q[..., [0, 2]]
        line = np.exp(-0.5 * ((q[..., 1] - centre) / instrument.qy_width) ** 2)
    grid = tuple(axis for axis in (axes.qx, axes.qy, axes.qz) if axis is not None)
    signal = RegularGridInterpolator(grid, bright.intensity, bounds_error=False, fill_value=0.0)
    mask = bright.mask.astype(float)
    nearest = RegularGridInterpolator(grid, mask, method="nearest", bounds_error=False, fill_value=0.0)
    return signal(where) * line, nearest(where) > 0


def _centre(bright: Brightness) -> str:
    return f"qx = {bright.axes.qx.mean():.4f}, qz = {bright.axes.qz.mean():.4f} 1/angstrom"
