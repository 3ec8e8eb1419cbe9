"""Starts that found one crystal, or its twin, are one cluster; clusters are ranked by the voxels kept from the inversion."""

import numpy as np
from nanotexture.phasing.crystal_alignment import Overlap, moved
from nanotexture.phasing.crystal_consensus import crystal_consensus, phase_spread, transfer_of_phases

from .test_crystal_alignment import SHAPES, smooth


def starts(noise=0.01):
    """Five starts: a crystal, itself shifted, its twin, another crystal twice."""
    rng = np.random.default_rng(0)
    one, other = smooth(SHAPES[0]), smooth(SHAPES[0], seed=5)
    turned = moved(one, Overlap(1.0, True, np.array([1.0, 0.5, -1.0]), 1.0))
    shifted = moved(one, Overlap(1.0, False, np.array([0.4, -1.0, 2.0]), -2.0))
    every = np.array([one, shifted, turned, other, other])
    rough = rng.normal(size=every.shape) + 1j * rng.normal(size=every.shape)
    return every + noise * np.abs(one).max() * rough


def test_equal_crystals_are_one_cluster_whatever_shift_phase_or_twin():
    found = crystal_consensus(
        starts(), cost=np.array([1.0, 2, 3, 4, 5]), free_cost=np.array([1.0, 2, 3, 4, 5])
    )
    assert found.labels.tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_allclose(found.weight, [0.6, 0.4])
    assert found.twinned[:3].tolist() == [False, False, True]
    first = found.members(0)
    assert np.abs(first - first[0]).max() < 0.1 * np.abs(first).max()


def test_the_lowest_free_chi2_is_best_even_with_a_higher_chi2():
    found = crystal_consensus(
        starts(), cost=np.array([5.0, 4, 3, 1, 2]), free_cost=np.array([1.0, 2, 3, 9, 9])
    )
    assert found.labels.tolist() == [0, 0, 0, 1, 1]
    assert found.representative.tolist() == [2, 3]


def test_a_failed_start_belongs_to_no_cluster():
    cost = np.array([1.0, np.nan, 3, 4, 5])
    found = crystal_consensus(starts(), cost=cost, free_cost=cost)
    assert found.labels[1] == -1
    np.testing.assert_allclose(found.weight.sum(), 1.0)


def test_the_spread_is_the_standard_deviation_of_small_phases():
    rng = np.random.default_rng(1)
    phases = rng.normal(3.1, 0.2, size=(4000, 2))
    np.testing.assert_allclose(phase_spread(np.exp(1j * phases)), 0.2, rtol=0.05)
    assert np.isnan(phase_spread(np.ones((1, 2), complex))).all()


def test_the_transfer_of_phases_is_one_where_all_agree_and_small_where_none_do():
    rng = np.random.default_rng(1)
    spectra = np.ones((400, 2), complex)
    spectra[:, 1] = 3 * np.exp(2j * np.pi * rng.random(400))
    found = transfer_of_phases(spectra)
    assert found[0] == 1.0
    assert found[1] < 0.15
