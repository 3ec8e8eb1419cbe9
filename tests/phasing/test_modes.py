"""Modes: orthogonal, projected exactly, with the right slopes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.phasing.modes import Modes, Profiles, layer_profiles, legendre_profiles, repeat_profiles

PLANES = np.arange(41) * 4.0
LEANS = [0.0, 0.011]  # periods per angstrom
MODES = Modes(3, legendre_profiles(z=PLANES, number=4, thickness=164.0), 120.0)


def coefficients(modes, seed=0, batch=()):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(*batch, len(modes.index))))


@pytest.mark.parametrize(("harmonics", "polynomials"), [(1, 1), (3, 4), (5, 2)])
@pytest.mark.parametrize("constant", [True, False])
def test_there_are_cosines_and_sines_for_every_harmonic_and_a_constant_if_asked(
    harmonics, polynomials, constant
):
    profiles = legendre_profiles(z=PLANES, number=polynomials, thickness=164.0)
    modes = Modes(harmonics, profiles, 120.0, constant)
    assert len(modes.index) == polynomials * (2 * harmonics + 1) - (0 if constant else 1)
    assert len(np.unique(modes.index, axis=0)) == len(modes.index)
    flat = modes.basis(33).std((1, 2)) < 1e-12
    assert int(flat.sum()) == int(constant)


def test_modes_are_orthogonal_with_mean_square_one_or_half():
    """Gauss-Legendre nodes as planes make the sum over planes exact."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    nodes = np.concatenate([[-1.0], nodes, [1.0]])  # the ends fix the interval and weigh nothing
    modes = Modes(3, legendre_profiles(z=100 * (nodes + 1), number=4, thickness=200.0), 120.0)
    weights = np.concatenate([[0.0], weights, [0.0]]) / 2
    basis = modes.basis(16).numpy()
    gram = np.einsum("axz,bxz,z->ab", basis, basis, weights) / 16
    expected = np.where(modes.index[:, 0] == 0, 1.0, 0.5)
    np.testing.assert_allclose(gram, np.diag(expected), atol=1e-10)


@pytest.mark.parametrize("number", [1, 2, 5, 9])
def test_profiles_of_a_repeat_are_orthonormal_on_its_planes(number):
    """Equidistant planes sum Fourier terms exactly as long as there are more planes than terms."""
    profiles = repeat_profiles(z=np.arange(12) * 4.0, number=number, repeat=48.0)
    np.testing.assert_allclose(profiles.values @ profiles.values.T / 12, np.eye(number), atol=1e-12)


def test_profiles_of_a_repeat_continue_into_the_next():
    z = np.array([3.0, 17.0])
    one, next_ = (repeat_profiles(z=z + up, number=7, repeat=48.0) for up in (0.0, 48.0))
    np.testing.assert_allclose(next_.values, one.values, atol=1e-12)
    np.testing.assert_allclose(next_.slopes, one.slopes, atol=1e-12)


NUMBER = {0: 3, 1: 2, 2: 4}


def test_profiles_of_layers_are_orthonormal_over_all_planes():
    """Up to the sum over equidistant planes in place of the integral, an error of order degree^2 / planes."""
    z = np.arange(6000) / 60.0
    layer = np.searchsorted([20.0, 50.0], z, side="right")
    profiles = layer_profiles(z=z, layer=layer, number=NUMBER)
    np.testing.assert_allclose(profiles.values @ profiles.values.T / len(z), np.eye(9), atol=2e-2)


def test_profiles_of_layers_vanish_outside_their_layer_and_come_coarse_to_fine():
    z = np.arange(30) * 4.0
    layer = np.repeat([0, 1, 2], 10)
    profiles = layer_profiles(z=z, layer=layer, number=NUMBER)
    owner = [np.unique(layer[row != 0]).tolist() for row in profiles.values.numpy()]
    assert owner == [[0], [1], [2], [0], [1], [2], [0], [2], [2]]
    flat = [bool(np.ptp(row[row != 0]) < 1e-12) for row in profiles.values.numpy()]
    assert flat == [True] * 3 + [False] * 6
    np.testing.assert_allclose(profiles.wave * 40 / np.pi, [0, 0, 0, 1, 1, 1, 2, 2, 3])
    assert not profiles.slopes[profiles.values == 0].any()


def test_a_layer_that_is_left_out_has_no_profile():
    z, layer = np.arange(20) * 4.0, np.repeat([0, 1], 10)
    profiles = layer_profiles(z=z, layer=layer, number={1: 3})
    assert not profiles.values[:, :10].any()
    assert len(profiles) == 3


KINDS = {
    "legendre": lambda z: legendre_profiles(z=z, number=4, thickness=164.0),
    "repeat": lambda z: repeat_profiles(z=z, number=5, repeat=160.0),
    "one layer": lambda z: layer_profiles(z=z, layer=np.ones(len(z), int), number={1: 4}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_slopes_of_profiles_are_their_derivatives(kind):
    z = np.linspace(0, 160, 1601)
    profiles = KINDS[kind](z)
    numeric = np.gradient(profiles.values.numpy(), z, axis=1, edge_order=2)
    np.testing.assert_allclose(profiles.slopes, numeric, atol=1e-4 * float(profiles.slopes.abs().max()))
    if kind != "legendre":
        assert float(profiles.slopes.abs().max()) > 0.01


@pytest.mark.parametrize("points", [16, 33])
@pytest.mark.parametrize("lean", LEANS)
def test_projecting_a_field_made_of_modes_gives_its_coefficients(points, lean):
    modes = replace(MODES, lean=lean)
    c = coefficients(modes, batch=(2, 3))
    field = torch.einsum("bfm,mxz->bfxz", c, modes.basis(points))
    np.testing.assert_allclose(modes.project(field), c, atol=1e-10)


def test_projecting_any_field_leaves_a_rest_without_modes():
    field = torch.from_numpy(np.random.default_rng(1).normal(size=(20, len(PLANES))))
    rest = field - torch.einsum("m,mxz->xz", MODES.project(field), MODES.basis(20))
    np.testing.assert_allclose(MODES.project(rest), 0, atol=1e-10)


@pytest.mark.parametrize("lean", LEANS)
def test_the_gradient_is_the_derivative_of_the_modes(lean):
    """On a grid that is fine along the one direction, then along the other."""

    def modes(z):
        return Modes(2, legendre_profiles(z=z, number=4, thickness=164.0), 120.0, lean=lean)

    fine, high = 512, np.linspace(0, 160, 1601)
    wide, tall = modes(PLANES), modes(high)
    basis, slope = wide.basis(fine).numpy(), wide.gradient(fine)[0].numpy()
    dx = (np.roll(basis, -1, axis=1) - np.roll(basis, 1, axis=1)) * fine / (2 * 120.0)
    np.testing.assert_allclose(slope, dx, atol=2e-4 * np.abs(slope).max())
    basis, slope = tall.basis(16).numpy(), tall.gradient(16)[1].numpy()
    dz = np.gradient(basis, high, axis=2, edge_order=2)
    np.testing.assert_allclose(slope, dz, atol=2e-4 * np.abs(slope).max())


def test_leaning_modes_are_upright_ones_displaced_in_proportion_to_the_height():
    """By one point of the grid from plane to plane, where the lean is that of the grid's diagonal."""
    points = 16
    leaning = replace(MODES, lean=1 / (4.0 * points))
    upright, moved = MODES.basis(points), leaning.basis(points)
    for i in range(len(PLANES)):
        np.testing.assert_allclose(moved[:, :, i], torch.roll(upright[:, :, i], i, dims=1), atol=1e-12)
    for k in (-2, 1, 3):
        wave = np.exp(2j * np.pi * k * (np.arange(points)[:, None] / points - leaning.lean * PLANES))
        made = np.exp(2j * np.pi * k * np.arange(points) / points)[:, None] * leaning.leaning(k).numpy()
        np.testing.assert_allclose(made, wave, atol=1e-12)


def test_modes_are_found_among_richer_ones():
    rich = Modes(5, legendre_profiles(z=PLANES, number=6, thickness=164.0), 120.0, constant=True)
    places = MODES.places(rich)
    assert len(places) == len(MODES.index)
    np.testing.assert_array_equal(rich.basis(16)[torch.from_numpy(places)], MODES.basis(16))


@pytest.mark.parametrize("lean", LEANS)
def test_the_wave_number_is_the_rms_slope_of_a_sine_and_near_that_of_a_polynomial(lean):
    """sin^2 + cos^2 halves: exactly wave / sqrt(2) for a harmonic constant in z; within a factor 2.5 for the others.

    Leaning, too, where the slope along z adds in quadrature.
    """
    modes = replace(MODES, lean=lean)
    slope = modes.gradient(64).numpy()
    rms = np.sqrt((slope**2).sum(0).mean((1, 2))) / modes.wave().numpy()
    np.testing.assert_allclose(rms[modes.index[:, 2] == 0], np.sqrt(0.5), rtol=1e-9)
    assert (rms < 2.5).all()
    assert (rms > 1 / 2.5).all()


@pytest.mark.parametrize(("harmonics", "profiles"), [(1, 2), (2, 4), (9, 9)])
def test_fewer_modes_are_rows_of_the_whole_basis(harmonics, profiles):
    fewer, which = MODES.coarser(harmonics, profiles)
    np.testing.assert_array_equal(fewer.basis(16), MODES.basis(16)[torch.from_numpy(which)])
    assert len(fewer.index) == min(profiles, 4) * (2 * min(harmonics, 3) + 1) - 1


def test_one_plane_is_not_divided_by_its_thickness():
    modes = Modes(1, legendre_profiles(z=np.zeros(1), number=1, thickness=4.0), 100.0)
    assert torch.isfinite(modes.basis(8)).all()
    assert torch.isfinite(modes.gradient(8)).all()
    one = layer_profiles(z=np.zeros(1), layer=np.zeros(1, int), number={0: 1})
    assert isinstance(one, Profiles)
    np.testing.assert_allclose(one.values, 1.0)
