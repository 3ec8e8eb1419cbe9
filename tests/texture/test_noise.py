"""Drawn fields: unit variance everywhere, as smooth as the field they stand for."""

import numpy as np
from nanotexture.texture.noise import drawn_fields, noise_fields, richness

X, Z = np.arange(48)[:, None] / 48, (np.arange(20) + 0.5)[None] / 20


def test_richness_counts_the_harmonics_and_cosines_of_a_field():
    assert richness(np.cos(2 * np.pi * X) * np.ones_like(Z)) == (1, 1)
    assert richness(np.cos(2 * np.pi * X) + np.cos(6 * np.pi * X) * np.cos(2 * np.pi * Z)) == (3, 3)


def test_noise_has_unit_variance_at_every_point_and_no_finer_waves():
    noise = noise_fields(shape=(48, 20), harmonics=3, modes=4, draws=4000, rng=np.random.default_rng(0))
    np.testing.assert_allclose(noise.std(axis=0), 1.0, atol=0.06)
    np.testing.assert_allclose(np.abs(np.fft.rfft(noise, axis=1))[:, 4:], 0.0, atol=1e-9)


def test_drawn_fields_scatter_by_their_standard_deviations_and_alike_for_one_seed():
    field = np.cos(2 * np.pi * X) * Z
    fields, std = np.stack([field, field]), np.stack([0.1 + 0 * field, 0.3 * Z + 0 * field])
    drawn = drawn_fields(fields=fields, std=std, draws=2000, seed=3)
    np.testing.assert_allclose((drawn - fields).std(axis=0), std, rtol=0.1)
    assert abs(np.corrcoef((drawn - fields)[:, 0, 5, 5], (drawn - fields)[:, 1, 5, 5])[0, 1]) < 0.08
    np.testing.assert_array_equal(drawn, drawn_fields(fields=fields, std=std, draws=2000, seed=3))


def test_fields_without_an_error_are_drawn_once_as_they_are():
    fields = np.ones((2, 6, 5)) * Z[:, :5]
    np.testing.assert_array_equal(drawn_fields(fields=fields, std=0 * fields, draws=9, seed=0), fields[None])
