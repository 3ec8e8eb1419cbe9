"""Where every pixel of an area detector on a six-circle diffractometer looks: Q in the film's axes, frame by frame.

Laboratory axes are those of NeXus: z along the beam, y up. Circles, outermost first (You, J. Appl. Cryst. 32, 614 (1999)):
mu, eta, chi, phi turn the sample; nu, delta the detector. At all angles zero the film's normal points up and its x, along
which the texture is modulated, along the beam. Q = k (s_f - s_i), s_f = R_nu R_delta s(pixel), turned back by the sample's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError

Array = NDArray[np.float64]
Vector = tuple[float, float, float]

HC = 12.398419843320026  # keV angstrom, exact in the SI of 2019


@dataclass(frozen=True)
class Circle:
    """A motor and the axis about which it turns, right-handed, in laboratory axes with all motors at zero."""

    name: str
    axis: Vector


SAMPLE_CIRCLES = (
    Circle("mu", (0.0, 1.0, 0.0)),
    Circle("eta", (-1.0, 0.0, 0.0)),
    Circle("chi", (0.0, 0.0, 1.0)),
    Circle("phi", (-1.0, 0.0, 0.0)),
)
DETECTOR_CIRCLES = (Circle("nu", (0.0, 1.0, 0.0)), Circle("delta", (-1.0, 0.0, 0.0)))
BEAM = (0.0, 0.0, 1.0)
SLOW, FAST = (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0)  # rows run down, columns to -x
# Columns: the film's x (in plane, along the modulation), y and z (normal) in laboratory axes with all motors at zero.
ORIENTATION = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


@dataclass(frozen=True)
class AreaDetector:
    """Pixels (rows, columns), their size and distance in mm, pixel (row, column) whose centre the direct beam hits."""

    shape: tuple[int, int] = (128, 96)
    pixel: float = 0.172
    distance: float = 800.0
    centre: tuple[float, float] = (63.5, 47.5)

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise UserError(f"detector.shape: expected 1 or more rows and columns, got {self.shape}")
        for name in ("pixel", "distance"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise UserError(f"detector.{name}: expected a length above 0 mm, got {value:g}")


@dataclass(frozen=True)
class Angles:
    """Motor positions in degrees, one number or (frames,) each."""

    mu: Array
    eta: Array
    chi: Array
    phi: Array
    nu: Array
    delta: Array

    @property
    def frames(self) -> int:
        """How many frames."""
        return len(self.eta)


def rocking_angles(
    *, q: Sequence[float], energy_kev: float, width: float, frames: int, qz_range: float = 0.0
) -> Angles:
    """A scan of eta over `width` degrees about Q (qx, qz) in 1/angstrom, or with qz_range, along qz over +- that.

    theta = asin(|Q| / 2 k), delta = 2 theta, eta = theta + atan2(qx, qz).
    """
    if frames < 2:
        raise UserError(f"frames: expected 2 or more, got {frames}")
    qx = np.full(frames, float(q[0]))
    qz = q[1] + qz_range * np.linspace(-1, 1, frames)
    length, tilt = np.hypot(qx, qz), np.degrees(np.arctan2(qx, qz))
    reach = 4 * np.pi * energy_kev / HC
    if length.max() >= reach:
        raise UserError(
            f"energy_kev: |Q| = {length.max():.4g} 1/angstrom needs {length.max() * HC / (4 * np.pi):.4g} keV or more, "
            f"got {energy_kev:g}"
        )
    theta = np.degrees(np.arcsin(length / reach))
    eta = theta + tilt + width * np.linspace(-0.5, 0.5, frames)
    if eta.min() <= 0 or (2 * theta - eta).min() <= 0:
        raise UserError(
            f"energy_kev: at {energy_kev:g} keV the beam enters or leaves below the film's surface (eta {eta.min():.3g} to "
            f"{eta.max():.3g}, delta {2 * theta.mean():.3g} degrees); a lower energy or a reflection of larger l works"
        )
    zero = np.zeros(frames)
    return Angles(zero, eta, zero, zero, zero, 2 * theta)


def pixel_q(*, angles: Angles, detector: AreaDetector, energy_kev: float) -> Array:
    """Q (frames, rows, columns, 3) of the centres of pixels in the film's axes, 1/angstrom."""
    wave = 2 * np.pi * energy_kev / HC
    rows, columns = (np.arange(n) - c for n, c in zip(detector.shape, detector.centre, strict=True))
    place = (
        detector.distance * np.array(BEAM)
        + detector.pixel * rows[:, None, None] * np.array(SLOW)
        + detector.pixel * columns[None, :, None] * np.array(FAST)
    )
    leaving = place / np.linalg.norm(place, axis=-1, keepdims=True)
    arm = _turns(DETECTOR_CIRCLES, angles)
    sample = _turns(SAMPLE_CIRCLES, angles) @ ORIENTATION
    turned = np.einsum("fji,fjk->fik", sample, arm)
    entering = np.einsum("fji,j->fi", sample, np.array(BEAM))
    found = np.einsum("fik,rck->frci", turned, leaving, optimize=True) - entering[:, None, None, :]
    return np.asarray(wave * found)


def _turns(circles: Sequence[Circle], angles: Angles) -> Array:
    """Product (frames, 3, 3) of rotations, outermost first."""
    total = np.broadcast_to(np.eye(3), (angles.frames, 3, 3))
    for circle in circles:
        total = total @ rotation(axis=circle.axis, degrees=getattr(angles, circle.name))
    return total


def rotation(*, axis: Vector, degrees: Array) -> Array:
    """Right-handed rotations (frames, 3, 3) about a unit vector: R = 1 + sin K + (1 - cos) K^2 (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turn = np.radians(np.asarray(degrees, float))[:, None, None]
    return np.asarray(np.eye(3) + np.sin(turn) * cross + (1 - np.cos(turn)) * (cross @ cross))
