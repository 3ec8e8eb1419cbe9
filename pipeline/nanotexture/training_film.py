"""`nanotexture train` of the prior for films: films as tasks, then the network, its weights and its card."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nanotexture.engine.cluster import ClusterSettings
from nanotexture.engine.progress import Progress
from nanotexture.engine.task import Task
from nanotexture.priors.card import parameters
from nanotexture.priors.film_augmentation import FilmBatch, Shown, film_batch
from nanotexture.priors.film_card import LIMITS, errors_by_family, markdown
from nanotexture.priors.film_network import OrderNet
from nanotexture.priors.film_training import FilmTraining, trained_film, validation_question
from nanotexture.priors.film_weights import FILE, VAGUE, VERSION, save_film_prior
from nanotexture.priors.training import Learnt, Say
from nanotexture.recipe_training import FilmTrainingRecipe, read_film_training
from nanotexture.runner import make_folder
from nanotexture.simulate.film_draws import HELD_OUT, POLAR
from nanotexture.stages.film_examples import FilmExamplesConfig, film_examples
from nanotexture.stages.film_trust import TrustConfig, film_trust
from nanotexture.training_shared import Begun, computed, finished

QUANTILE = 0.95
TRIED = 100  # films that the first cost is counted on


@dataclass(frozen=True)
class Data:
    """Films to learn from and to validate on, and the families of each."""

    learn: FilmBatch
    validate: FilmBatch
    families: tuple[list[str], list[str]]


def train_film(
    path: Path, out: Path, changes: tuple[str, ...], settings: ClusterSettings, progress: Progress, say: Say
) -> Learnt:
    """Train, or resume from the last finished epoch, and write weights and card."""
    begun, recipe = Begun(path, changes), read_film_training(path, changes)
    folder = out / recipe.name
    make_folder(folder)
    data = made(recipe, folder, settings, progress)
    told, shown = recipe.train, Shown(**recipe.shown.model_dump())
    chosen = FilmTraining(told.epochs, told.batch, told.rate, told.decay, told.seed)
    network, curves = trained_film(
        data.learn, data.validate, shown=shown, settings=chosen, folder=folder, say=say
    )
    weights = folder / FILE
    limit = _limit(recipe, network, weights)
    sha256 = save_film_prior(weights, network, limit=limit)
    card = _card(recipe, data, network) | {"sha256": sha256, "limit": limit, "vague": VAGUE}
    return finished(
        begun,
        weights,
        card,
        parameters=parameters(network),
        curves=curves,
        card=folder / "film_card.md",
        markdown=markdown,
    )


def _card(recipe: FilmTrainingRecipe, data: Data, network: OrderNet) -> dict[str, Any]:
    told = recipe.train
    question = validation_question(data.validate, Shown(**recipe.shown.model_dump()), told.seed)
    return {
        "name": recipe.name,
        "version": VERSION,
        "data": {
            "learnt": len(data.learn),
            "validation": len(data.validate),
            "seed": told.seed,
            "families": dict(sorted(Counter(data.families[0]).items())),
            "held_out": list(HELD_OUT),
        },
        "errors": errors_by_family(network, question, data.families[1]),
        "limits": list(LIMITS),
    }


def _limit(recipe: FilmTrainingRecipe, network: OrderNet, weights: Path) -> float:
    """QUANTILE of the first cost of films that the network never learnt from and knows enough of, counted; infinite if none."""
    save_film_prior(weights, network, limit=float("inf"))
    number = min(TRIED, recipe.train.validation)
    found = film_trust(weights, config=TrustConfig(seed=recipe.train.seed, numbers=tuple(range(number))))
    known = found["first_cost"].values[found["expected_error"].values <= VAGUE]
    return float(np.quantile(known, QUANTILE)) if len(known) else float("inf")


def made(recipe: FilmTrainingRecipe, folder: Path, settings: ClusterSettings, progress: Progress) -> Data:
    """Both parts of the films, computed or found in the folder."""
    return data_of(computed(tasks_of(recipe), folder, settings, progress), recipe.train.validation)


def data_of(found: list[xr.Dataset], validation: int) -> Data:
    """The first films validate, the others teach."""
    whole = batch_of(found)
    families = [str(name) for one in found for name in one["family"].values]
    return Data(
        whole.of(slice(validation, None)),
        whole.of(slice(validation)),
        (families[validation:], families[:validation]),
    )


def tasks_of(recipe: FilmTrainingRecipe) -> tuple[Task, ...]:
    """The tasks that draw all films; more films leave those that are there as they are."""
    told = recipe.train
    numbers = range(told.films)
    return tuple(
        Task(
            film_examples,
            FilmExamplesConfig(seed=told.seed, numbers=tuple(numbers[first : first + told.task])),
            (),
            f"films from {first}",
        )
        for first in range(0, told.films, told.task)
    )


def batch_of(found: list[xr.Dataset]) -> FilmBatch:
    """Drawn films of several tasks together."""
    names = ("intensity", "seen", "flat", "about", "reflection", "order", "full", "coefficients")
    families = [str(name) for one in found for name in one["family"].values]
    return film_batch(
        {name: np.concatenate([one[name].values for one in found]) for name in names},
        np.isin(families, POLAR),
    )
