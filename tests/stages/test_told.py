"""A polarization below its own error is NaN, never a number."""

import numpy as np
import pytest
from nanotexture.stages.texture import told


def wave(size, shape=(32, 20)):
    x = np.arange(shape[0]) / shape[0]
    return size * np.sqrt(2) * np.sin(2 * np.pi * x)[:, None] * np.ones(shape[1])


@pytest.mark.parametrize(("signal", "kept"), [(0.5, False), (0.9, False), (1.1, True), (3.0, True)])
def test_a_field_is_told_where_its_signal_exceeds_its_error(signal, kept):
    """What is seen is signal and error together: their mean squares add."""
    error = 0.02
    seen = np.sqrt(signal**2 + 1) * error
    field = wave(seen)[None]
    found = told(field, np.full_like(field, error))
    assert np.isfinite(found).all() == kept
    assert np.isnan(found).all() != kept
    if kept:
        np.testing.assert_array_equal(found, field)


def test_noise_alone_is_never_told():
    rng = np.random.default_rng(1)
    noise = 0.05 * rng.normal(size=(200, 8, 8))
    assert np.isnan(told(noise, np.full_like(noise, 0.05))).all()


def test_each_component_is_judged_by_itself():
    fields = np.stack([wave(0.01), wave(0.3)])
    found = told(fields, np.full_like(fields, 0.05))
    assert np.isnan(found[0]).all()
    np.testing.assert_array_equal(found[1], fields[1])


def test_a_field_without_a_known_error_is_kept():
    field = wave(0.3)[None]
    np.testing.assert_array_equal(told(field, np.full_like(field, np.nan)), field)


@pytest.mark.parametrize(("size", "kept"), [(2.5, False), (3.5, True)])
def test_of_a_texture_with_two_directions_a_field_must_be_three_times_its_error(size, kept):
    """Few waves leave out more, which errs with a system."""
    field = np.repeat(wave(size * 0.02)[None, :, None], 4, axis=2)
    found = told(field, np.full_like(field, 0.02))
    assert np.isfinite(found).all() == kept
