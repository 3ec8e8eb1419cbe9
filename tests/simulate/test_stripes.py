"""Striped textures: clamped at the substrate, along their walls, of the amplitude and lean asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.errors import UserError
from nanotexture.simulate.stripes import Stripes, motif_from_stripes, stripe_displacement

from .films import FILM

X, Z = np.arange(128) / 128, np.arange(60) * 4.0


def stripes(x=X, z=Z, **changes):
    texture = Stripes(
        **({"period": 120.0, "amplitude": 0.4, "tilt": 0.0, "duty": 0.5, "wall": 4.0} | changes)
    )
    return stripe_displacement(texture=texture, x=x, z=z)


@given(st.floats(-50, 50), st.floats(0.15, 0.85), st.floats(0, 60), st.floats(130, 400))
@settings(max_examples=30)
def test_every_plane_has_no_mean_and_at_the_substrate_there_is_no_modulation(tilt, duty, wall, period):
    u = stripes(tilt=tilt, duty=duty, wall=wall, period=period)
    np.testing.assert_allclose(u.mean(axis=1), 0.0, atol=2e-3)
    np.testing.assert_allclose(u[:, :, 0], 0.0, atol=1e-12)
    assert np.abs(np.hypot(*u)).max() <= 0.4 * (1 + 2e-3)


def test_it_points_along_the_walls():
    u = stripes(tilt=20.0)
    np.testing.assert_allclose(u[0], u[1] * np.tan(np.radians(20.0)), atol=1e-12)
    np.testing.assert_array_equal(stripes(tilt=0.0)[0], 0.0)


@pytest.mark.parametrize("duty", [0.3, 0.5, 0.7])
def test_each_twin_has_a_constant_strain_in_the_ratio_of_the_duty(duty):
    """A sawtooth of duty d rises and falls with slopes in the ratio -(1 - d) / d: opposite twins, no mean strain."""
    u = stripes(duty=duty, wall=1.0)[1][:, -1]
    slope = (np.roll(u, -1) - np.roll(u, 1)) * 128 / (2 * 120.0)
    first, second = slope[3 : int(128 * duty) - 2], slope[int(128 * duty) + 3 : -2]
    assert np.ptp(first) < 1e-3 * abs(first.mean())
    assert np.ptp(second) < 1e-3 * abs(second.mean())
    assert first.mean() / second.mean() == pytest.approx(-(1 - duty) / duty, rel=1e-3)


def test_far_from_the_substrate_the_amplitude_is_the_asked_one():
    u = stripes(z=np.arange(300) * 4.0)[1][:, -1]
    assert 0.5 * np.ptp(u) == pytest.approx(0.4, rel=0.01)
    assert stripes(amplitude=0.8)[1] == pytest.approx(2 * stripes()[1])


def test_walls_lean_by_the_tilt():
    """A plane higher by dz shows the same profile moved by dz tan(tilt)."""
    tilt, planes = 25.0, 120.0 / np.tan(np.radians(25.0)) * np.array([3.0, 3.25])
    u = stripes(z=planes, tilt=tilt)
    fade = 1 - np.exp(-2 * np.pi * planes / 120.0)
    one, other = (u[1][:, i] - u[1][:, i].mean() for i in (0, 1))
    np.testing.assert_allclose(np.roll(one, 32) / fade[0], other / fade[1], atol=1e-6)


def test_the_motif_takes_a_plane_at_the_middle_of_its_cells():
    texture = Stripes(period=120.0, amplitude=0.4)
    motif = motif_from_stripes(stack=FILM, texture=texture)
    u = stripe_displacement(texture=texture, x=np.arange(64) / 64, z=(np.arange(50) + 0.5) * 4.06)
    np.testing.assert_allclose(motif.displacement[[0, 2], :, 0], u, atol=1e-12)
    np.testing.assert_array_equal(motif.displacement[1], 0.0)
    assert motif.polarization is None
    assert motif.periods == (120.0, 3.905)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("period", 0.0),
        ("period", float("nan")),
        ("amplitude", -1.0),
        ("tilt", 90.0),
        ("duty", 1.0),
        ("wall", 80.0),
    ],
)
def test_what_is_no_texture_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=rf"^texture\.{field}: expected .*, found "):
        stripes(**{field: value})
