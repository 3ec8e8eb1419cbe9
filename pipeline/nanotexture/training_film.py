"""`nanotexture train` of the prior for films: films as tasks, then the network, its weights and its card."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from nanotexture.engine.cluster import ClusterSettings, connect
from nanotexture.engine.progress import Progress
from nanotexture.engine.run import plan, run
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Task
from nanotexture.recipe_training import FilmTrainingRecipe
from nanotexture.stages.film_examples import FilmExamplesConfig, film_examples

POLAR = ("closure", "vortices", "polar", "mixed")


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
