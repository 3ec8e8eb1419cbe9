"""What a pattern tells before it is phased, and small crystals recovered from random phases, gap or not."""

from dataclasses import replace

import numpy as np
import pytest
from nanotexture.phasing.crystal import CrystalSettings, hopped, solve_crystal
from nanotexture.phasing.crystal_alignment import moved, overlap
from nanotexture.phasing.crystal_pattern import (
    BLOCK,
    first_box,
    halved_autocorrelation,
    hold_out_blocks,
    pattern_of,
    sampling_ratios,
)
from nanotexture.phasing.farfield import from_corner
from nanotexture.phasing.outcome import Outcome
from nanotexture.simulate.crystal import (
    Counting,
    FacetedCrystal,
    counted,
    density_of_crystal,
    expected_counts,
    pattern_of_density,
)
from scipy.ndimage import binary_dilation

SMALL = CrystalSettings(iterations=60, refine=80, hops=0)


def expected_of(psi, counting=None):
    return expected_counts(pattern_of_density(psi), counting or Counting())


def measurement(counting, **crystal):
    psi = density_of_crystal(FacetedCrystal(**{"shape": (32, 32, 32), "size": 11, "seed": 6} | crystal))
    return psi, counted(expected_of(psi, counting), seed=0)


def pattern(counts, measured=None):
    known = np.ones(counts.shape, bool) if measured is None else measured
    return pattern_of(
        counts=counts, measured=known, held=hold_out_blocks(counts=counts, measured=known, seed=0)
    )


def similarity(run, psi):
    return overlap(run.object.conj(), psi).similarity


def test_whole_blocks_of_measured_voxels_are_held_out_but_never_the_brightest():
    _, counts = measurement(Counting())
    measured = np.random.default_rng(0).random(counts.shape) > 0.001
    held = hold_out_blocks(counts=counts, measured=measured, seed=3)
    assert held.mean() == pytest.approx(0.03, abs=0.003)
    assert measured[held].all()
    tiles = held[:30, :30, :30].reshape(10, BLOCK, 10, BLOCK, 10, BLOCK).sum(axis=(1, 3, 5))
    assert set(np.unique(tiles)) == {0, BLOCK**3}
    assert not held[np.unravel_index(counts.argmax(), counts.shape)]
    assert not np.array_equal(held, hold_out_blocks(counts=counts, measured=measured, seed=4))


@pytest.mark.parametrize("size", [9, 11, 13])
def test_the_sampling_ratio_is_voxels_over_the_extent_of_the_crystal(size):
    psi, counts = measurement(Counting(peak_counts=1e8), size=size, phase_range=0.3)
    extents = [np.ptp(np.nonzero(np.abs(psi) > 0.1)[axis]) + 1 for axis in range(3)]
    found = sampling_ratios(counts=counts, measured=np.ones(counts.shape, bool))
    np.testing.assert_allclose(found, 32 / np.array(extents), rtol=0.3)


def test_a_crystal_that_fills_more_than_half_the_array_is_sampled_below_two():
    _, counts = measurement(Counting(peak_counts=1e8), size=24, phase_range=0.3)
    assert min(sampling_ratios(counts=counts, measured=np.ones(counts.shape, bool))) < 2


def test_the_first_support_holds_the_crystal_and_leaves_room():
    psi, counts = measurement(Counting(peak_counts=1e6), phase_range=3.0)
    box = first_box(counts=counts, measured=np.ones(counts.shape, bool))
    assert box[np.abs(psi) > 0.5].all()
    assert box.mean() < 0.75**3 + 0.05


@pytest.mark.parametrize("solver", ["hio", "raar", "dm"])
def test_a_small_crystal_is_recovered_from_random_phases(solver):
    psi, counts = measurement(Counting(peak_counts=1e6), phase_range=2.0)
    chosen = CrystalSettings(solver=solver, cycles=3, iterations=60, refine=120, coherence=False, hops=0)
    runs = [solve_crystal(pattern(counts), settings=chosen, seed=0, start=start) for start in (0, 1)]
    best = min(runs, key=lambda run: run.free_chi2)
    assert similarity(best, psi) > 0.99
    assert best.deviance < 2.0
    assert best.outcome in (Outcome.CONVERGED, Outcome.OUT_OF_STEPS)


def behind_a_gap(counting):
    psi, counts = measurement(counting, phase_range=2.0)
    measured = np.ones(counts.shape, bool)
    measured[:, 20:22] = False
    return psi, pattern(np.where(measured, counts, 0.0), measured)


def test_a_gap_and_a_partly_coherent_beam_are_no_obstacle():
    counting = Counting(peak_counts=2e6, background=0.5, coherence=(0.35, 0.45, 0.3))
    psi, seen = behind_a_gap(counting)
    best = min(
        (solve_crystal(seen, settings=SMALL, seed=0, start=start) for start in (0, 1)),
        key=lambda run: run.deviance,
    )
    assert best.deviance < 1.1
    assert similarity(best, psi) > 0.99
    np.testing.assert_allclose(best.widths, counting.coherence, atol=0.05)


def test_hops_lead_out_of_stagnation():
    counting = Counting(peak_counts=2e6, background=0.5, coherence=(0.35, 0.45, 0.3))
    psi, seen = behind_a_gap(counting)
    stubborn = replace(SMALL, cycles=3, even=0)  # what knows of no even modulus stagnates
    runs = [solve_crystal(seen, settings=stubborn, seed=0, start=start) for start in range(3)]
    ends = [hopped(seen, run, settings=replace(SMALL, hops=3)) for run in runs]
    assert min(run.deviance for run in runs) > 3  # all of them stagnate
    for run, end in zip(runs, ends, strict=True):
        assert end.deviance < run.deviance
        assert end.iterations > run.iterations
        assert similarity(end, psi) > similarity(run, psi)
    best = min(ends, key=lambda end: end.deviance)
    assert best.deviance < 1.1
    assert best.free_chi2 < min(run.free_chi2 for run in runs)
    assert similarity(best, psi) > 0.99
    np.testing.assert_allclose(best.widths, counting.coherence, atol=0.05)


def test_a_hop_that_fits_no_better_is_taken_back():
    _, counts = measurement(Counting(peak_counts=1e4))
    run = solve_crystal(pattern(counts), settings=SMALL, seed=0, start=0)
    perfect = replace(run, deviance=1.2, iterations=7)
    out = hopped(pattern(counts), perfect, settings=replace(SMALL, hops=1, refine=20))
    assert out.object is perfect.object or out.deviance < 1.2
    assert hopped(pattern(counts), replace(run, deviance=1.0), settings=SMALL).object is run.object


def test_starts_are_fixed_by_seed_and_number():
    _, counts = measurement(Counting(peak_counts=1e5))
    quick = CrystalSettings(cycles=1, iterations=10, refine=20, hops=0)
    one, again, other = (
        solve_crystal(pattern(counts), settings=quick, seed=0, start=start) for start in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.object, again.object)
    assert not np.array_equal(one.object, other.object)


def test_the_object_gives_the_expected_counts():
    _, counts = measurement(Counting(peak_counts=1e5))
    quick = CrystalSettings(cycles=1, iterations=20, refine=20, coherence=False, hops=0)
    run = solve_crystal(pattern(counts), settings=quick, seed=0, start=0)
    np.testing.assert_allclose(
        np.abs(from_corner(run.object)) ** 2 + run.background, run.expected, rtol=1e-3, atol=1e-2
    )
    assert not run.object[~run.support].any()


def test_the_twin_of_an_answer_is_as_good_an_answer():
    psi, _ = measurement(Counting(peak_counts=1e6))
    by = overlap(psi, psi)
    turned = moved(psi, type(by)(1.0, True, np.array([1.0, 0.0, -2.0]), 0.4))
    np.testing.assert_allclose(pattern_of_density(turned), pattern_of_density(psi), rtol=1e-3, atol=1e-3)


def test_fewer_voxels_than_unknowns_determine_nothing():
    _, counts = measurement(Counting())
    measured = np.zeros(counts.shape, bool)
    measured[12:20, 12:20, 12:20] = True
    run = solve_crystal(pattern(counts, measured), settings=SMALL, seed=0, start=0)
    assert run.outcome is Outcome.NOT_DETERMINED
    assert np.isnan(run.chi2)


def test_the_first_support_is_the_crystal_of_an_ellipsoid():
    """Lags of a convex body with a centre end at twice its rim, in every direction."""
    axes = np.meshgrid(*(np.arange(48) - 24,) * 3, indexing="ij")
    shape = sum((x / a) ** 2 for x, a in zip(axes, (9.0, 7.0, 6.0), strict=True)) <= 1.0
    counts = np.rint(expected_of(shape.astype(complex)))
    first = halved_autocorrelation(counts=counts, measured=np.ones(counts.shape, bool))
    rim = binary_dilation(shape, iterations=2)
    assert first[shape].all()
    assert rim[first].all()


def test_two_crystals_apart_are_both_in_the_first_support():
    """Half of the lag between them leads from the middle to either."""
    psi = np.zeros((48, 32, 32), dtype=complex)
    psi[12:19, 12:20, 12:20] = psi[29:36, 12:20, 12:20] = 1.0
    counts = np.rint(expected_of(psi))
    first = halved_autocorrelation(counts=counts, measured=np.ones(counts.shape, bool))
    assert np.mean(first[np.abs(psi) > 0.5]) > 0.9


def test_an_even_modulus_leads_random_starts_to_a_strained_crystal():
    """The same starts, iterations and gradients: half of the cycles know that the modulus is even."""
    psi, counts = measurement(Counting(peak_counts=1e6), phase_range=15.0)
    few = replace(SMALL, iterations=25, coherence=False)
    alike = {}
    for free, even in ((4, 0), (2, 2)):
        runs = [
            solve_crystal(pattern(counts), settings=replace(few, cycles=free, even=even), seed=0, start=start)
            for start in range(6)
        ]
        alike[even] = sum(similarity(run, psi) > 0.9 for run in runs)
    assert alike[2] >= alike[0] + 2


def grains():
    """Two of unequal size, apart."""
    psi = np.zeros((48, 48, 48), dtype=complex)
    psi[10:20, 16:26, 18:28] = psi[28:36, 20:32, 18:26] = 1.0
    return psi


def corner():
    """An L, of which the halved autocorrelation covers three quarters."""
    psi = np.zeros((48, 48, 48), dtype=complex)
    psi[14:32, 14:21, 18:28] = psi[14:21, 14:34, 18:28] = 1.0
    return psi


@pytest.mark.parametrize("made", [grains, corner])
@pytest.mark.parametrize("coherence", [False, True])
def test_shapes_that_are_not_convex_are_found_though_the_first_support_lacks_a_part_of_them(made, coherence):
    psi = made()
    assert not pattern(np.rint(expected_of(psi))).halved[psi != 0].all()
    x, y, z = np.indices(psi.shape) / 7.0
    psi = psi * np.exp(1j * (1.5 * np.sin(x) + 1.2 * np.cos(y + 0.5) + np.sin(z)))
    seen = pattern(counted(expected_of(psi), seed=0))
    run = solve_crystal(seen, settings=CrystalSettings(coherence=coherence), seed=0, start=0)
    assert similarity(run, psi) > 0.99
    assert run.deviance < 1.0


def test_a_modulus_that_is_not_even_is_found_as_it_is():
    """Cycles begin from an even one and bound it; the gradients do neither, and data win."""
    even, _ = measurement(Counting(peak_counts=1e6), phase_range=6.0)
    x = np.nonzero(even)[0]
    psi = even * (0.3 + 0.7 * (np.indices(even.shape)[0] - x.min()) / np.ptp(x))
    seen = pattern(counted(expected_of(psi), seed=0))
    run = solve_crystal(seen, settings=CrystalSettings(coherence=False), seed=0, start=0)
    assert similarity(run, psi) > 0.99
    assert similarity(run, even) < 0.985


def test_more_random_starts_find_a_strained_crystal_from_the_halved_autocorrelation():
    """The same starts and iterations: the first support is all that differs."""
    psi, counts = measurement(Counting(peak_counts=1e6), phase_range=9.0)
    few = replace(SMALL, even=0, iterations=40, coherence=False)
    alike = {}
    for first in ("box", "halved"):
        runs = [
            solve_crystal(pattern(counts), settings=replace(few, first=first), seed=0, start=start)
            for start in range(6)
        ]
        alike[first] = sum(similarity(run, psi) > 0.9 for run in runs)
    assert alike["halved"] > alike["box"]
