"""Polar vortices written down, not relaxed: one row in every ferroelectric layer, P without charge anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.energetics import Elastic
from nanotexture.film.stack import Stack
from nanotexture.simulate.equilibrium import equilibrium_displacement
from nanotexture.simulate.motif import MOST_POLARIZATION, Motif
from nanotexture.simulate.texture_grid import (
    in_plane_motif,
    middles,
    polar_slabs,
    refuse_grid,
    refuse_length,
    refuse_outside,
    sampled_x,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Vortices:
    """Pairs of vortices; period in angstrom, polarization (largest P_z) in C/m^2.

    leak: share of P_z that goes through the other layers; points: samples along x.
    """

    period: float
    polarization: float = 0.6
    leak: float = 0.1
    points: int = 64
    kind: Literal["vortices"] = "vortices"

    def __post_init__(self) -> None:
        """Refuse what is no texture."""
        refuse_length("texture.period", self.period)
        refuse_outside("texture.polarization", self.polarization, 0.0, MOST_POLARIZATION, "C/m^2")
        refuse_outside("texture.leak", self.leak, 0.0, 1.0)


def motif_from_vortices(*, stack: Stack, texture: Vortices, below: Elastic | None = None) -> Motif:
    """Polarization of vortices on the planes of a stack, and the displacement in mechanical equilibrium with it."""
    refuse_grid(points=texture.points, stack=stack, period=texture.period, wall=0.25 * texture.period)
    height, slope = _envelope(stack, texture.leak)
    field = in_plane_motif(
        vortex_polarization(
            texture=texture, x=sampled_x(texture.points), envelope=height, envelope_slope=slope
        )
    )
    moved = equilibrium_displacement(stack=stack, polarization=field, period=texture.period, below=below)
    return Motif((texture.period, stack.in_plane), moved, field)


def vortex_polarization(*, texture: Vortices, x: Array, envelope: Array, envelope_slope: Array) -> Array:
    """P (2, x, z) in C/m^2 at x (nx,) in periods: P_z = P0 h(z) cos(q x), P_x = -P0 h'(z) sin(q x) / q, div P = 0.

    envelope h (z,), its slope h' (z,) in 1/angstrom.
    """
    q = 2 * np.pi / texture.period
    along = -texture.polarization / q * np.outer(np.sin(2 * np.pi * x), envelope_slope)
    return np.stack([along, texture.polarization * np.outer(np.cos(2 * np.pi * x), envelope)])


def _envelope(stack: Stack, leak: float) -> tuple[Array, Array]:
    """h and h' (planes,): half a sine over each ferroelectric layer on top of the leak."""
    z = middles(stack)
    height, slope = np.full(len(z), leak), np.zeros(len(z))
    for planes in polar_slabs(stack):
        wave = np.pi / stack.spacings[planes].sum()
        inside = wave * (z[planes] - stack.heights[planes.start])
        height[planes] += (1 - leak) * np.sin(inside)
        slope[planes] = (1 - leak) * wave * np.cos(inside)
    return height, slope
