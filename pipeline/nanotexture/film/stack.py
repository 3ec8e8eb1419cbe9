"""The film as planes of cells on the reference lattice."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.film.materials import Material


@dataclass(frozen=True)
class Layer:
    """Cells of one material with its reference c in angstrom."""

    material: Material
    cells: int
    c: float

    def __post_init__(self) -> None:
        """Refuse a layer without cells or height."""
        where = f"layer of {self.material.name}"
        if self.cells < 1:
            raise UserError(f"{where}: cells: expected 1 or more, found {self.cells}")
        _refuse_length(f"{where}: c", self.c)


@dataclass(frozen=True)
class Stack:
    """Layers from the substrate side up, repeated; in_plane is the reference in-plane parameter in angstrom."""

    in_plane: float
    layers: tuple[Layer, ...]
    repeat: int = 1

    def __post_init__(self) -> None:
        """Refuse a stack without layers or an in-plane lattice."""
        _refuse_length("stack: in_plane", self.in_plane)
        if not self.layers:
            raise UserError("stack: layers: expected at least one layer, found none")
        if self.repeat < 1:
            raise UserError(f"stack: repeat: expected 1 or more, found {self.repeat}")

    @property
    def spacings(self) -> NDArray[np.float64]:
        """c of every plane of cells, (planes,) in angstrom."""
        return np.tile(np.concatenate([np.full(layer.cells, layer.c) for layer in self.layers]), self.repeat)

    @property
    def heights(self) -> NDArray[np.float64]:
        """Lower face of every plane of cells above the substrate interface, (planes,) in angstrom."""
        return np.concatenate([[0.0], np.cumsum(self.spacings)[:-1]])

    @property
    def plane_materials(self) -> tuple[int, ...]:
        """Index into layers of every plane, (planes,)."""
        once = [i for i, layer in enumerate(self.layers) for _ in range(layer.cells)]
        return tuple(once * self.repeat)

    @property
    def thickness(self) -> float:
        """Sum of all spacings, angstrom."""
        return float(self.spacings.sum())

    @property
    def mean_c(self) -> float:
        """Mean spacing, angstrom."""
        return float(self.spacings.mean())


@dataclass(frozen=True)
class Substrate:
    """Semi-infinite crystal below the film: material and c in angstrom."""

    material: Material
    c: float

    def __post_init__(self) -> None:
        """Refuse a substrate without a cell."""
        _refuse_length(f"substrate {self.material.name}: c", self.c)


def _refuse_length(where: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise UserError(f"{where}: expected a length above 0 angstrom, found {value:g}")
