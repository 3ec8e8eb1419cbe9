"""Lattices in the laboratory: B, UB, and the film's axes from the directions that a recipe names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError, UserError
from nanotexture.geometry.goniometer import Vector, unit

Array = NDArray[np.float64]
Indices = tuple[float, float, float]

TURNED = 0.01  # entries of U^T U - 1 from which UB does not belong to the lattice
LEAN = 10.0  # deg: an in-plane direction farther from the plane is told wrongly


@dataclass(frozen=True)
class Lattice:
    """Cell: a, b, c in angstrom, alpha, beta, gamma in degrees."""

    a: float
    b: float
    c: float
    alpha: float = 90.0
    beta: float = 90.0
    gamma: float = 90.0

    @property
    def b_matrix(self) -> Array:
        """B (3, 3), hkl to Q in 1/angstrom with 2 pi, a* along x, b* in the x y plane (Busing and Levy, 1967)."""
        cosines = np.cos(np.radians([self.alpha, self.beta, self.gamma]))
        lengths = np.array([self.a, self.b, self.c])
        metric = np.outer(lengths, lengths) * (
            np.eye(3)
            + np.array([
                [0.0, cosines[2], cosines[1]],
                [cosines[2], 0.0, cosines[0]],
                [cosines[1], cosines[0], 0.0],
            ])
        )  # fmt: skip
        if not (lengths > 0).all() or np.linalg.eigvalsh(metric)[0] <= 0:
            raise UserError(f"lattice: expected a cell that closes, got {self}")
        return np.asarray(np.linalg.cholesky((2 * np.pi) ** 2 * np.linalg.inv(metric)).T)


@dataclass(frozen=True)
class Mounting:
    """How a crystal sits at all circles zero: hkl of its in-plane and normal directions along laboratory directions."""

    lattice: Lattice
    in_plane: Indices
    in_plane_axis: str | Vector
    normal: Indices
    normal_axis: str | Vector

    @property
    def ub(self) -> Array:
        """UB (3, 3) in 1/angstrom, 2 pi included."""
        b = self.lattice.b_matrix
        crystal = _triad(b @ self.in_plane, b @ self.normal)
        lab = _triad(unit(self.in_plane_axis), unit(self.normal_axis))
        return np.asarray(lab.T @ crystal @ b)


def check_ub(ub: Array, lattice: Lattice | None, file: str) -> Array:
    """UB (3, 3) as float64 if it can be one, and of this lattice where it is known; InputError otherwise."""
    ub = np.asarray(ub, dtype=np.float64)
    if ub.shape != (3, 3) or not np.isfinite(ub).all() or abs(np.linalg.det(ub)) < 1e-9:
        raise InputError(file, "ub", "3 x 3 finite numbers, not singular", str(ub.tolist()))
    if lattice is None:
        return ub
    u = ub @ np.linalg.inv(lattice.b_matrix)
    worst = float(np.abs(u.T @ u - np.eye(3)).max())
    if worst > TURNED or np.linalg.det(u) < 0:
        hint = " (as if without 2 pi)" if np.allclose(u.T @ u * (2 * np.pi) ** 2, np.eye(3), atol=0.1) else ""
        expected = f"a rotation times B of {lattice}, U^T U = 1 within {TURNED:g}"
        raise InputError(file, "ub", expected, f"off by {worst:.3g}, det U = {np.linalg.det(u):.3g}{hint}")
    return ub


def film_axes(ub: Array, in_plane: Sequence[float], normal: Sequence[float]) -> Array:
    """Rotation (3, 3) from the laboratory at zero to the film: rows x (in plane, along hkl in_plane), y, z (hkl normal)."""
    along, up = ub @ np.asarray(in_plane, float), ub @ np.asarray(normal, float)
    if min(np.linalg.norm(along), np.linalg.norm(up)) == 0:
        raise UserError(
            f"film directions: expected hkl other than 0 0 0, got in_plane {in_plane}, normal {normal}"
        )
    cosine = float(along @ up / np.linalg.norm(along) / np.linalg.norm(up))
    lean = float(np.degrees(np.arcsin(np.clip(cosine, -1, 1))))
    if abs(lean) > LEAN:
        raise UserError(
            f"film directions: expected in_plane {tuple(in_plane)} within {LEAN:g} deg of the plane across "
            f"{tuple(normal)}, got {lean:.2f} deg out of it"
        )
    return _triad(along, up)


def _triad(along: Array, up: Array) -> Array:
    """Rows: x across z nearest to `along`, y = z x x, z along `up`."""
    z = up / np.linalg.norm(up)
    x = along - (along @ z) * z
    if np.linalg.norm(x) < 1e-6 * np.linalg.norm(along):
        raise UserError("in-plane and normal directions: expected two directions, got one")
    x = x / np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])
