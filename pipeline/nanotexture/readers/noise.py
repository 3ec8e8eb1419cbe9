"""How many recorded points share one independent detector element, estimated from the counts themselves."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BLOCK = 32  # points per block: a 0.02 degree strip recorded every 0.008 degree needs lags up to about 4
DEGREE = 3  # a cubic over one block takes out the signal and leaves the noise
LAGS = 6
QUIET = 0.5  # share of the blocks, those with the fewest counts, that is taken as background
SIGNIFICANT = 4.0  # standard errors below which a correlation, or an excess over 1, counts as none
DIFFERENCE_COST = (
    2.0  # second differences of neighbouring lines share counts: 1 + 2 (4/6)^2 + 2 (1/6)^2 = 1.94
)


def oversampling(counts: Array) -> float:
    """Variance of a sum of neighbouring counts (line, point) over its mean: var/mean (1 + 2 sum_k rho_k).

    1 for Poisson counts; R for Poisson counts of strips interpolated onto R points each. Measured on the
    quietest blocks, after second differences across lines (where there are three) and a cubic along points.
    """
    noise, mean = _difference_across_lines(counts)
    noise_blocks, mean_blocks = _quiet_blocks(noise, mean)
    if noise_blocks.size == 0 or mean_blocks.mean() <= 0:
        return 1.0
    covariance = _covariances(noise_blocks)
    independent = noise_blocks.size / DIFFERENCE_COST
    kept = _significant_lags(covariance, independent)
    factor = (covariance[0] + 2 * covariance[1:kept].sum()) / mean_blocks.mean()
    error = factor * np.sqrt(2 * (2 * kept - 1) / independent)
    return float(factor) if factor - 1 > SIGNIFICANT * error else 1.0


def _difference_across_lines(counts: Array) -> tuple[Array, Array]:
    """Second difference across lines, scaled to keep white noise, and the mean counts behind its variance."""
    if len(counts) < 3:
        return counts, counts
    before, here, after = counts[:-2], counts[1:-1], counts[2:]
    return (before - 2 * here + after) / np.sqrt(6), (before + 4 * here + after) / 6


def _quiet_blocks(noise: Array, mean: Array) -> tuple[Array, Array]:
    """Blocks of consecutive points, shape (block, BLOCK), those with the lowest mean counts."""
    number = noise.shape[1] // BLOCK
    blocks = noise[:, : number * BLOCK].reshape(-1, BLOCK)
    means = mean[:, : number * BLOCK].reshape(-1, BLOCK)
    order = np.argsort(means.mean(axis=1), kind="stable")
    keep = order[: max(1, int(QUIET * len(order)))] if number else order
    return blocks[keep], means[keep]


def _covariances(blocks: Array) -> Array:
    """Unbiased autocovariances of lags 0..LAGS-1, as the detrending takes a known share of each."""
    residuals = blocks @ _detrend()
    products = [np.mean(np.sum(residuals[:, : BLOCK - k] * residuals[:, k:], axis=1)) for k in range(LAGS)]
    return np.linalg.solve(_share(), np.array(products))


def _significant_lags(covariance: Array, points: float) -> int:
    """Number of lags, from 0, before the first whose correlation is not significant."""
    correlation = covariance / covariance[0] if covariance[0] > 0 else np.zeros(LAGS)
    small = correlation < SIGNIFICANT / np.sqrt(points)
    return int(np.argmax(small)) if small.any() else LAGS


@lru_cache(maxsize=1)
def _detrend() -> Array:
    """Symmetric matrix (BLOCK, BLOCK) that takes the best cubic out of a block."""
    basis, _ = np.linalg.qr(np.vander(np.linspace(-1, 1, BLOCK), DEGREE + 1))
    return np.eye(BLOCK) - basis @ basis.T


@lru_cache(maxsize=1)
def _share() -> Array:
    """Matrix (LAGS, LAGS): sum of residual products at lag k that unit covariance at lag j makes."""
    detrend = _detrend()
    shifts = [np.eye(BLOCK, k=j) + (np.eye(BLOCK, k=-j) if j else 0) for j in range(LAGS)]
    seen = [detrend @ shift @ detrend for shift in shifts]
    return np.array([[np.trace(s, offset=k) for s in seen] for k in range(LAGS)])
