"""Checkerboards and supercrystals: fields that alternate along x and y, with walls and closure at the faces written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.stack import Stack
from nanotexture.simulate.motif import MOST_POLARIZATION, Motif
from nanotexture.simulate.texture_grid import middles, refuse_grid, refuse_length, refuse_outside, sampled_x

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Checkerboard:
    """Squares that are displaced up and down, turned left and right, and polarized up and down; lengths in angstrom.

    amplitude: largest u_z; turning: largest displacement in the plane by the turning of the squares;
    polarization: largest |P| in C/m^2, 0 for a texture that is not polar; wall: u_z changes as tanh(2 x / wall); closure:
    depth in angstrom below either face over which P turns into the plane; offset: of the squares of P from those of u, in
    periods along x; points: samples along x and along y.
    """

    period: float
    period_y: float
    amplitude: float = 0.2
    turning: float = 0.1
    polarization: float = 0.0
    wall: float = 30.0
    closure: float = 25.0
    offset: float = 0.25
    points: int = 24
    kind: Literal["checkerboard"] = "checkerboard"

    def __post_init__(self) -> None:
        """Refuse what is no texture."""
        for name in ("period", "period_y", "amplitude", "wall", "closure"):
            refuse_length(f"texture.{name}", getattr(self, name))
        refuse_outside("texture.turning", self.turning, 0.0, self.period, "angstrom, a period")
        refuse_outside("texture.polarization", self.polarization, 0.0, MOST_POLARIZATION, "C/m^2")
        refuse_outside("texture.offset", self.offset, -1.0, 1.0, "periods")


def motif_from_checkerboard(*, stack: Stack, texture: Checkerboard) -> Motif:
    """Displacement and polarization of a checkerboard on the planes of a stack."""
    for length in (texture.period, texture.period_y):
        refuse_grid(points=texture.points, stack=stack, period=length, wall=texture.wall)
    z, t, depth = middles(stack), stack.thickness, texture.closure
    rise = 0.5 * np.pi * z / t
    moved = flux_without_sources(
        squares(texture, 0.0), texture, np.sin(rise) ** 2, 0.5 * np.pi / t * np.sin(2 * rise)
    )
    moved *= texture.amplitude / np.abs(moved[2]).max()
    moved += turned_squares(texture)[..., None] * np.sin(rise) ** 2
    through, at_face = (z - 0.5 * t) / depth, np.cosh(0.5 * t / depth)
    polar = flux_without_sources(
        squares(texture, texture.offset),
        texture,
        1 - np.cosh(through) / at_face,
        -np.sinh(through) / (depth * at_face),
    )
    polar *= texture.polarization / np.sqrt((polar**2).sum(axis=0).max())
    periods = (texture.period, texture.period_y)
    return Motif(periods, moved, polar if texture.polarization > 0 else None)


def squares(texture: Checkerboard, offset: float) -> Array:
    """+1 and -1 by turns along x and y, (x, y), moved along x by `offset` periods; centred, f(x + 1/2, y + 1/2) = f(x, y)."""
    turn = 2 * np.pi * sampled_x(texture.points)
    along, across = (
        np.tanh(length / (np.pi * texture.wall) * np.sin(phase))
        for length, phase in ((texture.period, turn - 2 * np.pi * offset), (texture.period_y, turn))
    )
    return np.asarray(along[:, None] * across)


def turned_squares(texture: Checkerboard) -> Array:
    """Displacement (3, x, y) in angstrom of squares that turn left and right about z: (df/dy, -df/dx), without strain xx + yy."""
    kx, ky, source = _potential(squares(texture, 0.0), texture)
    found = np.stack([np.fft.ifft2(k * source).real for k in (ky, -kx, 0 * kx)])
    return np.asarray(texture.turning * found / np.abs(found).max())


def flux_without_sources(upright: Array, texture: Checkerboard, rise: Array, slope: Array) -> Array:
    """Field (3, x, y, z) without divergence whose z component is upright (x, y), of mean zero, times rise (z,).

    (-g' df/dx, -g' df/dy, g (d2/dx2 + d2/dy2) f), with g = rise and g' = slope (z,) its derivative in 1/angstrom.
    """
    kx, ky, source = _potential(upright, texture)
    along = [np.fft.ifft2(-k * source).real for k in (kx, ky)]
    return np.stack([*(part[..., None] * slope for part in along), upright[..., None] * rise])


def _potential(upright: Array, texture: Checkerboard) -> tuple[Complex, Complex, Complex]:
    """Derivatives d/dx, d/dy as factors (x, y) in 1/angstrom, and the transform of f whose Laplacian in the plane is upright."""
    kx, ky = np.meshgrid(
        *(
            2j * np.pi * np.fft.fftfreq(len(upright), length / len(upright))
            for length in (texture.period, texture.period_y)
        ),
        indexing="ij",
    )
    laplace = (kx**2 + ky**2).real
    laplace[0, 0] = np.inf
    return kx, ky, np.fft.fft2(upright) / laplace
