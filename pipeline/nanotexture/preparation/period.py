"""The period of the texture from one map: a comb of lines searched in the profile along qx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from nanotexture.preparation.line_shape import Array, LineShape, pseudo_voigt_from_width
from nanotexture.preparation.lines import MapWindow

MAX_ORDER = 6
REGIONS = 100.0  # coherent regions that a beam lights at least (20 micrometres at 0.2): no map says how many there were
PRESENT, CLEAR = 0.003, 8.0  # share of the strongest satellite, standard deviations: an order is there
SATELLITE = CLEAR  # standard deviations: a line that is one
SIGNAL = 0.03  # of the strongest row: rows that hold signal
LIKELY = 0.75  # of the strongest line's height: another that may be order 0
_WIDTHS = (0.06, 0.12, 0.2, 0.35, 0.6)  # FWHM of order 1 as a fraction of the spacing
_MIXINGS = (0.05, 0.7)  # Lorentzian fraction: much disorder, or hardly any
_SIGNIFICANT = (
    25.0  # a comb must lower chi2 by this much for each line that it adds, against no satellites at all
)


@dataclass(frozen=True)
class Comb:
    """Satellites found in a profile: spacing (1/angstrom), FWHM of order 0 and 1, intensity of each |n|, gain in chi2."""

    centre: float
    spacing: float
    width0: float
    width1: float
    intensity: tuple[float, ...]
    gain: float


def profile_from_map(window: MapWindow) -> tuple[Array, Array]:
    """Profile along qx of the rows that hold most of the signal: mean counts (nx,) and their variance (nx,).

    Rows are those whose excess over the map's background is at least SIGNAL of the strongest row's.
    """
    counts = np.where(window.measured, window.intensity, np.nan)
    level = np.nanpercentile(counts, 20)
    above = np.clip(np.nan_to_num(counts, nan=level) - level, 0.0, None).sum(axis=0)
    seen = window.measured.sum(axis=0)
    excess = np.where(seen > 0.25 * len(window.qx), above / np.maximum(seen, 1), 0.0)
    rows = excess >= SIGNAL * np.nanmax(excess)
    use = window.measured[:, rows]
    number = np.maximum(use.sum(axis=1), 1)
    profile = np.where(use, window.intensity[:, rows], 0.0).sum(axis=1) / number
    variance = np.where(use, window.variance[:, rows], 0.0).sum(axis=1) / number**2
    return np.where(use.any(axis=1), profile, np.nan), variance


def rod_profile(window: MapWindow) -> Array:
    """Mean over the measured rows of log(1 + counts / background), (nx,): a rod along all rows outdoes satellites in a few."""
    level = max(float(np.percentile(window.intensity[window.measured], 20)), 1.0)
    heights = np.where(window.measured, np.log1p(np.clip(window.intensity, 0.0, None) / level), 0.0)
    number = window.measured.sum(axis=1)
    return np.where(number > 0, heights.sum(axis=1) / np.maximum(number, 1), np.nan)


def central_line(qx: Array, rod: Array, profile: Array, expected: float, reach: float) -> tuple[float, float]:
    """Position and FWHM (1/angstrom) of order 0 in a profile (nx,): the strongest line of `rod` (nx,) near where it is expected.

    Of lines within `reach` that are nearly as strong (LIKELY), the nearest to `expected`.
    """
    near = np.flatnonzero(np.abs(qx - expected) <= reach)
    top = int(near[_likely(np.nan_to_num(rod[near]), np.abs(qx[near] - expected))])
    local = np.nan_to_num(profile)
    around = local[max(top - 2, 0) : top + 3]
    top = max(top - 2, 0) + int(around.argmax())
    floor = np.median(local[near])
    half = floor + 0.5 * (local[top] - floor)
    left = top - int(np.argmax(local[top::-1] < half)) if (local[: top + 1] < half).any() else 0
    right = top + int(np.argmax(local[top:] < half)) if (local[top:] < half).any() else len(local) - 1
    step = qx[1] - qx[0]
    width = max(right - left - 1, 1) * step
    core = slice(max(top - 2, 0), top + 3)
    above = np.clip(local[core] - half, 0.0, None) + 1e-12
    return float((qx[core] * above).sum() / above.sum()), float(width)


def _likely(heights: Array, distance: Array) -> int:
    """The maximum of a profile that is nearly the highest, above its median, and nearest."""
    above = heights - np.median(heights)
    padded = np.pad(above, 1, constant_values=-np.inf)
    peaks = (above >= padded[:-2]) & (above >= padded[2:]) & (above >= LIKELY * above.max())
    return int(min(np.flatnonzero(peaks), key=lambda i: distance[i]))


def find_combs(
    windows: Sequence[MapWindow], expected: Sequence[float], smallest: float, largest: float
) -> tuple[Comb | None, ...]:
    """The combs of one spacing that explain the profiles of all maps best; None for a map without satellites above the noise.

    expected: Gx of every map; [smallest, largest]: the range of spacings (1/angstrom). Spacings are compared by the sum over
    maps of N log chi2 plus the number of lines times log(points) (BIC, errors of unknown size); one whose first order is no
    maximum of any profile is left out, or a fraction of the true spacing would win by filling the diffuse scattering.
    """
    profiles = [_profile(window, gx, largest) for window, gx in zip(windows, expected, strict=True)]
    best: tuple[float, list[Comb]] | None = None
    for spacing in np.geomspace(smallest, largest, 160):
        if not any(one.rises(float(spacing)) for one in profiles):
            continue
        fits = [one.comb(float(spacing)) for one in profiles]
        criterion = sum(value for value, _ in fits)
        if best is None or criterion < best[0]:
            best = criterion, [comb for _, comb in fits]
    if best is None:
        return (None,) * len(profiles)
    return tuple(comb if comb.gain > _SIGNIFICANT else None for comb in best[1])


def _profile(window: MapWindow, expected: float, largest: float) -> _Profile:
    profile, variance = profile_from_map(window)
    use = np.isfinite(profile)
    centre, width = central_line(window.qx, rod_profile(window), profile, expected, 0.5 * largest)
    error = np.sqrt(variance + (0.05 * np.clip(np.nan_to_num(profile), 0.0, None)) ** 2)
    return _Profile(window.qx[use], profile[use], error[use], centre, width)


@dataclass(frozen=True)
class _Profile:
    """Profile along qx (nx,) with its error, centre and FWHM of order 0."""

    qx: Array
    profile: Array
    error: Array
    centre: float
    width: float

    def rises(self, spacing: float) -> bool:
        """Whether orders +-1 of this spacing are maxima."""
        return self._highest(spacing) >= 1 and _rises(self.qx, self.profile, self.error, self.centre, spacing)

    def comb(self, spacing: float) -> tuple[float, Comb]:
        """N log chi2 with its penalty, and the best comb of this spacing."""
        number, highest = len(self.qx), self._highest(spacing)
        flat, alone = self._fit(LineShape(self.centre, spacing, (self.width,), (0.7,)))
        found = flat, Comb(self.centre, spacing, self.width, self.width, tuple(alone), 0.0)
        for fraction, mixing in product(_WIDTHS, _MIXINGS) if highest else ():
            width = max(fraction * spacing, self.width)
            widths = (self.width, *(width * np.sqrt(n) for n in range(1, highest + 1)))
            chi2, orders = self._fit(LineShape(self.centre, spacing, widths, (mixing,) * len(widths)))
            if chi2 < found[0]:
                gain = (flat - chi2) / (2 * highest)
                found = chi2, Comb(self.centre, spacing, self.width, width, tuple(orders), float(gain))
        return number * np.log(found[0] + number) + 2 * highest * np.log(number), found[1]

    def _highest(self, spacing: float) -> int:
        reach = max(abs(self.qx[0] - self.centre), abs(self.qx[-1] - self.centre))
        return int(min(MAX_ORDER, reach // spacing))

    def _fit(self, shape: LineShape) -> tuple[float, Array]:
        return _comb_chi2(self.qx, self.profile, self.error, shape)


def _rises(qx: Array, profile: Array, error: Array, centre: float, spacing: float) -> bool:
    """Whether the profile at centre +- spacing stands above its values a third of a spacing to either side, by 3 sigma."""
    excess, noise = [], []
    for side in (-1.0, 1.0):
        at = centre + side * spacing
        if not qx[0] <= at <= qx[-1]:
            continue
        middle, inner, outer = (
            np.abs(qx - at - shift * side * spacing) <= 0.1 * spacing for shift in (0.0, -0.33, 0.33)
        )
        if not (middle.any() and inner.any()):
            continue
        beside = max(profile[inner].mean(), profile[outer].mean() if outer.any() else -np.inf)
        excess.append(profile[middle].mean() - beside)
        noise.append(
            (error[middle] ** 2).sum() / middle.sum() ** 2 + (error[inner] ** 2).sum() / inner.sum() ** 2
        )
    return bool(excess) and float(np.mean(excess)) > 3.0 * float(np.sqrt(np.sum(noise))) / len(noise)


def highest_order(window: MapWindow, *, centre: float, spacing: float) -> int:
    """Largest |n|, at least 1, whose line stands clear of what is midway to its neighbours, centre and spacing in 1/angstrom.

    Row by row, since the orders of an inclined texture peak at heights of their own: its brightest row must be CLEAR standard
    deviations above the darker of its two sides, and PRESENT times the brightest row of the strongest satellite.
    """
    step = float(window.qx[1] - window.qx[0])
    reach = max(float(window.qx[-1]) - centre, centre - float(window.qx[0])) - step
    rises: list[tuple[float, float]] = []
    for n in range(1, int(min(MAX_ORDER, reach // spacing)) + 1):
        rises.append(max(_rise(window, centre + side * n * spacing, spacing) for side in (-1.0, 1.0)))
    strongest = max((signal for signal, _ in rises), default=0.0)
    seen = [
        n
        for n, (signal, deviations) in enumerate(rises, 1)
        if signal > PRESENT * strongest and deviations > CLEAR
    ]
    return max(seen, default=1)


def _rise(window: MapWindow, at: float, spacing: float) -> tuple[float, float]:
    """Most counts of a row within a quarter of a spacing of `at` above those beside it, and in standard deviations."""
    away = np.abs(window.qx - at)
    core, beside = away < 0.25 * spacing, (away > 0.35 * spacing) & (away < 0.5 * spacing)
    if not (core.any() and beside.any()):
        return 0.0, 0.0
    level, _ = _row_sums(window, beside)
    total, variance = _row_sums(window, core)
    row = int(np.argmax(total - level))
    rise = float(total[row] - level[row])
    return rise, rise / float(np.sqrt(max(variance[row], 1e-12)))


def rise_at(window: MapWindow, at: float, spacing: float) -> float:
    """Standard deviations by which the brightest row near `at` stands above what is beside it, 1/angstrom."""
    return _rise(window, at, spacing)[1]


def _row_sums(window: MapWindow, columns: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Mean counts of every row over the measured voxels of some columns (nz,), and its variance; 0 where there are none."""
    use = window.measured[columns]
    number = np.maximum(use.sum(axis=0), 1)
    counts = np.where(use, window.intensity[columns], 0.0).sum(axis=0) / number
    return counts, np.where(use, window.variance[columns], 0.0).sum(axis=0) / number**2


def mean_period_error(*, period: float, coherent: float, disorder: float) -> float:
    """Standard error (angstrom) of the film's mean period from the finitely many periods that scatter.

    sigma L / sqrt(REGIONS N): sigma the relative rms of a period's length, from disorder = 2 pi sigma^2 q0, the Lorentzian FWHM
    of order 1 with q0 = 2 pi / L (cumulative disorder); N the periods that one coherent region counts for, from coherent, the
    Gaussian FWHM of order 0 (both 1/angstrom). A region of Gaussian amplitude of standard deviation s weighs its periods by
    a Gaussian of s / sqrt(2), so that N = sqrt(2 pi) s / L, and order 0 has a FWHM of 2.355 / (sqrt(2) s). A resolution in
    order 0 makes N smaller and the error larger.
    """
    spacing = 2 * np.pi / period
    step = np.sqrt(max(disorder, 0.0) / (2 * np.pi * spacing))
    number = max(np.sqrt(np.pi) * 2.355 / (coherent * period), 1.0)
    return float(period * step / np.sqrt(REGIONS * number))


def profile_on(grid: Array, qx: Array, profile: Array) -> Array:
    """Profile on the full grid, NaN where the profile has no point."""
    full = np.full(grid.shape, np.nan)
    full[np.searchsorted(grid, qx)] = profile
    return full


def _comb_chi2(qx: Array, profile: Array, error: Array, shape: LineShape) -> tuple[float, Array]:
    step = float(np.median(np.diff(qx)))
    highest = len(shape.width) - 1
    grid = np.arange(qx[0], qx[-1] + 0.5 * step, step)
    at = np.clip(np.rint((qx - qx[0]) / step).astype(int), 0, len(grid) - 1)
    lines = []
    for n in range(-highest, highest + 1):
        line = pseudo_voigt_from_width(
            qx=grid,
            centre=shape.centre + n * shape.spacing,
            width=shape.width[abs(n)],
            lorentz=shape.lorentz[abs(n)],
        )
        lines.append(line[at])
    slope = (qx - qx[0]) / (qx[-1] - qx[0])
    design = np.stack([*lines, 1.0 - slope, slope], axis=1) / error[:, None]
    found, norm = nnls(design, profile / error)
    orders = found[: 2 * highest + 1]
    folded = np.array(
        [orders[highest], *(0.5 * (orders[highest + n] + orders[highest - n]) for n in range(1, highest + 1))]
    )
    return float(norm**2), folded
