"""Which kind of job a recipe is: one line for each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nanotexture.conversion_job import conversion_job
from nanotexture.conversion_recipe import TABLES, ConversionRecipe
from nanotexture.crystal_job import crystal_job
from nanotexture.errors import UserError
from nanotexture.film_job import film_job
from nanotexture.job import Job
from nanotexture.recipe import Recipe, model_of, read_tables
from nanotexture.recipe_crystal import KIND, crystal_recipe
from nanotexture.recipe_training import KIND as TRAIN


def job_of(path: Path, changes: tuple[str, ...] = ()) -> Job:
    """The job of a recipe; reads headers, computes nothing; UserError names recipe or file, field and what was expected."""
    tables = read_tables(path, changes)
    if TRAIN in tables:
        raise UserError(f"{path}: train: a recipe of a prior is trained, not run: nanotexture train {path}")
    if _kind(tables) == KIND:
        return crystal_job(crystal_recipe(tables, path), path)
    if _is_conversion(tables):
        return conversion_job(model_of(ConversionRecipe, tables, path), path)
    return film_job(model_of(Recipe, tables, path), path)


def _is_conversion(tables: dict[str, Any]) -> bool:
    """Instrument files and no word of a film: maps are all that is asked for."""
    return _kind(tables) in ("scans", "frames") and set(tables) <= TABLES


def _kind(tables: dict[str, Any]) -> Any:
    told = tables.get("input")
    return told.get("kind") if isinstance(told, dict) else None
