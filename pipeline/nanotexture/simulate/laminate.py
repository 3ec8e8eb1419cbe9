"""The laminate of strained Ca2RuO4 below its metal-insulator transition: u(r) = e s(n.r), x along b, z along c.

Lattices of the phases L and S: Friedt et al., Phys. Rev. B 63, 174432 (2001); Braden et al., Phys. Rev. B 58, 847 (1998).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

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

L_LATTICE = (5.361, 5.351, 12.264)  # angstrom, a b c of L-Pbca at 400 K
S_TEMPERATURES = (11.0, 295.0)  # K
S_LATTICES = ((5.395, 5.600, 11.765), (5.410, 5.492, 11.961))  # angstrom, a b c of S-Pbca
SATURATION = 1.74  # of the weak-coupling gap, tanh(1.74 sqrt(T0 / T - 1)): full at low temperature, a root at the onset
QUANTILES = 41  # of the onset's distribution over a film


@dataclass(frozen=True)
class Laminate:
    """Lamellae of S in L; period along x and full width of a wall (FWHM across it) in angstrom, temperatures in K.

    duty: share of S. period and duty hold at 0 K, period_onset and duty_onset at the onset, linear between; None: the
    same. order: order parameter at 0 K, 1 for the strain of the bulk phases. spread: standard deviation of the onset
    over the film, which leaves a weak texture above it. points: samples along x.
    """

    period: float
    duty: float = 0.5
    wall: float = 10.0
    order: float = 1.0
    onset: float = 225.0
    spread: float = 15.0
    period_onset: float | None = None
    duty_onset: float | None = None
    temperature: float = 10.0
    points: int = 96
    kind: Literal["laminate"] = "laminate"

    def __post_init__(self) -> None:
        """Refuse what is no laminate."""
        for name in ("period", "period_onset"):
            if getattr(self, name) is not None:
                refuse_length(f"texture.{name}", getattr(self, name))
        for name in ("duty", "duty_onset"):
            if getattr(self, name) is not None:
                refuse_outside(f"texture.{name}", getattr(self, name), 0.3, 0.7)
        refuse_outside("texture.wall", self.wall, 0.0, 20.0, "angstrom")
        refuse_outside("texture.order", self.order, 0.0, 1.0)
        refuse_outside("texture.onset", self.onset, 1.0, 400.0, "K")
        refuse_outside("texture.spread", self.spread, 0.0, 0.3 * self.onset, "K, 0.3 of the onset")
        refuse_outside("texture.temperature", self.temperature, 0.0, 400.0, "K")


@dataclass(frozen=True)
class Lamellae:
    """A laminate at one temperature: period along x (angstrom), duty, normal and direction (x, z), strain g of u' = g e."""

    period: float
    duty: float
    normal: Array
    direction: Array
    strain: float


def s_lattice(temperature: float) -> Array:
    """a, b, c (3,) in angstrom of S-Pbca at a temperature in K, linear between the two measured, constant beyond."""
    cold, warm = np.array(S_LATTICES)
    share = np.clip((temperature - S_TEMPERATURES[0]) / (S_TEMPERATURES[1] - S_TEMPERATURES[0]), 0.0, 1.0)
    return np.asarray(cold + share * (warm - cold))


def order_parameter(*, temperature: float, onset: float, spread: float) -> float:
    """rms over the film of tanh(1.74 sqrt(T0 / T - 1)), T0 normal around the onset, all in K: 1 at 0 K."""
    if temperature <= 0:
        return 1.0
    onsets = onset + spread * ndtri((np.arange(QUANTILES) + 0.5) / QUANTILES)
    above = np.maximum(onsets / temperature - 1.0, 0.0)
    return float(np.sqrt((np.tanh(SATURATION * np.sqrt(above)) ** 2).mean()))


def lamellae(texture: Laminate) -> Lamellae:
    """Geometry and strain at the texture's temperature.

    n is normal to (0 1 2) of the mean lattice, 46 to 49 degrees from c; e, along [0 1 -2] of the reciprocal lattice, is its
    mirror image. sym(e n) = diag(sin^2, -cos^2): g is what fits the lattices' (db / b, dc / c) best, times the order.
    """
    t, small = texture.temperature, s_lattice(texture.temperature)
    warm = min(t / texture.onset, 1.0)
    duty = _between(texture.duty, texture.duty_onset, warm)
    large = np.array(L_LATTICE)
    mean = duty * small + (1 - duty) * large
    normal = np.array([1 / mean[1], 2 / mean[2]]) / np.hypot(1 / mean[1], 2 / mean[2])
    change = (small / large - 1)[1:]
    shape = np.array([normal[0] ** 2, -(normal[1] ** 2)])
    full = float(shape @ change / (shape @ shape))
    order = texture.order * order_parameter(temperature=t, onset=texture.onset, spread=texture.spread)
    period = _between(texture.period, texture.period_onset, warm)
    return Lamellae(period, duty, normal, normal * np.array([1.0, -1.0]), order * full)


def motif_from_laminate(*, stack: Stack, texture: Laminate) -> Motif:
    """Displacement of a laminate on the planes of a stack at the texture's temperature."""
    found = lamellae(texture)
    refuse_grid(points=texture.points, stack=stack, period=found.period, wall=None)
    field = laminate_displacement(
        lamellae=found, wall=texture.wall, x=sampled_x(texture.points), z=middles(stack)
    )
    return Motif((found.period, stack.in_plane), in_plane_motif(field), None)


def laminate_displacement(*, lamellae: Lamellae, wall: float, x: Array, z: Array) -> Array:
    """Displacement (2, x, z) in angstrom, x (nx,) in periods, z (nz,) and wall in angstrom; zero at the substrate.

    u = e g D s(n.r / D) fade(z), D = n_x period the distance of lamellae across the walls, s' = share of S minus duty.
    """
    across = lamellae.normal[0] * lamellae.period
    slope = lamellae.normal[1] / lamellae.normal[0]
    phase = x[:, None] + z[None, :] * slope / lamellae.period
    shape = twin_displacement(phase=phase, duty=lamellae.duty, wall=wall / across)
    field = lamellae.strain * across * shape * fade_in(z=z, period=lamellae.period)[None, :]
    return np.asarray(lamellae.direction[:, None, None] * field[None])


def _between(cold: float, onset: float | None, share: float) -> float:
    return cold if onset is None else cold + share * (onset - cold)
