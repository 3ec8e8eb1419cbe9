"""The network of phases: rounds leave what they know nothing of as it is, keep what was measured, and see a crystal whole."""

import torch
from nanotexture.priors.augmentation import Batch
from nanotexture.priors.loss import learning_loss
from nanotexture.priors.networks import FULL, GRID, FoundingNet, PhaseNet, PhasesOf, features
from nanotexture.simulate.crystal import FacetedCrystal, density_of_crystal, pattern_of_density


def given(gap=False):
    psi = density_of_crystal(FacetedCrystal((GRID,) * 3, size=12.0, phase_range=1.0, seed=6))
    counts = torch.from_numpy(pattern_of_density(psi)).float()[None]
    counts = (counts * (1e6 / counts.max())).round()
    measured = torch.ones_like(counts, dtype=torch.bool)
    if gap:
        measured[:, 5:7] = False
    return features(counts * measured, measured)


def test_phasors_have_modulus_one_after_every_round():
    torch.manual_seed(0)
    network = PhaseNet()
    with torch.no_grad():
        found = network.after_each_round(given(gap=True))
    assert len(found) == 1 + len(network.rounds)
    for one in found:
        assert one.phasors.shape == (1, 2, GRID, GRID, GRID)
        assert float(one.phasors.square().sum(dim=1).median()) > 0.9999  # less where the spectrum vanishes


def test_further_rounds_are_one_network_again_and_again():
    torch.manual_seed(0)
    network, pattern = PhaseNet(), given()
    torch.nn.init.normal_(network.further.last.weight, std=0.05)
    with torch.no_grad():
        state = network.after_each_round(pattern)[-1]
        assert torch.equal(network(pattern, further=0), state.phasors)
        for number in (1, 2):
            state = network.once_more(state)
            assert torch.equal(network(pattern, further=number), state.phasors)


def test_the_further_rounds_learn_on_what_they_left_and_teach_the_first_ones_nothing():
    """The gradient of the first rounds is that of their own losses, whatever the further ones make of it."""
    torch.manual_seed(0)
    network, data = PhaseNet(), given()
    counts = torch.expm1(data[:, 2] * FULL)
    batch = Batch(counts, data[:, 1] > 0.5, torch.zeros_like(counts), counts.sqrt())

    def slopes():
        network.zero_grad()
        learning_loss(network, batch, torch.Generator().manual_seed(0)).sum().backward()
        return [one.last.weight.grad.clone() for one in (network.rounds[0], network.further)]

    before = slopes()
    torch.nn.init.normal_(network.further.last.weight, std=0.05)
    after = slopes()
    assert torch.equal(before[0], after[0])
    assert float(before[0].norm()) > 0.0
    assert not torch.allclose(before[1], after[1])


def test_rounds_that_have_learnt_nothing_cut_the_object_to_the_middle_half_and_no_more():
    """Error reduction with a box for a support: for phases that are right already it changes next to nothing."""
    psi = density_of_crystal(FacetedCrystal((GRID,) * 3, size=12.0, phase_range=1.0, seed=6))
    spectrum = torch.fft.fftshift(torch.fft.fftn(torch.fft.ifftshift(torch.from_numpy(psi.conj()))))[None]
    right = torch.stack([spectrum.real, spectrum.imag], dim=1) / spectrum.abs().unsqueeze(1)
    network = PhaseNet()
    network.first.forward = lambda x: right
    with torch.no_grad():
        last = network(given())
    weight = spectrum.abs()
    alike = (weight * (last * right).sum(dim=1)).sum() / weight.sum()
    assert alike > 0.99


def test_the_founding_network_has_the_published_size_and_its_phases_are_those_of_its_object():
    torch.manual_seed(0)
    network = FoundingNet().eval()
    with torch.no_grad():
        modulus, phase = network(given())[0]
        found = PhasesOf(network)(given())[0]
    spectrum = torch.fft.fftshift(torch.fft.fftn(torch.fft.ifftshift(torch.polar(modulus, phase))))
    weight = spectrum.abs()
    inner = (found[0] * spectrum.real + found[1] * spectrum.imag).sum() / weight.sum()
    assert inner > 0.9999
