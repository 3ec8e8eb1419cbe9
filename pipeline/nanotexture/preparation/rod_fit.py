"""Film thickness, c and film-substrate gap from order 0: film and substrate rod added as amplitudes.

    I_0(qz) = s |m A_film + A_substrate|^2 * resolution + b

m is the coherent share of the film (the mean of exp(i G.u)), which the texture takes from order 0. The fringes fix the
thickness only together with the rod that they beat with, and several thicknesses fit almost alike, each with a gap of its
own: the thickness is therefore scanned, and its mean and standard error are taken over the whole scan, weighted by the
likelihood. The scale has a prior from the sum of all orders, which a texture of pure phase cannot change.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from nanotexture.film.rod import film_sum_slopes, nearest_bragg, smoothed_along_qz

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

SYSTEMATIC = (
    0.1  # order 0 is followed over decades; a tenth is what a kinematic model of a rough film reaches
)
SCALE_PRIOR = 0.2  # of log s: tails outside the map and the substrate's own intensity
COHERENT_PRIOR = 0.1
REFINED = 4  # starts of the grid that are refined
CORRELATED_ROWS = 2.5  # neighbouring rows share pixels: independent values are fewer by about this factor


class FlatFilm(Protocol):
    """Amplitude of a film without texture."""

    def __call__(self, c: float, thickness: float, roughness: float) -> Complex:
        """Amplitude (nz,), lengths in angstrom."""

    def slopes(self, c: float, thickness: float, roughness: float) -> Complex:
        """Amplitude and its derivatives by c and by roughness, (3, nz)."""


@dataclass(frozen=True)
class RodData:
    """Order 0 of one reflection on uniform rows qz (nz,), 1/angstrom.

    intensity, variance (nz,) in count/angstrom, NaN where not measured; total (nz,): sum of all orders; film: amplitude
    of the flat film; substrate (nz,): rod without gap, zeros without;
    scale_prior, coherent_prior: widths of the priors of log s and m, wide where `total` is not the sum of all orders.
    """

    qz: Array
    intensity: Array
    variance: Array
    total: Array
    film: FlatFilm
    substrate: Complex
    scale_prior: float = SCALE_PRIOR
    coherent_prior: float = COHERENT_PRIOR

    @property
    def step(self) -> float:
        """Spacing of the rows, 1/angstrom."""
        return float(self.qz[1] - self.qz[0])

    @cached_property
    def use(self) -> NDArray[np.bool_]:
        """Rows that were measured."""
        return np.isfinite(self.intensity) & np.isfinite(self.variance)


@dataclass(frozen=True)
class RodFit:
    """Thickness, c, gap (angstrom) and their standard errors, scale, coherent share, resolution (1/angstrom), calculated
    intensity (nz,) of the best point of the scan and its chi2 per row; summed: the scale by the sum of all orders, where it
    was asked for."""

    thickness: float
    thickness_std: float
    c: float
    c_std: float
    gap: float
    gap_std: float
    scale: float
    coherent: float
    resolution: float
    model: Array
    chi2: float
    summed: float = float("nan")


def common_gap(gaps: Array, errors: Array, q: Array, widest: float) -> float:
    """The gap (angstrom, within +-widest) that agrees with each reflection's own, known only modulo 2 pi / qz."""
    trial = np.linspace(-widest, widest, 2001)
    stiffness = np.minimum((q * errors) ** -2, 100.0)
    misfit = (stiffness[:, None] * (1.0 - np.cos(q[:, None] * (trial - gaps[:, None])))).sum(axis=0)
    return float(trial[int((misfit + 0.05 * (trial / widest) ** 2).argmin())])


@dataclass(frozen=True)
class _Point:
    cost: float
    parameters: Array
    c_std: float
    gap_std: float


@dataclass(frozen=True)
class UniformFilm:
    """Film of one material whose structure factor along the rod is factor (nz,) on qz (nz,)."""

    qz: Array
    factor: Complex

    def __call__(self, c: float, thickness: float, roughness: float) -> Complex:
        """Amplitude (nz,), lengths in angstrom."""
        return np.asarray(self.slopes(c, thickness, roughness)[0])

    def slopes(self, c: float, thickness: float, roughness: float) -> Complex:
        """Amplitude and its derivatives by c and by roughness, (3, nz)."""
        return self.factor * film_sum_slopes(qz=self.qz, c=c, thickness=thickness, roughness=roughness)


@dataclass(frozen=True)
class LayeredFilm:
    """Stack: factors (nz, planes) on qz (nz,), heights (planes,) in angstrom, stretched together as c / mean_c.

    Its thickness is that of the stack; roughness has no single face to act on and is left out.
    """

    qz: Array
    factors: Complex
    heights: Array
    mean_c: float

    def __call__(self, c: float, thickness: float, roughness: float) -> Complex:
        """Amplitude (nz,), lengths in angstrom."""
        return np.asarray(self._planes(c).sum(axis=1), np.complex128)

    def slopes(self, c: float, thickness: float, roughness: float) -> Complex:
        """Amplitude and its derivatives by c and by roughness, (3, nz)."""
        planes = self._planes(c)
        by_c = 1j * self.qz / self.mean_c * (planes @ self.heights)
        return np.stack([planes.sum(axis=1), by_c, np.zeros_like(by_c)])

    def _planes(self, c: float) -> Complex:
        stretched = self.heights * (c / self.mean_c)
        return np.asarray(self.factors * np.exp(1j * self.qz[:, None] * stretched[None, :]))


def thickness_guess(qz: Array, total: Array) -> float:
    """Thickness in angstrom from the width of the film peak: 0.886 * 2 pi / FWHM of a slab's sinc^2."""
    values = np.nan_to_num(total)
    top = int(values.argmax())
    half = 0.5 * values[top]
    above = np.flatnonzero(values >= half)
    run = above[(above >= _edge(above, top, -1)) & (above <= _edge(above, top, 1))]
    width = max(len(run), 2) * float(qz[1] - qz[0])
    return float(0.886 * 2 * np.pi / width)


def _edge(above: NDArray[np.intp], top: int, step: int) -> int:
    members = set(above.tolist())
    while top + step in members:
        top += step
    return top


def fit_rod(data: RodData, *, c: float, thicknesses: Array) -> RodFit:
    """Scan of thickness (angstrom) with all else fitted at each; c is the starting value."""
    points = [_best_of_starts(data, c, float(t)) for t in thicknesses]
    costs = np.array([point.cost for point in points])
    best = points[int(costs.argmin())]
    rows = int(data.use.sum())
    chi2 = 2.0 * best.cost / max(rows - len(best.parameters), 1)
    weight = np.exp(-(costs - costs.min()) / (max(chi2, 1.0) * CORRELATED_ROWS))
    weight /= weight.sum()
    spread = float(np.median(np.diff(thicknesses))) if len(thicknesses) > 1 else 0.0
    mean = float(weight @ thicknesses)
    std = float(np.sqrt(weight @ (thicknesses - mean) ** 2 + (0.3 * spread) ** 2))
    found = np.array([point.parameters for point in points])
    inflate = np.sqrt(max(chi2, 1.0) * CORRELATED_ROWS)
    c_mean, gap_mean = float(weight @ found[:, 0]), float(weight @ found[:, 1])
    return RodFit(
        thickness=mean,
        thickness_std=std,
        c=c_mean,
        c_std=float(np.hypot(np.sqrt(weight @ (found[:, 0] - c_mean) ** 2), best.c_std * inflate)),
        gap=float(best.parameters[1]),
        gap_std=float(np.hypot(np.sqrt(weight @ (found[:, 1] - gap_mean) ** 2), best.gap_std * inflate)),
        scale=float(np.exp(best.parameters[2])),
        coherent=float(best.parameters[3]),
        resolution=float(best.parameters[6]),
        model=_model(data, float(thicknesses[int(costs.argmin())]), best.parameters),
        chi2=chi2,
    )


def _model(data: RodData, thickness: float, p: Array) -> Array:
    """Order 0 for p = (c, gap, log scale, coherent share, log background, roughness, resolution)."""
    below = data.substrate * np.exp(-1j * data.qz * p[1])
    amplitude = p[3] * data.film(p[0], thickness, p[5]) + below
    bright = np.exp(p[2]) * np.abs(amplitude) ** 2
    return np.asarray(smoothed_along_qz(bright, data.step, p[6]) + np.exp(p[4]))


def _slopes(data: RodData, thickness: float, p: Array) -> Array:
    """Derivatives of `_model` by p, (7, nz)."""
    below = data.substrate * np.exp(-1j * data.qz * p[1])
    film, by_c, by_roughness = data.film.slopes(p[0], thickness, p[5])
    amplitude = p[3] * film + below
    changes = np.stack([p[3] * by_c, -1j * data.qz * below, 0.5 * amplitude, film, p[3] * by_roughness])
    bright = 2.0 * np.exp(p[2]) * (amplitude.conj() * changes).real
    c, gap, scale, coherent, roughness = smoothed_along_qz(bright, data.step, p[6])
    sharp, step = np.exp(p[2]) * np.abs(amplitude) ** 2, 1e-4 * data.step
    wider, narrower = (smoothed_along_qz(sharp, data.step, p[6] + s) for s in (step, -step))
    level = np.full(len(data.qz), np.exp(p[4]))
    return np.stack([c, gap, scale, coherent, level, roughness, (wider - narrower) / (2.0 * step)])


def _first_guess(data: RodData, c: float, thickness: float, gap: float) -> Array:
    """Starting parameters; scale and coherent share from the sums over the film peak."""
    flat = np.abs(data.film(c, thickness, 0.0)) ** 2
    peak = np.isfinite(data.total) & data.use & (flat > 0.05 * flat.max())
    total = float(data.total[peak].sum())
    coherent = np.sqrt(np.clip(data.intensity[peak].sum() / max(total, 1e-30), 0.02, 0.99))
    scale = max(total, 1e-30) / flat[peak].sum() if peak.any() else 1.0
    floor = max(float(np.nanpercentile(data.intensity, 5)), 1e-3 * float(np.nanmax(data.intensity)), 1e-12)
    return np.array([c, gap, np.log(scale), coherent, np.log(floor), 3.0, 0.5 * data.step])


def _best_of_starts(data: RodData, c: float, thickness: float) -> _Point:
    """Lowest point refined from the best of a grid of c and gap.

    The cost has many valleys: from a few gaps and one c the fit at the right thickness got stuck, and another thickness
    (2 cells of 40 off) won, though the right one fits a hundred times better.
    """
    bragg = float(nearest_bragg(qz=np.median(data.qz), c=c))
    fringe = 2 * np.pi / thickness / bragg
    beat = 2 * np.pi / bragg  # gaps this far apart look alike
    gaps = beat * np.arange(-8, 8) / 16 if data.substrate.any() else np.zeros(1)
    starts = [(c * (1 + shift * fringe), gap) for shift in (-0.3, -0.15, 0.0, 0.15, 0.3) for gap in gaps]
    cost = _Cost.of(data, c, thickness)
    trials = [np.concatenate([start, cost.first[2:]]) for start in starts]
    # soft_l1, as refined
    order = np.argsort([float((np.sqrt(1 + cost.residual(p) ** 2) - 1).sum()) for p in trials])
    return min((_refine(cost, c, trials[i]) for i in order[:REFINED]), key=lambda point: point.cost)


@dataclass(frozen=True)
class _Cost:
    """Residual of p = (c, gap, ...) at one thickness, priors included; first: the point that the priors hold to."""

    data: RodData
    thickness: float
    first: Array
    prior_width: Array
    error: Array

    @classmethod
    def of(cls, data: RodData, c: float, thickness: float) -> _Cost:
        """The cost around a guess of c."""
        error = np.sqrt(data.variance + (SYSTEMATIC * data.intensity) ** 2)
        width = np.array([data.scale_prior, data.coherent_prior, 0.5 * c])
        return cls(data, thickness, _first_guess(data, c, thickness, 0.0), width, error)

    def residual(self, p: Array) -> Array:
        """Rows that were measured, then the priors of log scale, coherent share and gap."""
        use, data = self.data.use, self.data
        prior = (p[_HELD] - np.append(self.first[_HELD[:2]], 0.0)) / self.prior_width
        misfit = (_model(data, self.thickness, p) - data.intensity) / self.error
        return np.concatenate([misfit[use], prior])

    def slopes(self, p: Array) -> Array:
        """Derivatives of the residual, (rows + 3, 7)."""
        prior = np.eye(len(p))[_HELD] / self.prior_width[:, None]
        rows = (_slopes(self.data, self.thickness, p) / self.error).T
        return np.concatenate([rows[self.data.use], prior])


_HELD = np.array([2, 3, 1])  # of p: log scale, coherent share, gap


def _refine(cost: _Cost, c: float, start: Array) -> _Point:
    data, first = cost.data, cost.first
    top = float(np.nanmax(data.intensity[data.use]))
    low = np.array([0.985 * c, -c, first[2] - 3, 0.0, first[4] - 12, 0.0, 0.0])
    high = np.array([1.015 * c, c, first[2] + 3, 1.0, np.log(top), 40.0, 6 * data.step])
    start = np.clip(start, low + 1e-9, high - 1e-9)
    scale = np.array([0.005, 0.3, 0.3, 0.1, 0.5, 3.0, data.step])
    found = least_squares(
        cost.residual,
        start,
        cost.slopes,
        bounds=(low, high),
        x_scale=scale,
        loss="soft_l1",
        max_nfev=40,
    )
    std = np.sqrt(np.maximum(np.diag(np.linalg.pinv(found.jac.T @ found.jac)), 0.0))
    return _Point(float(found.cost), found.x, float(std[0]), float(std[1]))
