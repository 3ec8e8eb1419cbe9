"""90 degree a/c domains of a tetragonal film: walls along {101}, polarization head to tail, compatible strain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.stack import Stack
from nanotexture.simulate.motif import MOST_POLARIZATION, Motif
from nanotexture.simulate.texture_grid import (
    in_plane_motif,
    middles,
    refuse_grid,
    refuse_length,
    refuse_outside,
    sampled_x,
)
from nanotexture.simulate.twins import fade_in, twin_displacement, twin_share

Array = NDArray[np.float64]

NORMAL = np.array([1.0, 1.0]) / np.sqrt(2)  # of the walls, components x and z
ALONG = np.array([-1.0, 1.0]) / np.sqrt(2)


@dataclass(frozen=True)
class ACDomains:
    """Domains with c along z and along x; period along x and wall (FWHM across it) in angstrom, polarization in C/m^2.

    tetragonality: c / a - 1; duty: share of the domains with c along z; points: samples along x.
    """

    period: float
    polarization: float = 0.7
    tetragonality: float = 0.02
    duty: float = 0.7
    wall: float = 10.0
    points: int = 96
    kind: Literal["a_c_domains"] = "a_c_domains"

    def __post_init__(self) -> None:
        """Refuse what is no texture."""
        refuse_length("texture.period", self.period)
        refuse_outside("texture.polarization", self.polarization, 0.0, MOST_POLARIZATION, "C/m^2")
        refuse_outside("texture.tetragonality", self.tetragonality, 0.0, 0.1)
        refuse_outside("texture.duty", self.duty, 0.1, 0.9)
        refuse_outside(
            "texture.wall", self.wall, 0.0, 0.25 * self.period, "angstrom, a quarter of the period"
        )


def motif_from_a_c_domains(*, stack: Stack, texture: ACDomains) -> Motif:
    """Displacement and polarization of a/c domains on the planes of a stack."""
    refuse_grid(points=texture.points, stack=stack, period=texture.period, wall=texture.wall or None)
    x, z = sampled_x(texture.points), middles(stack)
    return Motif(
        (texture.period, stack.in_plane),
        in_plane_motif(a_c_displacement(texture=texture, x=x, z=z)),
        in_plane_motif(a_c_polarization(texture=texture, x=x, z=z)),
    )


def a_c_displacement(*, texture: ACDomains, x: Array, z: Array) -> Array:
    """Displacement (2, x, z) in angstrom, x (nx,) in periods, z (nz,) in angstrom; zero at the substrate.

    u = m 2 t D s(n.r / D) fade(z), m in the wall, t = c / a - 1: sym(m n) = diag(-1, 1) / 2, so that the strains zz of the
    domains differ by t and xx by -t.
    """
    across = NORMAL[0] * texture.period
    shape = twin_displacement(phase=_phase(texture, x, z), duty=texture.duty, wall=texture.wall / across)
    field = 2 * texture.tetragonality * across * shape * fade_in(z=z, period=texture.period)[None, :]
    return np.asarray(ALONG[:, None, None] * field[None])


def a_c_polarization(*, texture: ACDomains, x: Array, z: Array) -> Array:
    """P (2, x, z) in C/m^2: P0 (n + (2 share - 1) m) / sqrt(2), along z and x in the domains, n.P constant: no charge."""
    across = NORMAL[0] * texture.period
    share = twin_share(phase=_phase(texture, x, z), duty=texture.duty, wall=texture.wall / across)
    turned = NORMAL[:, None, None] + (2 * share - 1)[None] * ALONG[:, None, None]
    return np.asarray(texture.polarization / np.sqrt(2) * turned)


def _phase(texture: ACDomains, x: Array, z: Array) -> Array:
    return np.asarray(x[:, None] + z[None, :] / texture.period)
