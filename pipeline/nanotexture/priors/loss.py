"""How far predictions are from the truth: a crystal, its twin and a shifted one are the same answer."""

from __future__ import annotations

import math

import torch

from nanotexture.priors.augmentation import Batch
from nanotexture.priors.networks import FoundingNet, PhaseNet, State, features

Network = PhaseNet | FoundingNet
LAST = 2.0  # weight of the last round's phases, that of the others being 1
STRETCH, DEPTH = 3, 12  # further rounds that are learnt from, and how many at most before them
REACH, STEP = 1.25, 0.25  # voxels: how far and how finely a shift of the crystal is looked for


def phase_loss(phasors: torch.Tensor, phase: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """1 - max_s |sum w exp(i (phi - phi' + 2 pi q.s / n))| / sum w for each sample (b,), the smaller of crystal's and twin's.

    phasors: cos and sin of phi' (b, 2, n, n, n); phase: phi in rad, weight: w, both (b, n, n, n). Nothing that a pattern cannot
    tell costs anything: a constant added to phi', the twin psi*(-r), which has the phases -phi, and a shift s to REACH voxels,
    found to half of STEP.
    """
    given = torch.complex(phasors[:, 0], -phasors[:, 1]) * weight
    wanted = torch.polar(torch.ones_like(phase), phase)
    same, twin = (_largest_sum(given * one) for one in (wanted, wanted.conj()))
    return 1.0 - torch.maximum(same, twin) / weight.sum(dim=(1, 2, 3)).clamp_min(1e-12)


def _largest_sum(x: torch.Tensor) -> torch.Tensor:
    """|sum x exp(2 pi i q.s / n)| of x (b, n, n, n) at the shift s where it is largest, the shift taken for a constant."""
    steps = round(REACH / STEP)
    shifts, index = STEP * torch.arange(-steps, steps + 1), torch.arange(x.shape[-1]) - x.shape[-1] // 2
    ramps = torch.exp(2j * math.pi / len(index) * shifts[:, None] * index).to(x.dtype)
    with torch.no_grad():
        sums = x
        for _ in range(3):  # the first of the three axes becomes the last, with a value for each shift
            sums = torch.einsum("bxyz,sx->byzs", sums, ramps)
        best = sums.abs().flatten(1).argmax(dim=1)
    for number in torch.unravel_index(best, (len(shifts),) * 3):
        x = torch.einsum("bx...,bx->b...", x, ramps[number])
    return torch.sqrt(x.abs().square() + 1e-12)


def learning_loss(network: Network, batch: Batch, rng: torch.Generator) -> torch.Tensor:
    """What is made smaller, for each sample (b,): mean of what the first rounds and the further ones are to learn.

    The phases after all first rounds count, so that each of them learns. The network of the further rounds learns from a few of
    them, after as many more as were drawn: backpropagation through time, truncated, on what it left itself.
    """
    given = features(batch.counts, batch.measured)
    if isinstance(network, FoundingNet):
        return magnitude_loss(network(given), batch)
    states = network.after_each_round(given)
    first = _losses(states, batch)
    state, stretch = states[-1].detached(), []
    with torch.no_grad():
        for _ in range(int(torch.randint(DEPTH + 1, (1,), generator=rng))):
            state = network.once_more(state)
    for _ in range(STRETCH):
        state = network.once_more(state)
        stretch.append(state)
    found = (first.sum(dim=0) + (LAST - 1.0) * first[-1]) / (len(first) - 1.0 + LAST)
    return 0.5 * (found + _losses(stretch, batch).mean(dim=0))


def _losses(states: list[State], batch: Batch) -> torch.Tensor:
    return torch.stack([phase_loss(one.phasors, batch.phase, batch.weight) for one in states])


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
