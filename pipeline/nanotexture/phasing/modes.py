"""Modes of a motif: harmonics along one period times functions of height.

    f(x, z) = sum_k sum_m [a_km cos(2 pi k y) + b_km sin(2 pi k y)] h_m(z),   y = x - lean z,   k = 0..K, m = 0..M-1

x is a fraction of one period. Walls that lean need few functions of height in coordinates that lean with them. Along both
directions of the plane the waves are cos and sin of 2 pi (k x + l y), one of (k, l) and (-k, -l), within an ellipse. For a
displacement the constant (k = m = 0) is left out: no intensity depends on it but through the film-substrate gap, which is a
parameter of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]
Tensor = torch.Tensor


@dataclass(frozen=True)
class Profiles:
    """Functions of heights z (z,) in angstrom, coarse to fine: values, slopes (m, z), the latter in 1/angstrom.

    The first is constant where it carries anything; wave (m,): wave number in 1/angstrom.
    """

    values: Tensor
    slopes: Tensor
    wave: Tensor
    z: Tensor

    def first(self, number: int) -> Profiles:
        """The coarsest `number` of them."""
        return Profiles(self.values[:number], self.slopes[:number], self.wave[:number], self.z)

    def __len__(self) -> int:
        return len(self.values)


def legendre_profiles(*, z: Array, number: int, thickness: float) -> Profiles:
    """Legendre polynomials through the film, of unit mean square; z (z,) and thickness in angstrom."""
    extent = max(z.max() - z.min(), 1e-9)
    centred = 2.0 * (z - z.min()) / extent - 1.0
    shapes = [np.polynomial.legendre.Legendre.basis(m) for m in range(number)]
    norm = [np.sqrt(2 * m + 1) for m in range(number)]
    values = np.stack([n * shape(centred) for n, shape in zip(norm, shapes, strict=True)])
    slopes = np.stack(
        [n * shape.deriv()(centred) * 2.0 / extent for n, shape in zip(norm, shapes, strict=True)]
    )
    wave = np.pi * np.arange(number) / thickness
    return Profiles(*(torch.from_numpy(a) for a in (values, slopes, wave, np.array(z, float))))


def repeat_profiles(*, z: Array, number: int, repeat: float) -> Profiles:
    """1, cos, sin, cos 2, ... of 2 pi z / repeat, of unit mean square; z (z,) within one repeat, angstrom."""
    order = (np.arange(number) + 1) // 2
    phase = 2 * np.pi * order[:, None] * z[None, :] / repeat
    even = (np.arange(number) % 2 == 0)[:, None] & (order > 0)[:, None]
    size = np.where(order > 0, np.sqrt(2.0), 1.0)[:, None]
    values = size * np.where(even, np.sin(phase), np.cos(phase))
    wave = 2 * np.pi * order / repeat
    slopes = size * wave[:, None] * np.where(even, np.cos(phase), -np.sin(phase))
    return Profiles(*(torch.from_numpy(a) for a in (values, slopes, wave, np.array(z, float))))


def layer_profiles(*, z: Array, layer: NDArray[np.int64], number: Mapping[int, int]) -> Profiles:
    """Legendre polynomials within each layer, zero in the others, of unit mean square over all planes.

    layer (z,): number of the layer of every plane at z (z,) angstrom; number: how many polynomials each layer gets. They are
    ordered by degree, so that the first few are coarse in every layer.
    """
    rows = []
    for index, many in number.items():
        where = layer == index
        step = float(np.median(np.diff(z))) if len(z) > 1 else 1.0
        inner = legendre_profiles(z=z[where], number=many, thickness=float(where.sum()) * step)
        share = np.sqrt(len(z) / where.sum())
        for m in range(many):
            row = torch.zeros(2, len(z), dtype=torch.float64)
            row[:, torch.from_numpy(where)] = share * torch.stack([inner.values[m], inner.slopes[m]])
            rows.append((m, row, inner.wave[m]))
    rows.sort(key=lambda one: one[0])
    values, slopes = torch.stack([row for _, row, _ in rows]).unbind(1)
    waves = torch.stack([wave for *_, wave in rows])
    return Profiles(values, slopes, waves, torch.from_numpy(np.array(z, float)))


@dataclass(frozen=True)
class Modes:
    """K harmonics times profiles; period in angstrom; constant: whether the constant is a mode.

    lean: by how many periods per angstrom of height the modes are displaced along x. period_y (angstrom): of a texture that
    is periodic along y too, upright, whose grids are (x, y, z) instead of (x, z); None where it is uniform along y; centred:
    whether its cell is, as a checkerboard's, so that waves whose k + l is odd, and the orders whose n + m is odd, are absent.
    """

    harmonics: int
    profiles: Profiles
    period: float
    constant: bool = False
    lean: float = 0.0
    period_y: float | None = None
    centred: bool = False

    @cached_property
    def waves(self) -> tuple[tuple[int, ...], ...]:
        """Wave vectors (k,) or (k, l) of one half of the plane in periods, 0 first, coarse to fine."""
        most = self.harmonics
        if self.period_y is None:
            return tuple((k,) for k in range(most + 1))
        half = [(k, n) for k in range(most + 1) for n in range(-most, most + 1) if k > 0 or n >= 0]
        within = [one for one in half if one[0] ** 2 + one[1] ** 2 < (most + 0.5) ** 2]
        if self.centred:
            within = [one for one in within if sum(one) % 2 == 0]
        return tuple(sorted(within, key=lambda one: (one[0] ** 2 + one[1] ** 2, one)))

    @cached_property
    def index(self) -> NDArray[np.int64]:
        """Rows (k, sign, m) or (k, sign, m, l) of all modes; sign +1 is cos, -1 is sin."""
        number, (still, *waves) = len(self.profiles), self.waves
        rows = [(0, 1, m, *still[1:]) for m in range(0 if self.constant else 1, number)]
        rows += [(w[0], s, m, *w[1:]) for w in waves for s in (1, -1) for m in range(number)]
        return np.array(rows, np.int64).reshape(-1, 2 + len(still))

    @cached_property
    def vectors(self) -> NDArray[np.int64]:
        """Wave vector of every mode in periods, (modes, directions)."""
        return self.index[:, [0]] if self.period_y is None else self.index[:, [0, 3]]

    @cached_property
    def wave_of_mode(self) -> Tensor:
        """Which of the waves every mode has, (modes,)."""
        place = {wave: number for number, wave in enumerate(self.waves)}
        return torch.tensor([place[tuple(vector)] for vector in self.vectors.tolist()], dtype=torch.int64)

    def coarser(self, harmonics: int, profiles: int) -> tuple[Modes, NDArray[np.bool_]]:
        """The modes of few harmonics and profiles, and which of all they are (modes,)."""
        fewer = replace(
            self, harmonics=min(harmonics, self.harmonics), profiles=self.profiles.first(profiles)
        )
        kept = [tuple(wave) in set(fewer.waves) for wave in self.vectors.tolist()]
        return fewer, np.array(kept, bool) & (self.index[:, 2] < profiles)

    def places(self, among: Modes) -> NDArray[np.int64]:
        """Where these modes are among others, richer ones, (modes,)."""
        rows = {tuple(row): i for i, row in enumerate(among.index.tolist())}
        return np.array([rows[tuple(row)] for row in self.index.tolist()], np.int64)

    def wave(self) -> Tensor:
        """Wave number of every mode, (modes,) in 1/angstrom."""
        along = (self.vectors * self._per_angstrom) ** 2
        return torch.sqrt(torch.from_numpy(along.sum(1)) + self.profiles.wave[self.index[:, 2]] ** 2)

    @property
    def _per_angstrom(self) -> Array:
        """Wave number of the first wave along each direction, (directions,) in 1/angstrom."""
        first = 2 * np.pi * np.hypot(1 / self.period, self.lean)
        return np.array([first] if self.period_y is None else [first, 2 * np.pi / self.period_y])

    def basis(self, points: int) -> Tensor:
        """All modes on the grid, (modes, x, z) real; `points` along each direction of the plane."""
        return self._waves(points)[0] * self._through(self.profiles.values)

    def gradient(self, points: int) -> Tensor:
        """d/dx and d/dz of all modes on the grid, (2, modes, x, z) in 1/angstrom, or d/dx, d/dy and d/dz."""
        values = self._through(self.profiles.values)
        value, turned = self._waves(points)
        number = torch.from_numpy(self.vectors.astype(float))[..., *(None,) * (turned.dim() - 1)]
        lengths = [self.period] if self.period_y is None else [self.period, self.period_y]
        along = [2 * torch.pi * number[:, i] / length * turned * values for i, length in enumerate(lengths)]
        up = value * self._through(self.profiles.slopes) - self.lean * self.period * along[0]
        return torch.stack([*along, up])

    def project(self, field: Tensor) -> Tensor:
        """Least-squares coefficients (..., modes) of fields (..., x, z)."""
        axes = 2 if self.period_y is None else 3
        flat = self.basis(field.shape[-2]).flatten(1)
        return field.flatten(-axes) @ torch.linalg.pinv(flat)

    def _through(self, profiles: Tensor) -> Tensor:
        """Rows (m, z) of every mode, (modes, 1, z) or (modes, 1, 1, z)."""
        own = profiles[self.index[:, 2]][:, None, :]
        return own if self.period_y is None else own[:, None]

    def leaning(self, k: int) -> Tensor:
        """exp(-2 pi i k lean z), (z,): what the lean makes of exp(2 pi i k x)."""
        return torch.exp(-2j * torch.pi * k * self.lean * self.profiles.z)

    def _waves(self, points: int) -> tuple[Tensor, Tensor]:
        """Wave of every mode and its derivative by its phase, (modes, x, z)."""
        # an integer tensor times pi would have single precision
        k = torch.from_numpy(self.index[:, :1, None].astype(float))
        even = torch.from_numpy(self.index[:, 1:2, None] > 0)
        line = torch.arange(points, dtype=torch.float64) / points
        turns = k * (line[:, None] - self.lean * self.profiles.z)
        if self.period_y is not None:
            across = torch.from_numpy(self.index[:, 3:, None].astype(float)) * line[:, None]
            turns, even = turns[:, :, None] + across[:, None], even[:, None]
        phase = 2 * torch.pi * turns
        values = torch.where(even, torch.cos(phase), torch.sin(phase))
        return values, torch.where(even, -torch.sin(phase), torch.cos(phase))
