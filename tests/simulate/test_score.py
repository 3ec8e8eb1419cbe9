"""Scores: zero for the truth and what cannot be told from it, the size of the noise otherwise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.phasing.alignment import inverted, shifted
from nanotexture.simulate.score import on_grid, score_fields


def smooth(seed=0, nx=32, nz=40):
    rng = np.random.default_rng(seed)
    x, z = np.arange(nx)[:, None] / nx, np.arange(nz)[None] / nz
    parts = [
        [
            rng.normal() / k * np.cos(2 * np.pi * (k * x + rng.random()) + rng.normal() * 3 * z)
            for k in (1, 2, 3)
        ]
        for _ in range(2)
    ]
    fields = np.array([sum(p) for p in parts])
    return fields - fields.mean(axis=(1, 2), keepdims=True)


TRUTH = smooth()
TIGHT = np.full(TRUTH.shape, 1e-6)


def score(result, std=None, truth=TRUTH, resolved=True):
    return score_fields(
        result=result,
        std=np.ones(result.shape) if std is None else std,
        truth=truth,
        inversion_resolved=resolved,
    )


@given(st.floats(-0.5, 0.5), st.floats(-3, 3), st.booleans())
@settings(max_examples=25)
def test_the_truth_shifted_and_with_a_constant_is_the_truth(shift, constant, resolved):
    found = score(shifted(TRUTH, shift) + constant, TIGHT + 1e-3, resolved=resolved)
    np.testing.assert_allclose(found.nrmse, 0.0, atol=1e-5)
    np.testing.assert_allclose(found.correlation, 1.0, atol=1e-8)
    np.testing.assert_allclose(found.coverage, 1.0)


def test_the_inverse_counts_as_the_truth_only_where_it_is_left_open():
    turned = inverted(TRUTH)
    np.testing.assert_allclose(score(turned, resolved=False).nrmse, 0.0, atol=1e-6)
    assert (score(turned, resolved=True).nrmse > 0.3).any()


@pytest.mark.parametrize("size", [0.05, 0.2])
def test_noise_of_known_size_scores_its_size(size):
    noise = np.random.default_rng(1).normal(size=TRUTH.shape) * size * TRUTH.std(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(score(TRUTH + noise).nrmse, size, rtol=0.05)


def test_calibrated_noise_covers_two_thirds():
    std = 0.1 * (1 + np.random.default_rng(2).random(TRUTH.shape))
    noise = np.random.default_rng(3).normal(size=TRUTH.shape) * std
    np.testing.assert_allclose(score(TRUTH + noise, std).coverage, 0.683, atol=0.04)
    assert (score(TRUTH + noise, 0.3 * std).coverage < 0.4).all()
    assert (score(TRUTH + noise, 3 * std).coverage > 0.95).all()


def test_zero_is_worth_nothing():
    found = score(np.zeros(TRUTH.shape))
    np.testing.assert_allclose(found.nrmse, 1.0, rtol=1e-9)


def test_a_component_not_determined_is_not_scored():
    result = TRUTH.copy()
    result[0] = np.nan
    found = score(result)
    assert np.isnan(found.nrmse[0])
    assert np.isnan(found.coverage[0])
    assert found.nrmse[1] == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(score(np.full(TRUTH.shape, np.nan)).nrmse).all()


def test_displacement_and_polarization_share_one_shift_and_one_inversion():
    """Shifted by a fraction, inverted, with a constant added to the displacement alone: nothing of it is an error."""
    both = np.concatenate([TRUTH, 0.5 * smooth(seed=4)])
    free, kind = np.array([True, True, False, False]), np.array([0, 0, 1, 1])
    told = {"std": np.full(both.shape, 1e-3), "truth": both, "constant": free, "kind": kind}
    moved = inverted(shifted(both, 0.3)) + np.array([2.0, -1.0, 0.0, 0.0])[:, None, None]
    open_ = score_fields(result=moved, inversion_resolved=False, **told)
    np.testing.assert_allclose(open_.nrmse, 0.0, atol=1e-6)
    np.testing.assert_allclose(open_.coverage, 1.0)
    assert (score_fields(result=moved, inversion_resolved=True, **told).nrmse > 0.3).all()
    apart = np.concatenate([shifted(both[:2], 0.25), both[2:]])
    assert score_fields(result=apart, inversion_resolved=True, **told).nrmse.max() > 0.3
    offset = np.array([0.0, 0.0, 0.0, 0.3])[:, None, None]
    poled = score_fields(result=both + offset, inversion_resolved=True, **(told | {"truth": both + offset}))
    np.testing.assert_allclose(poled.nrmse, 0.0, atol=1e-6)
    charged = both + np.array([0.0, 0.0, 0.2, 0.0])[:, None, None]
    assert score_fields(result=charged, inversion_resolved=True, **told).nrmse[2] > 0.2


def test_the_truth_comes_back_lying_on_the_result():
    moved = shifted(TRUTH, 0.2)
    np.testing.assert_allclose(score(moved).truth, moved, atol=1e-6)


def test_a_component_that_the_texture_lacks_counts_against_the_size_of_its_kind():
    truth = TRUTH * np.array([0.0, 1.0])[:, None, None]
    result = truth + np.random.default_rng(5).normal(size=truth.shape) * 0.1 * truth.std()
    found = score(result, truth=truth)
    np.testing.assert_allclose(found.nrmse[0], 0.1, rtol=0.05)
    assert np.isnan(found.correlation[0])


def test_without_errors_there_is_no_coverage():
    assert np.isnan(score(TRUTH, np.full(TRUTH.shape, np.nan)).coverage).all()


def test_the_truth_comes_onto_another_grid_periodic_in_x_and_linear_in_z():
    x, z = np.arange(64) / 64, np.arange(30) * 4.0
    field = np.sin(2 * np.pi * x)[None, :, None] * (1 + z / 50)[None, None]
    new_x, new_z = np.array([0.0, 0.123, 0.995]), np.array([0.0, 3.0, 57.7])
    found = on_grid(truth=field, plane=[x], z=z, new_plane=[new_x], new_z=new_z)
    np.testing.assert_allclose(found[0], np.sin(2 * np.pi * new_x)[:, None] * (1 + new_z / 50), atol=4e-3)
    same = on_grid(truth=field, plane=[x], z=z, new_plane=[x], new_z=z)
    np.testing.assert_allclose(same, field, atol=1e-12)
