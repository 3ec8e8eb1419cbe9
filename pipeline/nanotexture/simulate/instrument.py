"""The diffractometer of a simulated measurement: energy, resolution, what is masked, drift, background."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError

Array = NDArray[np.float64]
Mask = NDArray[np.uint8]

MAX_ENERGY = 200.0  # keV: above, the number is in eV
LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class Instrument:
    """Energy in keV, lengths of Q in 1/angstrom, counts a voxel.

    resolution: standard deviations of the Gaussians along qx and qz; qy_width: that of a 2D texture's line along qy;
    stop: half widths along qx and qz of what is masked around the substrate's peak, None for nothing; stop_shape:
    "beamstop" masks that rectangle, "attenuator" every qx at these qz; background: counts; diffuse: peak of a
    Lorentzian squared of half width diffuse_width around the film's peak, relative to the brightest voxel measured;
    drift: standard deviation of the flux along qx, relative, corrected by a monitor; gap: voxels of qz that one
    gap of the detector takes, 0 for none; dead: share of dead voxels.
    """

    energy_kev: float = 8.048
    resolution: tuple[float, float] = (5e-4, 5e-4)
    qy_width: float = 4e-3
    stop: tuple[float, float] | None = (6e-3, 1e-2)
    stop_shape: Literal["beamstop", "attenuator"] = "beamstop"
    background: float = 2.0
    diffuse: float = 0.0
    diffuse_width: float = 0.02
    drift: float = 0.0
    gap: int = 0
    dead: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.energy_kev <= MAX_ENERGY:
            hint = f", e.g. {self.energy_kev / 1000:g}" if self.energy_kev > MAX_ENERGY else ", e.g. 8.048"
            raise UserError(
                f"instrument.energy_kev: expected 0 to {MAX_ENERGY:g} keV{hint}, got {self.energy_kev:g}"
            )
        widths = {"resolution": self.resolution, "stop": self.stop or ()}
        for name, values in widths.items():
            if not all(math.isfinite(v) and v >= 0 for v in values):
                raise UserError(
                    f"instrument.{name}: expected widths of 0 or more in 1/angstrom, got {values}"
                )
        for name in ("qy_width", "diffuse_width"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise UserError(
                    f"instrument.{name}: expected a width above 0 1/angstrom, e.g. 0.004, got {getattr(self, name):g}"
                )
        if not (math.isfinite(self.background) and self.background >= 0):
            raise UserError(f"instrument.background: expected counts of 0 or more, got {self.background:g}")
        for name in ("diffuse", "drift", "dead"):
            if not 0 <= getattr(self, name) <= LARGEST_SHARE:
                raise UserError(
                    f"instrument.{name}: expected a share of 0 to {LARGEST_SHARE}, got {getattr(self, name):g}"
                )
        if self.gap < 0:
            raise UserError(f"instrument.gap: expected 0 or more voxels, got {self.gap}")


def stop_mask(*, qx: Array, qz: Array, peak: tuple[float, float], instrument: Instrument) -> Mask:
    """1 (qx, qz) where the beam stop hides, or the attenuator dims, the substrate's peak at (qx, qz)."""
    mask = np.zeros((len(qx), len(qz)), np.uint8)
    if instrument.stop is None:
        return mask
    columns = np.abs(qx - peak[0]) <= instrument.stop[0]
    if instrument.stop_shape == "attenuator":
        columns = np.ones(len(qx), bool)
    mask[np.ix_(columns, np.abs(qz - peak[1]) <= instrument.stop[1])] = 1
    return mask


def detector_mask(*, shape: tuple[int, ...], instrument: Instrument, rng: np.random.Generator) -> Mask:
    """1 where a gap across the last axis or a dead voxel leaves nothing measured; the gap keeps off the middle."""
    mask = (rng.random(shape) < instrument.dead).astype(np.uint8)
    if instrument.gap:
        start = int(rng.integers(shape[-1] // 8, max(shape[-1] // 4, shape[-1] // 8 + 1)))
        start = start if rng.random() < 0.5 else shape[-1] - start - instrument.gap
        mask[..., max(start, 0) : start + instrument.gap] = 1
    return mask
