"""Held-out values: blocks of significant satellite values, never order 0, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.preparation.holdout import SHARE, block_rows, held_out_blocks

ORDERS = np.arange(-3, 4)


def held(seed=0, block=3, rows=60, signal=100.0, weak=(), missing=()):
    intensity = np.full((7, rows), signal)
    for n in weak:
        intensity[n] = 1.0
    for n in missing:
        intensity[n] = np.nan
    variance = np.where(np.isfinite(intensity), np.maximum(intensity, 1.0), np.nan)
    return held_out_blocks(intensity=intensity, variance=variance, orders=ORDERS, block=block, seed=seed)


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(30, 90))
@settings(max_examples=40)
def test_about_the_share_of_the_satellites_is_held_out_in_blocks(seed, block, rows):
    found = held(seed=seed, block=block, rows=rows)
    assert not found[3].any()
    whole = found[:, : rows // block * block].reshape(7, -1, block)
    assert (whole.all(2) == whole.any(2)).all()
    assert not found[:, rows // block * block :].any()
    number = 6 * (rows // block)
    assert whole.any(2).sum() == round(SHARE * number)


def test_noise_and_what_was_not_measured_is_never_held_out():
    found = held(weak=(0, 6), missing=(1,), rows=90)
    assert not found[[0, 1, 6]].any()
    assert found[[2, 4, 5]].any()


def test_the_same_seed_holds_out_the_same_and_another_does_not():
    np.testing.assert_array_equal(held(seed=5), held(seed=5))
    assert (held(seed=5) != held(seed=6)).any()


@pytest.mark.parametrize(("rows", "wanted"), [(2, 0), (3, 0), (6, 1), (30, 3)])
def test_of_few_blocks_few_are_given_away(rows, wanted):
    """Two orders of rows / 3 blocks: 0.15 of them, rounded."""
    found = held(rows=rows, block=3, weak=(0, 1, 5, 6))
    assert found.sum() == 3 * wanted


def test_a_block_is_a_third_of_a_fringe_and_at_least_two_rows():
    thickness = 200.0
    fringe = 2 * np.pi / thickness
    for rows_in_fringe, block in ((9, 3), (15, 5), (3, 2), (1, 2)):
        qz = 4.5 + fringe / rows_in_fringe * np.arange(10)
        assert block_rows(qz, thickness) == block
