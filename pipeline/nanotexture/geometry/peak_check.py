"""Whether a geometry puts known reflections where the frames have their brightest spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError, UserError
from nanotexture.geometry.placement import Placement

Array = NDArray[np.float64]
Indices = tuple[float, float, float]


@dataclass(frozen=True)
class Spot:
    """A pixel of a frame."""

    frame: int
    row: int
    column: int

    def __str__(self) -> str:
        return f"frame {self.frame}, row {self.row}, column {self.column}"


def predicted_spot(placement: Placement, hkl: Indices) -> tuple[Spot, float]:
    """Pixel and frame nearest to a reflection of the lattice of UB, and how far from it, in 1/angstrom.

    At frame f a pixel in direction s sees Q where matrix s = Q + offset: the pixel of largest s.(matrix^T (Q + offset)).
    """
    wanted = np.einsum("fji,fj->fi", placement.matrix, placement.ub @ np.asarray(hkl) + placement.offset)
    seen = placement.directions.reshape(-1, 3)
    nearest = np.array([np.argmax(seen @ one) for one in wanted])
    rows, columns = np.divmod(nearest, placement.directions.shape[1])
    q = placement.q(np.arange(placement.frames), rows, columns)
    distance = np.linalg.norm(q - placement.ub @ np.asarray(hkl), axis=-1)
    best = int(np.argmin(distance))
    return Spot(best, int(rows[best]), int(columns[best])), float(distance[best])


def check_peaks(
    placement: Placement, *, brightest: Spot, hkls: Sequence[Indices], tolerance: float
) -> Indices:
    """The reflection nearest to the brightest spot; InputError if it is farther than tolerance (1/angstrom) from all."""
    if not hkls:
        raise UserError("check of the geometry: expected one reflection or more, got none")
    spot = np.array([[brightest.frame], [brightest.row], [brightest.column]])
    q = placement.q(*spot)[0]
    offs = [float(np.linalg.norm(q - placement.ub @ np.asarray(hkl))) for hkl in hkls]
    nearest = int(np.argmin(offs))
    if offs[nearest] <= tolerance:
        return hkls[nearest]
    place, missed = predicted_spot(placement, hkls[nearest])
    name = " ".join(f"{index:g}" for index in hkls[nearest])
    seen = "" if missed <= tolerance else f" (not seen: {missed:.4g} 1/angstrom from it)"
    found = " ".join(f"{index:.4f}" for index in np.linalg.solve(placement.ub, q))
    raise InputError(
        placement.file,
        "geometry",
        f"the brightest spot within {tolerance:g} 1/angstrom of {name}, which is nearest to {place}{seen}",
        f"{brightest}, at hkl {found}, {offs[nearest]:.4g} 1/angstrom away",
    )
