"""Prior widths by the evidence: closed forms of one step, and what is pooled where the data say nothing."""

import numpy as np
import pytest
import torch
from nanotexture.phasing import evidence
from nanotexture.phasing.evidence import scale_from_solution
from nanotexture.phasing.modes import Modes, legendre_profiles
from nanotexture.phasing.unknowns import Block, Unknowns, polar_width, strain_width


def unknowns(harmonics=3, profiles=6):
    z = np.arange(40) * 4.0
    modes = Modes(harmonics, legendre_profiles(z=z, number=profiles, thickness=160.0), 100.0)
    polar = Modes(2, legendre_profiles(z=z, number=profiles, thickness=160.0), 100.0, constant=True)
    blocks = (
        Block(modes, 2, strain_width(modes, 2, 0.03), 0.1),
        Block(polar, 1, polar_width(polar, 1, 0.4), 0.3),
    )
    return Unknowns(blocks, 32)


def drawn(found, factor, seed=0):
    noise = np.random.default_rng(seed).normal(size=found.size)
    return torch.from_numpy(noise) / found.scaled(factor).prior_precision().sqrt()


def of_modes(found, factor):
    """The factor (field, wave) of every coefficient."""
    return (found.prior_precision() / found.scaled(factor).prior_precision()).sqrt()


def test_scaled_widths_are_those_times_the_factor_of_their_field_and_harmonic():
    found = unknowns()
    factor = torch.arange(1.0, 13.0, dtype=torch.float64).reshape(3, 4)
    expected = [factor[field, k] for field in (0, 1) for k in found.blocks[0].modes.vectors[:, 0]]
    expected += [factor[2, k] for k in found.blocks[1].modes.vectors[:, 0]]
    np.testing.assert_allclose(of_modes(found, factor).numpy(), np.array([float(v) for v in expected]))


def test_what_the_data_tell_in_full_gets_the_size_that_it_has(monkeypatch):
    monkeypatch.setattr(evidence, "OF_BLOCK", 0.0)
    monkeypatch.setattr(evidence, "OF_HARMONIC", 0.0)
    found = unknowns()
    coefficients = drawn(found, torch.full((3, 4), 0.5, dtype=torch.float64))
    scale = scale_from_solution(
        unknowns=found, coefficients=coefficients, told=torch.ones(found.size, dtype=torch.float64)
    )
    ratio = coefficients**2 * found.prior_precision()
    same = of_modes(found, torch.arange(1.0, 13.0, dtype=torch.float64).reshape(3, 4)).round().long()
    for field in range(3):
        for wave in range(4 if field < 2 else 3):
            members = same == 4 * field + wave + 1
            assert float(scale[field, wave]) == pytest.approx(float(ratio[members].mean().sqrt()))
    assert float(scale[2, 3]) == 1.0  # polarization has no such harmonic here


def test_with_many_modes_the_size_that_they_were_drawn_with_comes_back():
    found = unknowns(profiles=20)
    true = torch.tensor(
        [[0.2, 0.4, 0.1, 0.3], [0.1, 0.2, 0.1, 0.2], [0.3, 0.5, 0.2, 1.0]], dtype=torch.float64
    )
    sizes = [
        scale_from_solution(
            unknowns=found,
            coefficients=drawn(found, true, seed),
            told=torch.ones(found.size, dtype=torch.float64),
        )
        for seed in range(40)
    ]
    middle = torch.stack(sizes).median(0).values
    np.testing.assert_allclose(middle[:, 1:3].numpy(), true[:, 1:3].numpy(), rtol=0.15)


def test_a_field_of_which_the_data_say_nothing_takes_the_size_of_its_harmonic_in_the_other():
    found = unknowns()
    true = torch.tensor(
        [[0.2, 0.4, 0.1, 0.3], [0.2, 0.4, 0.1, 0.3], [0.3, 0.5, 0.2, 1.0]], dtype=torch.float64
    )
    coefficients, told = drawn(found, true), torch.ones(found.size, dtype=torch.float64)
    second = slice(found.blocks[0].size // 2, found.blocks[0].size)
    coefficients[second], told[second] = 0.0, 0.0
    scale = scale_from_solution(unknowns=found, coefficients=coefficients, told=told)
    np.testing.assert_allclose(scale[1, 1:].numpy(), scale[0, 1:].numpy(), rtol=0.4)


def test_a_harmonic_that_is_not_there_is_held_near_zero_and_never_without_bound():
    found = unknowns()
    coefficients = drawn(found, torch.full((3, 4), 0.3, dtype=torch.float64))
    highest = torch.from_numpy(
        np.concatenate(
            [np.tile(found.blocks[0].modes.vectors[:, 0] == 3, 2), np.zeros(found.blocks[1].size, bool)]
        )
    )
    coefficients[highest] = 0.0
    scale = scale_from_solution(
        unknowns=found, coefficients=coefficients, told=torch.ones(found.size, dtype=torch.float64)
    )
    assert float(scale[:2, 3].max()) < 0.12
    assert float(scale.min()) >= evidence.SMALLEST
