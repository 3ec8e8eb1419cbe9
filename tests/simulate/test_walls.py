"""Walls: where a line passes a level, and how far those of a result lie from the true ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.simulate.walls import wall_error
from nanotexture.texture.walls import crossings

X = np.arange(120) / 120
NONE = np.full((2, 120, 10), np.nan)
HEIGHT = np.linspace(0.2, 1.0, 10)


def stripes(shift=0.0, wall=0.05, duty=0.5):
    """P_z of stripes whose walls are at shift and shift + duty; no P_x."""
    distance = (X - shift + 0.5) % 1.0 - 0.5
    other = (X - shift - duty + 0.5) % 1.0 - 0.5
    profile = np.where(np.abs(distance) < np.abs(other), np.tanh(distance / wall), -np.tanh(other / wall))
    return np.stack([0 * profile[:, None] * HEIGHT, profile[:, None] * HEIGHT])


def saw(shift=0.0, duty=0.4):
    phase = (X - shift) % 1.0
    u = np.where(phase < duty, phase * (1 - duty), (1 - phase) * duty)
    return np.stack([0.2 * u[:, None] * HEIGHT, u[:, None] * HEIGHT])


def error(result=NONE, true=NONE, u=NONE, true_u=NONE):
    return wall_error(displacement=u, polarization=result, true_u=true_u, true_p=true, period=200.0)


@given(st.floats(0, 1), st.integers(1, 5))
@settings(max_examples=30)
def test_a_wave_of_k_periods_crosses_zero_2k_times_with_alternating_signs(shift, k):
    at, sign = crossings(np.sin(2 * np.pi * k * (X - shift)), 1e-9)
    assert len(at) == 2 * k
    assert (sign[np.argsort(at % 1.0)][:-1] == -sign[np.argsort(at % 1.0)][1:]).all()
    rising = (at[sign > 0] - shift) * k
    np.testing.assert_allclose(rising, np.round(rising), atol=2e-3)


@pytest.mark.parametrize("shift", [0.0, 0.013, -0.04])
def test_walls_that_are_shifted_are_off_by_the_shift(shift):
    found = error(stripes(shift), stripes())
    assert found.rms == pytest.approx(abs(shift) * 200.0, abs=0.02)
    assert found.how == "sign changes of P_z"


def test_a_wall_is_compared_with_those_of_its_own_sense():
    """Moved by 0.3 of a period, the opposite wall is nearer, and is another wall."""
    assert error(stripes(0.3), stripes()).rms == pytest.approx(0.3 * 200.0, abs=0.02)


def test_a_wider_domain_moves_every_second_wall():
    found = error(stripes(duty=0.55), stripes(duty=0.5))
    assert found.rms == pytest.approx(0.05 * 200.0 / np.sqrt(2), rel=0.02)


def test_wide_walls_are_where_narrow_ones_are():
    assert error(stripes(wall=0.1), stripes(wall=0.03)).rms == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("shift", [0.0, 0.025])
def test_without_polarization_walls_are_where_the_strain_changes(shift):
    found = error(u=saw(shift), true_u=saw())
    assert found.rms == pytest.approx(shift * 200.0, abs=0.3)
    assert found.how == "du_z/dx between its extremes"


def test_a_result_without_walls_says_so():
    found = error(np.ones((2, 120, 10)), stripes())
    assert np.isnan(found.rms)
    assert "none" in found.how
    assert "the result" in found.how
    nothing = error()
    assert np.isnan(nothing.rms)
    assert "no component in common" in nothing.how


def test_planes_where_the_texture_fades_do_not_count():
    faded = 0.3 * 2 * HEIGHT.max() / 2 > HEIGHT
    off = stripes()
    off[:, :, faded] = stripes(0.1)[:, :, faded]
    assert error(off, stripes()).rms == pytest.approx(0.0, abs=0.02)
