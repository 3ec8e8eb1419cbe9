"""Order parameters: rms of the modulation, and the satellites' share."""

import numpy as np
import pytest
from nanotexture.texture.order import modulation, rms_with_error, satellite_amplitude

ORDER = np.arange(-4, 5)


def orders_of_a_grating(phase, counts=1e8):
    """|M_n|^2 of exp(i phase sin(2 pi x)) in counts, (order, 1)."""
    x = np.arange(64) / 64
    wave = np.fft.fft(np.exp(1j * phase * np.sin(2 * np.pi * x))) / 64
    return counts * np.abs(wave[ORDER])[:, None] ** 2


def test_the_modulation_of_a_field_has_no_mean_along_x():
    field = np.random.default_rng(0).normal(size=(16, 5)) + np.arange(5.0)
    np.testing.assert_allclose(modulation(field).mean(axis=0), 0.0, atol=1e-12)


def test_the_error_of_an_rms_is_that_of_points_that_err_together():
    field = np.random.default_rng(0).normal(size=(40, 20))
    rms, error = rms_with_error(field, 0.01 * np.abs(field))
    assert rms == pytest.approx(np.sqrt((field**2).mean()))
    assert error == pytest.approx(0.01 * rms)  # all points one per cent larger
    assert rms_with_error(0 * field, np.full_like(field, 0.2)) == (0.0, pytest.approx(0.2))


def test_the_satellites_amplitude_is_proportional_to_a_weak_phase():
    """sqrt(share) is the rms of the phase, phase / sqrt(2)."""
    for phase in (0.01, 0.1, 0.2):
        bright = orders_of_a_grating(phase)
        value, _ = satellite_amplitude(order=ORDER, intensity=bright, variance=bright)
        assert value == pytest.approx(phase / np.sqrt(2), rel=0.01)


def test_its_error_is_the_scatter_of_counted_maps():
    rng, bright = np.random.default_rng(0), orders_of_a_grating(0.1, 1e5)
    counted = [rng.poisson(bright).astype(float) for _ in range(400)]
    values, errors = np.array(
        [satellite_amplitude(order=ORDER, intensity=one, variance=bright) for one in counted]
    ).T
    assert values.std() == pytest.approx(errors.mean(), rel=0.15)


def test_noise_around_nothing_is_an_upper_limit_and_no_measurement_is_nan():
    bright = np.where(ORDER == 0, 1e6, -1.0)[:, None]
    value, error = satellite_amplitude(order=ORDER, intensity=bright, variance=np.full_like(bright, 100.0))
    assert value == 0.0
    assert error > 0
    dark = np.where(ORDER[:, None] == 0, np.nan, 1.0)
    assert np.isnan(satellite_amplitude(order=ORDER, intensity=dark, variance=dark)).all()
