"""A motif relaxed again and again under what a denoiser of textures says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from nanotexture.phasing.motif import MotifSolutions
from nanotexture.priors.texture_modes import Places, Surroundings, places_of
from nanotexture.priors.texture_pull import Denoised, Told, denoised
from nanotexture.priors.texture_weights import TexturePrior
from nanotexture.stages.motif_setup import MotifData
from nanotexture.stages.motif_solve import ModeNumbers, Motifs, relaxed
from nanotexture.stages.texture_examples import polar_planes


@dataclass(frozen=True)
class UnderPrior:
    """A motif under the prior; strangeness: of the motif without it, to the prior."""

    solution: MotifSolutions
    strangeness: float


def under_prior(
    data: MotifData, modes: ModeNumbers, prior: TexturePrior, first: MotifSolutions, rounds: int
) -> UnderPrior | None:
    """The motif of the one solution `first` under the prior; of several rounds the one that fits all points best.

    None where the denoiser has nothing to say: no field it knows, or nothing that the data tell.
    """
    unknowns = data.unknowns(modes.harmonics, modes.polynomials, modes.strain)
    widths, places = unknowns.prior_precision(), _places(data, modes)
    film = torch.from_numpy(_surroundings(data).told())
    found: list[MotifSolutions] = []
    said: Denoised | None = None
    strangeness = float("nan")
    for _ in range(rounds):
        last = found[-1] if found else first
        told = Told.of(
            last.coefficients[0], last.own_covariance[0], widths, None if said is None else said.pull
        )
        if told is None:
            break
        said = denoised(prior.network, places, told, film, prior.trust.inflation)
        if said.pull is None:
            break
        strangeness = strangeness if found else said.strangeness
        found.append(relaxed(data, modes, motifs_of(data, last), pull=said.pull))
    if not found:
        return None
    return UnderPrior(min(found, key=lambda one: chi2_of_all(data, one)), strangeness)


def motifs_of(data: MotifData, found: MotifSolutions) -> Motifs:
    """Fields and gaps of solutions, to go on from."""
    return Motifs(data.on_planes(found.fields), found.gap.numpy())


def chi2_of_all(data: MotifData, found: MotifSolutions) -> float:
    """chi2 of the first solution over fitted and held-out points."""
    work, free = points_of(data)
    total = work * float(found.cost[0])
    return total + free * float(found.free_cost[0]) if free else total


def points_of(data: MotifData) -> tuple[int, int]:
    """Numbers of fitted and of held-out points."""
    work = sum(int(one.work.sum()) for one in data.reflections)
    return work, sum(int(one.free.sum()) for one in data.reflections)


def _places(data: MotifData, modes: ModeNumbers) -> Places:
    return places_of(
        data.unknowns(modes.harmonics, modes.polynomials, modes.strain),
        axes=data.axes,
        polar_axes=data.polar_axes,
        period=data.period,
        polar=polar_planes(data.stack),
        tied=data.tied,
    )


def _surroundings(data: MotifData) -> Surroundings:
    """What the network is told of the film."""
    polar = polar_planes(data.stack)
    extent = np.flatnonzero(polar)
    ends = (0.0, 0.0)
    if len(data.polar_axes) and len(extent):
        ends = (float(extent[0] / len(polar)), float((extent[-1] + 1) / len(polar)))
    return Surroundings(data.period, data.stack.thickness / data.stack.repeat, ends, data.lean, data.repeats)
