"""States: the direction of P, and two or three values of a strain."""

import numpy as np
import pytest
from nanotexture.texture.states import (
    VARIANTS,
    area_fractions,
    contrast_of,
    levels_of,
    number_of_states,
    standardised,
    states_from_levels,
    thresholds_of,
    variants_from_polarization,
)

X = np.arange(120)[:, None] / 120
HEIGHT = np.linspace(0.2, 1.0, 10)[None]


def twins(duty=0.4, wall=0.02):
    return 0.5 * (np.tanh((X - 0.1) / wall) - np.tanh((X - 0.1 - duty) / wall)) * HEIGHT


def named(p_x, p_z, std=0.0):
    p = np.array([[[p_x]], [[p_z]]], dtype=float)
    return VARIANTS[int(variants_from_polarization(polarization=p, std=np.full_like(p, std))[0, 0])]


@pytest.mark.parametrize(
    ("vector", "name"), [((0.5, 0.1), "+x"), ((-0.5, 0.4), "-x"), ((0.1, 0.3), "+z"), ((0.2, -0.3), "-z")]
)
def test_a_variant_is_the_nearest_pseudo_cubic_direction(vector, name):
    assert named(*vector) == name


def test_a_polarization_within_two_standard_deviations_is_not_polar():
    assert named(0.0, 0.1, std=0.051) == "not polar"
    assert named(0.0, 0.1, std=0.049) == "+z"
    assert named(0.3, 0.0, std=0.14) == "+x"


def test_an_unknown_component_is_left_out_and_unknown_polarization_has_no_state():
    p = np.stack([np.full((4, 3), np.nan), np.full((4, 3), -0.5)])
    assert (variants_from_polarization(polarization=p, std=0 * p) == VARIANTS.index("-z")).all()
    assert np.isnan(variants_from_polarization(polarization=p * np.nan, std=p)).all()


@pytest.mark.parametrize("duty", [0.25, 0.4, 0.6])
def test_the_threshold_lies_halfway_between_twins_and_their_duty_comes_out(duty):
    field = twins(duty)
    levels = levels_of(field, thresholds_of(standardised(field), 2))
    np.testing.assert_allclose(levels[0], 0.5 * HEIGHT[0], atol=0.02)
    states = states_from_levels(field=field, levels=levels, clear=np.ones(10, bool))
    assert area_fractions(states=states, number=3, weights=np.ones(10))[2] == pytest.approx(duty, abs=0.01)
    np.testing.assert_allclose(contrast_of(field=field, levels=levels), HEIGHT[0], rtol=0.02)


def test_planes_that_are_not_clear_are_in_no_state_and_count_for_nothing():
    field = twins()
    clear = np.arange(10) > 4
    states = states_from_levels(field=field, levels=levels_of(field, np.zeros(1)), clear=clear)
    assert np.isnan(states[:, :5]).all()
    assert area_fractions(states=states, number=3, weights=np.ones(10)).sum() == pytest.approx(1.0)
    nowhere = area_fractions(states=states * np.nan, number=3, weights=np.ones(10))
    assert np.isnan(nowhere).all()


def test_three_plateaus_are_three_states_and_walls_or_waves_are_not():
    three = np.tanh((X - 0.2) / 0.01) + np.tanh((X - 0.55) / 0.01) + 0 * HEIGHT
    assert number_of_states(three) == 3
    assert number_of_states(twins(0.4, wall=0.06)) == 2
    assert number_of_states(np.sin(2 * np.pi * X) * HEIGHT) == 2
    assert number_of_states(np.zeros((5, 3))) == 2
