"""Stage: how well the first motifs of the prior for films fit films that it never learnt from, before any step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from nanotexture.engine.stage import stage
from nanotexture.phasing.motif_model import ReflectionData
from nanotexture.priors.film_weights import load_film_prior
from nanotexture.quantities import FirstCosts
from nanotexture.schema import FIRST_COSTS, labelled
from nanotexture.simulate.film_draws import POLAR, DrawnFilm, random_film
from nanotexture.stages.config import Config
from nanotexture.stages.film_drawn import PLANE, drawn_reflections
from nanotexture.stages.film_examples import SHARES, measured
from nanotexture.stages.film_starts import learned_starts
from nanotexture.stages.motif_setup import MotifData

DECADES = (4.0, 7.0)  # of the counts of the brightest reflection where all planes are in phase
DARK, SYSTEMATIC = 6.0, 0.02  # counts of background in an error; relative


class TrustConfig(Config):
    """Which films are drawn (simulate.film_draws)."""

    seed: int
    numbers: tuple[int, ...]


@stage(version=1)
def film_trust(weights: Path, *, config: TrustConfig) -> FirstCosts:
    """Lowest first cost and expected error of each film, all of its reflections counted once."""
    network = load_film_prior(weights).network
    found = [
        learned_starts(network, counted_film(config.seed, number), seed=config.seed)
        for number in config.numbers
    ]
    values = {
        "film": np.array(config.numbers),
        "first_cost": np.array([one.cost[0] for one in found]),
        "expected_error": np.array([one.expected for one in found]),
    }
    return FirstCosts(labelled(values, FIRST_COSTS))


def counted_film(seed: int, number: int) -> MotifData:
    """A drawn film as the solver would be given it, its orders counted."""
    film = random_film(seed=seed, number=number, families=SHARES)
    drawn = drawn_reflections(film, measured(film, seed, number))
    rng = np.random.Generator(np.random.PCG64([seed, number, 13]))
    full = [float((one.weights[:, 0, 0, None] * one.planes[:, 0]).sum(0).abs().sum()) for one in drawn.data]
    flux = 10.0 ** rng.uniform(*DECADES) / max(full) ** 2
    counted = tuple(
        _counted(one, bright, flux, size, rng)
        for one, bright, size in zip(drawn.data, drawn.intensity, full, strict=True)
    )
    return _motif_data(film, counted, drawn.lean)


def _counted(
    one: ReflectionData, bright: torch.Tensor, flux: float, full: float, rng: np.random.Generator
) -> ReflectionData:
    """Intensities of a reflection with noise; flux: counts for a squared electron; full: electrons of all planes in phase."""
    true = bright.numpy().clip(0.0)
    variance = true / flux + (DARK / flux) ** 2
    noisy = true + np.sqrt(variance + (SYSTEMATIC * true) ** 2) * rng.normal(size=true.shape)
    sigma = np.sqrt(variance + (SYSTEMATIC * noisy) ** 2)
    return replace(one, intensity=torch.from_numpy(noisy), sigma=torch.from_numpy(sigma))


def _motif_data(film: DrawnFilm, data: tuple[ReflectionData, ...], lean: float) -> MotifData:
    polar = PLANE if film.family in POLAR else np.zeros((0, 2))
    # what is not asked for has no field
    if not len(polar):
        data = tuple(replace(one, lift=one.lift[:, : len(PLANE)]) for one in data)
    planes = len(film.stack.heights)
    return MotifData(
        reflections=data,
        full=data,
        axes=PLANE,
        polar_axes=polar,
        stack=film.stack,
        slots=np.arange(planes),
        period=film.motif.periods[0],
        gap=film.gap,
        highest=data[0].highest[0],
        fringes=4.0,
        block=tuple(1 for _ in data),
        lean=lean,
    )
