"""Blocks of fields: coefficients there and back, widths of priors, the direction of translation, random starts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.phasing.modes import Modes, legendre_profiles, repeat_profiles
from nanotexture.phasing.unknowns import (
    Block,
    Unknowns,
    correction_width,
    polar_width,
    random_starts,
    strain_width,
)

Z = np.arange(12) * 4.0
DISPLACED = Modes(3, legendre_profiles(z=Z, number=4, thickness=48.0), 120.0)
POLAR = Modes(2, repeat_profiles(z=Z, number=3, repeat=48.0), 120.0, constant=True)
BOTH = Unknowns(
    (
        Block(DISPLACED, 2, strain_width(DISPLACED, 2, 0.03), 0.4),
        Block(POLAR, 1, polar_width(POLAR, 1, 0.4), 0.3),
    ),
    20,
)


def drawn(batch=3, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(batch, BOTH.size)))


def test_fields_are_the_sum_of_each_blocks_own_modes():
    c = drawn()
    fields = BOTH.fields(c)
    assert fields.shape == (3, BOTH.number, 20, 12)
    many = len(DISPLACED.index)
    for f, modes, first in ((0, DISPLACED, 0), (1, DISPLACED, many), (2, POLAR, 2 * many)):
        own = c[:, first : first + len(modes.index)]
        expected = np.einsum("bm,mxz->bxz", own, modes.basis(20))
        np.testing.assert_allclose(fields[:, f], expected, atol=1e-12)


def test_projecting_fields_made_of_modes_gives_their_coefficients():
    np.testing.assert_allclose(BOTH.project(BOTH.fields(drawn())), drawn(), atol=1e-10)


@pytest.mark.parametrize(("harmonics", "profiles"), [(1, 1), (2, 2), (3, 4)])
def test_fewer_unknowns_make_the_same_fields_where_the_others_are_zero(harmonics, profiles):
    few, where = BOTH.coarser(harmonics, profiles)
    c = torch.zeros(3, BOTH.size, dtype=torch.float64)
    c[:, where] = drawn()[:, : few.size]
    np.testing.assert_allclose(few.fields(c[:, where]), BOTH.fields(c), atol=1e-12)
    np.testing.assert_array_equal(few.prior_precision(), BOTH.prior_precision()[where])


def test_the_direction_of_translation_is_the_change_of_a_motif_that_is_moved():
    c, step = drawn(), 1e-5
    points = 400
    fine = Unknowns(BOTH.blocks, points)
    fields = fine.fields(c)
    ahead, behind = (
        fine.project(torch.fft.ifft(torch.fft.fft(fields, dim=2) * wave, dim=2).real)
        for wave in (
            torch.exp(s * 2j * np.pi * torch.fft.fftfreq(points))[:, None].to(torch.complex128)
            for s in (step, -step)
        )
    )
    moved = (ahead - behind) / (ahead - behind).norm(dim=1, keepdim=True)
    np.testing.assert_allclose(BOTH.shift_direction(c), moved, atol=1e-6)


def test_a_flat_film_has_no_direction_of_translation():
    assert not BOTH.shift_direction(torch.zeros(1, BOTH.size, dtype=torch.float64)).any()


def test_the_width_of_a_strain_is_the_asked_one_for_slow_modes_and_half_at_two_harmonics():
    """Times 1 / sqrt(2) for a harmonic that is constant in z; a square wave of strain would fall as 1 / k."""
    width, slope = strain_width(DISPLACED, 1, 0.03)[0].numpy(), DISPLACED.gradient(64).numpy()
    rms = width * np.sqrt((slope**2).sum(0).mean((1, 2)))
    k, flat = DISPLACED.index[:, 0], DISPLACED.index[:, 2] == 0
    np.testing.assert_allclose(rms[flat], 0.03 / np.sqrt(2) / (1 + (k[flat] / 2) ** 2), rtol=1e-9)
    assert (rms < 2.5 * 0.03).all()


def test_the_width_of_a_polarization_is_half_at_two_harmonics_and_falls_by_the_square():
    width, wave = polar_width(POLAR, 2, 0.4), POLAR.wave() * 120.0 / (2 * np.pi)
    assert width.shape == (2, len(POLAR.index))
    np.testing.assert_allclose(width[:, wave == 0], 0.4)
    np.testing.assert_allclose(width[1], 0.4 / (1 + (wave / 2) ** 2))


def test_a_correction_frees_the_coarse_spacing_of_the_planes_alone():
    """Of uz, k = 0, as a strain: half of it at the second wave of the repeat, falling by the square beyond."""
    modes = Modes(2, repeat_profiles(z=Z, number=7, repeat=48.0), 120.0)
    width = correction_width(modes, 0.002, 0.005)
    spacing = modes.index[:, 0] == 0
    order = modes.wave()[spacing] * 48.0 / (2 * np.pi)
    np.testing.assert_allclose(order, [1, 1, 2, 2, 3, 3])
    strain = width[1, spacing] * modes.wave()[spacing]
    np.testing.assert_allclose(strain, 0.005 / (1 + (order / 2) ** 2))
    assert (width[0] <= 0.002).all()
    assert (width[1, ~spacing] <= 0.002).all()
    np.testing.assert_allclose(width[0], polar_width(modes, 1, 0.002)[0])


def test_moving_a_leaning_motif_along_x_is_the_direction_of_translation_too():
    """It does not depend on the lean: cos and sin of each harmonic change alike at all heights."""
    tilted = replace(BOTH, blocks=tuple(replace(b, modes=replace(b.modes, lean=0.013)) for b in BOTH.blocks))
    c = drawn()
    direction, step = tilted.shift_direction(c), 1
    fine = replace(tilted, points=4000)
    fields = fine.fields(c)
    moved = fine.project(torch.roll(fields, step, dims=2)) - fine.project(torch.roll(fields, -step, dims=2))
    cosine = (moved * direction).sum(1).abs() / moved.norm(dim=1)
    np.testing.assert_allclose(cosine, 1.0, atol=1e-5)


def test_random_starts_have_the_asked_size_and_depend_on_their_own_seed_only():
    starts = random_starts(BOTH, [(7, i) for i in range(40)])
    alone = random_starts(BOTH, [(7, 23)])
    np.testing.assert_array_equal(starts[23], alone[0])
    fields = BOTH.fields(starts)
    size = (fields**2).mean((2, 3)).numpy()
    assert np.sqrt(size[:, :2].sum(1)) == pytest.approx(0.4, rel=0.4)
    assert np.sqrt(size[:, 2]) == pytest.approx(0.3, rel=0.4)
    assert not np.allclose(starts[0], starts[1])
