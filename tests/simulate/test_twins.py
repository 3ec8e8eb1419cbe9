"""Profiles of twins: shares of a period, straight pieces of displacement, walls of the width asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.simulate.twins import fade_in, twin_displacement, twin_share

PHASE = np.arange(2000) / 2000
DUTY, WALL = st.floats(0.1, 0.9), st.floats(1e-3, 0.2)


@given(DUTY, WALL, st.floats(-3, 3))
@settings(max_examples=40)
def test_both_have_one_period_and_the_share_means_the_duty(duty, wall, shift):
    for profile in (twin_share, twin_displacement):
        here = profile(phase=PHASE + shift, duty=duty, wall=wall)
        np.testing.assert_allclose(here, profile(phase=PHASE + shift + 2, duty=duty, wall=wall), atol=1e-8)
    assert twin_share(phase=PHASE, duty=duty, wall=wall).mean() == pytest.approx(duty, abs=1e-3)
    assert twin_displacement(phase=PHASE, duty=duty, wall=wall).mean() == pytest.approx(0.0, abs=1e-3)


@given(DUTY, st.floats(0.02, 0.2))
@settings(max_examples=30)
def test_the_displacement_is_the_integral_of_the_share_less_the_duty(duty, wall):
    saw = twin_displacement(phase=PHASE, duty=duty, wall=wall)
    slope = (np.roll(saw, -1) - np.roll(saw, 1)) * len(PHASE) / 2
    np.testing.assert_allclose(slope, twin_share(phase=PHASE, duty=duty, wall=wall) - duty, atol=2e-3)


def test_a_wall_of_no_width_is_a_step():
    share = twin_share(phase=PHASE + 1e-4, duty=0.3, wall=0.0)
    assert set(np.round(share, 12)) == {0.0, 1.0}


@pytest.mark.parametrize("wall", [0.05, 0.1])
def test_the_wall_is_as_wide_as_asked(wall):
    """FWHM of the Gaussian that the step is the integral of."""
    share = twin_share(phase=PHASE - 0.5, duty=0.5, wall=wall)
    density = np.abs(np.gradient(share, PHASE))
    middle = np.abs(PHASE - 0.5) < 0.25
    wide = np.ptp(PHASE[middle][density[middle] > 0.5 * density[middle].max()])
    assert wide == pytest.approx(wall, abs=2e-3)


def test_a_modulation_grows_from_nothing_at_the_substrate_over_its_own_length():
    z = np.array([0.0, 100 / (2 * np.pi), 1000.0])
    np.testing.assert_allclose(fade_in(z=z, period=100.0), [0.0, 1 - np.exp(-1), 1.0], atol=1e-12)
