"""Transition temperatures: found where they were put, and nowhere else."""

import numpy as np
import pytest
from nanotexture.texture.transition import FEWEST, fit_transition

T = np.array([10.0, 60.0, 110.0, 150.0, 180.0, 200.0, 215.0, 230.0, 260.0, 300.0])


def fit(order, kelvin=T, sigma=0.01, seed=0):
    rng = np.random.default_rng(seed)
    noisy = order + sigma * rng.standard_normal(len(kelvin))
    return fit_transition(kelvin=kelvin, order=noisy, error=np.full(len(kelvin), sigma))


@pytest.mark.parametrize("beta", [0.25, 0.5])
def test_the_onset_of_a_power_law_is_found_within_its_error(beta):
    found = fit(0.03 + 0.95 * np.clip(1 - T / 221.0, 0, None) ** beta)
    assert found.name == "power law"
    assert abs(found.temperature - 221.0) < max(3 * found.error, 2.0)
    assert found.error < 8.0
    assert abs(found.exponent - beta) < 0.26
    assert f"{found.temperature:.0f}" in found.sentence


def test_an_order_that_saturates_is_a_mean_field_whatever_its_background():
    kelvin = np.array([10.0, 80.0, 150.0, 210.0, 300.0])
    order = np.tanh(1.74 * np.sqrt(np.maximum(235.0 / kelvin - 1, 0)))
    found = fit(0.1 + 0.8 * order, kelvin, sigma=0.005)
    assert found.name == "mean field"
    assert abs(found.temperature - 235.0) < max(3 * found.error, 2.0)


def test_a_jump_is_a_step_between_the_temperatures_beside_it():
    found = fit(np.where(T < 190.0, 1.0, 0.05))
    assert found.name == "step"
    assert 180.0 < found.temperature < 200.0
    assert 1.0 < found.error < 8.0


def test_five_temperatures_tell_a_jump():
    kelvin = np.array([10.0, 80.0, 150.0, 210.0, 300.0])
    found = fit(np.array([1.0, 1.0, 0.98, 0.05, 0.05]), kelvin)
    assert 150.0 < found.temperature < 210.0


@pytest.mark.parametrize("order", [np.full(10, 0.8), 1.0 - T / 600.0])
def test_a_constant_and_a_straight_line_show_no_transition(order):
    for seed in range(6):
        found = fit(order, sigma=0.02, seed=seed)
        assert np.isnan(found.temperature)
        assert np.isnan(found.error)
        assert found.sentence.startswith("No transition")
        assert np.isfinite(found.values).all()


def test_a_texture_that_grows_on_warming_is_no_order_parameter():
    assert np.isnan(fit(np.where(T < 190.0, 0.1, 1.0)).temperature)


def test_too_few_temperatures_are_said_so():
    few = T[: FEWEST - 1]
    found = fit(np.array([1.0, 1.0, 0.0, 0.0]), few)
    assert np.isnan(found.temperature)
    assert f"{FEWEST} or more" in found.sentence
    gaps = fit_transition(kelvin=T, order=np.where(T > 100, np.nan, 1.0), error=np.ones(10))
    assert gaps.name == "none"
