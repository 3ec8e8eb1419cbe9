"""The network of films: orders of any number of reflections in, several motifs with their spread out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from nanotexture.priors.film_modes import SHAPE
from nanotexture.priors.film_tokens import GRID, STATIC

Tensor = torch.Tensor

HYPOTHESES = 12
NARROWEST = 0.03  # spread of a coefficient at least, in its unit


@dataclass(frozen=True)
class Motifs:
    """weight (b, h), logarithms that sum to one as probabilities; mean (b, h, f, k, m) complex; spread (b, h, f, k, m) of its
    real and of its imaginary part, both in film_modes.UNITS."""

    weight: Tensor
    mean: Tensor
    spread: Tensor


class OrderNet(nn.Module):
    """Attention among the tokens (b, t, n) of a film; used (b, t): the others are padding. Their order does not matter."""

    def __init__(self, width: int = 96, layers: int = 3, heads: int = 4) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Linear(STATIC + 4 * len(GRID), width), nn.GELU(), nn.Linear(width, width)
        )
        one = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.mixed = nn.TransformerEncoder(one, layers, enable_nested_tensor=False)
        fields, waves, profiles = SHAPE
        self.sizes = (
            HYPOTHESES,
            HYPOTHESES * 2 * fields * waves * profiles,
            HYPOTHESES * fields * waves * profiles,
        )
        self.last = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU())
        self.heads = nn.ModuleList(nn.Linear(width, size) for size in self.sizes)

    def forward(self, tokens: Tensor, used: Tensor) -> Motifs:
        """What the texture may be."""
        found = self.mixed(self.first(tokens), src_key_padding_mask=~used)
        pooled = (found * used[..., None]).sum(1) / used.sum(1, keepdim=True)
        weight, mean, spread = (head(self.last(pooled)) for head in self.heads)
        shape = (len(tokens), HYPOTHESES, *SHAPE)
        parts = mean.reshape(*shape, 2)
        # what does not vary along x is real
        still = torch.zeros_like(parts[..., :1, :, 1])
        imaginary = torch.cat([still, parts[..., 1:, :, 1]], dim=-2)
        whole = torch.complex(parts[..., 0], imaginary)
        return Motifs(
            torch.log_softmax(weight, 1),
            whole,
            NARROWEST + nn.functional.softplus(spread.reshape(shape) - 1.0),
        )
