"""Projections project: they land in the set, do nothing there, and nothing in the set is nearer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.phasing.constraints import (
    Bounds,
    Data,
    InSupport,
    InTurn,
    Support,
    best_scale,
    chi2_of_magnitudes,
    together,
)
from nanotexture.phasing.farfield import forward, inverse

SHAPE = (9, 8)


def noise(seed, shape=SHAPE):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def measured_mask():
    return np.random.default_rng(5).random(SHAPE) > 0.2


def sets():
    mask = np.zeros(SHAPE, bool)
    mask[2:6, 3:7] = True
    amplitude = np.abs(forward(noise(9)))
    return {
        "data": Data.centred(amplitude, measured_mask(), dtype=np.float64),
        "support": Support(mask),
        "even modulus in support": Support(mask, ceiling=0.9),
        "modulus in support": InSupport(mask, Bounds(0.5, 1.5)),
        "modulus": Bounds(0.5, 1.5),
        "sector": Bounds(0.5, 1.5, centre=0.4, half_range=0.6),
        "wide sector": Bounds(0.2, 2.0, centre=-2.0, half_range=2.5),
    }


@pytest.mark.parametrize("name", sets())
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15)
def test_a_projection_is_idempotent_and_nothing_in_the_set_is_nearer(name, seed):
    known, x, y = sets()[name], noise(seed), noise(seed + 1)
    p = known.project(x)
    np.testing.assert_allclose(known.project(p), p, atol=1e-12)
    assert np.linalg.norm(x - p) <= np.linalg.norm(x - known.project(y)) + 1e-12


@pytest.mark.parametrize("name", sets())
def test_a_projection_leaves_its_argument_and_its_precision_alone(name):
    known, x = sets()[name], noise(3).astype(np.complex64)
    before = x.copy()
    assert known.project(x).dtype == np.complex64
    np.testing.assert_array_equal(x, before)


def test_measured_magnitudes_are_set_and_masked_voxels_stay_free():
    amplitude, known, x = np.abs(forward(noise(1))), measured_mask(), noise(2)
    projected = forward(Data.centred(amplitude, known, dtype=np.float64).project(x))
    np.testing.assert_allclose(np.abs(projected)[known], amplitude[known], atol=1e-12)
    np.testing.assert_allclose(np.angle(projected), np.angle(forward(x)), atol=1e-9)
    np.testing.assert_allclose(projected[~known], forward(x)[~known], atol=1e-12)


def test_what_stands_in_a_masked_voxel_has_no_influence():
    amplitude, known, x = np.abs(forward(noise(1))), measured_mask(), noise(2)
    spoiled = np.where(known, amplitude, np.nan)
    one, other = Data.centred(amplitude, known), Data.centred(spoiled, known)
    np.testing.assert_array_equal(one.project(x), other.project(x))
    assert one.chi2(x) == other.chi2(x)
    assert one.n_measured == np.count_nonzero(known)


def test_a_voxel_without_phase_does_not_become_nan():
    data = Data.centred(np.ones(SHAPE), np.ones(SHAPE, bool))
    assert np.isfinite(data.project(np.zeros(SHAPE, np.complex64))).all()


def test_chi2_is_its_definition_at_the_best_scale():
    rng = np.random.default_rng(0)
    m, a, w = rng.random(50), rng.random(50), rng.random(50) > 0.3
    s = best_scale(magnitude=m, amplitude=a, weight=w)
    expected = np.sum((s * m - a)[w] ** 2) / np.sum(a[w] ** 2)
    assert chi2_of_magnitudes(magnitude=m, amplitude=a, weight=w) == pytest.approx(expected)
    for other in (0.99 * s, 1.01 * s):
        assert chi2_of_magnitudes(magnitude=m, amplitude=a, weight=w, scale=other) > expected
    assert chi2_of_magnitudes(magnitude=3 * a, amplitude=a, weight=w) == pytest.approx(0, abs=1e-15)
    assert np.isnan(chi2_of_magnitudes(magnitude=m, amplitude=a, weight=np.zeros(50)))


def test_data_chi2_vanishes_at_an_object_with_these_magnitudes():
    x = noise(4)
    data = Data.centred(np.abs(forward(x)), measured_mask(), dtype=np.float64)
    assert data.chi2(2.0 * x) == pytest.approx(0, abs=1e-14)
    assert data.chi2(inverse(np.abs(forward(noise(7))))) > 1e-3


def test_constraints_join_in_turn():
    known = sets()
    support, bounds, x = known["support"], known["modulus"], noise(1)
    assert together(support, ()) is support
    joint = together(support, [bounds])
    assert isinstance(joint, InTurn)
    np.testing.assert_array_equal(joint.project(x), bounds.project(support.project(x)))


@pytest.mark.parametrize("settings_", [{"low": -1.0}, {"low": 2.0, "high": 1.0}, {"half_range": 4.0}])
def test_impossible_bounds_are_refused(settings_):
    with pytest.raises(ValueError, match="must"):
        Bounds(**settings_)
