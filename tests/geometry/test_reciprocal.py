"""hkl to q in film axes: lengths and angles of the reciprocal lattice, and the directions asked for."""

from __future__ import annotations

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.geometry.reciprocal import film_axes_from_lattice

TRICLINIC = {"lengths": np.array([3.8, 4.1, 5.2]), "angles": np.array([82.0, 95.0, 101.0])}


def metric(lengths: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Metric tensor of the direct lattice, angstrom^2."""
    alpha, beta, gamma = np.cos(np.radians(angles))
    cosines = np.array([[1, gamma, beta], [gamma, 1, alpha], [beta, alpha, 1]])
    return np.outer(lengths, lengths) * cosines


def test_an_orthogonal_cell_has_q_along_its_axes() -> None:
    matrix = film_axes_from_lattice(lengths=np.array([3.9, 4.0, 20.0]), angles=np.full(3, 90.0))
    assert np.allclose(matrix, np.diag(2 * np.pi / np.array([3.9, 4.0, 20.0])))


@pytest.mark.parametrize(("in_plane", "normal"), [((1, 0, 0), (0, 0, 1)), ((1, -1, 0), (1, 1, 1))])
def test_lengths_and_angles_of_q_are_those_of_the_inverse_metric(
    in_plane: tuple[int, int, int], normal: tuple[int, int, int]
) -> None:
    matrix = film_axes_from_lattice(**TRICLINIC, in_plane=in_plane, normal=normal)
    assert np.allclose(matrix.T @ matrix, 4 * np.pi**2 * np.linalg.inv(metric(**TRICLINIC)))
    assert np.linalg.det(matrix) > 0


def test_the_normal_is_z_and_the_in_plane_direction_lies_in_x_and_z() -> None:
    matrix = film_axes_from_lattice(**TRICLINIC, in_plane=(1, 1, 0), normal=(1, 1, 3))
    up, across = matrix @ np.array([1, 1, 3]), matrix @ np.array([1, 1, 0])
    assert np.allclose(up[:2], 0)
    assert across[1] == pytest.approx(0, abs=1e-12)
    assert min(up[2], across[0]) > 0


def test_directions_along_each_other_and_cells_without_a_volume_are_refused() -> None:
    with pytest.raises(UserError, match="not along the normal"):
        film_axes_from_lattice(**TRICLINIC, in_plane=(0, 0, 2), normal=(0, 0, 1))
    for angles in ([90.0, 90.0, 180.0], [120.0, 120.0, 120.0], [90.0, 90.0, np.nan]):
        with pytest.raises(UserError, match="a cell with a volume"):
            film_axes_from_lattice(lengths=TRICLINIC["lengths"], angles=np.array(angles))
