"""Constraints: what is known of an object, each with `project(x)`, the nearest object that obeys it.

Data, support, bounds and a learned prior are all constraints, so a solver never changes when one is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanotexture.phasing.farfield import Complex, corner_order, from_corner, to_corner
from nanotexture.phasing.voxelwise import as_row, scale_to

Real = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
_SMALLEST = 1e-20  # of the largest magnitude: below it a voxel has no phase to keep


class Constraint(Protocol):
    """A set of objects, known through its projection."""

    def project(self, x: Complex) -> Complex:
        """The member of the set nearest to x (same shape and unit); x itself is not changed."""
        ...


@dataclass(frozen=True)
class Data:
    """Magnitudes known where measured, free elsewhere: |F(k)| = A(k), F = orthonormal transform.

    amplitude: (n1, n2, ...) in the order of an FFT (zero at index 0), unit of the object;
    free: same shape, True where not measured.
    """

    amplitude: Real
    free: Mask

    @classmethod
    def centred(cls, amplitude: ArrayLike, measured: ArrayLike, dtype: type = np.float32) -> Data:
        """From arrays with zero frequency at n // 2; unmeasured amplitudes may hold anything, NaN too."""
        known = np.asarray(measured, dtype=bool)
        values: Real = np.where(known, np.asarray(amplitude), 0.0).astype(dtype)
        return cls(corner_order(values), corner_order(~known))

    @property
    def n_measured(self) -> int:
        """Number of voxels whose magnitude is known."""
        return int(self.free.size - np.count_nonzero(self.free))

    def project(self, x: Complex) -> Complex:
        """P x = F^-1 [ A F/|F| where measured, F elsewhere ] (Fienup, Appl. Opt. 21, 2758 (1982), eq. 5)."""
        spectrum = from_corner(x)
        rows = (a.reshape(-1) for a in (self.seen(spectrum), self.amplitude, self.free))
        scale_to(as_row(spectrum), *rows, self._tiny)
        return to_corner(spectrum)

    def chi2(self, x: Complex) -> float:
        """sum (s|F| - A)^2 / sum A^2 over the measured voxels, s the best scale."""
        return chi2_of_magnitudes(
            magnitude=self.seen(from_corner(x)), amplitude=self.amplitude, weight=~self.free
        )

    def seen(self, spectrum: Complex) -> Real:
        """Magnitude that the detector sees of a spectrum (n1, n2, ...), |F|; a new array."""
        return np.abs(spectrum)

    @cached_property
    def _tiny(self) -> np.floating[Any]:
        """Added to |F|, which may vanish."""
        smallest = max(float(self.amplitude.max(initial=0.0)) * _SMALLEST, 1e-30)
        found: np.floating[Any] = self.amplitude.dtype.type(smallest)
        return found


@dataclass(frozen=True)
class Support:
    """The object is zero where `mask` (n1, n2, ...) is False, and its modulus nowhere above `ceiling` (unit of the object)."""

    mask: Mask
    ceiling: float = np.inf

    def project(self, x: Complex) -> Complex:
        """x inside, shortened to the ceiling, 0 outside."""
        inside = np.where(self.mask, x, np.zeros((), dtype=x.dtype))
        if np.isinf(self.ceiling):
            return inside
        # Bounds would do, by way of the angle: 15 ms in place of 2 at 64^3, where an iteration takes 3
        longest = x.real.dtype.type(self.ceiling)
        shortened: Complex = (inside * (longest / np.maximum(np.abs(inside), longest))).astype(x.dtype)
        return shortened


@dataclass(frozen=True)
class Bounds:
    """Modulus between `low` and `high` (unit of the object) and phase within `half_range` of `centre` (rad).

    Bounds on displacement and strain as in Minkevich et al., Phys. Rev. B 76, 104106 (2007).
    """

    low: float = 0.0
    high: float = np.inf
    centre: float = 0.0
    half_range: float = np.pi

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"bounds must satisfy 0 <= low <= high, got {self.low} and {self.high}")
        if not 0 <= self.half_range <= np.pi:
            raise ValueError(f"half_range must lie between 0 and pi, got {self.half_range}")

    def project(self, x: Complex) -> Complex:
        """Nearest point of the annular sector: clipped radius inside it, foot on the nearer edge outside."""
        turned = x * np.asarray(np.exp(-1j * self.centre), dtype=x.dtype)
        angle = np.angle(turned)
        nearest = np.clip(angle, -self.half_range, self.half_range)
        # distance along the edge; cos(0) = 1 inside the sector makes it the radius
        radius = np.clip(np.abs(turned) * np.cos(angle - nearest), self.low, self.high)
        return (radius * np.exp(1j * (nearest + self.centre))).astype(x.dtype)


@dataclass(frozen=True)
class InSupport:
    """A constraint of the voxels within `mask` (n1, n2, ...); outside the object is zero."""

    mask: Mask
    within: Constraint

    def project(self, x: Complex) -> Complex:
        """The constraint's projection inside, 0 outside."""
        return np.where(self.mask, self.within.project(x), np.zeros((), dtype=x.dtype))


@dataclass(frozen=True)
class InTurn:
    """Several constraints one after the other; the projection onto all of them where they commute."""

    parts: tuple[Constraint, ...]

    def project(self, x: Complex) -> Complex:
        """P_n ... P_2 P_1 x."""
        for part in self.parts:
            x = part.project(x)
        return x


def together(support: Support, others: Sequence[Constraint]) -> Constraint:
    """The support alone where nothing else is known, else all in turn with the support first."""
    return InTurn((support, *others)) if others else support


def chi2_of_magnitudes(
    *, magnitude: Real, amplitude: Real, weight: ArrayLike, scale: float | None = None
) -> float:
    """chi2 = sum w (s m - A)^2 / sum w A^2, s the scale given or else the best (physics.md section 5).

    magnitude, amplitude: m and A, calculated and measured, any shape and one unit; weight: w, 0 or 1 per
    voxel. NaN where no voxel counts.
    """
    chosen = np.asarray(weight, dtype=bool)
    m, a = magnitude[chosen].astype(float), amplitude[chosen].astype(float)
    if scale is None:
        scale = best_scale(magnitude=magnitude, amplitude=amplitude, weight=chosen)
    total = float(a @ a)
    return float(np.sum((scale * m - a) ** 2)) / total if total > 0 else float("nan")


def chi2_and_free(*, magnitude: Real, amplitude: Real, work: Mask, held: Mask) -> tuple[float, float]:
    """chi2 over the fitted voxels and over those held out, with the scale that fits the first best."""
    scale = best_scale(magnitude=magnitude, amplitude=amplitude, weight=work)
    fitted, free = (
        chi2_of_magnitudes(magnitude=magnitude, amplitude=amplitude, weight=part, scale=scale)
        for part in (work, held)
    )
    return fitted, free


def best_scale(*, magnitude: Real, amplitude: Real, weight: ArrayLike) -> float:
    """s = sum w m A / sum w m^2, the scale of least chi2; 0 where m vanishes."""
    chosen = np.asarray(weight, dtype=bool)
    m, a = magnitude[chosen].astype(float), amplitude[chosen].astype(float)
    total = float(m @ m)
    return float(m @ a) / total if total > 0 else 0.0
