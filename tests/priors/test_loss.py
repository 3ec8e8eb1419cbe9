"""The loss of phases: blind to twin, constant and a small shift; wrong phases cost one."""

import math

import numpy as np
import pytest
import torch
from nanotexture.priors.loss import phase_loss
from nanotexture.priors.networks import PhaseNet, features, to_depth, to_space

RNG = torch.Generator().manual_seed(0)
PHASE = 2 * math.pi * torch.rand(2, 8, 8, 8, generator=RNG)
WEIGHT = torch.rand(2, 8, 8, 8, generator=RNG)


def phasors(phase):
    return torch.stack([torch.cos(phase), torch.sin(phase)], dim=1)


def test_the_true_phases_cost_nothing():
    assert torch.allclose(phase_loss(phasors(PHASE), PHASE, WEIGHT), torch.zeros(2), atol=1e-5)


def test_the_twin_and_a_constant_cost_nothing():
    assert torch.allclose(phase_loss(phasors(0.7 - PHASE), PHASE, WEIGHT), torch.zeros(2), atol=1e-5)


def test_the_twin_of_an_object_has_the_opposite_phases():
    rng = np.random.default_rng(0)
    psi = rng.normal(size=(5, 5, 5)) + 1j * rng.normal(size=(5, 5, 5))
    twin = np.roll(np.flip(psi.conj()), 1, (0, 1, 2))
    assert np.allclose(np.fft.fftn(twin), np.fft.fftn(psi).conj())


def ramp(shift):
    """Phases (8, 8, 8) of a crystal moved by a shift (3,) in voxels."""
    index = torch.arange(8) - 4.0
    return sum(
        2 * math.pi / 8 * s * index.reshape([-1 if axis == k else 1 for k in range(3)])
        for axis, s in enumerate(shift)
    )


@pytest.mark.parametrize("shift", [(0.5, -1.0, 0.25), (-1.25, 0.0, 1.25)])
def test_a_shifted_crystal_or_twin_costs_nothing(shift):
    for moved in (PHASE + ramp(shift), -PHASE + ramp(shift)):
        assert torch.allclose(phase_loss(phasors(moved), PHASE, WEIGHT), torch.zeros(2), atol=1e-5)


def test_a_shift_between_steps_costs_as_much_as_its_ramp_takes_from_the_sum():
    """Half a step from the nearest shift that is tried: 1 - |mean exp(i k.s)|^3, s an eighth of a voxel along each axis."""
    same, flat = torch.ones_like(WEIGHT), torch.zeros_like(PHASE)
    taken = abs(np.mean(np.exp(2j * math.pi / 8 * 0.125 * np.arange(8)))) ** 3
    found = phase_loss(phasors(flat + ramp((0.125,) * 3)), flat, same)
    assert found.numpy() == pytest.approx(1.0 - taken, abs=1e-5)


def test_a_crystal_moved_too_far_is_another():
    assert (phase_loss(phasors(PHASE + ramp((3.0, 0.0, 0.0))), PHASE, WEIGHT) > 0.4).all()


def test_the_loss_falls_along_its_gradient():
    """The shift is taken for a constant, which changes nothing to first order: it is where the sum is largest."""
    wrong = (PHASE + 0.8 * torch.randn(PHASE.shape, generator=RNG)).requires_grad_()
    before = phase_loss(phasors(wrong), PHASE, WEIGHT)
    (slope,) = torch.autograd.grad(before.sum(), wrong)
    step = 1e-3 / slope.norm()
    after = phase_loss(phasors(wrong - step * slope), PHASE, WEIGHT)
    assert float((before - after).detach().sum()) == pytest.approx(
        float(step * slope.square().sum()), rel=0.05
    )


def test_unweighted_voxels_do_not_count():
    weight = WEIGHT.clone()
    weight[:, 4:] = 0
    wrong = PHASE.clone()
    wrong[:, 4:] += 2.0
    assert torch.allclose(phase_loss(phasors(wrong), PHASE, weight), torch.zeros(2), atol=1e-5)


def test_interleaved_lattices_lose_nothing():
    x = torch.rand(2, 3, 8, 8, 8, generator=RNG)
    assert torch.equal(to_space(to_depth(x)), x)


def test_phasors_have_unit_modulus_and_the_mask_has_an_effect():
    torch.manual_seed(0)
    network = PhaseNet().eval()
    counts = torch.zeros(1, 32, 32, 32)  # what was not measured is zero in both
    measured = torch.ones(1, 32, 32, 32, dtype=torch.bool)
    gap = measured.clone()
    gap[:, 10:12] = False
    counts[:, 14:18, 14:18, 14:18] = 1e4
    with torch.no_grad():
        whole, holed = (network(features(counts, m), further=0) for m in (measured, gap))
    modulus = whole.square().sum(1)
    assert float(modulus.max()) < 1.0 + 1e-5
    assert float(modulus.median()) == pytest.approx(1.0, abs=1e-4)
    assert float((whole - holed).abs().max()) > 1e-3


@pytest.mark.parametrize("peak", [1e3, 1e7])
def test_features_are_of_order_one_at_any_counts(peak):
    counts = torch.full((1, 4, 4, 4), peak)
    given = features(counts, torch.ones(1, 4, 4, 4, dtype=torch.bool))
    assert 0.4 <= float(given.min()) <= float(given.max()) <= 1.05
