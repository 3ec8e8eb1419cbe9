"""The grid that textures are sampled on, which layers are polar, and what is refused before a texture is made."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.film.materials import Material
from nanotexture.film.stack import Stack

Array = NDArray[np.float64]

FEWEST_POINTS = 8
MOST_NUMBERS = 20_000_000  # of one field (3, nx, planes): 160 MB, and a measurement needs several
ROOM = 298.15  # K


def sampled_x(points: int) -> Array:
    """Fractions of one period (points,)."""
    return np.arange(points) / points


def middles(stack: Stack) -> Array:
    """Heights (planes,) in angstrom of the middles of the cells, where a plane's value of a field is taken."""
    return np.asarray(stack.heights + 0.5 * stack.spacings)


def in_plane_motif(field: Array) -> Array:
    """Fields (2, x, planes) of components x and z as (3, nx, 1, planes): nothing varies along y, nothing points along it."""
    found = np.zeros((3, field.shape[1], 1, field.shape[2]))
    found[[0, 2], :, 0] = field
    return found


def polar_slabs(stack: Stack) -> tuple[slice, ...]:
    """Runs of planes that are ferroelectric at room temperature; all planes where the stack is of one material."""
    polar = [_is_polar(layer.material) for layer in stack.layers]
    if len(stack.layers) == 1:
        polar = [True]
    flags = np.array([polar[i] for i in stack.plane_materials])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    if not len(edges):
        names = ", ".join(layer.material.name for layer in stack.layers)
        raise UserError(f"texture: expected a stack with a ferroelectric layer such as PbTiO3, found {names}")
    return tuple(slice(int(a), int(b)) for a, b in edges.reshape(-1, 2))


def _is_polar(material: Material) -> bool:
    return material.landau is not None and material.landau.a1(ROOM) < 0


def refuse_length(where: str, value: float) -> None:
    """UserError unless a length is above 0."""
    if not (math.isfinite(value) and value > 0):
        raise UserError(f"{where}: expected a length above 0 angstrom, found {value:g}")


def refuse_outside(where: str, value: float, low: float, high: float, unit: str = "") -> None:
    """UserError unless low <= value <= high."""
    if not low <= value <= high:
        raise UserError(f"{where}: expected {low:g} to {high:g}{unit and ' ' + unit}, found {value:g}")


def refuse_grid(*, points: int, stack: Stack, period: float, wall: float | None) -> None:
    """UserError where a grid is too small or too large, or a step along x is longer than a wall is wide (angstrom)."""
    planes = len(stack.heights)
    if points < FEWEST_POINTS:
        raise UserError(f"texture.points: expected {FEWEST_POINTS} or more along one period, found {points}")
    if 3 * points * planes > MOST_NUMBERS:
        raise UserError(
            f"texture.points: {points} points on {planes} planes overrun memory: "
            f"{MOST_NUMBERS // (3 * planes)} or fewer work"
        )
    if wall is not None and period / points > wall * (1 + 1e-9):
        raise UserError(
            f"texture.points: {points} points of a period of {period:g} angstrom under-sample walls of {wall:g} angstrom: "
            f"{math.ceil(period / wall)} or more work"
        )
