"""A diffraction pattern before it is phased: what is fitted, what is held out, and what its autocorrelation says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from scipy.ndimage import binary_dilation, gaussian_filter

from nanotexture.phasing.constraints import Data, Mask, Real
from nanotexture.phasing.farfield import corner_order

EDGE = 0.01  # of its maximum: where the autocorrelation ends
LOBE = 0.1
NOISE_SIGMAS = 8.0
WIDEST_BOX = 0.75  # of the array
BLOCK, SHARE = 3, 0.03
FIRST, SMOOTH = (
    1e-3,
    0.7,
)  # of the first support: share of the autocorrelation's maximum, and how far it is smoothed, in voxels


@dataclass(frozen=True)
class Pattern:
    """A diffraction pattern ready for phasing; arrays (n1, n2, n3), zero frequency at index 0.

    counts: 0 where not measured; work: fitted voxels; held: kept back for free chi2; box: where the crystal can be, in the
    centred order of the object; exposure: photons counted over counts, None for 1 everywhere.
    """

    counts: Real
    work: Mask
    held: Mask
    box: Mask
    exposure: Real | None = None

    @property
    def data(self) -> Data:
        """The magnitudes as a constraint."""
        return Data(np.sqrt(self.counts).astype(np.float32), ~self.work)

    @property
    def halved(self) -> Mask:
        """Where a crystal of about the right size is, inside the box, in the centred order of the object."""
        counts, measured = (scipy.fft.fftshift(a) for a in (self.counts, self.work | self.held))
        return halved_autocorrelation(counts=counts, measured=measured) & self.box


def pattern_of(*, counts: Real, measured: Mask, held: Mask, exposure: Real | None = None) -> Pattern:
    """Pattern of centred arrays (n1, n2, n3), zero frequency at n // 2; held: voxels kept back."""
    box = first_box(counts=counts, measured=measured)
    clean = np.where(measured, counts, 0.0)
    shown = None if exposure is None else corner_order(exposure)
    return Pattern(corner_order(clean), corner_order(measured & ~held), corner_order(held), box, shown)


def hold_out_blocks(
    *, counts: Real, measured: Mask, seed: int, block: int = BLOCK, share: float = SHARE
) -> Mask:
    """Voxels kept back: blocks of block^3 that were measured whole, `share` of all voxels, not the brightest block.

    Blocks, because neighbouring voxels of an oversampled pattern repeat one another. Without its brightest block the
    scale of the object would hang on the blocks around it.
    """
    tiles = tuple(n // block for n in counts.shape)
    cut = tuple(slice(0, t * block) for t in tiles)
    split = measured[cut].reshape([m for t in tiles for m in (t, block)])
    whole = np.array(split.all(axis=(1, 3, 5)))
    brightest = np.unravel_index(np.argmax(np.where(measured, counts, 0.0)), counts.shape)
    if all(i // block < t for i, t in zip(brightest, tiles, strict=True)):
        whole[tuple(i // block for i in brightest)] = False
    rng = np.random.Generator(np.random.PCG64([seed]))
    wanted = round(share * int(measured.sum()) / block**3)
    chosen = np.zeros(tiles, dtype=bool)
    chosen.flat[rng.permutation(np.flatnonzero(whole))[:wanted]] = True
    held = np.zeros(counts.shape, dtype=bool)
    held[cut] = np.kron(chosen, np.ones((block,) * 3, dtype=bool))
    return held


def autocorrelation_profiles(*, counts: Real, measured: Mask) -> tuple[list[Real], float]:
    """Largest |autocorrelation| at each lag 0 ... n // 2 of every axis over its maximum, and where noise begins."""
    found, noise = _autocorrelation(counts, measured)
    axes = range(counts.ndim)
    profiles = [found.max(axis=tuple(a for a in axes if a != axis)) for axis in axes]
    return [p[: len(p) // 2 + 1] for p in profiles], max(EDGE, noise)


def _autocorrelation(counts: Real, measured: Mask) -> tuple[Real, float]:
    """|autocorrelation| over its maximum, lag 0 at index 0, and where noise begins."""
    filled = _filled(counts, measured)
    found = np.abs(scipy.fft.ifftn(scipy.fft.ifftshift(filled), workers=1))
    return found / found.flat[0], NOISE_SIGMAS / np.sqrt(max(float(filled.sum()), 1.0))


def sampling_ratios(*, counts: Real, measured: Mask) -> tuple[float, ...]:
    """Voxels of the array over the extent of the crystal, by the autocorrelation; below 2 where it fills the array."""
    profiles, floor = autocorrelation_profiles(counts=counts, measured=measured)
    return tuple(_ratio(profile, floor) for profile in profiles)


def _ratio(profile: Real, floor: float) -> float:
    # the autocorrelation is twice the crystal: lags up to its size. That of one crystal falls all the way; what rises again
    # below LOBE is something else (6 % in staff54: unequal steps of its scan, or a faint neighbour), and no sign of a larger one
    reach = int(np.flatnonzero(profile > floor).max(initial=0)) + 1
    again = np.flatnonzero((np.diff(profile) > 0) & (profile[:-1] < LOBE))
    reach = min(reach, int(again[0]) + 1) if again.size else reach
    return 1.99 if reach >= len(profile) else 2.0 * (len(profile) - 1) / reach


def halved_autocorrelation(*, counts: Real, measured: Mask) -> Mask:
    """Where the autocorrelation at twice the place is not noise: a support (n1, n2, n3) about as large as the crystal.

    The crystal itself where it is convex and has a centre of inversion, and near it otherwise: lags end where chords do. It is no
    bound, as those of Fienup, Crimmins and Holsztynski, J. Opt. Soc. Am. 72, 610 (1982), are; shrink-wrap lets a crystal grow
    beyond it, up to `first_box`.
    """
    found, noise = _autocorrelation(counts, measured)
    smooth = gaussian_filter(scipy.fft.fftshift(found), SMOOTH, mode="wrap")
    smooth /= smooth.max()
    for axis, n in enumerate(counts.shape):
        lags = 2 * (np.arange(n) - n // 2) + n // 2
        inside = (lags >= 0) & (lags < n)
        taken = smooth.take(np.clip(lags, 0, n - 1), axis=axis)
        smooth = np.where(inside.reshape([-1 if a == axis else 1 for a in range(counts.ndim)]), taken, 0.0)
    return binary_dilation(smooth > max(FIRST, noise))


def first_box(*, counts: Real, measured: Mask) -> Mask:
    """Box (n1, n2, n3) about the middle, as wide as the autocorrelation, at most three quarters of the array."""
    profiles, floor = autocorrelation_profiles(counts=counts, measured=measured)
    box = np.ones(counts.shape, dtype=bool)
    for axis, (profile, n) in enumerate(zip(profiles, counts.shape, strict=True)):
        reach = int(np.flatnonzero(profile > floor).max(initial=1)) + 1
        half = min(reach, int(WIDEST_BOX * n / 2))
        inside = np.abs(np.arange(n) - n // 2) <= half
        box &= inside.reshape([-1 if a == axis else 1 for a in range(counts.ndim)])
    return box


def _filled(counts: Real, measured: Mask) -> Real:
    """Counts with gaps filled from their neighbours, so that a gap's edge is no feature of the autocorrelation."""
    clean = np.where(measured, counts, 0.0).astype(float)
    return clean if measured.all() else filled_from_neighbours(clean, measured, sigma=1.5, least=1e-3)


def filled_from_neighbours(values: Real, measured: Mask, *, sigma: float, least: float) -> Real:
    """Values with what was not measured taken from neighbours, weighed by a Gaussian of sigma voxels; least: of its weight."""
    around = gaussian_filter(np.where(measured, values, 0.0), sigma)
    return np.where(
        measured, values, around / np.maximum(gaussian_filter(measured.astype(float), sigma), least)
    )
