"""A crystal's diffraction array made ready: counts, what was not measured, and what cannot be phased at all."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_opening, uniform_filter

from nanotexture.errors import UserError

Array = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Unmeasured = Literal["blank", "zeros", "none"]

WHOLE = 2e-3  # of a count: how near to whole numbers rounding leaves counts that went through float32
FAINTEST_PEAK, CONTRAST = 20.0, 10.0
MARGIN = 0.125  # of an axis: a peak nearer to the edge is cut


def counts_of_amplitude(amplitude: Array, peak_counts: float | None) -> Array:
    """Counts of amplitudes in any unit: their squares times what makes the brightest `peak_counts`.

    Without it: times what makes the smallest positive square one count, if that makes all of them whole numbers, as it
    does for a pattern that was divided by its largest; UserError otherwise.
    """
    squares = np.asarray(amplitude, dtype=float) ** 2
    if peak_counts is not None:
        return squares * (peak_counts / np.nanmax(squares))
    positive = squares[np.isfinite(squares) & (squares > 0)]
    counts = squares / positive.min() if positive.size else squares
    off = np.abs(counts - np.rint(counts)) / np.maximum(np.sqrt(np.maximum(counts, 1.0)), 1.0)
    if positive.size and np.nanmax(off) < WHOLE:
        return np.rint(counts)
    raise UserError(
        "crystal.peak_counts: expected the counts of the brightest voxel, since the squares of these amplitudes are no "
        "multiples of the smallest of them; found nothing"
    )


def not_measured(counts: Array, told: Unmeasured) -> Mask:
    """Voxels whose zero says nothing: all zeros, or those of blanked regions, or none.

    A blank is a region of zeros that holds a cube of 3^3, and the zeros that touch it: with the fewest counts that
    Poisson statistics allow around it, one a voxel, such a cube has a probability of exp(-27).
    """
    zero = counts == 0
    if told == "zeros":
        return zero
    if told == "none" or not zero.any():
        return np.zeros_like(zero)
    cubes = binary_opening(zero, np.ones((3, 3, 3), dtype=bool))
    return zero & binary_dilation(cubes, np.ones((3, 3, 3), dtype=bool))


def refuse_values(values: Array, measured: Mask) -> None:
    """UserError where an array holds what neither counts nor amplitudes can be."""
    seen = values[measured]
    if seen.size == 0:
        raise UserError("array: expected a measured voxel, found all masked")
    if not np.isfinite(seen).all():
        raise UserError(
            f"array: expected finite numbers wherever it is not masked, found {np.count_nonzero(~np.isfinite(seen))} of NaN "
            "or infinity (input.mask or crystal.mask takes them out)"
        )
    if (seen < 0).any():
        raise UserError(
            f"array: expected no negative numbers wherever it is not masked, found {seen.min():g}"
        )
    if not seen.any():
        raise UserError("array: expected counts, found zero everywhere")


def refuse_peak(counts: Array, measured: Mask) -> None:
    """UserError where counts have no Bragg peak inside the window."""
    peak = float(counts[measured].max())
    if peak < FAINTEST_PEAK:
        raise UserError(
            f"array: expected counts, {FAINTEST_PEAK:g} or more in the brightest voxel, found {peak:g} (a normalised pattern: "
            'values = "amplitude" or peak_counts in [crystal])'
        )
    if peak < CONTRAST * float(np.median(counts[measured])):
        raise UserError(
            f"array: expected a Bragg peak, {CONTRAST:g} times the median or brighter, found {peak:g} at most"
        )
    place = np.unravel_index(int(np.argmax(np.where(measured, counts, -1.0))), counts.shape)
    for axis, (i, n) in enumerate(zip(place, counts.shape, strict=True)):
        if not MARGIN * n <= i <= (1 - MARGIN) * (n - 1):
            raise UserError(
                f"array: expected the peak inside the window, {MARGIN * n:.0f} voxels or more from each face, found it at "
                f"voxel {int(i)} of {n} along axis {axis}: measure, or cut out, a window about the peak"
            )


def refuse_sampling(ratios: tuple[float, ...]) -> None:
    """UserError where the crystal is sampled below 2 along an axis, as its autocorrelation says."""
    for axis, ratio in enumerate(ratios):
        if ratio < 2.0:
            raise UserError(
                f"array: expected a sampling of 2 or more voxels per fringe, found less along axis {axis}: its autocorrelation "
                "fills the array; measure with smaller steps or pixels, or further away (a large crop does not help)"
            )


def box_about_peak(intensity: Array, measured: Mask, size: tuple[int, int, int]) -> tuple[slice, ...]:
    """Box with the peak at n // 2, of `size` voxels or as many as lie on both sides of it, fast to transform.

    The peak is the largest mean over 3^3 voxels: a stray pixel is none.
    """
    share = uniform_filter(measured.astype(float), 3, mode="constant")
    means = uniform_filter(np.where(measured, intensity, 0.0), 3, mode="constant") / np.maximum(share, 0.2)
    peak = np.unravel_index(int(np.argmax(means)), means.shape)
    found = []
    for at, n, asked in zip(map(int, peak), intensity.shape, size, strict=True):
        most = int(scipy.fft.prev_fast_len(max(min(asked, 2 * min(at, n - 1 - at) + 1), 1)))
        found.append(slice(at - most // 2, at - most // 2 + most))
    return tuple(found)


def one_exposure(photons: Array, weight: Array, measured: Mask) -> tuple[Array, Array]:
    """Counts of voxels all put to the usual exposure, 0 where not measured, and each voxel's own over it, 1 there.

    photons: sums over the pixels of a voxel; weight: what these count at intensity 1 (pixels, monitor, response). The
    means alone have lost how many photons they are of; sums alone follow the number of pixels, not the pattern.
    Photons of pixels that voxels share scatter less than Poisson says, 0.45 of it where a pixel is as wide as a voxel along
    two axes, but neighbours together do not: as likelihood the sums of shares claim no more than was measured.
    """
    usual = float(np.median(weight[measured]))
    exposure = np.where(measured, weight / usual, 1.0)
    return np.where(measured, photons / exposure, 0.0), exposure


def fast_window(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The largest window of fast transform lengths that keeps the middle n // 2 of an array in the middle."""
    return tuple(_window(n) for n in shape)


def _window(n: int) -> slice:
    size = int(scipy.fft.prev_fast_len(n))
    first = n // 2 - size // 2
    return slice(first, first + size)
