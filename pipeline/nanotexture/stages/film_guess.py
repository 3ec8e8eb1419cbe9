"""Stage: motifs of a film that a learned prior would begin from, and whether the film is like those it learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from nanotexture.engine.stage import stage
from nanotexture.film.config import FilmConfig
from nanotexture.priors.film_modes import SHAPE
from nanotexture.priors.film_weights import load_film_prior
from nanotexture.quantities import FilmGuess, Orders, Reference
from nanotexture.schema import FILM_GUESS, labelled
from nanotexture.stages.config import Config
from nanotexture.stages.film_starts import Learned, applies, learned_starts
from nanotexture.stages.motif_data import motif_data


class FilmGuessConfig(Config):
    """Film, whether its polarization is asked for, and the seed of what is drawn from the predicted spread."""

    film: FilmConfig
    polarization: bool
    seed: int


@stage(version=1)
def film_guess(orders: Orders, reference: Reference, weights: Path, *, config: FilmGuessConfig) -> FilmGuess:
    """Motifs predicted by the network, none where it cannot be asked; whether it knows enough to be followed."""
    prior = load_film_prior(weights)
    data = motif_data(orders, reference, config.film, config.polarization)
    found = learned_starts(prior.network, data, seed=config.seed) if applies(data) else _none()
    values = {
        "coefficients": torch.view_as_real(found.coefficients).numpy(),
        "first_cost": found.cost,
        "lean": found.lean,
        "limit": prior.limit,
        "expected_error": found.expected,
        "vague": prior.vague,
        "followed": int(found.expected <= prior.vague),
    }
    return FilmGuess(labelled(values, FILM_GUESS))


def learned_of(guess: FilmGuess | None) -> Learned | None:
    """The motifs of a guess, if there are any and the network knows enough of the film."""
    if guess is None or not int(guess["followed"]):
        return None
    parts = torch.from_numpy(np.ascontiguousarray(guess["coefficients"].values))
    cost, expected = guess["first_cost"].values, float(guess["expected_error"])
    return Learned(torch.view_as_complex(parts), float(guess["lean"]), cost, expected)


def _none() -> Learned:
    return Learned(torch.zeros(0, *SHAPE, dtype=torch.complex128), 0.0, np.zeros(0), float("inf"))
