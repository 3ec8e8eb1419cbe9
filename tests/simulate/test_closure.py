"""Flux closure: Landau and Lifshitz's pattern, closed in the film, walls of the tanh asked for."""

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.simulate.closure import Closure, closure_polarization, motif_from_closure

from .films import FILM, SUPERLATTICE, divergence

THICK, PERIOD = 200.0, 140.0
X = np.arange(280) / 280
Z = np.linspace(0, THICK, 401)


def closure(wall=4.0, period=PERIOD, x=X, z=Z, thickness=THICK):
    return closure_polarization(texture=Closure(period, wall=wall), x=x, z=z, thickness=thickness)


def test_no_flux_leaves_the_film_and_none_begins_in_it():
    p = closure(wall=12.0)
    np.testing.assert_allclose(p[1][:, [0, -1]], 0.0, atol=1e-12)
    largest = np.abs(np.diff(p[1], axis=0)).max() / (PERIOD / len(X))
    assert np.abs(divergence(p, PERIOD, Z)).max() < 1e-2 * largest


def test_away_from_walls_every_domain_is_fully_polarized_along_x_or_z():
    """Stripes of P_z between triangles of P_x of height period / 4."""
    p = closure()
    quarter, middle = len(X) // 4, len(Z) // 2
    core = PERIOD / 4
    assert p[1][0, middle] == pytest.approx(-p[1][len(X) // 2, middle], rel=1e-6)
    assert abs(p[1][0, middle]) == pytest.approx(0.6, rel=1e-3)
    assert abs(p[0][quarter, int(0.3 * core / 0.5)]) == pytest.approx(0.6, rel=1e-2)
    assert abs(p[0][quarter, middle]) < 1e-6
    full = np.hypot(*p) > 0.57
    assert full.mean() > 0.7
    assert np.hypot(*p).max() < 0.6 * 1.01


def test_the_caps_close_the_flux_of_the_stripes():
    """What rises through half a stripe flows along x in the cap above: equal fluxes, P0 period / 4 each."""
    p = closure(wall=2.0)
    step = PERIOD / len(X)
    rising = p[1][: len(X) // 4 + 1, len(Z) // 2]
    up = step * (rising.sum() - 0.5 * (rising[0] + rising[-1]))
    top = p[0][len(X) // 4, len(Z) // 2 :]
    along = (Z[1] - Z[0]) * (top.sum() - 0.5 * (top[0] + top[-1]))
    assert abs(up) == pytest.approx(0.6 * PERIOD / 4, rel=0.03)
    assert abs(along) == pytest.approx(abs(up), rel=1e-3)


@pytest.mark.parametrize("wall", [6.0, 16.0])
def test_180_degree_walls_are_a_tanh_of_their_width(wall):
    p = closure(wall=wall, thickness=400.0, z=np.array([200.0]))[1][:, 0]
    quarter = len(X) // 4
    near = slice(quarter - 30, quarter + 31)
    expected = np.tanh(2 * (X[near] - 0.25) * PERIOD / wall)
    np.testing.assert_allclose(p[near] / p[quarter + 30] * expected[-1], expected, atol=0.02)


def test_neighbouring_vortices_turn_in_opposite_ways():
    p = closure()
    half = len(X) // 2
    np.testing.assert_allclose(np.roll(p, half, axis=1), -p, atol=1e-9)


def test_the_film_is_its_own_inverse():
    """-P(-r) = P(r) about the middle of the film."""
    p = closure(wall=10.0)
    turned = -np.roll(p[:, ::-1, ::-1], 1, axis=1)
    moved = np.roll(turned, len(X) // 2, axis=1)
    assert min(np.abs(turned - p).max(), np.abs(moved - p).max()) < 1e-9


def test_in_a_superlattice_only_the_ferroelectric_layers_are_polar():
    motif = motif_from_closure(stack=SUPERLATTICE, texture=Closure(60.0, wall=8.0))
    polar = np.tile(np.repeat([False, True], [10, 16]), 2)
    size = np.abs(motif.polarization).max(axis=(0, 1, 2))
    np.testing.assert_array_equal(size[~polar], 0.0)
    assert size[polar].min() > 0.1


def test_the_lattice_follows_the_square_of_the_polarization():
    """Electrostriction: the reversed polarization has the same displacement, half the polarization a quarter of it."""
    full, half = (motif_from_closure(stack=FILM, texture=Closure(PERIOD, polarization=p)) for p in (0.6, 0.3))
    np.testing.assert_allclose(half.displacement, 0.25 * full.displacement, atol=2e-5)
    u = full.displacement
    np.testing.assert_allclose(np.roll(u, 48, axis=1), u, atol=1e-4)
    assert 0.02 < np.abs(u[2]).max() < 0.5


@pytest.mark.parametrize(
    ("field", "value"), [("period", -1.0), ("wall", 0.0), ("wall", 50.0), ("polarization", 2.0)]
)
def test_what_is_no_texture_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=rf"^texture\.{field}: expected .*, found "):
        Closure(**({"period": 140.0} | {field: value}))
