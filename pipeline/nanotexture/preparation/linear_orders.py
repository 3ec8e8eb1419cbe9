"""The linear part of a line fit: the intensities of all orders in every row and one smooth background, eliminated.

    min over S_n(qz), b_p of sum weight (I - sum_n S_n line_n - sum_p b_p B_p)^2

and the derivative of what is left by the lines' parameters (variable projection, Golub and Pereyra, SIAM J. Numer. Anal. 10,
413 (1973)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Weighted:
    """What the linear part needs of data and background and the lines do not change.

    weight (nx, nz) = 1 / variance, 0 where not measured; basis (p, nx, nz); products of weight, basis and intensity.
    """

    intensity: Array
    weight: Array
    basis: Array
    weighted_basis: Array
    ground: Array
    ground_data: Array


def weighted_problem(intensity: Array, basis: Array, weight: Array) -> Weighted:
    """What does not change with the lines: intensity and weight (nx, nz), basis (p, nx, nz)."""
    weighted_basis = basis * weight
    flat = basis.reshape(len(basis), -1)
    ground = weighted_basis.reshape(len(basis), -1) @ flat.T
    ground_data = weighted_basis.reshape(len(basis), -1) @ intensity.ravel()
    return Weighted(intensity, weight, basis, weighted_basis, ground, ground_data)


@dataclass(frozen=True)
class Linear:
    """Solution for fixed lines: intensity and its variance (n, nz), background coefficients (p,), residual (nx, nz).

    The rest is what derivatives need: inverse of each row's normal matrix (nz, n, n), inverse times its products with the
    background (nz, n, p), covariance of the background's coefficients (p, p).
    """

    intensity: Array
    variance: Array
    coefficients: Array
    residual: Array
    inverse: Array
    through: Array
    covariance: Array

    def solved(self, data: Array, ground: Array) -> tuple[Array, Array]:
        """Solution (k, nz, n), (k, p) of the same normal equations with other right sides (k, nz, n), (k, p)."""
        right = ground - np.tensordot(data, self.through, axes=2)
        coefficients = right @ self.covariance
        orders = np.einsum("znm,kzm->kzn", self.inverse, data)
        return orders - np.einsum("znp,kp->kzn", self.through, coefficients), coefficients


def solve_linear(problem: Weighted, lines: Array) -> Linear:
    """Weighted least squares for S_n(qz) in every row and one background, by Schur complement; lines (n, nx)."""
    n, nz = len(lines), problem.weight.shape[1]
    pairs = (lines[:, None, :] * lines[None, :, :]).reshape(n * n, -1)
    normal = (pairs @ problem.weight).reshape(n, n, nz).transpose(2, 0, 1)
    # of each order's own weight: of their sum, it would hold down a bright order, whose weight is small
    normal[:, range(n), range(n)] += 1e-9 * np.einsum("znn->zn", normal) + 1e-300
    cross = np.tensordot(lines, problem.weighted_basis, axes=(1, 1)).transpose(2, 0, 1)
    data = (lines @ (problem.weight * problem.intensity)).T
    inverse = np.asarray(np.linalg.inv(normal), np.float64)
    through = inverse @ cross
    schur = problem.ground - np.tensordot(cross, through, axes=((0, 1), (0, 1)))
    right = problem.ground_data - np.tensordot(through, data, axes=((0, 1), (0, 1)))
    covariance = np.asarray(np.linalg.inv(schur), np.float64)
    coefficients = covariance @ right
    orders = np.einsum("znm,zm->zn", inverse, data) - through @ coefficients
    variance = np.einsum("znn->zn", inverse) + np.einsum("znp,znp->zn", through @ covariance, through)
    model = (orders @ lines).T + np.tensordot(coefficients, problem.basis, axes=1)
    residual = np.sqrt(problem.weight) * (problem.intensity - model)
    return Linear(orders.T, variance.T, coefficients, residual, inverse, through, covariance)


def residual_slopes(problem: Weighted, lines: Array, found: Linear, changes: Array) -> Array:
    """Derivatives (k, nx, nz) of the residual by parameters that change the lines (n, nx) by changes (k, n, nx).

    The intensities and the background follow: with Phi their columns and r the residual, their change solves
    Phi' W Phi dc = dPhi' W r - Phi' W dPhi c.
    """
    root = np.sqrt(problem.weight)
    direct = changes.transpose(0, 2, 1) @ found.intensity
    weighted = problem.weight * direct
    data = changes @ (root * found.residual) - lines @ weighted
    ground = -np.tensordot(direct, problem.weighted_basis, axes=((1, 2), (1, 2)))
    orders, coefficients = found.solved(data.transpose(0, 2, 1), ground)
    follow = (orders @ lines).transpose(0, 2, 1) + np.tensordot(coefficients, problem.basis, axes=1)
    return np.asarray(-root * (direct + follow))
