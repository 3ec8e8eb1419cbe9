"""How far predicted motifs are from the true one, whatever their place along x."""

from __future__ import annotations

import torch

from nanotexture.priors.film_modes import SHAPE
from nanotexture.priors.film_network import Motifs

Tensor = torch.Tensor

SHIFTS = 48  # of one period: a twelfth of the shortest wave's


def wanted_modes(fields: Tensor) -> Tensor:
    """Which numbers count, (b, f, k, m, 2) of real and imaginary parts, given which fields (b, f) are asked for and seen.

    A constant displacement is not determined, the imaginary part of k = 0 does not exist.
    """
    keep = fields[:, :, None, None, None].expand(-1, *SHAPE[0:3], 2).clone()
    keep[:, :2, 0, 0] = False
    keep[:, :, 0, :, 1] = False
    return keep


def motif_loss(found: Motifs, true: Tensor, fields: Tensor) -> Tensor:
    """-log likelihood (b,) per number of the true coefficients (b, f, k, m) complex, at the shift that fits best.

    A mixture of Gaussians, one a hypothesis: those that are far off are not pulled at. fields (b, f) boolean: those asked for.
    """
    keep = wanted_modes(fields)
    precision = found.spread**-2
    mean, exact = torch.view_as_real(found.mean), torch.view_as_real(true)[:, None]
    here = keep[:, None] * precision[..., None]
    squares = (here * (mean**2 + exact**2)).sum((2, 3, 4, 5))
    both = keep[..., 0]
    # k = 0 has real parts only, and so has its product
    products = (both[:, None] * precision * found.mean * true.conj()[:, None]).sum((2, 4))
    misfit = squares - 2 * overlap_at_best(products)
    logs = (keep[:, None] * torch.log(found.spread)[..., None]).sum((2, 3, 4, 5))
    number = keep.sum((1, 2, 3, 4)).clamp_min(1)
    return -torch.logsumexp(found.weight - 0.5 * misfit - logs, dim=1) / number


def overlap_at_best(products: Tensor) -> Tensor:
    """Largest Re sum_k products_k exp(2 pi i k s) over shifts s, of products (..., k)."""
    k = torch.arange(products.shape[-1], device=products.device)
    turns = torch.exp(2j * torch.pi * k[:, None] * torch.arange(SHIFTS) / SHIFTS).to(products.dtype)
    return (products @ turns).real.amax(-1)


def nearest_error(found: Motifs, true: Tensor, fields: Tensor) -> Tensor:
    """Relative error (b, h) of every hypothesis: rms of the difference over that of the truth, at the best shift."""
    keep = wanted_modes(fields)[..., 0].to(true.real.dtype)
    size = (keep * true.abs() ** 2).sum((1, 2, 3))
    own = (keep[:, None] * found.mean.abs() ** 2).sum((2, 3, 4))
    products = (keep[:, None] * found.mean * true.conj()[:, None]).sum((2, 4))
    left = (own + size[:, None] - 2 * overlap_at_best(products)).clamp_min(0.0)
    return (left / size[:, None].clamp_min(1e-12)).sqrt()
