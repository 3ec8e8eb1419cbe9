"""`nanotexture train` of the denoiser of textures: textures as tasks, then the network, its weights and its card."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from nanotexture.engine.cluster import ClusterSettings
from nanotexture.engine.progress import Progress
from nanotexture.engine.task import Task
from nanotexture.priors.card import parameters
from nanotexture.priors.texture_card import LIMITS, markdown, scored, trust_of
from nanotexture.priors.texture_training import (
    Learning,
    Textures,
    identity_of,
    textures_of,
    trained_denoiser,
)
from nanotexture.priors.texture_weights import FILE, VERSION, save_texture_prior
from nanotexture.priors.training import Learnt, Say, split
from nanotexture.recipe_training import TextureTrainingRecipe, read_texture_training
from nanotexture.runner import make_folder
from nanotexture.stages.texture_examples import TextureExamplesConfig, make_texture_examples
from nanotexture.training_shared import Begun, computed, finished

RANDOM = ("elastic", "polar", "mixed")  # families whose harmonics have phases of their own


def tasks_of(recipe: TextureTrainingRecipe) -> tuple[Task, ...]:
    """The tasks that make all textures; more textures leave those that are there as they are."""
    told = recipe.train
    numbers = range(told.textures)
    return tuple(
        Task(
            make_texture_examples,
            TextureExamplesConfig(
                seed=told.seed,
                superlattices=told.superlattices,
                numbers=tuple(numbers[first : first + told.task]),
            ),
            (),
            f"textures from {first}",
        )
        for first in range(0, told.textures, told.task)
    )


@dataclass(frozen=True)
class Data:
    """Textures to learn from and to validate on, the latter's families, and how many there are of each family."""

    learn: Textures
    validate: Textures
    validated: list[str]
    families: dict[str, int]


def train_texture(
    path: Path, out: Path, changes: tuple[str, ...], settings: ClusterSettings, progress: Progress, say: Say
) -> Learnt:
    """Train, or resume from the last checkpoint, and write weights and card."""
    begun, recipe = Begun(path, changes), read_texture_training(path, changes)
    folder, told = out / recipe.name, recipe.train
    make_folder(folder)
    data = made(recipe, folder, settings, progress)
    chosen = Learning(told.epochs, told.batch, told.rate, told.decay, told.patience, told.seed)
    identity = identity_of((data.learn, data.validate), chosen)
    network, curves = trained_denoiser(
        data.learn, data.validate, settings=chosen, folder=folder, identity=identity, say=say
    )
    scores = scored(network, data.validate, data.validated, told.seed)
    trust = trust_of(network, data.validate, scores, told.seed)
    weights = folder / FILE
    card = {
        "name": recipe.name,
        "version": VERSION,
        "sha256": save_texture_prior(weights, network, trust),
        "data": {
            "learnt": len(data.learn),
            "validation": len(data.validate),
            "seed": told.seed,
            "families": data.families,
        },
        "scores": [asdict(one) for one in scores],
        "trust": asdict(trust),
        "limits": list(LIMITS),
    }
    return finished(
        begun,
        weights,
        card,
        parameters=parameters(network),
        curves=curves,
        card=folder / "texture_card.md",
        markdown=markdown,
    )


def made(recipe: TextureTrainingRecipe, folder: Path, settings: ClusterSettings, progress: Progress) -> Data:
    """Both parts of the textures, computed or found in the folder."""
    found = computed(tasks_of(recipe), folder, settings, progress)
    whole = _joined(found)
    families = [str(name) for one in found for name in one["family"].values]
    learn, validate = split(len(whole), recipe.train.validation, recipe.train.seed)
    counts = dict(sorted(Counter(families[i] for i in learn).items()))
    parts = [whole.chosen(numbers) for numbers in (learn, validate)]
    return Data(parts[0], parts[1], [families[i] for i in validate], counts)


def _joined(found: list[xr.Dataset]) -> Textures:
    """Textures of several tasks together."""
    parts = [np.concatenate([one[name].values for one in found]) for name in ("coefficient", "given", "told")]
    families = [str(name) for one in found for name in one["family"].values]
    return textures_of(parts[0], parts[1], parts[2], np.isin(families, RANDOM))
