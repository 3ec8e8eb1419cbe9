"""Where the walls of a texture are along x, and how far those of a result lie from the true ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.texture.walls import MOST, WEAKEST, crossings

Array = NDArray[np.float64]


@dataclass(frozen=True)
class WallError:
    """rms distance (angstrom) from the true walls, NaN where none were found; how they were found, or why not."""

    rms: float
    how: str


def wall_error(
    *, displacement: Array, polarization: Array, true_u: Array, true_p: Array, period: float
) -> WallError:
    """Distance of walls of a result from the true ones; fields (2, x, z) on one grid, the truth moved onto the result.

    Walls are where the stronger component of P along x changes sign; without P, where the steeper of du/dx passes the
    middle between its extremes, as strain does between twins.
    """
    if np.isfinite(true_p).all() and np.isfinite(polarization).all() and true_p.std() > 0:
        c = int(true_p.std(axis=(1, 2)).argmax())
        return _compared(polarization[c], true_p[c], period, f"sign changes of P_{'xz'[c]}", level=0.0)
    known = np.isfinite(true_u).all(axis=(1, 2)) & np.isfinite(displacement).all(axis=(1, 2))
    if not known.any() or not np.nanmax(np.abs(true_u)) > 0:
        return WallError(float("nan"), "none: result and truth have no component in common, or no texture")
    slopes, true = _slope(displacement, period), _slope(true_u, period)
    c = int(np.where(known, true.std(axis=(1, 2)), -1.0).argmax())
    return _compared(slopes[c], true[c], period, f"du_{'xz'[c]}/dx between its extremes", level=None)


def _slope(field: Array, period: float) -> Array:
    step = period / field.shape[1]
    return np.asarray((np.roll(field, -1, axis=1) - np.roll(field, 1, axis=1)) / (2 * step))


def _compared(found: Array, true: Array, period: float, how: str, level: float | None) -> WallError:
    """Planes whose texture is strong, each true wall with the nearest found wall of its sign."""
    swing = np.ptp(true, axis=0)
    distances: list[float] = []
    missing = 0
    for plane in np.flatnonzero(swing >= WEAKEST * swing.max()):
        at, sign = crossings(true[:, plane], _middle(true[:, plane], level))
        there, turned = crossings(found[:, plane], _middle(found[:, plane], level))
        for position, way in zip(at, sign, strict=True):
            near = there[turned == way]
            if not 0 < len(near) <= MOST:
                missing += 1
                continue
            away = (near - position + 0.5) % 1.0 - 0.5
            distances.append(float(np.abs(away).min()))
    if not distances:
        return WallError(float("nan"), f"none: {how} found in {'the result' if missing else 'neither'}")
    return WallError(float(np.sqrt(np.mean(np.square(distances)))) * period, how)


def _middle(line: Array, level: float | None) -> float:
    return 0.5 * float(line.max() + line.min()) if level is None else level
