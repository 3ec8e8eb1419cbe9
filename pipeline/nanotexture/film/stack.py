"""The film as planes of cells on the reference lattice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.materials import Material


@dataclass(frozen=True)
class Layer:
    """Cells of one material with its reference c in angstrom."""

    material: Material
    cells: int
    c: float


@dataclass(frozen=True)
class Stack:
    """Layers from the substrate side up, repeated; in_plane is the reference in-plane parameter in angstrom."""

    in_plane: float
    layers: tuple[Layer, ...]
    repeat: int = 1

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
