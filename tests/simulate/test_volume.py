"""Textures in both directions of the plane: the plane's map where there is no second one, and nothing that prefers x."""

import numpy as np
import pytest
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack
from nanotexture.simulate.axes import Axes
from nanotexture.simulate.brightness import bright_map
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.places import Disorder
from nanotexture.simulate.volume import orders_in

from .textured import BELOW, ENERGY, A

STACK = Stack(A, (Layer(built_in("PbTiO3"), 6, 4.08),))
PERIOD, N = 20 * A, 12
Q0 = 2 * np.pi / PERIOD
INSTRUMENT = Instrument(energy_kev=ENERGY, resolution=(0.0, 0.0), stop=None)
CALM = Disorder(coherence=500.0, places=1)
QZ = np.linspace(2.95, 3.25, 9)


def shine(u, p, qx, qy, hkl, periods=(PERIOD, PERIOD), substrate=None, disorder=CALM):
    return bright_map(
        motif=Motif(periods, u, p), stack=STACK, substrate=substrate, hkl=hkl, axes=Axes(qx, QZ, qy),
        disorder=disorder, instrument=INSTRUMENT, seed=2,
    ).intensity  # fmt: skip


def waves(ny=N):
    """Fields (3, N, ny, 6) of both directions, or of x alone, without symmetry."""
    x, y = 2 * np.pi * np.arange(N)[:, None] / N, 2 * np.pi * np.arange(ny)[None, :] / N
    u, p = np.zeros((2, 3, N, ny, 6))
    z = np.arange(6) / 6
    u[2] = (
        0.2 * np.cos(x + 2 * z[:, None, None]).transpose(1, 2, 0)
        + 0.1 * np.sin(x + y * (ny > 1))[..., None] * z
    )
    u[0] = 0.1 * np.sin(2 * x + 0.4)[..., None]
    p[2] = 0.4 * np.sin(x + 1.0)[..., None]
    return u, p


def test_a_texture_that_y_does_not_change_has_the_orders_of_the_plane_alone():
    """Lines of unit area along qy at Gy; along qx the intensity of each order is that of brightness.py."""
    u, p = waves(1)
    qx = 2 * np.pi / A + np.linspace(-2.4, 2.4, 193) * Q0
    qy = np.linspace(-0.4, 0.4, 41) * Q0
    deep = shine(np.repeat(u, N, axis=2), np.repeat(p, N, axis=2), qx, qy, (1, 0, 2), substrate=BELOW)
    plane = shine(u, p, qx, None, (1, 0, 2), periods=(PERIOD, A), substrate=BELOW)
    summed = deep.sum(axis=1) * (qy[1] - qy[0])
    assert np.unravel_index(deep[:, :, 3].argmax(), deep.shape[:2])[1] == 20
    for n in (-2, -1, 0, 1, 2):
        window = np.abs(qx - 2 * np.pi / A - n * Q0) < 0.4 * Q0
        np.testing.assert_allclose(summed[window].sum(axis=0), plane[window].sum(axis=0), rtol=0.02)


def test_a_texture_turned_by_a_quarter_has_its_map_turned():
    """x -> y, y -> x with the components exchanged: a mirror that cubic cells have, P's moves of the oxygens included."""
    u, p = waves()
    qx = 2 * np.pi / A + np.linspace(-1.2, 1.2, 31) * Q0
    qy = np.linspace(-2.2, 2.2, 45) * Q0
    one = shine(u, p, qx, qy, (1, 0, 2))
    swap = [1, 0, 2]
    other = shine(u[swap].transpose(0, 2, 1, 3), p[swap].transpose(0, 2, 1, 3), qy, qx, (0, 1, 2))
    np.testing.assert_allclose(other.transpose(1, 0, 2), one, rtol=1e-4, atol=1e-7 * one.max())


def test_a_wave_along_the_diagonal_lights_the_diagonal_order_of_the_sign_of_q():
    """exp(i Q.u) of u = a sin(x + y) holds exp(+-i(x + y)) alone: orders (1, 1) and (-1, -1), never (1, -1)."""
    _, p = waves()
    u = np.zeros((3, N, N, 6))
    x = 2 * np.pi * np.arange(N) / N
    u[2] = 0.05 * np.sin(x[:, None] + x)[..., None]
    axis = np.linspace(-1.5, 1.5, 61) * Q0
    found = shine(u, 0 * p, axis, axis, (0, 0, 2))[:, :, 4]
    at = {n: 30 + 20 * n for n in (-1, 0, 1)}
    assert found[at[1], at[-1]] < 1e-5 * found[at[1], at[1]]
    assert found[at[-1], at[-1]] == pytest.approx(found[at[1], at[1]], rel=0.05)
    assert found[at[1], at[0]] < 1e-5 * found[at[1], at[1]]


def test_disorder_spreads_orders_and_keeps_their_intensity():
    u, p = waves()
    axis = np.linspace(-2.5, 2.5, 81) * Q0
    calm, wild = (
        shine(u, p, axis, axis, (0, 0, 2), disorder=Disorder(cumulative=c, coherence=500.0, places=20))
        for c in (0.0, 0.08)
    )
    assert wild[:, :, 4].max() == pytest.approx(calm[:, :, 4].max(), rel=1e-3)
    assert wild.sum() == pytest.approx(calm.sum(), rel=0.03)
    assert wild[56, 40].sum() < 0.9 * calm[56, 40].sum()


def test_orders_are_those_on_the_axis_and_two_beyond():
    found = orders_in(
        axis=np.linspace(1.0 - 1.2 * Q0, 1.0 + 3.4 * Q0, 9), bragg=1.0, period=PERIOD, samples=64
    )
    np.testing.assert_array_equal(found.harmonics, np.arange(-5, 4))
    np.testing.assert_allclose(found.q, 1.0 - found.harmonics * Q0)
    few = orders_in(axis=np.linspace(0.0, 5.0, 9), bragg=1.0, period=PERIOD, samples=6)
    np.testing.assert_array_equal(few.harmonics, np.arange(-2, 3))
