"""`nanotexture train`: particles as tasks, then the network, its weights and its card."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from nanotexture.engine.cluster import ClusterSettings, connect
from nanotexture.engine.progress import Progress
from nanotexture.engine.run import plan, run
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Task
from nanotexture.priors.augmentation import Detector
from nanotexture.priors.card import LIMITS, markdown, parameters, scored, torch_version, trust_of
from nanotexture.priors.networks import GRID
from nanotexture.priors.training import (
    Examples,
    Learnt,
    Say,
    Training,
    examples_of,
    identity_of,
    split,
    trained,
)
from nanotexture.priors.weights import FILE, VERSION, save_prior
from nanotexture.recipe_training import TrainingRecipe, read_training, told_prior
from nanotexture.runner import make_folder
from nanotexture.simulate.atoms import relaxed_by
from nanotexture.stages.crystal_examples import ExamplesConfig, make_examples
from nanotexture.training_film import train_film
from nanotexture.training_texture import train_texture

SIZE = 2 * GRID  # voxels of the array of a particle: its middle is what the network sees


def tasks_of(recipe: TrainingRecipe, numbers: tuple[int, ...]) -> tuple[Task, ...]:
    """The tasks that make these particles; a particle to learn from and one to validate on share no task."""
    told, step = recipe.particles, recipe.train.task
    by = relaxed_by() if told.relaxed > 0.0 else ""
    return tuple(
        Task(
            make_examples,
            ExamplesConfig(
                size=SIZE,
                sampling=told.sampling,
                phase_range=told.phase_range,
                defects=told.defects,
                off_centre=told.off_centre,
                coherence=told.coherence,
                relaxed=told.relaxed,
                relaxed_by=by,
                grid=GRID,
                seed=recipe.train.seed,
                numbers=numbers[first : first + step],
            ),
            (),
            f"particles from {numbers[first]}",
        )
        for first in range(0, len(numbers), step)
    )


@dataclass(frozen=True)
class Data:
    """Particles to learn from and to validate on, and how many of each family and strain there are."""

    learn: Examples
    validate: Examples
    families: dict[str, int]
    strains: dict[str, int]


def train_recipe(
    path: Path, out: Path, changes: tuple[str, ...], settings: ClusterSettings, progress: Progress, say: Say
) -> Learnt:
    """Train, or resume from the last finished epoch, the prior that the recipe tells, and write weights and card."""
    if told_prior(path, changes) == "film":
        return train_film(path, out, changes, settings, progress, say)
    if told_prior(path, changes) == "texture":
        return train_texture(path, out, changes, settings, progress, say)
    begun, processor = time.perf_counter(), time.process_time()
    recipe = read_training(path, changes)
    folder = out / recipe.name
    make_folder(folder)
    data = made(recipe, folder, settings, progress)
    told, seen = recipe.train, recipe.detector
    detector = Detector(seen.decades, seen.background, seen.gaps)
    chosen = Training(told.epochs, told.batch, told.rate, told.decay, told.patience, told.seed)
    identity = identity_of((data.learn, data.validate), detector, chosen)
    network, curves = trained(
        data.learn,
        data.validate,
        detector=detector,
        settings=chosen,
        folder=folder,
        identity=identity,
        say=say,
    )
    scores = scored(network, data.validate, _decades(seen.decades), told.seed)
    weights = folder / FILE
    sha256 = save_prior(weights, network, trust_of(scores))
    card = {
        "name": recipe.name,
        "version": VERSION,
        "sha256": sha256,
        "parameters": parameters(network),
        "recipe": path.read_text(encoding="utf-8"),
        "changes": list(changes),
        "data": {
            "learnt": len(data.learn),
            "validation": len(data.validate),
            "seed": told.seed,
            "families": data.families,
            "strains": data.strains,
        },
        "curves": asdict(curves) | {"best": curves.best},
        "scores": [asdict(one) for one in scores],
        "limits": list(LIMITS),
        "seconds": round(time.process_time() - processor, 1),
        "torch": torch_version(),
    }
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(markdown(card), encoding="utf-8")
    spent = round(time.perf_counter() - begun, 1)
    loss = curves.validation[curves.best]
    return Learnt(weights, folder / "card.md", sha256, len(curves.learnt), loss, spent)


def _decades(limits: tuple[float, float]) -> tuple[float, ...]:
    """Whole decades between limits, both ends included."""
    low, high = limits
    return tuple(np.linspace(low, high, max(2, round(high - low) + 1)).tolist())


def made(recipe: TrainingRecipe, folder: Path, settings: ClusterSettings, progress: Progress) -> Data:
    """Both parts of the particles, computed or found in the folder."""
    numbers = split(recipe.train.particles, recipe.train.validation, recipe.train.seed)
    tasks = [tasks_of(recipe, part) for part in numbers]
    store = ArtefactStore(folder / "artefacts")
    if plan(tasks[0] + tasks[1], store).missing:
        with connect(settings) as connection:
            run(tasks[0] + tasks[1], store, connection, progress)
    learn, validate = ([store.get(task.name) for task in part] for part in tasks)
    counts = (
        dict(sorted(Counter(str(v) for one in learn for v in one[name].values).items()))
        for name in ("family", "strain")
    )
    return Data(_examples(learn), _examples(validate), *counts)


def _examples(found: list[xr.Dataset]) -> Examples:
    return examples_of([one["amplitude"].values for one in found], [one["phase"].values for one in found])
