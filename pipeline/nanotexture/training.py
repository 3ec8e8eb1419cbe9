"""`nanotexture train`: the prior that a recipe tells, trained or resumed."""

from __future__ import annotations

from pathlib import Path

from nanotexture.engine.cluster import ClusterSettings
from nanotexture.engine.progress import Progress
from nanotexture.priors.training import Learnt, Say
from nanotexture.recipe_training import told_prior
from nanotexture.training_crystal import train_crystal
from nanotexture.training_film import train_film
from nanotexture.training_texture import train_texture

_TRAIN = {"crystal": train_crystal, "film": train_film, "texture": train_texture}


def train_recipe(
    path: Path, out: Path, changes: tuple[str, ...], settings: ClusterSettings, progress: Progress, say: Say
) -> Learnt:
    """Train, or resume from the last finished epoch, the prior that the recipe tells, and write its weights and card."""
    return _TRAIN[told_prior(path, changes)](path, out, changes, settings, progress, say)
