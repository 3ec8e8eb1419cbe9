"""Recipes of kind "crystal": 3D coherent diffraction of one nanocrystal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from nanotexture.recipe import model_of
from nanotexture.tables.crystal import Crystal, CrystalInput, CrystalInvert
from nanotexture.tables.fields import Table

KIND = "crystal"


class CrystalRecipe(Table):
    """A whole recipe of one crystal."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    input: CrystalInput
    crystal: Crystal
    invert: CrystalInvert = CrystalInvert()


def crystal_recipe(data: dict[str, Any], path: Path) -> CrystalRecipe:
    """Recipe of the tables of a file; UserError names file, key and what was expected."""
    return model_of(CrystalRecipe, data, path)
