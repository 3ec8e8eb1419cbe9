"""How far predicted motifs are from the true one, whatever their place along x, and how well their spread says so."""

from __future__ import annotations

import torch

from nanotexture.priors.film_modes import SHAPE
from nanotexture.priors.film_network import Motifs

Tensor = torch.Tensor

SHIFTS = 48  # of one period: a twelfth of the shortest wave's
OTHERS = 0.05  # share of the error of hypotheses that are not the nearest: without it some never learn
CHOICE, WIDTH = 0.05, 0.05  # of the likelihoods of the nearest hypothesis and of its spread


def wanted_modes(fields: Tensor) -> Tensor:
    """Which numbers count, (b, f, k, m, 2) of real and imaginary parts, given which fields (b, f) are asked for and seen.

    A constant displacement is not determined, the imaginary part of k = 0 does not exist.
    """
    keep = fields[:, :, None, None, None].expand(-1, *SHAPE[0:3], 2).clone()
    keep[:, :2, 0, 0] = False
    keep[:, :, 0, :, 1] = False
    return keep


def motif_loss(found: Motifs, true: Tensor, fields: Tensor) -> Tensor:
    """Loss (b,): squared relative error of the nearest hypothesis at the shift that fits best, and what it says of itself.

    true (b, f, k, m) complex; fields (b, f) boolean: those asked for. Only the nearest of several is pulled, so that each may
    become one of several answers to the same data.
    """
    squared = relative_errors(found, true, fields) ** 2
    nearest = squared.argmin(1)
    own = squared.gather(1, nearest[:, None])[:, 0]
    choice = -found.weight.gather(1, nearest[:, None])[:, 0]
    return (
        own + OTHERS * squared.mean(1) + CHOICE * choice + WIDTH * _width_loss(found, true, fields, nearest)
    )


def relative_errors(found: Motifs, true: Tensor, fields: Tensor) -> Tensor:
    """Relative error (b, h) of every hypothesis: rms of the difference over that of the truth, at the best shift."""
    keep = wanted_modes(fields)[..., 0].to(true.real.dtype)
    size = (keep * true.abs() ** 2).sum((1, 2, 3))
    own = (keep[:, None] * found.mean.abs() ** 2).sum((2, 3, 4))
    left = own + size[:, None] - 2 * _at_shifts(found.mean, true, keep).amax(-1)
    return (left.clamp_min(1e-8) / size[:, None].clamp_min(1e-6)).sqrt()


def expected_error(found: Motifs, fields: Tensor) -> Tensor:
    """Relative error (b,) that the network expects of its own hypotheses, by their spread; 1 where it knows nothing."""
    keep = wanted_modes(fields)[:, None].to(found.spread.dtype)
    apart = (keep * found.spread[..., None] ** 2).sum((2, 3, 4, 5))
    known = (keep[..., 0] * found.mean.abs() ** 2).sum((2, 3, 4))
    each = (apart / (apart + known).clamp_min(1e-12)).sqrt()
    return (found.weight.exp() * each).sum(1)


def _at_shifts(mean: Tensor, true: Tensor, keep: Tensor) -> Tensor:
    """Re of the product of mean (b, h, f, k, m) and truth, moved by each of the shifts, (b, h, shift)."""
    products = (keep[:, None] * mean * true.conj()[:, None]).sum((2, 4))
    return (products @ _turns(true)).real


def _turns(like: Tensor) -> Tensor:
    """exp(2 pi i k s), (k, shift)."""
    k = torch.arange(SHAPE[1], device=like.device)
    return torch.exp(2j * torch.pi * k[:, None] * torch.arange(SHIFTS) / SHIFTS).to(like.dtype)


def _width_loss(found: Motifs, true: Tensor, fields: Tensor, nearest: Tensor) -> Tensor:
    """-log likelihood per number (b,) of the truth under the spread of the nearest hypothesis, whose mean is not pulled."""
    keep = wanted_modes(fields)
    rows = torch.arange(len(true))
    mean, spread = found.mean[rows, nearest].detach(), found.spread[rows, nearest][..., None]
    best = _at_shifts(mean[:, None], true, keep[..., 0].to(mean.real.dtype))[:, 0].argmax(1)
    moved = true * _turns(true)[:, best].T.conj()[:, None, :, None]
    apart = torch.view_as_real(mean - moved)
    each = 0.5 * (apart / spread) ** 2 + torch.log(spread)
    return (keep * each).sum((1, 2, 3, 4)) / keep.sum((1, 2, 3, 4)).clamp_min(1)
