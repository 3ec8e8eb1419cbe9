"""Simulated crystals are what their numbers say, and their patterns obey Parseval and Poisson."""

import numpy as np
import pytest
from nanotexture.simulate.crystal import (
    Counting,
    FacetedCrystal,
    counted,
    density_of_crystal,
    expected_counts,
    pattern_of_density,
)

CRYSTAL = FacetedCrystal(shape=(30, 32, 28), size=12, phase_range=2.0, seed=3)


def test_a_crystal_has_its_size_and_facets():
    for seed in range(4):
        share = np.abs(density_of_crystal(FacetedCrystal(shape=(40, 40, 40), size=16, seed=seed)))
        extents = [np.ptp(np.nonzero(share > 0.5)[axis]) + 1 for axis in range(3)]
        assert all(11 < extent < 20 for extent in extents)
        assert share.max() == pytest.approx(1.0)
        volume = share.sum() / (np.pi / 6 * 16**3)
        assert 0.6 < volume < 1.3


@pytest.mark.parametrize("wanted", [0.5 * np.pi, 2 * np.pi])
def test_the_phase_has_the_range_asked_for(wanted):
    psi = density_of_crystal(FacetedCrystal(shape=(32, 32, 32), size=12, phase_range=wanted, seed=1))
    steps = [np.angle(psi.take(range(1, 32), a) * psi.take(range(31), a).conj()) for a in range(3)]
    solid = np.abs(psi) > 0.5
    pairs = [solid.take(range(1, 32), a) & solid.take(range(31), a) for a in range(3)]
    longest = max(np.abs(s[p]).max() for s, p in zip(steps, pairs, strict=True))
    assert longest < wanted  # smooth: no voxel takes the whole range
    if wanted < np.pi:
        inside = np.angle(psi[solid])
        assert np.ptp(inside) == pytest.approx(wanted, rel=0.01)


def test_round_a_screw_dislocation_the_phase_rises_by_one_turn():
    calm = FacetedCrystal(shape=(32, 32, 32), size=14, phase_range=1e-6, defect="screw", seed=2)
    psi = density_of_crystal(calm)
    turns = []
    for axis in range(3):  # loops round the middle in the plane across each axis
        plane = psi.take(16, axis)
        loop = [plane[i, 13] for i in range(13, 19)] + [plane[19, j] for j in range(13, 19)]
        loop += [plane[i, 19] for i in range(19, 13, -1)] + [plane[13, j] for j in range(19, 13, -1)]
        values = np.array(loop)
        turns.append(np.angle(np.roll(values, -1) * values.conj()).sum() / (2 * np.pi))
    assert max(abs(round(t)) for t in turns) == 1
    np.testing.assert_allclose(turns, np.rint(turns), atol=1e-4)


def test_the_pattern_is_the_sum_over_the_crystal_with_plus_i_q_r():
    psi = density_of_crystal(CRYSTAL)
    found = pattern_of_density(psi)
    k = np.array([3, -4, 2])
    r = np.meshgrid(*(np.arange(n) - n // 2 for n in psi.shape), indexing="ij")
    phase = sum(2 * np.pi * ki * x / n for ki, x, n in zip(k, r, psi.shape, strict=True))
    direct = np.abs(np.sum(psi * np.exp(1j * phase))) ** 2 / psi.size
    assert found[tuple(k + np.array(psi.shape) // 2)] == pytest.approx(direct, rel=1e-4)
    assert found.sum() == pytest.approx(np.sum(np.abs(psi) ** 2), rel=1e-5)


def test_blur_and_background_keep_peak_and_sum():
    intensity = pattern_of_density(density_of_crystal(CRYSTAL))
    sharp = expected_counts(intensity, Counting(peak_counts=1e5))
    blurry = expected_counts(intensity, Counting(peak_counts=1e5, background=2.0, coherence=(0.6, 0.6, 0.6)))
    assert sharp.max() == pytest.approx(1e5)
    assert blurry.max() == pytest.approx(1e5 + 2)
    assert blurry.min() >= 2.0
    assert np.median(blurry - 2.0) > np.median(sharp)  # minima are filled


def test_counts_are_poisson_and_fixed_by_their_seed():
    expected = np.full((40, 40, 40), 7.0)
    counts = counted(expected, seed=1)
    assert counts.mean() == pytest.approx(7.0, abs=0.05)
    assert counts.var() == pytest.approx(7.0, abs=0.2)
    np.testing.assert_array_equal(counts, counted(expected, seed=1))
