"""Shift, phase and twin are taken off exactly; equal crystals have distance 0, whatever was done to them."""

import numpy as np
import pytest
from nanotexture.phasing.crystal_alignment import Overlap, centred_on_mass, distances, moved, overlap, twin
from nanotexture.phasing.farfield import forward
from scipy.ndimage import gaussian_filter

SHAPES = [(16, 18, 15), (15, 17, 13)]


def smooth(shape, seed=0):
    """A crystal without frequencies near the grid's, so that shifts by part of a voxel are exact."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape)
    mask[4:11, 5:13, 4:9] = 1.0
    mask[4:7, 5:8, 4:6] = 0.0
    phase = 15 * gaussian_filter(rng.normal(size=shape), 2.0)
    return gaussian_filter(mask * np.cos(phase), 1.2) + 1j * gaussian_filter(mask * np.sin(phase), 1.2)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("turned", [False, True])
def test_what_was_done_to_a_crystal_is_undone(shape, turned):
    w = smooth(shape)
    changed = moved(w, Overlap(1.0, turned, np.array([1.3, -2.2, 0.4]), 0.7))
    by = overlap(changed, w)
    assert by.twin == turned
    assert by.similarity == pytest.approx(1.0)
    np.testing.assert_allclose(moved(changed, by), w, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_twin_has_the_same_pattern_and_is_its_own_inverse(shape):
    w = smooth(shape)
    np.testing.assert_allclose(np.abs(forward(twin(w))), np.abs(forward(w)), atol=1e-12)
    np.testing.assert_array_equal(twin(twin(w)), w)


def test_a_crystal_is_not_taken_for_its_twin_unless_allowed():
    w = smooth(SHAPES[0])
    assert overlap(twin(w), w, allow_twin=False).similarity < 0.95
    assert overlap(twin(w), w).similarity == pytest.approx(1.0)


def test_distances_count_twins_as_equal_and_other_crystals_as_far():
    w, other = smooth(SHAPES[0]), smooth(SHAPES[0], seed=5)
    by = Overlap(1.0, True, np.array([2.0, 1.0, -1.0]), 2.0)
    found = distances([w, moved(w, by), other])
    assert found[0, 1] < 1e-3
    assert 0.3 < found[0, 2] < np.sqrt(2)
    np.testing.assert_allclose(found, found.T)


def test_the_distance_is_the_rms_difference_over_the_rms():
    w = smooth(SHAPES[0])
    noisy = w + 0.02 * smooth(SHAPES[0], seed=7) * np.linalg.norm(w) / np.linalg.norm(smooth(SHAPES[0], 7))
    by = overlap(noisy, w)
    a, b = w / np.linalg.norm(w), moved(noisy, by) / np.linalg.norm(noisy)
    assert by.distance == pytest.approx(np.linalg.norm(a - b), rel=0.02)


def test_a_crystal_cut_by_the_edge_is_centred_whole():
    w = centred_on_mass(smooth(SHAPES[0]))
    cut = np.roll(w, (7, -8, 6), (0, 1, 2))
    np.testing.assert_array_equal(centred_on_mass(cut), w)
