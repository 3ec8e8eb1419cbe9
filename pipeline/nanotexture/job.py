"""What a recipe of any kind comes to: its files, its tasks, and the result that these make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import xarray as xr

from nanotexture.engine.task import Task

Getter = Callable[[Task], xr.Dataset]


class Job(Protocol):
    """A recipe read and planned, nothing computed."""

    @property
    def name(self) -> str:
        """Name of the recipe, and of its folder."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Input files, each once."""

    @property
    def wanted(self) -> tuple[Task, ...]:
        """Tasks whose artefacts the result is made of."""

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each thing that was asked and that the input cannot give."""

    @property
    def worker_bytes(self) -> int:
        """Peak memory of one worker, from headers alone."""

    def tree(self, get: Getter, attrs: Mapping[str, Any]) -> xr.DataTree:
        """All groups of result.zarr from the artefacts; attrs are those of the root."""
