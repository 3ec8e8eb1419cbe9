"""Width of a wall from a fit of m + a tanh(2 (x - x0) / w), many lines at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEPS = 40
FINE = 1e-4  # change of log w, or of a share of the swing, at which a fit has ended
STUCK = 1e6  # damping at which it has ended as well
FEWEST = 5  # samples in the window of a wall that a fit of four numbers needs
NARROWEST = 0.5  # of a sample: narrower walls are all alike


def reach_of(position: Array) -> Array:
    """Half the distance (wall, z), in periods, from each wall to the nearest other one in its plane, position (wall, z)."""
    away = np.abs((position[:, None] - position[None] + 0.5) % 1.0 - 0.5)
    away = np.where(np.eye(len(position), dtype=bool)[..., None] | np.isnan(away), 1.0, away)
    return np.asarray(0.5 * away.min(axis=1, initial=1.0))


def widths_from_lines(*, lines: Array, position: Array, reach: Array) -> Array:
    """Widths w (n,) in periods of walls at position (n,) in lines (n, x) over one period, fitted within +-reach (n,).

    Levenberg-Marquardt on m, a, x0 and log w; NaN where the window is too small or the fit leaves it.
    """
    number = lines.shape[1]
    away = (np.arange(number) / number - position[:, None] + 0.5) % 1.0 - 0.5
    weight = (np.abs(away) <= reach[:, None]).astype(float)
    use = np.isfinite(position) & (weight.sum(axis=1) >= FEWEST)
    widths = np.full(len(lines), np.nan)
    if use.any():
        swing = np.ptp(lines[use], axis=1, keepdims=True)
        scaled = lines[use] / np.where(swing > 0, swing, 1.0)
        widths[use] = _fitted(scaled, away[use], weight[use], reach[use])
    return np.where(widths < NARROWEST / number, NARROWEST / number, widths)


def _fitted(lines: Array, away: Array, weight: Array, reach: Array) -> Array:
    numbers, damping = _start(lines, away, weight, reach), np.full(len(lines), 1e-2)
    left = np.arange(len(lines))
    for _ in range(STEPS):
        if not len(left):
            break
        one = (lines[left], away[left], weight[left])
        numbers[left], better, change = _stepped(numbers[left], damping[left], *one)
        damping[left] = np.where(better, damping[left] / 3, damping[left] * 4)
        left = left[(~better & (damping[left] < STUCK)) | (better & (change > FINE))]
    inside = np.abs(numbers[:, 2]) < reach
    width = np.exp(np.clip(numbers[:, 3], -12.0, 3.0))
    return np.asarray(np.where(inside & (width < 4 * reach), width, np.nan))


def _stepped(
    numbers: Array, damping: Array, lines: Array, away: Array, weight: Array
) -> tuple[Array, NDArray[np.bool_], Array]:
    """One Levenberg-Marquardt step: numbers (n, 4), whether it was better, and its largest change."""
    residual, slopes = _residual(numbers, lines, away, weight)
    transposed = slopes.transpose(0, 2, 1)
    normal = transposed @ slopes
    diagonal = np.einsum("nii->ni", normal)
    raised = normal + np.eye(4) * (damping[:, None] * diagonal + 1e-9)[:, None, :]
    step = np.clip(np.linalg.solve(raised, transposed @ residual[..., None])[..., 0], -1.0, 1.0)
    other, _ = _residual(numbers + step, lines, away, weight)
    better = (other**2).sum(axis=1) < (residual**2).sum(axis=1)
    return np.where(better[:, None], numbers + step, numbers), better, np.abs(step).max(axis=1)


def _start(lines: Array, away: Array, weight: Array, reach: Array) -> Array:
    high = np.where(weight > 0, lines, -np.inf).max(axis=1)
    low = np.where(weight > 0, lines, np.inf).min(axis=1)
    sign = np.sign((weight * away * lines).sum(axis=1))
    return np.stack([0.5 * (high + low), 0.5 * sign * (high - low), 0 * reach, np.log(0.5 * reach)], axis=1)


def _residual(numbers: Array, lines: Array, away: Array, weight: Array) -> tuple[Array, Array]:
    """Residual (n, x) and the model's slopes by the numbers (n, x, 4), zero outside the windows."""
    m, a, x0, log_w = numbers.T[..., None]
    width = np.exp(np.clip(log_w, -12.0, 3.0))
    t = np.tanh(2 * (away - x0) / width)
    bell = a * (1 - t**2)
    slopes = np.stack([np.ones_like(t), t, -2 / width * bell, -2 * (away - x0) / width * bell], axis=-1)
    return weight * (lines - m - a * t), weight[..., None] * slopes
