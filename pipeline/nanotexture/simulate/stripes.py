"""A striped ferroelastic texture: one displacement direction, a periodic profile, walls inclined to the film normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.stack import Stack
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.texture_grid import (
    in_plane_motif,
    middles,
    refuse_grid,
    refuse_length,
    refuse_outside,
    sampled_x,
)
from nanotexture.simulate.twins import fade_in, twin_displacement

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stripes:
    """Stripes that displace the lattice along their walls; period, amplitude (peak), wall in angstrom, tilt in degrees.

    tilt: of the walls from the film normal; duty: share of a period that the first twin takes; points: samples along x.
    """

    period: float
    amplitude: float
    tilt: float = 15.0
    duty: float = 0.5
    wall: float = 20.0
    points: int = 64
    kind: Literal["stripes"] = "stripes"

    def __post_init__(self) -> None:
        """Refuse what is no texture."""
        for name in ("period", "amplitude"):
            refuse_length(f"texture.{name}", getattr(self, name))
        refuse_outside("texture.tilt", self.tilt, -80.0, 80.0, "degrees")
        refuse_outside("texture.duty", self.duty, 0.1, 0.9)
        refuse_outside("texture.wall", self.wall, 0.0, 0.5 * self.period, "angstrom, half a period")


def motif_from_stripes(*, stack: Stack, texture: Stripes) -> Motif:
    """Displacement of stripes on the planes of a stack."""
    refuse_grid(points=texture.points, stack=stack, period=texture.period, wall=None)
    field = stripe_displacement(texture=texture, x=sampled_x(texture.points), z=middles(stack))
    return Motif((texture.period, stack.in_plane), in_plane_motif(field), None)


def stripe_displacement(*, texture: Stripes, x: Array, z: Array) -> Array:
    """Displacement (2, x, z) in angstrom of a stack of twins, x (nx,) in periods, z (nz,) in angstrom.

    u = amplitude m s(x - z tan(tilt) / period) fade(z), m along the walls, s a saw: constant strain in each twin.
    """
    lean = np.radians(texture.tilt)
    wall = texture.wall / texture.period
    phase = x[:, None] - z[None, :] * np.tan(lean) / texture.period
    peak = np.abs(twin_displacement(phase=np.arange(512) / 512, duty=texture.duty, wall=wall)).max()
    shape = twin_displacement(phase=phase, duty=texture.duty, wall=wall) / peak
    field = texture.amplitude * shape * fade_in(z=z, period=texture.period)[None, :]
    return np.array([np.sin(lean), np.cos(lean)])[:, None, None] * field[None]
