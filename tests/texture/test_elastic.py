"""Strain and rotation of fields whose strain and rotation are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.texture.elastic import (
    components_from_fields,
    gradient_from_field,
    gradient_from_volume,
    rotation_from_gradient,
    strain_from_gradient,
    strain_std_from_gradient_std,
)

PERIOD = 120.0
Z = np.arange(40) * 4.1


def grid(points=48):
    return np.arange(points) / points * PERIOD


@pytest.mark.parametrize("points", [32, 33])
@pytest.mark.parametrize("harmonic", [1, 3, 7])
def test_the_gradient_of_a_wave_is_exact_along_x_and_of_second_order_along_z(points, harmonic):
    x, q = grid(points)[:, None], 2 * np.pi * harmonic / PERIOD
    found = gradient_from_field(field=np.sin(q * x) * np.cos(Z / 60)[None], period=PERIOD, z=Z)
    np.testing.assert_allclose(found[0], q * np.cos(q * x) * np.cos(Z / 60), atol=1e-12)
    np.testing.assert_allclose(found[1], -np.sin(q * x) * np.sin(Z / 60) / 60, atol=5e-5)


def test_a_parabola_in_z_has_an_exact_slope_even_on_uneven_planes():
    z = np.cumsum(np.array([3.9] * 10 + [4.1] * 10))
    found = gradient_from_field(field=np.tile(z**2, (8, 1)), period=PERIOD, z=z)
    np.testing.assert_allclose(found[1], np.tile(2 * z, (8, 1)), rtol=1e-10)


def test_the_nyquist_harmonic_has_no_slope():
    field = np.tile(np.array([1.0, -1.0] * 8)[:, None], (1, 5))
    np.testing.assert_allclose(gradient_from_field(field=field, period=PERIOD, z=Z[:5])[0], 0.0, atol=1e-12)


def tensors(a):
    gradient = np.broadcast_to(np.asarray(a, float)[:, :, None, None], (2, 2, 5, 6))
    return strain_from_gradient(gradient=gradient), rotation_from_gradient(gradient=gradient)


def test_a_rigid_rotation_has_no_strain():
    """u_x = w z, u_z = -w x turns z towards x by w."""
    strain, rotation = tensors([[0.0, 0.02], [-0.02, 0.0]])
    np.testing.assert_array_equal(strain, 0.0)
    np.testing.assert_allclose(rotation, 0.02)


def test_a_uniform_strain_has_no_rotation():
    strain, rotation = tensors([[0.01, 0.003], [0.003, -0.02]])
    np.testing.assert_allclose(strain, np.array([0.01, -0.02, 0.003])[:, None, None] * np.ones((1, 5, 6)))
    np.testing.assert_array_equal(rotation, 0.0)


@given(st.lists(st.floats(-0.05, 0.05), min_size=4, max_size=4), st.floats(0, 2 * np.pi))
@settings(max_examples=25)
def test_trace_and_rotation_do_not_depend_on_the_axes(entries, angle):
    a = np.array(entries).reshape(2, 2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    one, other = tensors(a), tensors(turn @ a @ turn.T)
    np.testing.assert_allclose(one[0][0] + one[0][1], other[0][0] + other[0][1], atol=1e-12)
    np.testing.assert_allclose(one[1], other[1], atol=1e-12)


def test_errors_of_the_shear_add_in_quadrature():
    rng = np.random.default_rng(0)
    std = np.array([[0.01, 0.02], [0.03, 0.005]])
    gradient = std[:, :, None, None] * rng.normal(size=(2, 2, 200, 200))
    expected = strain_from_gradient(gradient=gradient).std(axis=(1, 2))
    found = strain_std_from_gradient_std(std=std[:, :, None, None])
    np.testing.assert_allclose(found[:, 0, 0], expected, rtol=0.02)


def test_only_fields_along_x_or_z_are_components():
    field = np.arange(6.0).reshape(1, 2, 3)
    along_z = components_from_fields(fields=field, axes=np.array([[0.0, 1.0]]))
    assert np.isnan(along_z[0]).all()
    np.testing.assert_array_equal(along_z[1], field[0])
    oblique = components_from_fields(fields=field, axes=np.array([[-0.33, 0.94]]))
    assert np.isnan(oblique).all()
    both = components_from_fields(fields=np.stack([field[0], 2 * field[0]]), axes=np.eye(2))
    np.testing.assert_array_equal(both, np.stack([field[0], 2 * field[0]]))


def test_a_field_against_an_axis_changes_sign():
    found = components_from_fields(fields=np.ones((1, 2, 3)), axes=np.array([[0.0, -1.0]]))
    np.testing.assert_array_equal(found[1], -1.0)


def test_what_is_not_determined_stays_so_through_the_derivatives():
    displacement = np.stack([np.full((8, 40), np.nan), np.random.default_rng(0).normal(size=(8, 40))])
    gradient = gradient_from_field(field=displacement, period=PERIOD, z=Z)
    strain = strain_from_gradient(gradient=gradient)
    assert np.isnan(strain[[0, 2]]).all()
    assert np.isfinite(strain[1]).all()
    assert np.isnan(rotation_from_gradient(gradient=gradient)).all()


def volume_wave(points=(16, 12), periods=(80.0, 60.0)):
    """sin(x + 2 y) on a grid of the plane times a parabola of height, and its three slopes."""
    x, y = (2 * np.pi * np.arange(n) / n for n in points)
    z = np.linspace(0.0, 40.0, 9)
    phase = (x[:, None] + 2 * y[None, :])[..., None]
    up = 1.0 + 0.1 * z**2
    kx, ky = 2 * np.pi / periods[0], 4 * np.pi / periods[1]
    slopes = np.stack([kx * np.cos(phase) * up, ky * np.cos(phase) * up, np.sin(phase) * 0.2 * z])
    return np.sin(phase) * up, slopes, periods, z


def test_the_gradient_in_three_dimensions_is_exact_for_a_wave_on_a_parabola():
    field, slopes, periods, z = volume_wave()
    np.testing.assert_allclose(gradient_from_volume(field=field, periods=periods, z=z), slopes, atol=1e-9)


def test_a_rigid_rotation_in_three_dimensions_has_no_strain_and_half_its_curl_as_rotation():
    about = np.array([0.01, -0.02, 0.03])
    gradient = np.zeros((3, 3, 1, 1, 1))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):  # u = about x r: du_i/dj = -about_k for i, j, k in turn
        gradient[i, j], gradient[j, i] = -about[k], about[k]
    np.testing.assert_allclose(strain_from_gradient(gradient=gradient), 0.0)
    np.testing.assert_allclose(rotation_from_gradient(gradient=gradient)[:, 0, 0, 0], about)


def test_the_rotation_about_y_is_that_of_a_plane_texture():
    rng = np.random.default_rng(0)
    gradient = rng.normal(size=(3, 3, 4, 1, 5))
    plane = gradient[np.ix_([0, 2], [0, 2])][:, :, :, 0]
    np.testing.assert_allclose(
        rotation_from_gradient(gradient=gradient)[1, :, 0], rotation_from_gradient(gradient=plane)
    )
    strain, flat = strain_from_gradient(gradient=gradient), strain_from_gradient(gradient=plane)
    np.testing.assert_allclose(strain[[0, 2, 5], :, 0], flat)
