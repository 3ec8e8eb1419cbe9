"""Networks that guess what a diffraction pattern does not tell: its phases, or the crystal itself."""

from __future__ import annotations

import math

import torch
from torch import nn

GRID = 32
CHANNELS = 3  # of the input: log counts over their largest, mask of what was measured, log counts over FULL
FULL = 16.0  # log of about 1e7 counts


def features(counts: torch.Tensor, measured: torch.Tensor) -> torch.Tensor:
    """Input (b, 3, n, n, n) of counts and what of them was measured, both (b, n, n, n)."""
    seen = measured.to(counts.dtype)
    log = torch.log1p(counts.clamp_min(0.0)) * seen
    largest = log.amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
    return torch.stack([log / largest, seen, log / FULL], dim=1)


def to_depth(x: torch.Tensor) -> torch.Tensor:
    """(b, c, n, n, n) to (b, 8 c, n/2, n/2, n/2): the eight interleaved lattices as channels, nothing lost."""
    b, c, n = x.shape[:3]
    parts = x.reshape(b, c, n // 2, 2, n // 2, 2, n // 2, 2).permute(0, 1, 3, 5, 7, 2, 4, 6)
    return parts.reshape(b, 8 * c, n // 2, n // 2, n // 2)


def to_space(x: torch.Tensor) -> torch.Tensor:
    """Inverse of `to_depth`."""
    b, c, n = x.shape[:3]
    parts = x.reshape(b, c // 8, 2, 2, 2, n, n, n).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return parts.reshape(b, c // 8, 2 * n, 2 * n, 2 * n)


def _block(inner: int, outer: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for first in (inner, outer):
        layers += [nn.Conv3d(first, outer, 3, padding=1), nn.GroupNorm(4, outer), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers)


class PhaseNet(nn.Module):
    """U-Net from a pattern (b, 3, n, n, n) to the unit phasors of its diffraction (b, 2, n, n, n), n = GRID.

    The finest level works on the eight interleaved lattices: a fifth of the time of a level of eight channels on the full one.
    `place` tells the layers where they are: a crystal and its twin have one pattern, and something must choose.
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64), grid: int = GRID) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            _block(a, b) for a, b in zip((8 * CHANNELS, *widths[:-1]), widths, strict=True)
        )
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(_block(below + here, here) for below, here in pairs)
        self.place = nn.Parameter(0.1 * torch.randn(1, 8 * CHANNELS, *(grid // 2,) * 3))
        self.last = nn.Conv3d(widths[0], 16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Phasors of unit modulus."""
        x = to_depth(x) + self.place
        kept: list[torch.Tensor] = []
        for level, block in enumerate(self.down):
            x = block(nn.functional.avg_pool3d(x, 2) if level else x)
            kept.append(x)
        for block, beside in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([nn.functional.interpolate(x, scale_factor=2.0), beside], dim=1))
        found = to_space(self.last(x))
        return found / torch.sqrt(found.square().sum(dim=1, keepdim=True) + 1e-8)


class FoundingNet(nn.Module):
    """The founding network: one encoder, a decoder for the shape and one for the phase of the crystal.

    Chan et al., Appl. Phys. Rev. 8, 021407 (2021): 32-64-128 channels, dropout 0.1; pattern (b, 3, n, n, n) in, modulus
    0 to 1 and phase in rad (b, 2, n, n, n) out. For comparison: no weights of it are shipped.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inner, outer in zip((CHANNELS, *widths[:-1]), widths, strict=True):
            layers += [_plain(inner, outer), _plain(outer, outer), nn.MaxPool3d(2), nn.Dropout3d(0.1)]
        self.encoder = nn.Sequential(*layers)
        self.shape, self.phase = _decoder(widths), _decoder(widths)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Modulus and phase."""
        code = self.encoder(x)
        modulus, turn = torch.sigmoid(self.shape(code)), math.pi * torch.tanh(self.phase(code))
        return torch.cat([modulus, turn], dim=1)


def _plain(inner: int, outer: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv3d(inner, outer, 3, padding=1), nn.ReLU())


def _decoder(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inner, outer in zip((widths[-1], *widths[:0:-1]), widths[::-1], strict=True):
        layers += [_plain(inner, outer), _plain(outer, outer), nn.Upsample(scale_factor=2.0)]
    return nn.Sequential(*layers, nn.Conv3d(widths[0], 1, 3, padding=1))
