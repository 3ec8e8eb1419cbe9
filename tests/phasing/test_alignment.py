"""Alignment undoes exactly the shift, the constant and the inversion, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.phasing.alignment import align, centred, distances, inverted, nrmse, shifted

SHIFTS = st.floats(-0.5, 0.4999)
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=25)


def motif(seed, n_x=20, components=3, harmonics=4, n_z=9):
    """Random motif (component, x, z) without a Nyquist component."""
    rng = np.random.default_rng(seed)
    shape = (components, n_x // 2 + 1, n_z)
    spectrum = np.zeros(shape, complex)
    spectrum[:, : harmonics + 1] = rng.normal(size=(components, harmonics + 1, n_z)) * n_x / 2
    spectrum[:, 1 : harmonics + 1] *= np.exp(2j * np.pi * rng.random((components, harmonics, n_z)))
    return np.fft.irfft(spectrum, n=n_x, axis=-2)


def moved(field, shift, flip, constant):
    return shifted(inverted(field) if flip else field, shift) + np.asarray(constant)[:, None, None]


@given(SEEDS, SHIFTS, st.booleans(), st.lists(st.floats(-5, 5), min_size=3, max_size=3))
@few
@pytest.mark.parametrize("n_x", [20, 21])
def test_shift_inversion_and_constant_are_undone(n_x, seed, shift, flip, constant):
    truth = motif(seed, n_x)
    got = align(moved(truth, shift, flip, constant)[None], truth, allow_inversion=True)
    np.testing.assert_allclose(got.fields[0], centred(truth), atol=1e-7)
    assert got.nrmse[0] < 1e-7
    assert got.inverted[0] == flip
    # f_inv shifted by s is brought back by s as well, f by -s
    assert (got.shift[0] - (shift if flip else -shift) + 0.5) % 1 - 0.5 == pytest.approx(0, abs=1e-6)
    assert -0.5 <= got.shift[0] < 0.5


@given(SEEDS, SHIFTS, SHIFTS)
@few
def test_shifts_and_inversion_form_the_group_of_mirror_and_translations(seed, one, two):
    f = motif(seed, 21)
    np.testing.assert_allclose(shifted(shifted(f, one), two), shifted(f, one + two), atol=1e-9)
    np.testing.assert_allclose(inverted(inverted(f)), f, atol=1e-12)
    np.testing.assert_allclose(inverted(shifted(f, one)), shifted(inverted(f), -one), atol=1e-9)


@pytest.mark.parametrize("n_x", [8, 9])
@pytest.mark.parametrize("steps", [1, 3, -2])
def test_a_shift_by_whole_steps_rolls_the_grid_even_at_nyquist(n_x, steps):
    f = np.random.default_rng(0).normal(size=(2, n_x, 4))
    np.testing.assert_allclose(shifted(f, steps / n_x), np.roll(f, steps, axis=-2), atol=1e-12)


def test_inversion_is_minus_the_field_at_the_mirrored_point():
    f = np.random.default_rng(1).normal(size=(2, 7, 5))
    got = inverted(f)
    for i in range(7):
        for j in range(5):
            np.testing.assert_array_equal(got[:, i, j], -f[:, (-i) % 7, 4 - j])


@given(SEEDS, SHIFTS)
@few
def test_without_permission_nothing_is_inverted(seed, shift):
    truth = motif(seed)
    got = align(moved(truth, shift, True, np.zeros(3))[None], truth, allow_inversion=False)
    assert not got.inverted.any()
    assert got.nrmse[0] > 0.1


@given(SEEDS, SHIFTS, st.booleans())
@few
def test_the_misfit_of_two_motifs_does_not_depend_on_where_they_stand(seed, shift, flip):
    f, truth = motif(seed), motif(seed + 1)
    one = align(f[None], truth, allow_inversion=True)
    other = align(moved(f, shift, flip, np.ones(3))[None], truth, allow_inversion=True)
    np.testing.assert_allclose(other.nrmse, one.nrmse, rtol=1e-6)


def test_no_shift_on_a_fine_grid_does_better():
    f, truth = motif(3), motif(4)
    best = align(f[None], truth, allow_inversion=True).nrmse[0]
    scale = truth.std(axis=(1, 2))[:, None, None]
    for candidate in (f, inverted(f)):
        for s in np.linspace(0, 1, 201):
            residual = (shifted(centred(candidate), s) - centred(truth)) / scale
            assert best <= np.sqrt(np.sum(residual**2) / truth.size) + 1e-9


def test_nrmse_of_the_alignment_is_the_root_mean_square_of_the_components():
    truth = motif(5)
    close = truth + 0.01 * motif(6)
    got = align(close[None], truth, allow_inversion=False)
    parts = [nrmse(got.fields[0, c], centred(truth)[c]) for c in range(3)]
    assert got.nrmse[0] == pytest.approx(np.sqrt(np.mean(np.square(parts))))


def test_a_fixed_constant_counts_and_is_kept():
    truth = motif(7)
    free = np.array([True, False, True])
    got = align((truth + 10.0)[None], truth, allow_inversion=False, constant=free)
    np.testing.assert_allclose(got.fields[0].mean(axis=(1, 2)), [0, truth[1].mean() + 10, 0], atol=1e-9)
    assert got.nrmse[0] > 1


def test_components_that_are_nan_are_ignored_and_stay_nan():
    truth = motif(8)
    f = moved(truth, 0.2, True, np.zeros(3))
    f[1] = np.nan
    got = align(f[None], truth, allow_inversion=True)
    assert got.nrmse[0] < 1e-7
    assert np.isnan(got.fields[0, 1]).all()
    np.testing.assert_allclose(got.fields[0, [0, 2]], centred(truth)[[0, 2]], atol=1e-7)
    onto = truth.copy()
    onto[0] = np.nan
    assert align(f[None], onto, allow_inversion=True).nrmse[0] < 1e-7
    assert np.isnan(align(np.full((1, 3, 20, 9), np.nan), truth, allow_inversion=True).nrmse[0])


def test_many_fields_at_once_are_each_aligned_as_if_alone():
    truth, many = motif(9), np.stack([motif(k) for k in range(10, 16)])
    together = align(many, truth, allow_inversion=True)
    for k, field in enumerate(many):
        alone = align(field[None], truth, allow_inversion=True)
        np.testing.assert_allclose(together.fields[k], alone.fields[0], atol=1e-9)
        assert together.nrmse[k] == pytest.approx(alone.nrmse[0])


def test_distances_are_symmetric_zero_for_equals_and_agree_with_align():
    base = motif(20)
    fields = np.stack([base, moved(base, 0.3, True, np.ones(3)), motif(21), 1.02 * base])
    scale = base.std(axis=(1, 2))
    d = distances(fields, allow_inversion=True, scale=scale)
    np.testing.assert_array_equal(d, d.T)
    assert not np.diag(d).any()
    assert d[0, 1] < 1e-6
    assert d[0, 3] == pytest.approx(0.02 / np.sqrt((1 + 1.02**2) / 2), rel=1e-5)
    assert d[0, 2] > 0.5
    one = align(fields[2:3], base, allow_inversion=True, scale=scale).nrmse[0]
    size = [np.sum((centred(f) / scale[:, None, None]) ** 2) for f in (base, fields[2])]
    assert d[0, 2] == pytest.approx(one * np.sqrt(size[0] / np.mean(size)))


def test_nrmse_is_its_definition_and_ignores_nan():
    truth, result = np.array([1.0, 2.0, 3.0, np.nan]), np.array([1.0, 2.0, 4.0, 9.0])
    assert nrmse(result, truth) == pytest.approx(np.sqrt(1 / 3) / np.std([1, 2, 3]))
    assert nrmse(truth, truth) == 0
    assert nrmse(np.zeros(3), np.ones(3)) == np.inf
    assert np.isnan(nrmse(np.full(3, np.nan), np.ones(3)))


def plane_motif(seed, points=(12, 15), components=3, n_z=5):
    """Random motif (component, x, y, z) of a few waves."""
    rng = np.random.default_rng(seed)
    x, y = (2 * np.pi * np.arange(n) / n for n in points)
    found = np.zeros((components, *points, n_z))
    for k, n in ((0, 0), (1, 0), (0, 1), (1, 1), (2, -1), (1, -3)):
        phase = rng.uniform(0, 2 * np.pi, (components, 1, 1, n_z))
        wave = (k * x[:, None] + n * y[None, :])[None, ..., None] + phase
        found += rng.normal(size=(components, 1, 1, n_z)) * np.cos(wave)
    return found


@given(SEEDS, SHIFTS, SHIFTS, st.booleans())
@few
def test_shifts_along_both_directions_are_undone(seed, one, two, flip):
    truth = plane_motif(seed)
    turned = inverted(truth, directions=2) if flip else truth
    there = shifted(shifted(turned, two).swapaxes(1, 2), one).swapaxes(1, 2) + 0.7
    got = align(there[None], truth, allow_inversion=True)
    assert got.nrmse[0] < 1e-6
    assert got.inverted[0] == flip
    np.testing.assert_allclose(got.fields[0], centred(truth, directions=2), atol=1e-5)
    assert got.shift.shape == (1, 2)


def test_distances_of_motifs_of_the_plane_agree_with_align():
    fields = np.stack([plane_motif(seed) for seed in range(3)])
    found = distances(fields, allow_inversion=False, scale=np.ones(3))
    moved_again = np.stack([shifted(one, 0.3) for one in fields])
    np.testing.assert_allclose(
        distances(moved_again, allow_inversion=False, scale=np.ones(3)), found, atol=1e-6
    )
    back = align(fields[1:2], fields[0], allow_inversion=False, scale=np.ones(3))
    one, other = ((centred(f, directions=2) ** 2).sum() for f in fields[:2])
    off = ((back.fields[0] - centred(fields[0], directions=2)) ** 2).sum()
    assert found[0, 1] == pytest.approx(np.sqrt(off / (0.5 * (one + other))), rel=1e-6)
