"""What a measurement makes of a film's orders, drawn anew each time the network sees them: chosen, counted, with gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.priors.film_tokens import BINS, HIGHEST, network_input

Tensor = torch.Tensor

SYSTEMATIC = (0.02, 0.04)  # relative
COUNTS = (3.5, 7.0)  # decades of the counts of the brightest reflection where all planes are in phase
DARK = (2.0, 15.0)  # counts that the background adds to an error
_ORDERS = 2 * HIGHEST + 1
_ALONG = _ORDERS + 6 * BINS  # column of G_x
_LEAN = _ALONG + 5


@dataclass(frozen=True)
class Shown:
    """How films are shown: reflections at least and at most; shares with specular ones alone and with order 0 hidden; share
    of films that are not polar whose polarization is asked for."""

    reflections: tuple[int, int] = (2, 7)
    specular: float = 0.12
    hidden: float = 0.2
    asked: float = 0.2


@dataclass(frozen=True)
class FilmBatch:
    """Orders of films, noise-free, as stages.film_examples stores them: tensors (b, t, ...), polar (b,) boolean."""

    intensity: Tensor
    seen: Tensor
    flat: Tensor
    about: Tensor
    reflection: Tensor
    order: Tensor
    full: Tensor
    coefficients: Tensor
    polar: Tensor

    def __len__(self) -> int:
        return len(self.intensity)

    def of(self, which: Tensor | slice) -> FilmBatch:
        """Some of the films."""
        return FilmBatch(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def film_batch(values: Mapping[str, NDArray[Any]], polar: NDArray[np.bool_]) -> FilmBatch:
    """Films of arrays named as FilmBatch is, coefficients (b, f, k, m, 2) with their parts apart."""
    kinds = {"seen": torch.bool, "reflection": torch.int64, "order": torch.int64}
    found = {
        name: torch.from_numpy(np.ascontiguousarray(array)).to(kinds.get(name, torch.float32))
        for name, array in values.items()
    }
    whole = torch.view_as_complex(found.pop("coefficients"))
    return FilmBatch(coefficients=whole, polar=torch.from_numpy(polar), **found)


@dataclass(frozen=True)
class Question:
    """tokens (b, t, n) and which are used (b, t); coefficients (b, f, k, m) complex; fields (b, f) asked for."""

    tokens: Tensor
    used: Tensor
    coefficients: Tensor
    fields: Tensor


def asked(batch: FilmBatch, shown: Shown, rng: torch.Generator, *, mirror: bool = True) -> Question:
    """A measurement of each film."""
    if mirror:
        batch = _mirrored(batch, _chance(len(batch), 0.5, rng))
    chosen = _chosen(batch, shown, rng)
    sideways = (chosen & (batch.about[..., _ALONG].abs() > 1e-3)).any(1)
    polar = batch.polar | _chance(len(batch), shown.asked, rng)
    fields = torch.stack([sideways, torch.ones_like(sideways), polar & sideways, polar], dim=1)
    intensity, sigma = _counted(batch, chosen, rng)
    seen = _seen(batch, intensity, sigma, chosen, shown, rng)
    used = seen.any(2)
    used[~used.any(1), 0] = True  # an empty film would have no mean
    about = told(batch.about, fields[:, 2:])
    tokens = network_input(intensity, sigma, seen, batch.flat, about)
    most = int(used.sum(1).max())
    first = torch.argsort((~used).int(), dim=1, stable=True)[:, :most]
    return Question(
        torch.take_along_dim(tokens, first[..., None], 1),
        torch.take_along_dim(used, first, 1),
        batch.coefficients,
        fields,
    )


def told(about: Tensor, polar: Tensor) -> Tensor:
    """About (b, t, n) without what a polarization that is not asked for would change; polar (b, 2) boolean: P_x, P_z."""
    found = about.clone()
    for part in range(2):
        for axis in range(2):
            first = _ORDERS + (3 * part + 1 + axis) * BINS
            found[..., first : first + BINS] *= polar[:, axis, None, None]
    return found


def _mirrored(batch: FilmBatch, which: Tensor) -> FilmBatch:
    """Some films seen from the other side: x to -x, orders n to -n, G_x to -G_x."""
    about = batch.about.clone()
    about[..., :_ORDERS] = about[..., :_ORDERS].flip(-1)
    for part in range(2):
        first = _ORDERS + (3 * part + 1) * BINS
        about[..., first : first + BINS] *= -1
    about[..., [_ALONG, _LEAN]] *= -1
    sign = torch.tensor([-1.0, 1.0, -1.0, 1.0])[:, None, None]
    turned = sign * batch.coefficients.conj()
    return replace(
        batch,
        about=torch.where(which[:, None, None], about, batch.about),
        order=torch.where(which[:, None], -batch.order, batch.order),
        coefficients=torch.where(which[:, None, None, None], turned, batch.coefficients),
    )


def _chosen(batch: FilmBatch, shown: Shown, rng: torch.Generator) -> Tensor:
    """Tokens (b, t) of a few reflections of each film: a specular one always, mostly others too."""
    number = int(batch.reflection.max()) + 1
    there = torch.zeros(len(batch), number, dtype=torch.bool)
    specular = torch.zeros_like(there)
    for r in range(number):
        own = batch.reflection == r
        there[:, r] = own.any(1)
        specular[:, r] = there[:, r] & ((own * batch.about[..., _ALONG].abs()).amax(1) < 1e-3)
    low, high = shown.reflections
    many = torch.randint(low, high + 1, (len(batch),), generator=rng)
    alone = _chance(len(batch), shown.specular, rng)
    rank = torch.rand(there.shape, generator=rng)
    rank = torch.where(alone[:, None], torch.where(specular, rank, torch.inf), rank)
    rank = torch.where(there, rank, torch.inf)
    # one specular and one other first
    for kind in (specular, there & ~specular):
        best = torch.where(kind, rank, torch.inf)
        finite = torch.isfinite(best.amin(1))
        rows = torch.nonzero(finite).squeeze(1)
        rank[rows, best.argmin(1)[rows]] -= 2.0
    keep = (rank.argsort(1).argsort(1) < many[:, None]) & torch.isfinite(rank)
    token = torch.take_along_dim(keep, batch.reflection.clamp_min(0), 1)
    return token & (batch.reflection >= 0)


def _counted(batch: FilmBatch, chosen: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Noisy intensities and their standard deviation (b, t, q); scales of reflections are known to some per cent only."""
    size = len(batch)
    bright = torch.where(chosen, batch.full, 0.0)
    top = bright.amax(1, keepdim=True).clamp_min(1e-6)
    counts = 10.0 ** _between(COUNTS, (size, 1), rng) * (bright.clamp_min(1e-6) / top) ** 2
    dark = torch.exp(_between((0.7, 2.7), (size, 1), rng))
    systematic = _between(SYSTEMATIC, (size, 1, 1), rng)
    true = batch.intensity.clamp_min(0.0)
    variance = true / counts[..., None] + (dark / counts)[..., None] ** 2
    error = torch.sqrt(variance + (systematic * true) ** 2)
    noisy = true + error * torch.randn(true.shape, generator=rng)
    number = int(batch.reflection.max()) + 1
    log = 0.05 * torch.randn(size, number, generator=rng) + 0.1 * torch.randn(size, 1, generator=rng)
    scale = torch.exp(torch.take_along_dim(log, batch.reflection.clamp_min(0), 1))[..., None]
    return noisy * scale, torch.sqrt(variance + (systematic * noisy) ** 2) * scale


def _seen(
    batch: FilmBatch, intensity: Tensor, sigma: Tensor, chosen: Tensor, shown: Shown, rng: torch.Generator
) -> Tensor:
    """What of the tokens is measured and fitted (b, t, q): ends cut, blocks held out, weak orders and order 0 often gone."""
    size, tokens, rows = intensity.shape
    seen = batch.seen & chosen[..., None]
    place = torch.arange(rows) - rows // 2
    reach = torch.take_along_dim(
        torch.randint(rows // 4, rows // 2 + 4, (size, int(batch.reflection.max()) + 1), generator=rng),
        batch.reflection.clamp_min(0),
        1,
    )
    seen = seen & (place.abs() <= reach[..., None])
    for _ in range(2):
        middle = torch.randint(-rows // 2, rows // 2 + 1, (size, tokens, 1), generator=rng)
        held = _chance((size, tokens, 1), 0.3, rng) & ((place - middle).abs() <= 1)
        seen = seen & ~held
    central = batch.order == 0
    seen = seen & ~(central & _chance((size, 1), shown.hidden, rng))[..., None]
    near = central[..., None] & ((place - torch.randint(-8, 9, (size, tokens, 1), generator=rng)).abs() <= 2)
    seen = seen & ~near
    faint = torch.where(seen, intensity / sigma, 0.0).amax(2) < 3.0
    return seen & ~(faint & _chance((size, tokens), 0.5, rng))[..., None]


def _chance(shape: int | tuple[int, ...], share: float, rng: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=rng) < share


def _between(limits: tuple[float, float], shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
    low, high = limits
    return low + (high - low) * torch.rand(shape, generator=rng)
