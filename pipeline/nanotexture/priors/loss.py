"""How far predictions are from the truth, a crystal and its twin being the same answer."""

from __future__ import annotations

import torch

from nanotexture.priors.augmentation import Batch
from nanotexture.priors.networks import FoundingNet, PhaseNet, features

Network = PhaseNet | FoundingNet
LAST = 2.0  # weight of the last round's phases, that of the others being 1


def phase_loss(phasors: torch.Tensor, phase: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """1 - |sum w exp(i (phi - phi'))| / sum w for each sample (b,), the smaller of the crystal's and its twin's.

    phasors: cos and sin of phi' (b, 2, n, n, n); phase: phi in rad, weight: w, both (b, n, n, n). A constant added to phi'
    changes nothing; the twin psi*(-r) has the phases -phi. A shifted crystal is another answer: phi is of a centred one.
    """
    total = weight.sum(dim=(1, 2, 3)).clamp_min(1e-12)
    cos, sin = torch.cos(phase) * weight, torch.sin(phase) * weight
    u, v = phasors[:, 0], phasors[:, 1]
    parts = [(a * b).sum(dim=(1, 2, 3)) for a, b in ((cos, u), (sin, v), (cos, v), (sin, u))]
    cc, ss, cs, sc = parts
    same = torch.sqrt((cc + ss) ** 2 + (cs - sc) ** 2 + 1e-12)
    twin = torch.sqrt((cc - ss) ** 2 + (cs + sc) ** 2 + 1e-12)
    return 1.0 - torch.maximum(same, twin) / total


def learning_loss(network: Network, batch: Batch) -> torch.Tensor:
    """What is made smaller, for each sample (b,): the phases after all rounds count, so that each round learns."""
    given = features(batch.counts, batch.measured)
    if isinstance(network, FoundingNet):
        return magnitude_loss(network(given), batch)
    found = [phase_loss(one, batch.phase, batch.weight) for one in network.after_each_round(given)]
    return (torch.stack(found).sum(dim=0) + (LAST - 1.0) * found[-1]) / (len(found) - 1.0 + LAST)


def judging_loss(network: Network, batch: Batch) -> torch.Tensor:
    """What an epoch is judged by, for each sample (b,): the phases that the network returns, or the founding loss."""
    found = network(features(batch.counts, batch.measured))
    if isinstance(network, FoundingNet):
        return magnitude_loss(found, batch)
    return phase_loss(found, batch.phase, batch.weight)


def magnitude_loss(found: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Mean absolute error of magnitudes over their largest, for each sample (b,): it needs no truth.

    found: modulus and phase of the object (b, 2, n, n, n); Chan et al., Appl. Phys. Rev. 8, 021407 (2021).
    """
    axes = (1, 2, 3)
    psi = torch.polar(found[:, 0].float(), found[:, 1].float())
    spectrum = torch.fft.fftshift(torch.fft.fftn(torch.fft.ifftshift(psi, dim=axes), dim=axes), dim=axes)
    seen = batch.measured.float()
    magnitude, amplitude = spectrum.abs() * seen, torch.sqrt(batch.counts)
    parts = [one / one.amax(dim=axes, keepdim=True).clamp_min(1e-12) for one in (magnitude, amplitude)]
    return (parts[0] - parts[1]).abs().sum(dim=axes) / seen.sum(dim=axes)
