"""The film as a stage is told it: numbers in angstrom, materials written out, so that its content names an artefact."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from nanotexture.film.materials import Material, equilibrium_known
from nanotexture.film.stack import Layer, Stack, Substrate


class LayerConfig(BaseModel):
    """One layer: material, cells and c in angstrom; None is found from the data (single layer only)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    material: Material
    cells: int | None
    c: float | None


class SubstrateConfig(BaseModel):
    """The crystal below the film: material and c in angstrom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    material: Material
    c: float


class FilmConfig(BaseModel):
    """Reference lattice of a film; lengths in angstrom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_plane: float
    layers: tuple[LayerConfig, ...]
    repeat: int = 1
    thickness: float | None = None
    substrate: SubstrateConfig | None = None

    @property
    def single(self) -> bool:
        """Whether it is one layer of one material, whose thickness and c the data may give."""
        return len(self.layers) == 1 and self.repeat == 1

    @property
    def unrolled(self) -> FilmConfig:
        """The same film with every repeat written out."""
        return self.model_copy(update={"layers": self.layers * self.repeat, "repeat": 1})

    @property
    def polar(self) -> bool:
        """Whether atoms of any layer are known to move with a polarization."""
        return any(layer.material.polar for layer in self.layers)

    @property
    def elastic(self) -> bool:
        """Whether the materials of all polar layers say which displacement a polarization causes."""
        return equilibrium_known(layer.material for layer in self.layers)

    @property
    def c_guess(self) -> float:
        """Mean c as far as the recipe says it, else the material's own, angstrom."""
        lengths = [(layer.cells or 1, layer.c or layer.material.lattice[2]) for layer in self.layers]
        return sum(n * c for n, c in lengths) / sum(n for n, _ in lengths)

    @property
    def symmetric(self) -> bool:
        """Whether the stack turned upside down is the same stack: then it cannot tell a texture from its inverse."""
        order = [(layer.material.name, layer.cells, layer.c) for layer in self.layers] * self.repeat
        return order == order[::-1]

    def stack(self, *, c: float, thickness: float) -> Stack:
        """The stack of planes; c and thickness (angstrom) fill in what the recipe left to the data."""
        layers = []
        for layer in self.layers:
            spacing = layer.c or c
            cells = layer.cells or max(round((self.thickness or thickness) / spacing), 1)
            layers.append(Layer(layer.material, cells, spacing))
        return Stack(self.in_plane, tuple(layers), self.repeat)

    def below(self) -> Substrate | None:
        """The substrate, if the recipe names one."""
        return None if self.substrate is None else Substrate(self.substrate.material, self.substrate.c)
