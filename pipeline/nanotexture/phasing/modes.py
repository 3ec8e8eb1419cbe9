"""Modes of a motif: harmonics along one period times Legendre polynomials through the film.

    u_f(x, z) = sum_k sum_m [a_fkm cos(2 pi k x) + b_fkm sin(2 pi k x)] P_m(z),   k = 0..K, m = 0..M-1

x is a fraction of one period. The constant (k = m = 0) is left out: no intensity depends on it but through the
film-substrate gap, which is a parameter of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True)
class Modes:
    """K harmonics and M polynomials on planes at z (angstrom); period and thickness in angstrom set the strain prior."""

    harmonics: int
    polynomials: int
    z: tuple[float, ...]
    period: float
    thickness: float

    @cached_property
    def index(self) -> NDArray[np.int64]:
        """Rows (k, sign, m) of all modes, (modes, 3); sign +1 is cos, -1 is sin."""
        rows = [(0, 1, m) for m in range(1, self.polynomials)]
        rows += [
            (k, s, m) for k in range(1, self.harmonics + 1) for s in (1, -1) for m in range(self.polynomials)
        ]
        return np.array(rows)

    @cached_property
    def through_film(self) -> torch.Tensor:
        """P_m at the planes, normalised to unit mean square, (M, z) real."""
        z = np.asarray(self.z)
        centred = 2.0 * (z - z.min()) / max(z.max() - z.min(), 1e-9) - 1.0
        basis = [
            np.sqrt(2 * m + 1) * np.polynomial.legendre.Legendre.basis(m)(centred)
            for m in range(self.polynomials)
        ]
        return torch.from_numpy(np.stack(basis))

    def prior_width(self, strain: float) -> torch.Tensor:
        """Standard deviation of each coefficient (modes,) in angstrom that keeps the rms strain of a mode near `strain`."""
        k, m = self.index[:, 0], self.index[:, 2]
        wave = np.sqrt((2 * np.pi * k / self.period) ** 2 + (np.pi * m / self.thickness) ** 2)
        return torch.from_numpy(strain / wave)

    def along_period(self, points: int) -> torch.Tensor:
        """cos or sin of every mode's harmonic at `points` fractions of one period, (modes, x) real."""
        x = np.arange(points) / points
        waves = [np.cos(2 * np.pi * k * x) if s > 0 else np.sin(2 * np.pi * k * x) for k, s, _ in self.index]
        return torch.from_numpy(np.stack(waves))

    def basis(self, points: int) -> torch.Tensor:
        """All modes on the grid, (modes, x, z) real."""
        return self.along_period(points)[:, :, None] * self.through_film[self.index[:, 2]][:, None, :]

    def gradient(self, points: int) -> torch.Tensor:
        """d/dx and d/dz of all modes on the grid, (2, modes, x, z) in 1/angstrom."""
        k, sign, m = self.index.T
        partner = torch.from_numpy(
            np.stack(
                [
                    np.cos(2 * np.pi * n * np.arange(points) / points)
                    if s < 0
                    else -np.sin(2 * np.pi * n * np.arange(points) / points)
                    for n, s in zip(k, sign, strict=True)
                ]
            )
        )
        wave = torch.from_numpy(2 * np.pi * k / self.period)[:, None]
        along = (wave * partner)[:, :, None] * self.through_film[m][:, None, :]
        up = self.along_period(points)[:, :, None] * self._through_film_slope[m][:, None, :]
        return torch.stack([along, up])

    @cached_property
    def _through_film_slope(self) -> torch.Tensor:
        z = np.asarray(self.z)
        extent = max(z.max() - z.min(), 1e-9)
        centred = 2.0 * (z - z.min()) / extent - 1.0
        slopes = [
            np.sqrt(2 * m + 1) * np.polynomial.legendre.Legendre.basis(m).deriv()(centred)
            for m in range(self.polynomials)
        ]
        return torch.from_numpy(np.stack(slopes) * 2.0 / extent)

    def project(self, field: torch.Tensor) -> torch.Tensor:
        """Least-squares coefficients (..., modes) of fields (..., x, z)."""
        flat = self.basis(field.shape[-2]).flatten(1)
        return field.flatten(-2) @ torch.linalg.pinv(flat)
