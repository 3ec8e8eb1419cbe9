"""A denoiser of textures: coefficients with errors in, the mean and variance of what they may be out.

On the common modes (texture_modes) with values y and noise variances N it returns D = E[x | y] and R = Var[x | y] of every
mode, trained on simulated textures with errors of random size, shape and correlation. Beginning from the filter of Wiener,

    D = v / (v + N) y + sqrt(v N / (v + N)) F,    R = v N / (v + N) exp(w),

v the mean square over the textures learnt from, F and w by the network (preconditioned as in Karras et al., NeurIPS 2022).
Sizes and place along x are taken out before and put back after, so that a texture twice as large, or moved, is denoised alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from nanotexture.priors.texture_modes import CONDITIONS, FIELDS, HARMONICS, PROFILES, SHAPE, SIZE

Tensor = torch.Tensor

WIDTH, BLOCKS = 160, 2
ABSENT = 1e12  # noise variance that says nothing is known of a mode, in units of the texture's size
SEEN = 9.0  # values count for the size from 3 standard deviations
LEAST = 5e-4, 0.1  # size at least of u over the period and of P in C/m^2: errors may hide all of it
FLOOR = 1e-2  # of the mean squares: what no texture learnt from has, others may have
MOST_LOG, LEAST_LOG = 2.0, -9.0  # of the variance against that of the filter


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(nn.functional.silu(self.first(self.norm(x))))
        return x + y


class Denoiser(nn.Module):
    """The network; variance (SIZE,): mean square of every mode over the textures learnt from, each of size 1."""

    variance: Tensor

    def __init__(self, variance: Tensor | None = None, width: int = WIDTH) -> None:
        super().__init__()
        self.register_buffer("variance", torch.ones(SIZE) if variance is None else variance.float())
        self.first = nn.Linear(2 * SIZE + CONDITIONS + FIELDS, width)
        self.blocks = nn.Sequential(*(_Residual(width) for _ in range(BLOCKS)))
        self.last = nn.Linear(width, 2 * SIZE)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, values: Tensor, noise: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance (b, SIZE) from values, noise variances (b, SIZE; ABSENT and more: not known) and told (b, c)."""
        frame = Frame.of(values, noise)
        y, n = frame.inside(values, noise)
        skip, out = self.filter(n)
        turn, spread = self.guess(y, n, told)
        mean = skip * y + out * turn
        return frame.outside(mean, out**2 * torch.exp(spread))

    def filter(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """v / (v + N) and sqrt(v N / (v + N)) of noise variances N."""
        share = self.variance / (self.variance + noise)
        return share, torch.sqrt(share * noise)

    def guess(self, values: Tensor, noise: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """F and w of values and noise in the texture's own frame."""
        total = torch.sqrt(self.variance + noise)
        known = (noise < 0.1 * ABSENT).unflatten(1, SHAPE).flatten(2).any(2).to(values.dtype)
        given = torch.cat([values / total, torch.sqrt(noise) / total, told, known], dim=1)
        turn, spread = self.last(self.blocks(nn.functional.silu(self.first(given)))).chunk(2, dim=1)
        return turn, spread.clamp(LEAST_LOG, MOST_LOG)


@dataclass(frozen=True)
class Frame:
    """Size (b, SIZE) of a texture's values, one for displacement and one for polarization, and phase (b,) of its place."""

    size: Tensor
    phase: Tensor

    @classmethod
    def of(cls, values: Tensor, noise: Tensor) -> Frame:
        """That of values (b, SIZE) with noise variances: what stands above the noise counts.

        The place is that of the largest first harmonic of all.
        """
        square = torch.where(values**2 > SEEN * noise, values**2, 0.0).unflatten(1, SHAPE)
        kinds = torch.stack([square[:, :2].sum((1, 2, 3, 4)), square[:, 2:].sum((1, 2, 3, 4))], dim=1)
        largest = torch.maximum(torch.sqrt(kinds), torch.tensor(LEAST, dtype=kinds.dtype))
        whole = largest.repeat_interleave(SIZE // 2, dim=1)
        first = (values / whole).unflatten(1, SHAPE)[:, :, 1]
        clear = torch.clamp_min(first**2 - (noise / whole**2).unflatten(1, SHAPE)[:, :, 1], 0.0)
        chosen = clear.sum(2).flatten(1).argmax(1)
        waves = torch.complex(first[:, :, 0], -first[:, :, 1]).flatten(1)
        return cls(whole, torch.angle(waves.gather(1, chosen[:, None]))[:, 0])

    def inside(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Values of size 1 at place 0, and their noise."""
        known = noise < ABSENT * self.size**2
        absent = torch.full_like(noise, ABSENT)
        n = torch.where(known, noise / self.size**2, absent).clamp_min(1e-12)
        y = torch.where(known, values / self.size, 0.0)
        return turned(y, -self.phase), turned_variance(n, -self.phase)

    def outside(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Back from size 1 and place 0."""
        found = turned_variance(variance, self.phase)
        return turned(mean, self.phase) * self.size, found * self.size**2


def turned(values: Tensor, phase: Tensor) -> Tensor:
    """Coefficients (b, SIZE) with the phase of harmonic k turned by k times phase (b,): moved along x."""
    along = phase[:, None] * torch.arange(HARMONICS, dtype=values.dtype)
    return rephased(values, along[:, None].expand(-1, FIELDS, -1))


def rephased(values: Tensor, angle: Tensor) -> Tensor:
    """Coefficients (b, SIZE) with the phase of every harmonic of every field turned by angle (b, FIELDS, HARMONICS)."""
    a, b = values.unflatten(1, SHAPE).unbind(3)
    cos, sin = torch.cos(angle)[..., None], torch.sin(angle)[..., None]
    # C = a - i b becomes C exp(i angle)
    return torch.stack([a * cos + b * sin, b * cos - a * sin], dim=3).flatten(1)


def turned_variance(variance: Tensor, phase: Tensor) -> Tensor:
    """The same of variances, without their covariance."""
    shaped = variance.unflatten(1, SHAPE)
    angle = phase[:, None, None, None] * torch.arange(HARMONICS, dtype=variance.dtype)[:, None]
    cos, sin = torch.cos(angle) ** 2, torch.sin(angle) ** 2
    a, b = shaped[:, :, :, 0], shaped[:, :, :, 1]
    return torch.stack([a * cos + b * sin, a * sin + b * cos], dim=3).flatten(1)


def mirrored(values: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
    """The texture seen from the other side: x becomes -x in coefficients (b, SIZE) and in what is told (b, CONDITIONS)."""
    sign = torch.ones(SHAPE, dtype=values.dtype)
    sign[0::2] *= -1.0
    sign[:, :, 1] *= -1.0
    other = told.clone()
    other[:, 1] *= -1.0
    return values * sign.flatten(), other


def mean_squares(values: Tensor) -> Tensor:
    """Mean square of every mode over textures (b, SIZE) of size 1 each, equal for cos and sin, never quite zero."""
    kinds = values.unflatten(1, SHAPE)
    parts = []
    for kind, least in zip((kinds[:, :2], kinds[:, 2:]), LEAST, strict=True):
        size = (kind**2).sum((1, 2, 3, 4)).clamp_min(least**2)
        there = size > least**2
        parts.append(
            (kind[there] ** 2 / size[there, None, None, None, None]).sum(0) / max(int(there.sum()), 1)
        )
    found = torch.cat(parts).mean(2, keepdim=True).expand(SHAPE)
    k, m = torch.arange(HARMONICS)[:, None, None], torch.arange(PROFILES)
    return (found + FLOOR / ((1.0 + k) * (1.0 + m)) ** 2).flatten().contiguous()
