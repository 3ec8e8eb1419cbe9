"""Recipes without a film: instrument files to maps, and nothing inverted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from nanotexture.tables.convert import Convert, refuse_convert
from nanotexture.tables.fields import Table
from nanotexture.tables.input import Input


class ConversionRecipe(Table):
    """What is read, and how it becomes maps."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    input: Input
    convert: Convert = Convert()

    @model_validator(mode="after")
    def _of_frames(self) -> ConversionRecipe:
        refuse_convert(self.input, "convert" in self.model_fields_set)
        return self


TABLES = frozenset(ConversionRecipe.model_fields)
