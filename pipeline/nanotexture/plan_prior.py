"""The priors of films as tasks: this module wires stages together and holds no physics."""

from __future__ import annotations

from pathlib import Path

from nanotexture.engine.task import Source, Task
from nanotexture.errors import UserError
from nanotexture.film.config import FilmConfig
from nanotexture.prior_files import prior_file
from nanotexture.recipe import Recipe
from nanotexture.stages.film_guess import FilmGuessConfig, film_guess


def film_weights(recipe: Recipe, film: FilmConfig, path: Path) -> tuple[Path, ...]:
    """The file of the prior's weights, where the recipe asks for it; UserError where it is missing or damaged."""
    told = recipe.invert.prior
    if told != "none" and (recipe.invert.solver != "motif" or film.repeat > 1):
        what = "a superlattice" if film.repeat > 1 else f"solver {recipe.invert.solver!r}"
        raise UserError(
            f'{path}: invert.prior: expected "none" for {what}, found {told!r}: the prior learnt from single films'
        )
    return prior_file("film", told, path, "invert.prior")


def guesses_of(
    recipe: Recipe, film: FilmConfig, orders: dict[float, Task], shared: Task, weights: tuple[Path, ...]
) -> dict[float, tuple[Task, ...]]:
    """Where to begin at each temperature: one task, or none where there are no weights."""
    config = FilmGuessConfig(film=film, polarization=recipe.texture.polarization, seed=recipe.invert.seed)
    return {
        t: tuple(Task(film_guess, config, (one, shared, Source(file)), f"{t:g} K") for file in weights)
        for t, one in orders.items()
    }


def denoiser_weights(recipe: Recipe, path: Path) -> tuple[Path, ...]:
    """The weights of the prior over textures, where the recipe asks for it; UserError where they are missing or damaged."""
    told = recipe.invert.denoise
    if told != "none" and recipe.invert.solver != "motif":
        raise UserError(
            f'{path}: invert.denoise: expected "none" for solver {recipe.invert.solver!r}, found {told!r}'
        )
    return prior_file("texture", told, path, "invert.denoise")
