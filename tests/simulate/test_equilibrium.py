"""Displacement of a given polarization: electrostriction of a slab of stripes, mean-free planes, what is refused."""

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack
from nanotexture.simulate.equilibrium import equilibrium_displacement

from .films import FILM, SUPERLATTICE

PERIOD, POINTS = 120.0, 60
WAVE = np.cos(2 * np.pi * np.arange(POINTS) / POINTS)


def columns(stack, size=0.1):
    """P_z^2 = size (1 + cos x) / 2, the same on every plane."""
    field = np.zeros((3, POINTS, 1, len(stack.heights)))
    field[2] = np.sqrt(size * 0.5 * (1 + WAVE))[:, None, None]
    return field


def test_deep_in_a_superlattice_of_one_material_only_x_can_move():
    """P_z^2 ~ cos q x, nothing along z: e_zz and e_xz are clamped, s_xx constant, so that
    e_xx = (q12 + (c12 / c11) (q12 + q11)) (P_z^2 - mean), textbook plane strain."""
    pto = built_in("PbTiO3")
    stack = Stack(3.905, (Layer(pto, 10, 4.0),), repeat=2)
    u = equilibrium_displacement(stack=stack, polarization=columns(stack), period=PERIOD, below=None)
    q, c = pto.electrostriction, pto.elastic
    strain = (q.q12 + c.c12 / c.c11 * (q.q12 + q.q11)) * 0.05
    expected = strain * PERIOD / (2 * np.pi) * np.sin(2 * np.pi * np.arange(POINTS) / POINTS)
    np.testing.assert_allclose(
        u[0, :, 0], expected[:, None] * np.ones(20), atol=1e-3 * np.abs(expected).max()
    )
    np.testing.assert_allclose(u[1:], 0.0, atol=1e-9)


def test_a_free_surface_bulges_where_the_polarization_stretches_the_lattice():
    u = equilibrium_displacement(stack=FILM, polarization=columns(FILM), period=PERIOD, below=None)
    top = u[2, :, 0, -1]
    assert np.corrcoef(top, WAVE)[0, 1] > 0.99
    assert np.ptp(top) > 2 * np.ptp(u[2, :, 0, 0])
    pto = built_in("PbTiO3").electrostriction
    assert 0 < np.ptp(top) < 2 * pto.q11 * 0.1 * PERIOD / (2 * np.pi)


def test_a_softer_substrate_gives_way():
    stiff = built_in("SrTiO3").elastic
    soft = type(stiff)(0.2 * stiff.c11, 0.2 * stiff.c12, 0.2 * stiff.c44)
    found = [
        equilibrium_displacement(stack=FILM, polarization=columns(FILM), period=PERIOD, below=one)
        for one in (stiff, soft)
    ]
    assert np.ptp(found[1][0, :, 0, 0]) > 1.2 * np.ptp(found[0][0, :, 0, 0])


def test_every_plane_keeps_its_place_and_repeats_are_alike():
    u = equilibrium_displacement(
        stack=SUPERLATTICE, polarization=columns(SUPERLATTICE), period=PERIOD, below=None
    )
    np.testing.assert_allclose(u.mean(axis=(1, 2)), 0.0, atol=1e-12)
    np.testing.assert_array_equal(u[..., :26], u[..., 26:])


def test_a_material_without_coefficients_is_named():
    stack = Stack(3.79, (Layer(built_in("LaAlO3"), 10, 3.79),))
    with pytest.raises(UserError, match="LaAlO3"):
        equilibrium_displacement(stack=stack, polarization=columns(stack), period=PERIOD, below=None)


def test_the_displacement_of_a_film_does_not_ring_from_plane_to_plane():
    """Closure-like P, smooth through the film: what alternates between neighbouring planes is below a hundredth."""
    z = (np.arange(len(FILM.heights)) + 0.5) / len(FILM.heights)
    polarization = columns(FILM)
    polarization[2] *= np.sin(np.pi * z) ** 0.3
    polarization[0] = 0.3 * np.sin(2 * np.pi * np.arange(POINTS) / POINTS)[:, None, None] * np.cos(np.pi * z)
    u = equilibrium_displacement(stack=FILM, polarization=polarization, period=PERIOD, below=None)
    for part in u[[0, 2]]:
        turn = part[..., 2:-2] - 0.25 * (part[..., 1:-3] + 2 * part[..., 2:-2] + part[..., 3:-1])
        assert np.sqrt((turn**2).mean()) < 0.01 * part.std()
