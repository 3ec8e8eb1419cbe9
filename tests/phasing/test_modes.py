"""Modes: orthogonal, projected exactly, with the right slopes and the strain that their prior means."""

import numpy as np
import pytest
import torch
from nanotexture.phasing.modes import Modes

PLANES = tuple((np.arange(41) * 4.0).tolist())
MODES = Modes(3, 4, PLANES, 120.0, 164.0)


def coefficients(modes, seed=0, batch=()):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(*batch, len(modes.index))))


@pytest.mark.parametrize(("harmonics", "polynomials"), [(1, 1), (3, 4), (5, 2)])
def test_there_are_cosines_and_sines_for_every_harmonic_and_no_constant(harmonics, polynomials):
    modes = Modes(harmonics, polynomials, PLANES, 120.0, 164.0)
    assert len(modes.index) == polynomials * (2 * harmonics + 1) - 1
    assert len(np.unique(modes.index, axis=0)) == len(modes.index)
    assert not ((modes.index[:, 0] == 0) & (modes.index[:, 2] == 0)).any()


def test_modes_are_orthogonal_with_mean_square_one_or_half():
    """Gauss-Legendre nodes as planes make the sum over planes exact."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    nodes = np.concatenate([[-1.0], nodes, [1.0]])  # the ends fix the interval and weigh nothing
    modes = Modes(3, 4, tuple((100 * (nodes + 1)).tolist()), 120.0, 200.0)
    weights = np.concatenate([[0.0], weights, [0.0]]) / 2
    basis = modes.basis(16).numpy()
    gram = np.einsum("axz,bxz,z->ab", basis, basis, weights) / 16
    expected = np.where(modes.index[:, 0] == 0, 1.0, 0.5)
    np.testing.assert_allclose(gram, np.diag(expected), atol=1e-10)


@pytest.mark.parametrize("points", [16, 33])
def test_projecting_a_field_made_of_modes_gives_its_coefficients(points):
    c = coefficients(MODES, batch=(2, 3))
    field = torch.einsum("bfm,mxz->bfxz", c, MODES.basis(points))
    np.testing.assert_allclose(MODES.project(field), c, atol=1e-10)


def test_projecting_any_field_leaves_a_rest_without_modes():
    field = torch.from_numpy(np.random.default_rng(1).normal(size=(20, len(PLANES))))
    rest = field - torch.einsum("m,mxz->xz", MODES.project(field), MODES.basis(20))
    np.testing.assert_allclose(MODES.project(rest), 0, atol=1e-10)


def test_the_gradient_is_the_derivative_of_the_modes():
    points = 512
    z = np.linspace(0, 160, 801)
    modes = Modes(2, 4, tuple(z.tolist()), 120.0, 164.0)
    basis, slope = modes.basis(points).numpy(), modes.gradient(points).numpy()
    dx = (np.roll(basis, -1, axis=1) - np.roll(basis, 1, axis=1)) * points / (2 * 120.0)
    np.testing.assert_allclose(slope[0], dx, atol=2e-4 * np.abs(slope[0]).max())
    dz = np.gradient(basis, z, axis=2, edge_order=2)
    np.testing.assert_allclose(slope[1], dz, atol=2e-4 * np.abs(slope[1]).max())


def test_the_prior_width_makes_the_rms_strain_of_a_mode_near_the_asked_one():
    """Exactly strain / sqrt(2) for a harmonic that is constant in z; within a factor 2.5 for the others."""
    modes = Modes(3, 4, PLANES, 120.0, 164.0)
    width, slope = modes.prior_width(0.03).numpy(), modes.gradient(64).numpy()
    rms = width * np.sqrt((slope**2).sum(0).mean((1, 2)))
    flat = modes.index[:, 2] == 0
    np.testing.assert_allclose(rms[flat], 0.03 / np.sqrt(2), rtol=1e-9)
    assert (rms < 2.5 * 0.03).all()
    assert (rms > 0.03 / 2.5).all()


def test_the_prior_scales_with_the_strain():
    np.testing.assert_allclose(MODES.prior_width(0.06), 2 * MODES.prior_width(0.03))


def test_one_plane_is_not_divided_by_its_thickness():
    modes = Modes(1, 1, (0.0,), 100.0, 4.0)
    assert torch.isfinite(modes.basis(8)).all()
    assert torch.isfinite(modes.gradient(8)).all()
