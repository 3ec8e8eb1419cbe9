"""Recipes without a film: instrument files to maps, and nothing inverted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nanotexture.tables.fields import Table
from nanotexture.tables.input import Input


class ConversionRecipe(Table):
    """What is read, and how it becomes maps."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    input: Input


TABLES = frozenset(ConversionRecipe.model_fields)
