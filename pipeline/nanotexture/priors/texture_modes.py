"""Coefficients of motifs on one set of modes for all films: what a denoiser of textures works on.

    array (..., field, k, sign, m):  ux / period, uz / period, Px, Pz;  k = 0..HARMONICS-1;  cos, sin;  m = 0..PROFILES-1

Profiles are Legendre polynomials of unit mean square: of u through the film, or one repeat of it, of P through its polar layer.
They lean with the motif's own lean. Of a motif's coefficients those that have no place here are left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.phasing.modes import Modes, legendre_profiles
from nanotexture.phasing.unknowns import Block, Unknowns

Array = NDArray[np.float64]
Tensor = torch.Tensor

FIELDS, HARMONICS, PROFILES = 4, 6, 10
SHAPE = (FIELDS, HARMONICS, 2, PROFILES)
SIZE = FIELDS * HARMONICS * 2 * PROFILES
ALONG = 0.99  # cosine at least between a field's direction and x or z
CONDITIONS = 6  # numbers of `Surroundings.told`


@dataclass(frozen=True)
class Surroundings:
    """What a film is beside its texture: period, height (film or one repeat) in angstrom, extent of the polar layer (bottom,
    top) in heights, (0, 0) of a film without, lean in periods per angstrom, whether the film repeats."""

    period: float
    height: float
    polar: tuple[float, float] = (0.0, 0.0)
    lean: float = 0.0
    repeats: bool = False

    def told(self) -> Array:
        """Numbers of order one that the network is given, (CONDITIONS,)."""
        lean = self.lean * self.height
        flags = [float(self.repeats), float(self.lean != 0.0)]
        return np.array([np.log(self.height / self.period), np.arctan(lean), *self.polar, *flags])


@dataclass(frozen=True)
class Places:
    """Where a motif's coefficients are on the common modes: rows (n,) of the motif's, places (n,) of SIZE, unit (n,): common
    coefficient per coefficient of the motif."""

    rows: Tensor
    places: Tensor
    unit: Tensor

    def common(self, values: Tensor) -> Tensor:
        """Coefficients (..., size) of a motif on the common modes (..., SIZE), 0 where it has none."""
        found = torch.zeros(*values.shape[:-1], SIZE, dtype=values.dtype)
        found[..., self.places] = values[..., self.rows] * self.unit
        return found


def places_of(
    unknowns: Unknowns, *, axes: Array, polar_axes: Array, period: float, polar: NDArray[np.bool_], tied: bool
) -> Places:
    """Places of a motif's coefficients; axes (f, 2), polar_axes (p, 2): directions of its fields; polar (z,): planes of the
    polar layer; tied: whether its displacement is a correction only, which has no place."""
    found: list[tuple[int, int, float]] = []
    first = 0
    for number, block in enumerate(unknowns.blocks):
        degree, unit = _degrees(block, polar if number else None, period)
        for i in range(block.number):
            axis = (polar_axes if number else axes)[i]
            if not (number == 0 and tied):
                found += _placed(block.modes, axis, 2 * number, degree, unit, first)
            first += len(block.modes.index)
    rows, places, units = (np.array(part) for part in zip(*found, strict=True)) if found else ([], [], [])
    return Places(
        torch.as_tensor(rows, dtype=torch.int64),
        torch.as_tensor(places, dtype=torch.int64),
        torch.as_tensor(units, dtype=torch.float64),
    )


def _placed(
    modes: Modes, axis: Array, kind: int, degree: dict[int, int], unit: float, first: int
) -> list[tuple[int, int, float]]:
    """(row, place, unit) of the modes of one field."""
    along = int(np.abs(axis).argmax())
    if len(axis) != 2 or abs(axis[along]) < ALONG:
        return []
    sign = float(np.sign(axis[along]))
    return [
        (first + row, int(np.ravel_multi_index((kind + along, k, int(s < 0), degree[m]), SHAPE)), sign * unit)
        for row, (k, s, m) in enumerate(modes.index.tolist())
        if k < HARMONICS and degree.get(m, PROFILES) < PROFILES
    ]


def _degrees(block: Block, polar: NDArray[np.bool_] | None, period: float) -> tuple[dict[int, int], float]:
    """Degree of each profile that has a place, and the common coefficient per coefficient of the field."""
    values = block.modes.profiles.values
    if polar is None:
        return {m: m for m in range(len(values))}, 1.0 / period
    within = (values[:, torch.from_numpy(polar)] != 0).any(1)
    numbers = torch.nonzero(within).squeeze(1).tolist()
    return {m: degree for degree, m in enumerate(numbers)}, float(np.sqrt(len(polar) / max(polar.sum(), 1)))


def common_of_fields(fields: Array, *, z: Array, thickness: float, lean: float) -> Array:
    """Coefficients (f, HARMONICS, 2, PROFILES) of fields (f, x, z) on planes z (z,) in angstrom, in the fields' unit."""
    points = fields.shape[1]
    spectrum = np.fft.rfft(fields, axis=1)[:, :HARMONICS] * (2.0 / points)
    spectrum[:, 0] *= 0.5
    # f = Re sum C_k exp(2 pi i k (x - lean z)), C = a - i b
    upright = spectrum * np.exp(2j * np.pi * lean * np.arange(HARMONICS)[:, None] * z)
    number = min(PROFILES, len(z))
    profiles = legendre_profiles(z=z, number=number, thickness=thickness).values.numpy()
    found = np.zeros((len(fields), HARMONICS, PROFILES), complex)
    found[..., :number] = upright @ np.linalg.pinv(profiles)
    return np.stack([found.real, -found.imag], axis=2)
