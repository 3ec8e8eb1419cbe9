"""Stage: simulated films that a prior for films learns from, some in each task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.priors.film_tokens import HIGHEST
from nanotexture.quantities import FilmExamples
from nanotexture.schema import FILM_EXAMPLES, labelled
from nanotexture.simulate.axes import Hkl
from nanotexture.simulate.film_draws import DrawnFilm, Family, random_film
from nanotexture.stages.config import Config
from nanotexture.stages.film_drawn import drawn_orders

REFLECTIONS = 6  # of each film
MOST = REFLECTIONS * (2 * HIGHEST + 1)  # tokens of a film
# random textures more often: theirs are the starts that most often fail
SHARES: tuple[Family, ...] = (
    *("elastic", "polar", "mixed") * 3,
    *("laminate",) * 2,
    *("closure", "vortices", "phase_field"),
)


class FilmExamplesConfig(Config):
    """Which films are drawn (simulate.film_draws)."""

    seed: int
    numbers: tuple[int, ...]


@stage(version=2)
def film_examples(*, config: FilmExamplesConfig) -> FilmExamples:
    """Orders of all reflections of films, before anything is counted, and their textures, each fixed by (seed, number)."""
    seed = config.seed
    films = [random_film(seed=seed, number=number, families=SHARES) for number in config.numbers]
    found = [
        drawn_orders(film, measured(film, seed, number))
        for film, number in zip(films, config.numbers, strict=True)
    ]
    tokens = [one.tokens for one in found]
    truth = np.stack([one.coefficients for one in found])
    values = {
        "film": np.array(config.numbers),
        "family": [film.family for film in films],
        "intensity": _padded([one.intensity for one in tokens]),
        "seen": _padded([one.seen for one in tokens]).astype(np.uint8),
        "flat": _padded([one.flat for one in tokens]),
        "about": _padded([one.about for one in tokens]),
        "reflection": _padded([one.reflection for one in tokens], -1),
        "order": _padded([one.order for one in tokens]),
        "full": _padded([one.full.float() for one in tokens]),
        "coefficients": np.stack([truth.real, truth.imag], axis=-1).astype(np.float32),
    }
    return FilmExamples(labelled(values, FILM_EXAMPLES))


def measured(film: DrawnFilm, seed: int, number: int) -> tuple[Hkl, ...]:
    """Reflections of a film that are measured: two specular ones at least, two others at least."""
    rng = np.random.Generator(np.random.PCG64([seed, number, 12]))
    kinds = [[hkl for hkl in film.reflections if (hkl[0] == 0) is flat] for flat in (True, False)]
    mixed = [[kind[i] for i in rng.permutation(len(kind))] for kind in kinds]
    rest = mixed[0][2:] + mixed[1][2:]
    more = [rest[i] for i in rng.permutation(len(rest))[: REFLECTIONS - 4]]
    return (*mixed[0][:2], *mixed[1][:2], *more)


def _padded(parts: Sequence[torch.Tensor], empty: int = 0) -> NDArray[np.generic]:
    """(film, token, ...): as many tokens in all films."""
    first = parts[0].numpy()
    found = np.full((len(parts), MOST, *first.shape[1:]), empty, dtype=first.dtype)
    for row, part in zip(found, parts, strict=True):
        row[: len(part)] = part.numpy()
    return found
