"""Position of the brightest peak of a scan in both its angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label, median_filter
from scipy.optimize import OptimizeResult, least_squares

Array = NDArray[np.float64]

LEVEL = 0.2  # of the maximum: above, the peak of a flat crystal is near enough to a Gaussian
FEWEST = 12  # points for 7 parameters; the level is lowered until there are so many
LOWEST = 0.01


@dataclass(frozen=True)
class Peak:
    """Centre of a peak and its standard errors, in degrees."""

    omega: float
    two_theta: float
    omega_std: float
    two_theta_std: float


class NoPeakError(Exception):
    """There is no peak that can be fitted; the text says why."""


def fit_peak(intensity: Array, omega: Array, two_theta: Array) -> Peak:
    """Centre of the brightest connected neighbourhood, arrays (line, point).

    Least squares on sqrt(counts), where counting noise is even, of a tilted Gaussian on a constant.
    The errors are those of the fit, residuals included, with one step / sqrt(12) added in quadrature:
    substrates are mosaic, and their peaks have structure of about a step that no smooth model describes.
    """
    region = _neighbourhood(intensity)
    centre, scale = _frame(intensity, omega, two_theta, region)
    u, v = (omega[region] - centre[0]) / scale[0], (two_theta[region] - centre[1]) / scale[1]
    fit = _fit(u, v, np.sqrt(intensity[region]))
    if np.hypot(fit.x[1], fit.x[2]) > 3:
        raise NoPeakError("the fit ran away from the brightest points")
    error = _standard_errors(fit)[1:3] * scale
    grain = np.array([_step(omega), _step(two_theta)]) / np.sqrt(12)
    place = centre + fit.x[1:3] * scale
    total = np.hypot(error, grain)
    return Peak(float(place[0]), float(place[1]), float(total[0]), float(total[1]))


def _neighbourhood(intensity: Array) -> NDArray[np.bool_]:
    """Connected points above LEVEL of the maximum that hold most counts; single hot points do not count."""
    if min(intensity.shape) < 3:
        raise NoPeakError(f"a map of at least 3 x 3 points is needed, this one has {intensity.shape}")
    quiet = median_filter(intensity, size=3, mode="nearest")
    level = LEVEL
    while level > LOWEST:
        labels, number = label(quiet > level * quiet.max(), structure=np.ones((3, 3)))
        sums = np.bincount(labels.ravel(), weights=intensity.ravel(), minlength=number + 1)
        region = labels == 1 + int(np.argmax(sums[1:])) if number else np.zeros(intensity.shape, bool)
        if np.count_nonzero(region) >= FEWEST:
            return region
        level /= 2
    raise NoPeakError("no peak of at least 12 neighbouring points")


def _frame(
    intensity: Array, omega: Array, two_theta: Array, region: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Centre of gravity and spread of the region in both angles: the fit is done in these units."""
    angles, weights = np.stack([omega[region], two_theta[region]]), intensity[region]
    centre = np.average(angles, axis=1, weights=weights)
    scale = np.sqrt(np.average((angles - centre[:, None]) ** 2, axis=1, weights=weights))
    if not (scale > 0).all():
        raise NoPeakError("the peak has no extent in one of the angles")
    return centre, scale


def _fit(u: Array, v: Array, root: Array) -> OptimizeResult:
    """Least squares of the tilted Gaussian; parameters: amplitude, u0, v0, widths' logs, tilt, background."""
    start = np.array([root.max(), 0.0, 0.0, 0.0, 0.0, 0.0, root.min() / 2])

    def residuals(p: Array) -> Array:
        du, dv = u - p[1], v - p[2]
        square = (np.exp(p[3]) * (du - p[5] * dv)) ** 2 + (np.exp(p[4]) * dv) ** 2
        return np.sqrt(p[0] ** 2 * np.exp(-0.5 * square) + p[6] ** 2) - root

    limits = np.array([np.inf, 5.0, 5.0, 4.0, 4.0, 10.0, np.inf])
    fit = least_squares(residuals, start, bounds=(-limits, limits), x_scale="jac", max_nfev=400)
    if not fit.success:
        raise NoPeakError("the fit of the peak did not converge")
    return fit


def _standard_errors(fit: OptimizeResult) -> Array:
    freedom = max(1, fit.fun.size - fit.x.size)
    covariance = np.linalg.pinv(fit.jac.T @ fit.jac) * (fit.fun @ fit.fun) / freedom
    return np.sqrt(np.clip(np.diag(covariance), 0, None))


def _step(angle: Array) -> float:
    """Smallest typical step of an angle from line to line or point to point."""
    steps = [np.median(np.abs(np.diff(angle, axis=axis))) for axis in (0, 1)]
    return float(min((s for s in steps if s > 0), default=0.0))
