"""Satellites integrated over qx, order by order: unit-area lines and a smooth background fitted to a map.

    I(qx, qz) = sum_n S_n(qz) line_n(qx) + sum_p b_p B_p(qx, qz)

The line parameters (centre, spacing, widths) are shared by all rows of qz; S_n and b are linear and are eliminated
(variable projection, Golub & Pereyra, SIAM J. Numer. Anal. 10, 413 (1973)), so few parameters are searched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from scipy.optimize import OptimizeResult, least_squares
from scipy.special import erf, stdtr

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
_GAUSS = 2.0 * np.sqrt(2.0 * np.log(2.0))


@dataclass(frozen=True)
class LineShape:
    """Lines of a family of satellites: centre and spacing in 1/angstrom, FWHM and Lorentzian fraction per |n|.

    tail: how all Lorentzians fall far out, as |q|^-(1 + tail); 1 is a true one.
    """

    centre: float
    spacing: float
    width: tuple[float, ...]
    lorentz: tuple[float, ...]
    tail: float = 1.0


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


def pseudo_voigt_from_width(
    *, qx: Array, centre: float, width: float, lorentz: float, tail: float = 1.0
) -> Array:
    """Unit-area pseudo-Voigt averaged over voxels of a uniform qx axis (nx,), in angstrom; width is the FWHM.

    Its Lorentzian part is Student's t of `tail` degrees of freedom (a Pearson VII line), a Lorentzian at 1: disorder that is
    smooth within a period falls off faster. Differences of the cumulative distributions keep the area right for lines
    narrower than a voxel.
    """
    step = (qx[-1] - qx[0]) / (len(qx) - 1)
    edges = np.append(qx - 0.5 * step, qx[-1] + 0.5 * step) - centre
    gauss = 0.5 * erf(edges * _GAUSS / (np.sqrt(2.0) * width))
    half = np.sqrt(tail * (2.0 ** (2.0 / (tail + 1.0)) - 1.0))
    return np.diff((1.0 - lorentz) * gauss + lorentz * stdtr(tail, 2.0 * edges / width * half)) / step


def lorentzian_width(*, voigt: float, gaussian: float) -> float:
    """FWHM of the Lorentzian in a Voigt line of FWHM `voigt` whose Gaussian has FWHM `gaussian` (one unit).

    Inverse of f = 0.5346 L + sqrt(0.2166 L^2 + g^2) (Olivero and Longbothum, JQSRT 17, 233 (1977)).
    """
    a, b = 0.5346, 0.2166
    rest = max(voigt**2 - gaussian**2, 1e-6 * voigt**2)
    return float((a * voigt - np.sqrt((a * voigt) ** 2 - (a**2 - b) * rest)) / (a**2 - b))


def line_matrix(qx: Array, orders: NDArray[np.int64], shape: LineShape) -> Array:
    """Lines of all orders, (n, nx) in angstrom."""
    return np.stack(
        [
            pseudo_voigt_from_width(
                qx=qx,
                centre=shape.centre + n * shape.spacing,
                width=shape.width[abs(n)],
                lorentz=shape.lorentz[abs(n)],
                tail=shape.tail,
            )
            for n in orders
        ]
    )


def background_basis(window: MapWindow, degree: int) -> Array:
    """Products of Legendre polynomials in qx and qz up to a total degree, (p, nx, nz)."""
    x = np.linspace(-1.0, 1.0, len(window.qx))[:, None]
    z = np.linspace(-1.0, 1.0, len(window.qz))[None, :]
    pairs = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    leg = np.polynomial.legendre.Legendre.basis
    return np.stack([leg(i)(x) * leg(j)(z) for i, j in pairs])


def with_weak_order(shape: LineShape) -> LineShape:
    """The same family with one order more, its width continued from the last two; too weak to fit, yet not to be left out.

    A measured absence of higher orders bounds the phase; without it a fit hides any amplitude in orders never looked at.
    """
    if len(shape.width) < 2:
        return shape
    growth = max(shape.width[-1] - (shape.width[-2] if len(shape.width) > 2 else 0.5 * shape.width[-1]), 0.0)
    width = min(shape.width[-1] + growth, 2.0 * shape.spacing)
    return replace(shape, width=(*shape.width, width), lorentz=(*shape.lorentz, shape.lorentz[-1]))


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


@dataclass(frozen=True)
class _Linear:
    """Solution of the linear part for fixed lines: intensity (n, nz), its variance, background coefficients, residual."""

    intensity: Array
    variance: Array
    coefficients: Array
    residual: Array


@dataclass(frozen=True)
class _Weighted:
    """What the linear part needs of data and background and the lines do not change.

    weight (nx, nz) = 1 / variance, 0 where not measured; basis (p, nx, nz); products of weight, basis and intensity.
    """

    intensity: Array
    weight: Array
    basis: Array
    weighted_basis: Array
    ground: Array
    ground_data: Array


def _weighted(window: MapWindow, basis: Array, weight: Array) -> _Weighted:
    weighted_basis = basis * weight
    flat = basis.reshape(len(basis), -1)
    ground = weighted_basis.reshape(len(basis), -1) @ flat.T
    ground_data = weighted_basis.reshape(len(basis), -1) @ window.intensity.ravel()
    return _Weighted(window.intensity, weight, basis, weighted_basis, ground, ground_data)


def _solve_linear(problem: _Weighted, lines: Array) -> _Linear:
    """Weighted least squares for S_n(qz) in every row and one background, by Schur complement; lines (n, nx)."""
    n, nz = len(lines), problem.weight.shape[1]
    pairs = (lines[:, None, :] * lines[None, :, :]).reshape(n * n, -1)
    normal = (pairs @ problem.weight).reshape(n, n, nz).transpose(2, 0, 1)
    # of each order's own weight: of their sum, it would hold down a bright order, whose weight is small
    normal[:, range(n), range(n)] += 1e-9 * np.einsum("znn->zn", normal) + 1e-300
    cross = np.tensordot(lines, problem.weighted_basis, axes=(1, 1)).transpose(2, 0, 1)
    data = (lines @ (problem.weight * problem.intensity)).T
    inverse = np.linalg.inv(normal)
    through = inverse @ cross
    schur = problem.ground - np.tensordot(cross, through, axes=((0, 1), (0, 1)))
    right = problem.ground_data - np.tensordot(through, data, axes=((0, 1), (0, 1)))
    covariance = np.linalg.inv(schur)
    coefficients = covariance @ right
    orders = np.einsum("znm,zm->zn", inverse, data) - through @ coefficients
    variance = np.einsum("znn->zn", inverse) + np.einsum("znp,znp->zn", through @ covariance, through)
    model = (orders @ lines).T + np.tensordot(coefficients, problem.basis, axes=1)
    residual = np.sqrt(problem.weight) * (problem.intensity - model)
    return _Linear(orders.T, variance.T, coefficients, residual)


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
    shape = with_weak_order(_unpack(found.x))
    orders = np.arange(1 - len(shape.width), len(shape.width))
    lines = line_matrix(window.qx, orders, shape)
    problem = _weighted(window, basis, np.where(window.measured, 1.0 / variance, 0.0))
    linear = _solve_linear(problem, lines)
    freedom = max(int(window.measured.sum()) - linear.intensity.size - len(linear.coefficients), 1)
    chi2 = float(2.0 * found.cost / freedom)
    covered = covered_rows(window, shape, orders)
    spread = linear.variance * max(chi2, 1.0) + tail_variance(lines, linear.intensity)
    return LineFit(
        shape,
        _standard_errors(found.jac, found.x, max(chi2, 1.0)),
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

    def residual_for(floor: float) -> Callable[[Array], Array]:
        weight = 1.0 / (variance + (floor * top) ** 2)
        problem = _weighted(window, basis, np.where(window.measured, weight, 0.0))

        def residual(parameters: Array) -> Array:
            lines = line_matrix(window.qx, fitted, _unpack(parameters))
            return _solve_linear(problem, lines).residual[window.measured]

        return residual

    def fit(floor: float, first: Array) -> OptimizeResult:
        at = np.clip(first, low + 1e-9, high - 1e-9)
        tolerance = 1e-3 if floor else 1e-5
        return least_squares(
            residual_for(floor), at, bounds=(low, high), x_scale=scale, ftol=tolerance, xtol=1e-6, max_nfev=40
        )

    coarse = residual_for(FLOORS[0])
    at = min(firsts, key=lambda first: float((coarse(first) ** 2).sum()))
    for floor in FLOORS:
        at = fit(floor, at).x
    return min((fit(0.0, one) for one in _middles(window, at)), key=lambda found: float(found.cost))


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
