"""Satellites integrated over qx, order by order: unit-area lines and a smooth background fitted to a map.

    I(qx, qz) = sum_n S_n(qz) line_n(qx) + sum_p b_p B_p(qx, qz)

The line parameters (centre, spacing, widths) are shared by all rows of qz; S_n and b are linear and are eliminated
(linear_orders), so few parameters are searched, along exact derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from scipy.optimize import OptimizeResult, least_squares

from nanotexture.preparation.line_shape import LineShape, line_matrix, line_slopes, with_weak_order
from nanotexture.preparation.linear_orders import (
    Linear,
    Weighted,
    residual_slopes,
    solve_linear,
    weighted_problem,
)

Array = NDArray[np.float64]

SYSTEMATIC = 0.03  # relative error of the line shapes: pseudo-Voigt lines match real ones to a few percent
TAILS = (
    0.25  # relative error of a neighbour's tail under an order: far from its centre a pseudo-Voigt is a guess
)
NARROWEST = (
    0.1  # of a voxel: lines are averaged over voxels, so that all of a narrow one may be in a single voxel
)
FLANK = 0.3  # of a voxel's intensity: how far its line may be off in the next voxel
FLOORS = (
    3e-3,
    1e-4,
)  # of the brightest voxel: error that is the same everywhere, in the first steps of a fit
_WIDTHS = (0.03, 0.06, 0.12, 0.25, 0.5)  # of the spacing: FWHM of order 1 that a fit may begin from
STEEPEST = 6.0  # tail: beyond, a line is a Gaussian


@dataclass(frozen=True)
class LineFit:
    """Orders of one map.

    shape and shape_std hold the line parameters and their standard errors; orders (n,); intensity and variance
    (n, nz) in count/angstrom; line (n, nx) in angstrom; background (nx, nz) in counts; chi2 per degree of freedom.
    """

    shape: LineShape
    shape_std: LineShape
    orders: NDArray[np.int64]
    intensity: Array
    variance: Array
    line: Array
    background: Array
    chi2: float


@dataclass(frozen=True)
class MapWindow:
    """Voxels of one map that the lines are fitted to: qx (nx,), qz (nz,), intensity, variance (nx, nz), measured (nx, nz)."""

    qx: Array
    qz: Array
    intensity: Array
    variance: Array
    measured: NDArray[np.bool_]


def background_basis(window: MapWindow, degree: int) -> Array:
    """Products of Legendre polynomials in qx and qz up to a total degree, (p, nx, nz)."""
    x = np.linspace(-1.0, 1.0, len(window.qx))[:, None]
    z = np.linspace(-1.0, 1.0, len(window.qz))[None, :]
    pairs = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    leg = np.polynomial.legendre.Legendre.basis
    return np.stack([leg(i)(x) * leg(j)(z) for i, j in pairs])


def covered_rows(window: MapWindow, shape: LineShape, orders: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether an order's core (centre +- half its width, at least 3 voxels) was measured in a row, (n, nz)."""
    step = window.qx[1] - window.qx[0]
    rows = []
    for n in orders:
        half = max(0.5 * shape.width[abs(n)], 1.5 * step)
        core = np.abs(window.qx - shape.centre - n * shape.spacing) <= half
        rows.append(
            window.measured[core].mean(axis=0) > 0.8 if core.any() else np.zeros(len(window.qz), bool)
        )
    return np.stack(rows)


def tail_variance(lines: Array, intensity: Array) -> Array:
    """Variance (n, nz) of each order from the uncertain tails of its neighbours; lines (n, nx), intensity (n, nz)."""
    product = lines @ lines.T
    overlap = product / np.diag(product)[:, None]
    np.fill_diagonal(overlap, 0.0)
    return (TAILS * (overlap @ np.clip(intensity, 0.0, None))) ** 2


def _pack(shape: LineShape) -> Array:
    mixing = np.clip(np.array(shape.lorentz), 2e-4, 0.98)
    return np.concatenate(
        [
            [shape.centre, shape.spacing, np.log(shape.tail)],
            np.log(shape.width),
            np.log(mixing / (1.0 - mixing)),
        ]
    )


def _unpack(parameters: Array) -> LineShape:
    widths, mixing = np.split(parameters[3:], 2)
    return LineShape(
        float(parameters[0]),
        float(parameters[1]),
        tuple(np.exp(widths).tolist()),
        tuple((1.0 / (1.0 + np.exp(-mixing))).tolist()),
        float(np.exp(parameters[2])),
    )


def fit_lines(window: MapWindow, start: LineShape, degree: int = 2) -> LineFit:
    """Lines, orders and background of one map; start gives centre, spacing and first widths.

    The variance gets a relative systematic part, so that a strong peak's shape error does not decide the widths of the
    weak orders. A share of it is in the neighbours along qx, or the dark voxels beside a narrow line would hold it down.
    """
    bright = np.where(window.measured, window.intensity, 0.0)
    bright = np.maximum(bright, FLANK * maximum_filter1d(bright, 3, axis=0))
    variance = window.variance + (SYSTEMATIC * bright) ** 2
    basis = background_basis(window, degree)
    found = _search(window, basis, variance, start)
    solved = orders_of_known_lines(
        window, with_weak_order(_unpack(found.x)), basis, variance, 2.0 * found.cost
    )
    return replace(solved, shape_std=_standard_errors(found.jac, found.x, max(solved.chi2, 1.0)))


def orders_of_known_lines(
    window: MapWindow, shape: LineShape, basis: Array, variance: Array, misfit: float | None = None
) -> LineFit:
    """Orders and background (basis (b, nx, nz)) of a map whose lines are known, voxels of the given variance (nx, nz).

    misfit: sum of squared weighted residuals, None for that of these lines. chi2 above 1 widens the variance of the orders.
    """
    orders = np.arange(1 - len(shape.width), len(shape.width))
    lines = line_matrix(window.qx, orders, shape)
    problem = weighted_problem(window.intensity, basis, np.where(window.measured, 1.0 / variance, 0.0))
    linear = solve_linear(problem, lines)
    freedom = max(int(window.measured.sum()) - linear.intensity.size - len(linear.coefficients), 1)
    chi2 = float(((linear.residual**2).sum() if misfit is None else misfit) / freedom)
    covered = covered_rows(window, shape, orders)
    spread = linear.variance * max(chi2, 1.0) + tail_variance(lines, linear.intensity)
    return LineFit(
        shape,
        shape,
        orders,
        np.where(covered, linear.intensity, np.nan),
        np.where(covered, spread, np.nan),
        lines,
        np.tensordot(linear.coefficients, basis, axes=1),
        chi2,
    )


def _search(window: MapWindow, basis: Array, variance: Array, start: LineShape) -> OptimizeResult:
    """Least squares over centre, spacing, widths and mixings, with what is linear solved at every step.

    With relative errors a fit can lose a bright line, whose few voxels weigh little beside the many dark ones. It begins with
    an error that is the same everywhere (FLOORS of the brightest voxel), so that bright lines are placed first.
    """
    fitted = np.arange(1 - len(start.width), len(start.width))
    low, high = _bounds(start, float(window.qx[1] - window.qx[0]))
    scale = np.concatenate([[0.1 * start.spacing] * 2, np.full(1 + 2 * len(start.width), 0.5)])
    firsts = [np.clip(_pack(one), low + 1e-9, high - 1e-9) for one in _starts(window, start)]
    top = float(window.intensity[window.measured].max())

    def problem(floor: float) -> _Lines:
        weight = np.where(window.measured, 1.0 / (variance + (floor * top) ** 2), 0.0)
        return _Lines(window.qx, fitted, weighted_problem(window.intensity, basis, weight))

    def fit(floor: float, first: Array) -> OptimizeResult:
        at = np.clip(first, low + 1e-9, high - 1e-9)
        tolerance, of = 1e-3 if floor else 1e-5, problem(floor)
        return least_squares(
            of.residual,
            at,
            of.slopes,
            bounds=(low, high),
            x_scale=scale,
            ftol=tolerance,
            xtol=1e-6,
            max_nfev=40,
        )

    coarse = problem(FLOORS[0]).residual
    at = min(firsts, key=lambda first: float((coarse(first) ** 2).sum()))
    for floor in FLOORS:
        at = fit(floor, at).x
    return min((fit(0.0, one) for one in _middles(window, at)), key=lambda found: float(found.cost))


@dataclass(frozen=True)
class _Lines:
    """Residual of a map as a function of packed line parameters; qx (nx,), orders (n,)."""

    qx: Array
    orders: NDArray[np.int64]
    problem: Weighted

    def residual(self, packed: Array) -> Array:
        """Weighted residual of all voxels, 0 where not measured."""
        return self._solved(packed)[1].residual.ravel()

    def slopes(self, packed: Array) -> Array:
        """Derivatives of the residual by the packed parameters, (voxels, parameters)."""
        lines, found = self._solved(packed)
        changes = _changes(self.qx, self.orders, _unpack(packed))
        return residual_slopes(self.problem, lines, found, changes).reshape(len(packed), -1).T

    def _solved(self, packed: Array) -> tuple[Array, Linear]:
        lines = line_matrix(self.qx, self.orders, _unpack(packed))
        return lines, solve_linear(self.problem, lines)


def _changes(qx: Array, orders: NDArray[np.int64], shape: LineShape) -> Array:
    """Derivatives of the lines by the packed parameters, (parameters, n, nx)."""
    slopes = line_slopes(qx, orders, shape)
    own = (np.abs(orders) == np.arange(len(shape.width))[:, None])[..., None]
    common = np.stack([slopes.centre, orders[:, None] * slopes.centre, slopes.tail])
    return np.concatenate([common, own * slopes.width, own * slopes.lorentz])


def _middles(window: MapWindow, packed: Array) -> list[Array]:
    """The packed parameters and, where order 0 is not resolved, those with a Gaussian of half a voxel for it."""
    shape, step = _unpack(packed), float(window.qx[1] - window.qx[0])
    if shape.width[0] > 1.5 * step:
        return [packed]
    narrow = replace(shape, width=(0.5 * step, *shape.width[1:]), lorentz=(0.02, *shape.lorentz[1:]))
    return [packed, _pack(narrow)]


def _starts(window: MapWindow, start: LineShape) -> list[LineShape]:
    """The start and narrower and wider ones; order 0 within one voxel too, where it is not resolved."""
    step, number = float(window.qx[1] - window.qx[0]), len(start.width)
    middle = [start.width[0]] + ([0.3 * step] if start.width[0] < 2.5 * step else [])
    beside = [share * start.spacing for share in _WIDTHS]
    return [start] + [
        replace(start, width=(first, *(max(first, width) * n**power for n in range(1, number))))
        for first in middle
        for width in beside
        for power in (0.5, 1.5)
    ]


def _bounds(start: LineShape, step: float) -> tuple[Array, Array]:
    """Lowest and highest packed parameters; a line is no wider than the spacing."""
    number = len(start.width)
    least = [start.centre - 0.3 * start.spacing, 0.8 * start.spacing, np.log(0.9)]
    most = [start.centre + 0.3 * start.spacing, 1.25 * start.spacing, np.log(STEEPEST)]
    low = np.concatenate([least, np.full(number, np.log(NARROWEST * step)), np.full(number, -9.0)])
    high = np.concatenate([most, np.full(number, np.log(start.spacing)), np.full(number, 4.0)])
    return low, high


def _standard_errors(jacobian: Array, parameters: Array, inflation: float) -> LineShape:
    covariance = np.linalg.pinv(jacobian.T @ jacobian) * inflation
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    shape = _unpack(parameters)
    widths, mixing = np.split(error[3:], 2)
    fraction = np.array(shape.lorentz)
    return LineShape(
        float(error[0]),
        float(error[1]),
        (*(np.array(shape.width) * widths).tolist(), np.nan),
        (*(fraction * (1.0 - fraction) * mixing).tolist(), np.nan),
        float(shape.tail * error[2]),
    )
