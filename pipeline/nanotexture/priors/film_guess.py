"""From measured orders to motifs that may have made them: what the network of films predicts, and draws from its spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.phasing.motif_model import ReflectionData
from nanotexture.priors.film_network import Motifs, OrderNet
from nanotexture.priors.film_tokens import Geometry, network_input, tokens_of

Array = NDArray[np.float64]
Tensor = torch.Tensor


def predicted_motifs(
    network: OrderNet, reflections: Sequence[ReflectionData], geometry: Geometry, *, gap: float
) -> Motifs:
    """What the network makes of one film, a batch of one; rows that are held out are hidden from it."""
    tokens = tokens_of(reflections, geometry, gap=gap)
    given = network_input(tokens.intensity, tokens.sigma, tokens.seen, tokens.flat, tokens.about)
    used = tokens.seen.any(1)
    with torch.no_grad():
        return network(given[None], used[None])


def drawn_candidates(found: Motifs, *, each: int, seed: tuple[int, ...]) -> Tensor:
    """Coefficients (h, each, f, k, m) complex: of every hypothesis its mean, then draws from its spread."""
    rng = np.random.Generator(np.random.PCG64(list(seed)))
    mean, spread = found.mean[0].to(torch.complex128), found.spread[0].double()
    shape = (len(mean), each - 1, *mean.shape[1:], 2)
    noise = torch.view_as_complex(torch.from_numpy(rng.normal(size=shape)))
    return torch.cat([mean[:, None], mean[:, None] + spread[:, None] * noise], dim=1)


def in_turns(cost: Array) -> NDArray[np.int64]:
    """Order of candidates (h, each) flattened: the cheapest of every hypothesis, cheapest hypothesis first, then every second.

    By cost alone the first ones would all be of one hypothesis, and fail together.
    """
    within = np.argsort(cost, axis=1, kind="stable")
    place = np.empty_like(within)
    np.put_along_axis(place, within, np.arange(cost.shape[1])[None], axis=1)
    return np.lexsort((cost.ravel(), place.ravel()))
