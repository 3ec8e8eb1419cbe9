"""`nanotexture train` of the prior for crystals: particles as tasks, then the network, its weights and its card."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from nanotexture.engine.cluster import ClusterSettings
from nanotexture.engine.order import sha256_of_file
from nanotexture.engine.progress import Progress
from nanotexture.engine.task import Task
from nanotexture.prior_files import prior_file
from nanotexture.priors.augmentation import Detector
from nanotexture.priors.card import LIMITS, Score, markdown, parameters, scored, trust_of
from nanotexture.priors.loss import Network
from nanotexture.priors.networks import GRID, FoundingNet, PhasesOf
from nanotexture.priors.training import (
    Examples,
    Learnt,
    Say,
    Training,
    examples_of,
    identity_of,
    made_network,
    split,
    trained,
)
from nanotexture.priors.weights import FILE, VERSION, load_prior, save_prior, write_tensors
from nanotexture.recipe_training import TrainingRecipe, read_training
from nanotexture.runner import make_folder
from nanotexture.simulate.atoms import relaxed_by
from nanotexture.stages.crystal_examples import ExamplesConfig, make_examples
from nanotexture.training_shared import Begun, computed, finished

SIZE = 2 * GRID  # voxels of the array of a particle: its middle is what the network sees


def tasks_of(recipe: TrainingRecipe, numbers: tuple[int, ...], by: str) -> tuple[Task, ...]:
    """The tasks that make these particles, by: what relaxes them; one to learn from and one to validate on share no task."""
    told, step = recipe.particles, recipe.train.task
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


def train_crystal(
    path: Path, out: Path, changes: tuple[str, ...], settings: ClusterSettings, progress: Progress, say: Say
) -> Learnt:
    """Train, or resume from the last finished epoch, and write weights and card."""
    begun, recipe = Begun(path, changes), read_training(path, changes)
    network, learnt_on = _network(recipe, path)
    folder = out / recipe.name
    make_folder(folder)
    data = made(recipe, folder, settings, progress)
    told, seen = recipe.train, recipe.detector
    detector = Detector(seen.decades, seen.background, seen.gaps, seen.coherence)
    chosen = Training(told.epochs, told.batch, told.rate, told.patience, told.seed, told.half)
    curves = trained(
        network,
        data.learn,
        data.validate,
        detector=detector,
        settings=chosen,
        folder=folder,
        identity=identity_of((data.learn, data.validate), network, detector, chosen),
        say=say,
    )
    guessing = PhasesOf(network) if isinstance(network, FoundingNet) else network
    scores, weights = scored(guessing, data.validate, _decades(seen.decades), told.seed), folder / FILE
    card = {
        "name": recipe.name,
        "version": VERSION,
        "sha256": _written(weights, network, scores),
        "begun_from": learnt_on,
        "data": {
            "learnt": len(data.learn),
            "validation": len(data.validate),
            "seed": told.seed,
            "families": data.families,
            "strains": data.strains,
        },
        "scores": [asdict(one) for one in scores],
        "limits": list(LIMITS),
    }
    return finished(
        begun,
        weights,
        card,
        parameters=parameters(network),
        curves=curves,
        card=folder / "card.md",
        markdown=markdown,
    )


def _network(recipe: TrainingRecipe, path: Path) -> tuple[Network, str]:
    """The network to train, and the sha256 of the weights that it begins from, "" where it begins from nothing."""
    told = recipe.train
    network = made_network(told.network, told.seed)
    weights = prior_file("crystal", told.begin, path, "train.begin")
    if not weights:
        return network, ""
    network.load_state_dict(load_prior(weights[0]).network.state_dict())
    return network, sha256_of_file(weights[0])


def _written(weights: Path, network: Network, scores: list[Score]) -> str:
    """The file's sha256; the founding network's weights have a layout of their own, which no run takes."""
    if isinstance(network, FoundingNet):
        return write_tensors(weights, network, {"version": "founding"})
    return save_prior(weights, network, trust_of(scores))


def _decades(limits: tuple[float, float]) -> tuple[float, ...]:
    """Whole decades between limits, both ends included."""
    low, high = limits
    return tuple(np.linspace(low, high, max(2, round(high - low) + 1)).tolist())


def made(recipe: TrainingRecipe, folder: Path, settings: ClusterSettings, progress: Progress) -> Data:
    """Both parts of the particles, computed or found in the folder."""
    numbers = split(recipe.train.particles, recipe.train.validation, recipe.train.seed)
    by = relaxed_by() if recipe.particles.relaxed > 0.0 else ""
    tasks = [tasks_of(recipe, part, by) for part in numbers]
    found = computed(tasks[0] + tasks[1], folder, settings, progress)
    counts = (
        dict(sorted(Counter(str(v) for one in found[: len(tasks[0])] for v in one[name].values).items()))
        for name in ("family", "strain")
    )
    return Data(_examples(found[: len(tasks[0])]), _examples(found[len(tasks[0]) :]), *counts)


def _examples(found: list[xr.Dataset]) -> Examples:
    return examples_of([one["amplitude"].values for one in found], [one["phase"].values for one in found])
