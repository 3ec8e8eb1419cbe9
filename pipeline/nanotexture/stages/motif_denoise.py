"""A motif relaxed again under what a denoiser of textures says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.phasing.motif import MotifSolutions
from nanotexture.priors.texture_modes import Places, Surroundings, places_of
from nanotexture.priors.texture_pull import Told, denoised
from nanotexture.priors.texture_weights import TexturePrior
from nanotexture.stages.motif_setup import MotifData
from nanotexture.stages.motif_solve import ModeNumbers, Motifs, relaxed
from nanotexture.stages.texture_examples import polar_planes

Array = NDArray[np.float64]

# The prior takes the errors that are left for independent although they hang together, so that it says less than it seems to. Of
# 1, 2 and 4 times, on films drawn for this (never learnt from, none of the suite), 4 harmed least and cost little of what is won.
TOGETHER = 4.0


@dataclass(frozen=True)
class UnderPrior:
    """A motif under the prior; strangeness: of the motif without it, to the prior."""

    solution: MotifSolutions
    strangeness: float


def under_prior(
    data: MotifData, modes: ModeNumbers, prior: TexturePrior, wide: MotifSolutions, scale: Array | None
) -> UnderPrior | None:
    """The motif of the one solution `wide`, of prior widths as they are, under the prior; scale (field, wave): factors of the
    widths that the data chose, kept beside it.

    None where the denoiser has nothing to say: no field that it knows, or nothing that the data tell.
    """
    unknowns = data.unknowns(modes.harmonics, modes.polynomials, modes.strain)
    told = Told.of(wide.coefficients[0], wide.own_covariance[0], unknowns.prior_precision())
    film = torch.from_numpy(_surroundings(data).told())
    said = denoised(prior.network, _places(data, modes), told, film, prior.trust.inflation)
    if said.pull is None:
        return None
    found = relaxed(data, modes, motifs_of(data, wide), scale, said.pull.weaker(TOGETHER))
    return UnderPrior(found, said.strangeness)


def motifs_of(data: MotifData, found: MotifSolutions) -> Motifs:
    """Fields and gaps of solutions, to go on from."""
    return Motifs(data.on_planes(found.fields), found.gap.numpy())


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
