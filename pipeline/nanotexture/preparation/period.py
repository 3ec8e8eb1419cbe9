"""The period of the texture from one map: a comb of lines searched in the profile along qx."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from nanotexture.preparation.lines import Array, LineShape, MapWindow, pseudo_voigt_from_width

MAX_ORDER = 6
_WIDTHS = (0.12, 0.2, 0.35, 0.6)  # FWHM of order 1 as a fraction of the spacing
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

    Rows are those whose excess over the map's background is at least a tenth of the strongest row's.
    """
    counts = np.where(window.measured, window.intensity, np.nan)
    level = np.nanpercentile(counts, 20)
    above = np.clip(np.nan_to_num(counts, nan=level) - level, 0.0, None).sum(axis=0)
    seen = window.measured.sum(axis=0)
    excess = np.where(seen > 0.25 * len(window.qx), above / np.maximum(seen, 1), 0.0)
    rows = excess >= 0.1 * np.nanmax(excess)
    use = window.measured[:, rows]
    number = np.maximum(use.sum(axis=1), 1)
    profile = np.where(use, window.intensity[:, rows], 0.0).sum(axis=1) / number
    variance = np.where(use, window.variance[:, rows], 0.0).sum(axis=1) / number**2
    return np.where(use.any(axis=1), profile, np.nan), variance


def central_line(qx: Array, profile: Array, expected: float, reach: float) -> tuple[float, float]:
    """Position and FWHM (1/angstrom) of the strongest line within `reach` of the expected position of order 0."""
    near = np.flatnonzero(np.abs(qx - expected) <= reach)
    local = np.nan_to_num(profile[near])
    top = int(local.argmax())
    floor = np.median(local)
    half = floor + 0.5 * (local[top] - floor)
    left = top - int(np.argmax(local[top::-1] < half)) if (local[: top + 1] < half).any() else 0
    right = top + int(np.argmax(local[top:] < half)) if (local[top:] < half).any() else len(local) - 1
    step = qx[1] - qx[0]
    width = max(right - left - 1, 1) * step
    core = slice(max(top - 2, 0), top + 3)
    above = np.clip(local[core] - half, 0.0, None) + 1e-12
    return float((qx[near][core] * above).sum() / above.sum()), float(width)


def find_comb(window: MapWindow, expected: float, smallest: float, largest: float) -> Comb | None:
    """The comb of satellites that explains the profile best, or None where no satellites rise above the noise.

    expected is Gx and [smallest, largest] the range of spacings (1/angstrom). Spacings are compared by chi2 plus the
    number of lines times log(points) (BIC); a spacing whose first order is no maximum of the profile is left out, or a
    fraction of the true spacing would win by filling the diffuse scattering between the satellites.
    """
    profile, variance = profile_from_map(window)
    use = np.isfinite(profile)
    qx, profile, variance = window.qx[use], profile[use], variance[use]
    centre, width0 = central_line(
        window.qx, np.nan_to_num(profile_on(window.qx, qx, profile)), expected, 0.5 * largest
    )
    error = np.sqrt(variance + (0.05 * np.clip(profile, 0.0, None)) ** 2)
    flat = _comb_chi2(qx, profile, error, LineShape(centre, largest, (width0,), (0.7,)))[0]
    best: tuple[float, Comb] | None = None
    for spacing in np.geomspace(smallest, largest, 160):
        highest = int(min(MAX_ORDER, max(abs(qx[0] - centre), abs(qx[-1] - centre)) // spacing))
        if highest < 1 or not _rises(qx, profile, error, centre, spacing):
            continue
        for fraction in _WIDTHS:
            width = max(fraction * spacing, width0)
            widths = (width0, *(width * np.sqrt(n) for n in range(1, highest + 1)))
            shape = LineShape(centre, float(spacing), widths, (0.7,) * len(widths))
            chi2, intensity = _comb_chi2(qx, profile, error, shape)
            criterion = chi2 + 2 * highest * np.log(len(qx))
            if best is None or criterion < best[0]:
                gain = (flat - chi2) / (2 * highest)
                best = criterion, Comb(centre, float(spacing), width0, width, tuple(intensity), float(gain))
    return best[1] if best is not None and best[1].gain > _SIGNIFICANT else None


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
