"""Declared circles: what cannot be a goniometer is refused; lattices are placed as declared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanotexture.errors import InputError, UserError
from nanotexture.geometry.goniometer import PRESETS, Circle, Goniometer, Panel, rotations, unit
from nanotexture.geometry.orientation import Lattice, Mounting, check_ub, film_axes

PANEL = Panel("x-", "z-")
LATTICE = Lattice(3.9, 4.0, 5.1, 90.0, 97.0, 120.0)


@given(st.floats(-180, 180), st.floats(-180, 180))
def test_turns_about_one_axis_add_up_and_keep_lengths(one, other):
    axis = unit((2.0, -1.0, 2.0))
    a, b, both = rotations(axis, np.array([one, other, one + other]))
    np.testing.assert_allclose(a @ b, both, atol=1e-12)
    np.testing.assert_allclose(both @ axis, axis, atol=1e-12)


@pytest.mark.parametrize("direction", ["a+", "x", (0, 0, 0), (1, 2), (np.nan, 0, 1)])
def test_what_is_no_direction_is_refused(direction):
    with pytest.raises(UserError, match="expected 'x\\+' to 'z-' or a vector"):
        unit(direction)


def test_circles_that_all_turn_about_the_beam_are_refused():
    with pytest.raises(UserError, match=r"g: sample: expected a circle whose axis is not the beam.*got phi"):
        Goniometer("g", (Circle("phi", "y-"),), (), "y+", PANEL)
    with pytest.raises(UserError, match=r"g: detector: .*got roll along it"):
        Goniometer("g", (Circle("phi", "x+"),), (Circle("roll", (0, 2, 0)),), "y+", PANEL)


def test_a_chi_along_the_beam_is_no_mistake():
    assert PRESETS["6idb_psic"].sample[2].axis == PRESETS["6idb_psic"].beam == "y+"


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        (Panel("y-", "z-"), "panel.rows: expected a direction across the beam, got y-"),
        (Panel("z-", "y+"), "panel.columns: expected a direction across the beam"),
        (Panel("z-", "z+"), "expected rows and columns across each other"),
    ],
)
def test_a_panel_along_the_beam_is_refused(panel, words):
    with pytest.raises(UserError, match=words):
        Goniometer("g", (Circle("phi", "x+"),), (), "y+", panel)


def test_the_lengths_and_angles_of_a_lattice_come_back_from_its_b_matrix():
    real = 2 * np.pi * np.linalg.inv(LATTICE.b_matrix)  # rows a, b, c
    np.testing.assert_allclose(np.linalg.norm(real, axis=1), [3.9, 4.0, 5.1])
    angles = [
        real[i] @ real[j] / np.linalg.norm(real[i]) / np.linalg.norm(real[j])
        for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    np.testing.assert_allclose(np.degrees(np.arccos(angles)), [90, 97, 120])
    assert np.allclose(LATTICE.b_matrix, np.triu(LATTICE.b_matrix))


def test_a_mounted_crystal_has_its_directions_where_declared():
    mounting = Mounting(Lattice(4, 4, 4), (1, -1, 0), "y+", (1, 1, 1), (1.0, 0.0, 1.0))
    along, up = (mounting.ub @ np.array(hkl) for hkl in ((1, -1, 0), (1, 1, 1)))
    np.testing.assert_allclose(along, [0, np.sqrt(2) * np.pi / 2, 0], atol=1e-12)
    np.testing.assert_allclose(up, np.pi / 2 * np.sqrt(1.5) * np.array([1, 0, 1]), atol=1e-12)
    check_ub(mounting.ub, mounting.lattice, "f")


def test_film_axes_are_a_rotation_with_x_along_the_in_plane_direction():
    rng = np.random.default_rng(1)
    ub = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    ub = ub * np.linalg.det(ub) @ Lattice(4, 4, 5).b_matrix
    axes = film_axes(ub, (1, 1, 0), (0, 0, 1))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    np.testing.assert_allclose(axes @ ub @ [1, 1, 3], [np.sqrt(2) * np.pi / 2, 0, 6 * np.pi / 5], atol=1e-12)


@pytest.mark.parametrize(
    ("ub", "words"),
    [
        (LATTICE.b_matrix / (2 * np.pi), "without 2 pi"),
        (1.02 * LATTICE.b_matrix, "off by"),
        (-LATTICE.b_matrix, "det U = -1"),
        (np.zeros((3, 3)), "not singular"),
        (np.full((3, 3), np.nan), "finite"),
    ],
)
def test_a_ub_that_is_not_of_the_lattice_is_refused(ub, words):
    with pytest.raises(InputError, match=words) as refused:
        check_ub(ub, LATTICE, "scan.spec")
    assert (refused.value.file, refused.value.field) == ("scan.spec", "ub")


def test_an_in_plane_direction_out_of_the_plane_is_refused():
    with pytest.raises(UserError, match=r"got 45.00 deg out of it"):
        film_axes(np.eye(3), (1, 0, 1), (0, 0, 1))
    with pytest.raises(UserError, match="other than 0 0 0"):
        film_axes(np.eye(3), (0, 0, 0), (0, 0, 1))


def test_a_cell_that_does_not_close_is_refused():
    with pytest.raises(UserError, match="a cell that closes"):
        _ = Lattice(4, 4, 4, 120, 120, 130).b_matrix
