"""A film's stack as a phase-field run, and its equilibrium as a texture on the stack's planes of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.film.materials import Material
from nanotexture.film.stack import Layer as StackLayer
from nanotexture.film.stack import Stack
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.phasefield.period import Scanned, find_period
from nanotexture.simulate.phasefield.relax import Equilibrium, relax
from nanotexture.simulate.phasefield.settings import ANGSTROM, Layer, Settings

Array = NDArray[np.float64]

# Lattice parameter in angstrom of the cubic, unpolarized cell at room temperature, extrapolated from above the transition.
# The tetragonal cell (3.905, 4.156) less the electrostriction of 0.757 C/m^2 gives 3.964 and 3.954 along a and c; the value
# between that phase-field studies of (PbTiO3)n/(SrTiO3)n take is 3.957. 0.007 more acts as 0.007 less of the substrate.
CUBIC: Mapping[str, float] = MappingProxyType({"PbTiO3": 3.957})


@dataclass(frozen=True)
class TexturedFilm:
    """A stack whose c are those of the equilibrium, its texture, the period found (angstrom) and the equilibrium."""

    stack: Stack
    motif: Motif
    period: float
    equilibrium: Equilibrium


def settings_of_stack(
    stack: Stack, *, period: float, cubic: Mapping[str, float] = CUBIC, step: float = 4.0, seed: int = 0
) -> Settings:
    """A superlattice run of one repeat of a stack, its in-plane parameter that of the substrate, lengths in angstrom.

    cubic names the cubic lattice parameter of materials whose own lattice is not cubic. The stack's c are not used: they
    follow from the run.
    """
    layers = tuple(
        Layer(layer.material, layer.cells, _cubic_lattice(layer.material, cubic)) for layer in stack.layers
    )
    return Settings(layers=layers, in_plane=stack.in_plane, period=period, step=step, seed=seed)


def textured_film(
    stack: Stack, settings: Settings, *, search: bool = True, scanned: Scanned | None = None
) -> TexturedFilm:
    """Relax a run of a stack and lay its texture on the stack, whose c become those of the equilibrium.

    search: settings.period is where the search for the period of least energy starts; else it is the period.
    """
    period, equilibrium = (
        find_period(settings, scanned=scanned) if search else (settings.period, relax(settings))
    )
    agreed = stack_with_spacings(stack, layer_spacings(equilibrium))
    return TexturedFilm(agreed, motif_from_equilibrium(equilibrium, agreed), period, equilibrium)


def layer_spacings(equilibrium: Equilibrium) -> tuple[float, ...]:
    """Mean c of each layer in angstrom, from the mean strain zz of its nodes."""
    settings = equilibrium.settings
    strain = equilibrium.strain[2].mean((0, 1))[_film_nodes(settings)]
    ends = np.cumsum([layer.cells // settings.cells_per_node for layer in settings.layers])
    parts = np.split(strain, ends[:-1])
    return tuple(float(settings.in_plane * (1.0 + part.mean())) for part in parts)


def stack_with_spacings(stack: Stack, spacings: tuple[float, ...]) -> Stack:
    """The stack with other c, one for each of its layers, angstrom."""
    if len(spacings) != len(stack.layers):
        raise UserError(f"stack: layers: expected {len(spacings)}, one for each c, found {len(stack.layers)}")
    layers = tuple(
        StackLayer(layer.material, layer.cells, c) for layer, c in zip(stack.layers, spacings, strict=True)
    )
    return replace(stack, layers=layers)


def motif_from_equilibrium(equilibrium: Equilibrium, stack: Stack) -> Motif:
    """Texture of an equilibrium on the planes of a stack, which may repeat the run's layers.

    Values are those at the middle of each cell, interpolated linearly along z where nodes hold several cells. The
    displacement is measured from the stack's planes: where a layer's c differs from layer_spacings, the difference
    accumulates from plane to plane. Its mean is zero. UserError where stack and run are not of the same layers.
    """
    settings = equilibrium.settings
    _refuse_other_stack(settings, stack)
    cells = sum(layer.cells for layer in settings.layers)
    polarization = np.tile(_at_cells(equilibrium.polarization, settings), stack.repeat)
    once = _at_cells(equilibrium.displacement, settings)
    grown = _rise(equilibrium) * np.repeat(np.arange(stack.repeat), cells)
    displacement = (
        np.tile(once, stack.repeat) + grown[None, None, None, :] * np.array([0, 0, 1])[:, None, None, None]
    )
    displacement[2] += np.arange(cells * stack.repeat) * settings.in_plane - (
        stack.heights + 0.5 * stack.spacings
    )
    displacement -= displacement.mean((1, 2, 3), keepdims=True)
    width = stack.in_plane if settings.width is None else settings.width
    return Motif((settings.period, width), displacement, polarization)


def _film_nodes(settings: Settings) -> slice:
    return slice(settings.below, settings.shape[2] - settings.above)


def _rise(equilibrium: Equilibrium) -> float:
    """How much higher than the reference lattice one repeat of a superlattice is, angstrom."""
    height = equilibrium.settings.spacing[2] * equilibrium.settings.shape[2] / ANGSTROM
    return float(equilibrium.strain[2].mean() * height)


def _at_cells(field: Array, settings: Settings) -> Array:
    """A field (3, nx, ny, nz) at the middle of the film's cells (3, nx, ny, cells), linear between nodes."""
    inside = field[..., _film_nodes(settings)]
    share = settings.cells_per_node
    nodes = inside.shape[-1]
    position = ((np.arange(nodes * share) + 0.5) / share - 0.5).clip(0, nodes - 1)
    low = np.minimum(position.astype(int), max(nodes - 2, 0))
    part = position - low
    return np.asarray(inside[..., low] * (1 - part) + inside[..., np.minimum(low + 1, nodes - 1)] * part)


def _refuse_other_stack(settings: Settings, stack: Stack) -> None:
    expected = [(layer.material.name, layer.cells) for layer in settings.layers]
    found = [(layer.material.name, layer.cells) for layer in stack.layers]
    if expected != found:
        raise UserError(f"stack: layers: expected those of the phase field, {expected}, found {found}")
    if abs(stack.in_plane - settings.in_plane) > 1e-6:
        raise UserError(
            f"stack: in_plane: expected {settings.in_plane:g} angstrom, as the phase field, found {stack.in_plane:g}"
        )
    if settings.surroundings is not None and stack.repeat != 1:
        raise UserError(f"stack: repeat: expected 1 for a film with surfaces, found {stack.repeat}")


def _cubic_lattice(material: Material, cubic: Mapping[str, float]) -> float:
    if material.name in cubic:
        return cubic[material.name]
    a, b, c = material.lattice
    if a == b == c and material.landau is not None:
        return a
    raise UserError(
        f"material {material.name}: expected the cubic lattice parameter of its unpolarized cell, found none "
        f"(known: {', '.join(cubic)}, and materials whose lattice is cubic)"
    )
