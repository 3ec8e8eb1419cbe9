"""One period of a texture: displacement and polarization of every plane of cells, what generators make and maps show."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError

Array = NDArray[np.float64]

MOST_POLARIZATION = 1.5  # C/m^2: no ferroelectric reaches it


@dataclass(frozen=True)
class Motif:
    """One period of a texture on the planes of a film.

    periods: along x and y in angstrom; a 2D texture has ny = 1 and the in-plane lattice parameter in second place.
    displacement: (3, nx, ny, planes) in angstrom from the stack's reference lattice, components x, y, z, sampled at
    x = i / nx, y = j / ny; polarization: the same shape in C/m^2, None where the texture is not polar. Planes are those
    of Stack.heights. UserError names the field that cannot be.
    """

    periods: tuple[float, float]
    displacement: Array
    polarization: Array | None = None

    def __post_init__(self) -> None:
        """Refuse periods that are no lengths, arrays of other shapes, numbers that are not finite, |P| above 1.5 C/m^2."""
        for name, period in zip(("x", "y"), self.periods, strict=True):
            if not (math.isfinite(period) and period > 0):
                raise UserError(
                    f"motif.periods: along {name} expected a length above 0 angstrom, found {period:g}"
                )
        _refuse_shape("displacement", self.displacement, None)
        if self.polarization is not None:
            _refuse_shape("polarization", self.polarization, self.displacement.shape)
            largest = float(np.sqrt((self.polarization**2).sum(axis=0)).max())
            if largest > MOST_POLARIZATION:
                raise UserError(
                    f"motif.polarization: expected |P| of at most {MOST_POLARIZATION:g} C/m^2, found {largest:.3g}: "
                    f"{MOST_POLARIZATION / largest:.2g} times as much works"
                )


def _refuse_shape(name: str, field: Array, expected: tuple[int, ...] | None) -> None:
    shape = field.shape
    if len(shape) != 4 or shape[0] != 3 or 0 in shape or (expected is not None and shape != expected):
        words = "(3, nx, ny, planes)" if expected is None else f"{expected}, as displacement"
        raise UserError(f"motif.{name}: expected an array of shape {words}, found {shape}")
    if not np.isfinite(field).all():
        raise UserError(
            f"motif.{name}: expected finite numbers, found {int((~np.isfinite(field)).sum())} others"
        )
