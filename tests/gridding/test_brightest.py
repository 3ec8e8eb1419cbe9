"""The brightest spot: found across blocks, and not a hot pixel."""

import numpy as np
import pytest
from nanotexture.geometry import Spot
from nanotexture.gridding import brightest_of, brightest_of_block


@pytest.fixture
def frames():
    found = np.random.default_rng(0).poisson(3.0, (6, 20, 30)).astype(np.uint32)
    found[4, 7:10, 11:14] += 400
    found[4, 8, 12] += 500
    return found


def test_a_spot_is_found_in_blocks_of_any_size_and_hot_pixels_are_passed_over(frames):
    frames[2, 5, 5] = 10**6  # hot in one frame
    frames[:, 0, 0] = 2**32 - 1  # masked
    mask = np.zeros((20, 30), np.uint8)
    mask[0, 0] = 1
    for step in (1, 2, 6):
        parts = [brightest_of_block(frames[n : n + step], mask, n) for n in range(0, 6, step)]
        assert brightest_of(parts).spot == Spot(4, 8, 12)


def test_a_spot_at_the_corner_has_neighbours_too(frames):
    frames[1, -1, -1], frames[1, -2, -1] = 5000, 3000
    assert brightest_of_block(frames, np.zeros((20, 30))).spot == Spot(1, 19, 29)


def test_dark_frames_have_no_brightest_spot():
    assert brightest_of_block(np.zeros((2, 4, 4), np.uint16), np.zeros((4, 4))) is None
    assert brightest_of([None, None]) is None
