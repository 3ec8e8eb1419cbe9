"""Which kind of job a recipe is: one line for each kind."""

from __future__ import annotations

from pathlib import Path

from nanotexture.film_job import film_job
from nanotexture.job import Job
from nanotexture.recipe import read_recipe


def job_of(path: Path, changes: tuple[str, ...] = ()) -> Job:
    """The job of a recipe; reads headers, computes nothing; UserError names recipe or file, field and what was expected."""
    return film_job(read_recipe(path, changes), path)
