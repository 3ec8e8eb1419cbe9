"""Striped textures: clamped at the substrate, periodic, constant strain in a twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.simulate.stripes import stripe_displacement

X, Z = np.arange(128) / 128, np.arange(60) * 4.0


def stripes(**changes):
    told = {"x": X, "z": Z, "period": 120.0, "amplitude": 0.4, "tilt_deg": 0.0, "duty": 0.5, "wall": 4.0}
    return stripe_displacement(**(told | changes))


@given(st.floats(-50, 50), st.floats(0.15, 0.85), st.floats(0, 60), st.floats(40, 400))
@settings(max_examples=30, deadline=None)
def test_the_mean_is_zero_and_at_the_substrate_there_is_no_modulation(tilt, duty, wall, period):
    u = stripes(tilt_deg=tilt, duty=duty, wall=wall, period=period)
    np.testing.assert_allclose(u.mean(axis=(1, 2)), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.ptp(u[:, :, 0], axis=1), 0.0, atol=1e-12)
    assert np.abs(np.hypot(*u)).max() < 2.0 * 0.4


def test_it_points_along_the_walls():
    u = stripes(tilt_deg=20.0)
    np.testing.assert_allclose(u[0], u[1] * np.tan(np.radians(20.0)), atol=1e-12)
    np.testing.assert_array_equal(stripes(tilt_deg=0.0)[0], 0.0)


def test_it_has_one_period_and_no_other():
    u = stripes(x=np.arange(256) / 128)[1]
    np.testing.assert_allclose(u[:128], u[128:], atol=1e-12)
    spectrum = np.abs(np.fft.fft(stripes()[1][:, -1]))
    assert spectrum[1] > 3 * spectrum[2:64].max()


@pytest.mark.parametrize("duty", [0.3, 0.5, 0.7])
def test_each_twin_has_a_constant_strain_in_the_ratio_of_the_duty(duty):
    """A sawtooth of duty d rises and falls with slopes in the ratio -(1 - d) / d: opposite twins, no mean strain."""
    u = stripes(duty=duty, wall=1.0)[1][:, -1]
    slope = (np.roll(u, -1) - np.roll(u, 1)) * 128 / (2 * 120.0)
    first, second = (
        slope[int(128 * duty * 0.2) : int(128 * duty * 0.8)],
        slope[int(128 * (0.2 * (1 - duty) + duty)) : int(128 * (1 - 0.2 * (1 - duty)))],
    )
    assert np.ptp(first) < 0.03 * abs(first.mean())
    assert np.ptp(second) < 0.03 * abs(second.mean())
    assert first.mean() / second.mean() == pytest.approx(-(1 - duty) / duty, rel=0.03)


def test_far_from_the_substrate_the_amplitude_is_the_asked_one():
    u = stripes(z=np.arange(300) * 4.0)[1][:, -1]
    assert 0.5 * np.ptp(u) == pytest.approx(0.4, rel=0.01)
    assert stripes(amplitude=0.8)[1] == pytest.approx(2 * stripes()[1])


def test_walls_lean_by_the_tilt():
    """A plane higher by dz shows the same profile moved by dz tan(tilt)."""
    tilt, planes = 25.0, 120.0 / np.tan(np.radians(25.0)) * np.array([3.0, 3.25])
    u = stripes(z=planes, tilt_deg=tilt)
    fade = 1 - np.exp(-2 * np.pi * planes / 120.0)
    one, other = (u[1][:, i] - u[1][:, i].mean() for i in (0, 1))
    np.testing.assert_allclose(np.roll(one, 32) / fade[0], other / fade[1], atol=2e-3)
