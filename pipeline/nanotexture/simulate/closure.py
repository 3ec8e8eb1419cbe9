"""Flux closure: 180 degree stripes of P_z whose flux is closed by triangles of P_x at both faces (Landau and Lifshitz)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dst

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

MODES = 191  # sines of each direction that the stream function is made of


@dataclass(frozen=True)
class Closure:
    """Closure domains in every ferroelectric layer; period and wall in angstrom, polarization in C/m^2.

    P changes across a 180 degree wall as tanh(2 x / wall); points: samples along x.
    """

    period: float
    polarization: float = 0.6
    wall: float = 12.0
    points: int = 96
    kind: Literal["closure"] = "closure"

    def __post_init__(self) -> None:
        """Refuse what is no texture."""
        refuse_length("texture.period", self.period)
        refuse_length("texture.wall", self.wall)
        refuse_outside(
            "texture.wall", self.wall, 0.0, 0.25 * self.period, "angstrom, a quarter of the period"
        )
        refuse_outside("texture.polarization", self.polarization, 0.0, MOST_POLARIZATION, "C/m^2")


def motif_from_closure(*, stack: Stack, texture: Closure, below: Elastic | None = None) -> Motif:
    """Polarization of closure domains on the planes of a stack, and the displacement in mechanical equilibrium with it."""
    refuse_grid(points=texture.points, stack=stack, period=texture.period, wall=texture.wall)
    polar = np.zeros((2, texture.points, len(stack.heights)))
    x, z = sampled_x(texture.points), middles(stack)
    for planes in polar_slabs(stack):
        bottom, height = stack.heights[planes.start], float(stack.spacings[planes].sum())
        polar[:, :, planes] = closure_polarization(
            texture=texture, x=x, z=z[planes] - bottom, thickness=height
        )
    field = in_plane_motif(polar)
    moved = equilibrium_displacement(stack=stack, polarization=field, period=texture.period, below=below)
    return Motif((texture.period, stack.in_plane), moved, field)


def closure_polarization(*, texture: Closure, x: Array, z: Array, thickness: float) -> Array:
    """P (2, x, z) in C/m^2, x (nx,) in periods, z (nz,) and thickness in angstrom.

    P = (d psi / dz, -d psi / dx), psi = +-P0 times the distance to the nearest face or core line: |P| = P0, no charge
    anywhere; blurred along x and z by sech^2, whose integral is the tanh of a wall.
    """
    kx = np.asarray(2 * np.pi * np.arange(1, MODES + 1) / texture.period, np.float64)
    kz = np.asarray(np.pi * np.arange(1, MODES + 1) / thickness, np.float64)
    series = _stream_series(texture.period, thickness) * texture.polarization
    series *= _blur(kx, texture.wall)[:, None] * _blur(kz, texture.wall)[None, :]
    at_x, at_z = np.outer(x * texture.period, kx), np.outer(kz, z)
    along = np.sin(at_x) @ series @ (kz[:, None] * np.cos(at_z))
    up = -(np.cos(at_x) * kx) @ series @ np.sin(at_z)
    return np.stack([along, up])


def _stream_series(period: float, thickness: float) -> Array:
    """Sine series (m, n) of the sharp stream function: sum of a_mn sin(2 pi m x / period) sin(pi n z / thickness)."""
    inner = np.arange(1, MODES + 1) / (MODES + 1)
    x, z = 0.5 * period * inner, thickness * inner
    across, upward = np.minimum(x, 0.5 * period - x), np.minimum(z, thickness - z)
    sharp = np.minimum(across[:, None], upward[None, :])
    # Sines of half a period are those of the whole one: the half periods alternate in sign.
    return np.asarray(dst(dst(sharp, type=1, axis=0), type=1, axis=1) / (MODES + 1) ** 2)


def _blur(k: Array, wall: float) -> Array:
    """Transform of sech^2(2 x / wall) / wall."""
    t = 0.25 * np.pi * k * wall
    return np.asarray(t / np.sinh(np.minimum(t, 300.0)))
