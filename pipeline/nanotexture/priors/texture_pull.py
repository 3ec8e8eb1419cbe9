"""What a denoiser adds to a solution of the motif solver, as a Gaussian prior of its coefficients.

The data alone say of the coefficients y, with covariance C and variances N, where the widths of the prior are far above
them. The denoiser makes D of y. What it knows besides is D less what it took from y: with J = dD / dy

    D - J y = (I - J) x + b,    variance of b: B = R - J^2 N, R the variance that the denoiser tells of its mean,

a measurement of the texture x whose error b has no part in that of the data (in the linear case B and J give the textures'
own covariance back). So the prior is (I - J)^T B^-1 (I - J) about it. B is widened by what the denoiser's errors were on
textures it never learnt from; rows that lie farther from the data than C and B allow are left out: there the data win.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nanotexture.phasing.pull import Pull
from nanotexture.priors.denoiser import ABSENT, Denoiser
from nanotexture.priors.texture_modes import SIZE, Places

Tensor = torch.Tensor

LEAST = 0.05  # of R: B at least
UNTOLD = 0.02  # of a mode's precision: less than that from the data is nothing
CONTRADICTED = 9.0  # squared distance of a row over its expectation


@dataclass(frozen=True)
class Told:
    """What the data alone say of all coefficients: values (size,), covariance (size, size), which they tell (size,)."""

    values: Tensor
    covariance: Tensor
    known: Tensor

    @classmethod
    def of(cls, values: Tensor, covariance: Tensor, widths: Tensor) -> Told:
        """That of a solution (size,) with covariance (size, size) under wide priors about zero, of precisions widths (size,).

        Widths far above what is known change little, and what only they tell is not known.
        """
        variance = torch.diagonal(covariance)
        return cls(values, covariance, 1.0 / variance - widths > UNTOLD / variance)


@dataclass(frozen=True)
class Denoised:
    """The prior of a denoiser (None: it knows of nothing here), and its strangeness: mean squared distance between it and the
    data over what is expected, 1 for textures like those it learnt from."""

    pull: Pull | None
    strangeness: float


def denoised(network: Denoiser, places: Places, told: Told, film: Tensor, inflation: float) -> Denoised:
    """The prior where the data tell as much; film (c,): what the network is told of it.

    inflation: squared errors of the denoiser over its variances, on textures it never learnt from.
    """
    here = told.known[places.rows]
    rows, at, unit = places.rows[here], places.places[here], places.unit[here]
    if len(rows) == 0:
        return Denoised(None, float("nan"))
    y = told.values[rows] * unit
    covariance = told.covariance[rows[:, None], rows] * unit[:, None] * unit
    noise = torch.diagonal(covariance)
    answer = _asked(network, at, y, noise, film)
    away = torch.eye(len(y), dtype=y.dtype) - answer.slope
    own = answer.variance - (answer.slope**2 * noise).sum(1)
    own = inflation * torch.maximum(own, LEAST * answer.variance)
    expected = away @ covariance @ away.mT
    distance = (answer.mean - y) ** 2 / (torch.diagonal(expected) + own)
    weight = torch.where(distance < CONTRADICTED, 1.0 / own, 0.0)
    pull = _pull(away, weight, answer.mean - answer.slope @ y, rows, unit, len(told.values))
    gains = torch.diagonal(expected) > own
    strange = float(distance[gains].mean()) if gains.any() else float("nan")
    return Denoised(pull, strange)


def _pull(away: Tensor, weight: Tensor, seen: Tensor, rows: Tensor, unit: Tensor, size: int) -> Pull:
    """Of measurements seen = away x with precisions weight, in coefficients (size,) of the motif."""
    precision, slope = torch.zeros(size, size, dtype=seen.dtype), torch.zeros(size, dtype=seen.dtype)
    whole = away.mT @ (weight[:, None] * away)
    precision[rows[:, None], rows] = whole * unit[:, None] * unit
    slope[rows] = (away.mT @ (weight * seen)) * unit
    return Pull(slope, precision)


@dataclass(frozen=True)
class _Answer:
    """Mean and variance (n,) that the network tells, and slope (n, n): change of the mean with what it was given."""

    mean: Tensor
    variance: Tensor
    slope: Tensor


def _asked(network: Denoiser, at: Tensor, y: Tensor, noise: Tensor, film: Tensor) -> _Answer:
    whole = torch.full((SIZE,), ABSENT)
    whole[at] = noise.float().clamp_max(0.01 * ABSENT)

    def mean_of(some: Tensor) -> tuple[Tensor, Tensor]:
        values = torch.zeros(SIZE).index_put((at,), some)
        mean, variance = network(values[None], whole[None], film[None].float())
        return mean[0, at], variance[0, at]

    slope, variance = torch.func.jacrev(mean_of, has_aux=True)(y.float())
    with torch.no_grad():
        mean = mean_of(y.float())[0]
    return _Answer(mean.double(), variance.detach().double(), slope.detach().double())
