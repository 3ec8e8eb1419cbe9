"""A guess with the true phases is the crystal, on arrays of any size and finer sampling; no sense is not trusted."""

import numpy as np
import pytest
import torch
from nanotexture.phasing.crystal_alignment import overlap
from nanotexture.phasing.crystal_pattern import hold_out_blocks, pattern_of
from nanotexture.priors.guess import guessed
from nanotexture.simulate.crystal import FacetedCrystal, density_of_crystal, pattern_of_density
from scipy.fft import fftn, fftshift, ifftshift


class Oracle(torch.nn.Module):
    """Tells the true phases of one crystal on the grid that the network sees."""

    def __init__(self, psi, stride=1):
        super().__init__()
        spectrum = fftshift(fftn(ifftshift(psi.conj())))
        rows = [n // 2 + (np.arange(32) - 16) * stride for n in psi.shape]
        inside = [(r >= 0) & (r < n) for r, n in zip(rows, psi.shape, strict=True)]
        phase = np.zeros((32, 32, 32), dtype=np.float32)
        phase[np.ix_(*inside)] = np.angle(spectrum)[
            np.ix_(*(r[k] for r, k in zip(rows, inside, strict=True)))
        ]
        self.answer = torch.from_numpy(np.stack([np.cos(phase), np.sin(phase)])[None])

    def forward(self, x, further=0):
        return self.answer.expand(len(x), -1, -1, -1, -1)


class Noise(torch.nn.Module):
    """Phases of no sense."""

    def forward(self, x, further=0):
        return torch.randn(len(x), 2, 32, 32, 32, generator=self.rng)

    def __init__(self):
        super().__init__()
        self.rng = torch.Generator().manual_seed(0)


class Flat(torch.nn.Module):
    """No phase at all."""

    def forward(self, x, further=0):
        return torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1, 1).expand(len(x), 2, 32, 32, 32)


def pattern(psi, gap=False):
    counts = np.rint(pattern_of_density(psi) * (1e6 / pattern_of_density(psi).max()))
    measured = np.ones(counts.shape, dtype=bool)
    if gap:
        measured[:, 5:7] = False
    return pattern_of(
        counts=counts, measured=measured, held=hold_out_blocks(counts=counts, measured=measured, seed=0)
    )


@pytest.mark.parametrize(
    ("shape", "size", "stride"),
    [((32, 32, 32), 11, 1), ((30, 36, 27), 10, 1), ((64, 64, 64), 22, 1), ((64, 64, 64), 11, 2)],
)
def test_true_phases_give_the_crystal_where_it_lies(shape, size, stride):
    psi = density_of_crystal(FacetedCrystal(shape=shape, size=size, phase_range=1.0, seed=6))
    found = guessed(Oracle(psi, stride), pattern(psi))
    by = overlap(found.object, psi.conj(), allow_twin=False)
    assert by.similarity > 0.93
    assert np.abs(by.shift) == pytest.approx(np.zeros(3), abs=0.6)
    assert found.chi2 < 0.05
    assert found.free_chi2 < 0.5  # of faint voxels
    assert np.mean(found.support[np.abs(psi) > 0.5]) > 0.97


class Later(torch.nn.Module):
    """Knows nothing at first, and the truth after further rounds, or the other way round."""

    def __init__(self, psi, first):
        super().__init__()
        self.truth, self.first = Oracle(psi), first

    def forward(self, x, further=0):
        return self.truth(x) if (further == 0) == self.first else Flat()(x)


@pytest.mark.parametrize("first", [False, True])
def test_the_answer_that_fits_best_is_taken_whichever_round_it_is_of(first):
    psi = density_of_crystal(FacetedCrystal(shape=(32, 32, 32), size=11, phase_range=1.0, seed=6))
    found = guessed(Later(psi, first), pattern(psi), turns=4)
    assert overlap(found.object, psi.conj(), allow_twin=False).similarity > 0.93
    assert (found.spread > 0.05) == first  # flat phases, turned, are flat phases


def test_the_scale_is_that_of_the_counts():
    psi = density_of_crystal(FacetedCrystal(shape=(64, 64, 64), size=11, phase_range=0.5, seed=6))
    made = pattern(psi)
    found = guessed(Oracle(psi, 2), made)
    assert float(np.sum(np.abs(found.object) ** 2)) == pytest.approx(float(made.counts.sum()), rel=0.2)


def test_phases_of_no_sense_are_told_by_the_held_out_voxels():
    psi = density_of_crystal(FacetedCrystal(shape=(32, 32, 32), size=11, phase_range=1.0, seed=6))
    made = pattern(psi, gap=True)
    assert guessed(Noise(), made).free_chi2 > 3 * guessed(Oracle(psi), made).free_chi2
    assert guessed(Noise(), made).chi2 > 5 * guessed(Oracle(psi), made).chi2


def test_answers_that_turn_with_the_pattern_have_no_spread_and_random_ones_have():
    psi = density_of_crystal(FacetedCrystal(shape=(32, 32, 32), size=11, phase_range=1.0, seed=6))
    made = pattern(psi)
    assert guessed(Flat(), made).spread == pytest.approx(0.0, abs=1e-6)
    assert guessed(Noise(), made).spread > 0.9


def test_of_turned_answers_the_one_that_fits_best_is_taken():
    psi = density_of_crystal(FacetedCrystal(shape=(32, 32, 32), size=11, phase_range=2.0, seed=6))
    made = pattern(psi)
    oracle = Oracle(psi)  # right for the pattern as it lies only
    assert guessed(oracle, made, turns=8).chi2 == guessed(oracle, made, turns=1).chi2
