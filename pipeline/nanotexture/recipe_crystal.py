"""Recipes of kind "crystal": 3D coherent diffraction of one nanocrystal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from nanotexture.recipe import model_of
from nanotexture.tables.convert import Convert
from nanotexture.tables.crystal import Crystal, CrystalInput, CrystalInvert
from nanotexture.tables.fields import Table

KIND = "crystal"


_OF_ARRAYS = ("voxel", "q", "nominal", "values", "peak_counts", "unmeasured", "array", "mask")
_OF_FRAMES = ("scan", "qx_range", "qy_range", "qz_range")


class CrystalRecipe(Table):
    """A whole recipe of one crystal; with a table [convert] its files are frames."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    input: CrystalInput
    crystal: Crystal
    invert: CrystalInvert = CrystalInvert()
    convert: Convert | None = None

    @model_validator(mode="after")
    def _array_or_frames(self) -> CrystalRecipe:
        if self.convert is None:
            _refuse(self.input, "input", _OF_FRAMES, "a table [convert]: of frames")
            _refuse(self.crystal, "crystal", ("size",), "a table [convert]: of frames")
            self.crystal.refuse_both("voxel", "step")
            return self
        _refuse(self.input, "input", ("mask",), "an array, not with frames")
        _refuse(self.crystal, "crystal", _OF_ARRAYS, "an array, not with frames")
        _refuse(self.convert, "convert", ("check", "growing"), "maps, not with a crystal")
        for name in ("step", "size"):
            if getattr(self.crystal, name) is None:
                raise ValueError(f"crystal.{name}: expected with frames, found nothing")
        return self


def _refuse(table: Table, where: str, names: tuple[str, ...], what: str) -> None:
    for name in names:
        if name in table.model_fields_set:
            raise ValueError(f"{where}.{name}: expected only with {what}, found it")


def crystal_recipe(data: dict[str, Any], path: Path) -> CrystalRecipe:
    """Recipe of the tables of a file; UserError names file, key and what was expected."""
    return model_of(CrystalRecipe, data, path)
