"""One grid and one origin of x: exact for motifs of a few harmonics."""

import numpy as np
import pytest
from nanotexture.texture.grid import best_shift, moved, moved_std, resampled, shifted


def wave(points, shift=0.0):
    x = np.arange(points)[:, None] / points - shift
    return (
        np.cos(2 * np.pi * x) * np.arange(1.0, 4.0) + 0.3 * np.sin(6 * np.pi * x) + np.array([0.0, 0.5, -0.2])
    )


@pytest.mark.parametrize("points", [16, 33, 64])
def test_a_motif_of_three_harmonics_is_the_same_on_every_grid(points):
    np.testing.assert_allclose(resampled(wave(24), points), wave(points), atol=1e-12)


def test_a_shift_moves_the_motif_towards_larger_x():
    np.testing.assert_allclose(shifted(wave(24), 0.137), wave(24, 0.137), atol=1e-12)
    np.testing.assert_allclose(moved(wave(24), 48, -0.3), wave(48, -0.3), atol=1e-12)


def test_a_standard_deviation_moves_as_its_variance_does():
    def variance(points, shift=0.0):
        return 2.0 + np.cos(2 * np.pi * (np.arange(points)[:, None] / points - shift)) * np.ones(3)

    np.testing.assert_allclose(
        moved_std(np.sqrt(variance(16)), 40, 0.21), np.sqrt(variance(40, 0.21)), atol=1e-12
    )


def test_the_shift_that_lays_a_motif_on_another_is_found_to_a_point():
    target = wave(48)[None]
    assert best_shift(wave(48, 0.25)[None], target) == pytest.approx(-0.25)
    assert best_shift(wave(48, -0.125)[None], target) == pytest.approx(0.125)
    assert best_shift(np.ones((1, 48, 3)), target) == 0.0
