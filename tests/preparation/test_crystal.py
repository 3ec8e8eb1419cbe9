"""An array made ready: counts found again in amplitudes, blanks told from dark voxels, what cannot be phased refused."""

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.preparation.crystal import (
    box_about_peak,
    counts_of_amplitude,
    fast_window,
    not_measured,
    one_exposure,
    refuse_peak,
    refuse_sampling,
    refuse_values,
)


def counts(peak=5000.0, shape=(24, 24, 24), dark=3.0):
    r = np.meshgrid(*(np.arange(n) - n // 2 for n in shape), indexing="ij")
    mean = peak * np.exp(-sum(x**2 for x in r) / 8.0) + dark
    return np.random.default_rng(0).poisson(mean).astype(float)


EVERY = np.ones((24, 24, 24), bool)


def test_counts_are_found_again_in_amplitudes_over_their_largest():
    n = counts()
    amplitude = (np.sqrt(n) / np.sqrt(n.max())).astype(np.float32)
    smallest = n[n > 0].min()
    assert smallest == 1
    np.testing.assert_array_equal(counts_of_amplitude(amplitude, None), n)


def test_told_peak_counts_scale_the_squares():
    found = counts_of_amplitude(np.sqrt(counts() * 0.37), 1e4)
    assert found.max() == pytest.approx(1e4)
    np.testing.assert_allclose(found / found.max(), counts() / counts().max())


def test_amplitudes_that_were_never_counts_need_their_peak():
    smooth = np.sqrt(counts() + np.random.default_rng(1).random(EVERY.shape))
    with pytest.raises(UserError, match=r"crystal\.peak_counts: expected the counts of the brightest"):
        counts_of_amplitude(smooth, None)


def test_a_blanked_corner_is_not_measured_but_a_dark_voxel_is():
    n = counts(dark=1.0)
    n[:6, :7, :5] = 0
    n[20, 20, 20] = 0
    blank = not_measured(n, "blank")
    assert blank[:6, :7, :5].all()
    assert not blank[20, 20, 20]
    alone = (n == 0) & ~blank
    assert alone.sum() > 100  # Poisson: a third of all voxels of mean 1 are zero
    assert not_measured(n, "zeros").sum() == (n == 0).sum()
    assert not not_measured(n, "none").any()


def wrong(place, value):
    n = counts()
    n[place] = value
    return n


@pytest.mark.parametrize(
    ("values", "measured", "words"),
    [
        (wrong((3, 4, 5), np.nan), EVERY, "1 of NaN"),
        (wrong((3, 4, 5), np.inf), EVERY, "1 of NaN or infinity"),
        (wrong((3, 4, 5), -2.0), EVERY, "no negative numbers"),
        (counts(), ~EVERY, "a measured voxel"),
        (np.zeros(EVERY.shape), EVERY, "zero everywhere"),
    ],
    ids=["NaN", "infinite", "negative", "masked", "zero"],
)
def test_values_that_no_detector_gives_are_refused(values, measured, words):
    with pytest.raises(UserError, match=words):
        refuse_values(values, measured)


def test_what_is_masked_may_be_anything():
    measured = EVERY.copy()
    measured[3, 4, 5] = False
    refuse_values(wrong((3, 4, 5), np.nan), measured)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (counts() / 5000, "a normalised pattern"),
        (counts(peak=0, dark=50.0), "a Bragg peak"),
        (np.roll(counts(), 11, 1), "voxel 23 of 24 along axis 1"),
    ],
    ids=["normalised", "flat", "at the edge"],
)
def test_a_pattern_without_a_peak_inside_is_refused(values, words):
    with pytest.raises(UserError, match=words):
        refuse_peak(values, EVERY)


def test_a_good_pattern_is_not_refused():
    refuse_peak(counts(), EVERY)
    refuse_sampling((2.0, 3.5, 2.6))


def test_a_sampling_below_two_names_its_axis():
    with pytest.raises(UserError, match="less along axis 1"):
        refuse_sampling((2.4, 1.99, 2.1))


@pytest.mark.parametrize("n", [16, 31, 63, 100, 127])
def test_a_window_has_a_fast_length_and_keeps_the_middle(n):
    (cut,) = fast_window((n,))
    inside = np.arange(n)[cut]
    assert inside[len(inside) // 2] == n // 2
    assert len(inside) > 0.9 * n


# --- of gridded frames


def test_photons_over_exposure_are_the_pattern_whatever_the_number_of_pixels():
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 4, size=(24, 24, 24)).astype(float)
    measured = pixels > 0
    found, exposure = one_exposure(np.where(measured, 40.0 * pixels, 0.0), pixels, measured)
    usual = np.median(pixels[measured])
    np.testing.assert_allclose(found[measured], 40.0 * usual)
    np.testing.assert_allclose(found * exposure, np.where(measured, 40.0 * pixels, 0.0))
    assert not found[~measured].any()


def test_the_box_has_the_peak_in_its_middle_and_no_stray_pixel():
    n = np.roll(counts(shape=(40, 30, 26)), (4, -3, 2), axis=(0, 1, 2))
    n[2, 2, 2] = 9e3  # less than a peak that is several voxels wide
    box = box_about_peak(n, np.ones(n.shape, bool), (16, 16, 16))
    found = n[box]
    assert found.shape == (16, 16, 16)
    peak = np.unravel_index(np.argmax(found), found.shape)
    np.testing.assert_allclose(peak, (8, 8, 8), atol=1)


def test_a_box_wider_than_the_scan_is_cut_to_it_about_the_peak():
    n = np.roll(counts(shape=(40, 30, 26)), 6, axis=0)  # 13 voxels are left beyond the peak
    box = box_about_peak(n, np.ones(n.shape, bool), (64, 24, 24))
    assert n[box].shape[0] in (25, 27)
    assert box[0].start + n[box].shape[0] // 2 == pytest.approx(26, abs=1)
