"""Errors that look like those of the motif solver: what a denoiser is taught to take away."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nanotexture.priors.denoiser import ABSENT, Frame
from nanotexture.priors.texture_modes import FIELDS, HARMONICS, PROFILES, SHAPE, SIZE

Tensor = torch.Tensor

LEVELS = -3.0, 0.3  # log10 of the errors of slow modes over the texture's size
FIELD, JITTER = 0.35, 0.3  # of that, from field to field and from mode to mode
STEEPER = 0.9, 0.7  # rms exponents of the errors along harmonics and profiles
CORRELATED, RANKS = 0.5, 24  # share of textures whose errors are correlated; directions at most
FEWEST = 2, 4  # harmonics and profiles at least that a solver has
WITHOUT_U, WITHOUT_ONE = (
    0.5,
    0.15,
)  # share of polar textures whose u is tied to P; of fields that no reflection tells


@dataclass(frozen=True)
class Spoilt:
    """Values (b, SIZE) with errors of variance noise (b, SIZE; ABSENT where unknown); weight: 1 where there is a mode."""

    values: Tensor
    noise: Tensor
    weight: Tensor


def spoilt(clean: Tensor, given: Tensor, rng: torch.Generator) -> Spoilt:
    """Clean coefficients (b, SIZE) with random errors; given (b, FIELDS): which fields the textures have."""
    size = Frame.of(clean, torch.zeros_like(clean)).size
    there = _there(given, rng).flatten(1)
    std = _levels(len(clean), rng).flatten(1)
    values = clean + std * size * _normal(std, rng)
    return Spoilt(
        torch.where(there, values, 0.0),
        torch.where(there, (std * size) ** 2, ABSENT * size**2),
        there.to(clean.dtype),
    )


def _there(given: Tensor, rng: torch.Generator) -> Tensor:
    """Which modes a solver would have, (b, *SHAPE)."""
    number = len(given)
    fields = given.bool().clone()
    polar = fields[:, 2:].any(1)
    tied = polar & (torch.rand(number, generator=rng) < WITHOUT_U)
    fields[:, :2] &= ~tied[:, None]
    lost = fields & (torch.rand(number, FIELDS, generator=rng) < WITHOUT_ONE)
    kept = fields & ~lost
    fields = torch.where(kept.any(1)[:, None], kept, fields)
    most_k = torch.randint(FEWEST[0], HARMONICS, (number, 1), generator=rng)
    most_m = torch.randint(FEWEST[1], PROFILES + 1, (number, 1), generator=rng)
    k = torch.arange(HARMONICS) <= most_k
    m = torch.arange(PROFILES) < most_m
    return (
        fields[:, :, None, None, None] & k[:, None, :, None, None] & m[:, None, None, None].expand(-1, *SHAPE)
    )


def _levels(number: int, rng: torch.Generator) -> Tensor:
    """Standard deviations (b, *SHAPE) over the texture's size."""
    low, high = LEVELS
    level = low + (high - low) * torch.rand(number, generator=rng)
    log = level[:, None, None, None, None] + FIELD * torch.randn(number, FIELDS, 1, 1, 1, generator=rng)
    bend = torch.randn(2, number, 1, 1, 1, 1, generator=rng)
    along = torch.log10(torch.arange(HARMONICS).clamp_min(1).double()).float()[:, None, None]
    up = torch.log10(torch.arange(PROFILES).double() + 1.0).float()
    log = log + STEEPER[0] * bend[0] * along + STEEPER[1] * bend[1] * up
    # cos and sin of a mode are alike: what is told of the place along x is little
    return 10.0 ** (log + JITTER * torch.randn(number, FIELDS, HARMONICS, 1, PROFILES, generator=rng)).expand(
        -1, *SHAPE
    )


def _normal(like: Tensor, rng: torch.Generator) -> Tensor:
    """Normal numbers of unit variance (b, SIZE), of some textures correlated."""
    own = torch.randn(like.shape, generator=rng)
    number = int(torch.randint(2, RANKS, (1,), generator=rng))
    few = torch.randn(len(like), number, 1, generator=rng)
    ways = torch.randn(number, SIZE, generator=rng)
    ways = ways / ways.norm(dim=0)
    shared = (few * ways).sum(1)
    part = torch.rand(len(like), 1, generator=rng) * 0.9
    mixed = torch.sqrt(1 - part) * own + torch.sqrt(part) * shared
    return torch.where(torch.rand(len(like), 1, generator=rng) < CORRELATED, mixed, own)
