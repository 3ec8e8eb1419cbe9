"""The field of the bound charge in a background permittivity, periodic; the two faces of a film held at one potential."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanotexture.simulate.phasefield.grid import Grid, quadratic_products, wavevectors
from nanotexture.simulate.phasefield.settings import VACUUM_PERMITTIVITY, Electrical, Settings

_PLANE = (-3, -2)


def depolarization(grid: Grid, settings: Settings) -> NDArray[np.float64]:
    """Matrices D (3, 3, modes) in GPa per (C/m^2)^2: energy density P.D.P / 2, D = k k / (eps0 eps k^2).

    The mean field is zero for a short circuit (D = 0 at k = 0); D_zz = 1 / (eps0 eps) there for an open one.
    """
    products = quadratic_products(grid)
    square = np.einsum("ii...->...", products)
    matrices = products / np.where(square > 0.0, square, 1.0)
    if settings.electrical is Electrical.OPEN:
        matrices[2, 2, 0, 0, 0] = 1.0
    return np.asarray(matrices / (VACUUM_PERMITTIVITY * settings.permittivity))


@dataclass(frozen=True)
class Electrodes:
    """Two planes of nodes at one potential: free charge on them minimises the energy, which is the same condition.

    response (2, 2, nx, ny): potential of the planes to the charge that cancels it; inverse_square (modes):
    1 / (eps0 eps k^2), zero at k = 0.
    """

    grid: Grid
    planes: tuple[int, int]
    wave: Tensor
    inverse_square: Tensor
    response: Tensor

    def energy_and_slope(self, modes: Tensor) -> tuple[Tensor, Tensor]:
        """What the free charge adds: mean energy density in GPa (never above 0), slope modes (3, modes)."""
        bound = self.grid.backward(-1j * (self.wave * modes).sum(0) * self.inverse_square)
        seen = torch.fft.fft2(bound[:, :, self.planes].movedim(2, 0), dim=(1, 2))
        charge = torch.fft.ifft2(-(self.response * seen[None]).sum(1), dim=(1, 2)).real
        free = torch.zeros_like(bound)
        free[:, :, list(self.planes)] = charge.movedim(0, 2)
        potential = self.grid.forward(free) * self.inverse_square
        return 0.5 * (bound * free).double().mean(), 1j * self.wave * potential[None]


def electrodes_of(grid: Grid, settings: Settings) -> Electrodes | None:
    """Electrodes on the nodes next to the film, or None where the run has none."""
    if settings.electrical is not Electrical.ELECTRODES:
        return None
    planes = (settings.below - 1, grid.shape[2] - settings.above)
    _, wave = wavevectors(grid)
    square = np.einsum("ii...->...", quadratic_products(grid))
    scale = VACUUM_PERMITTIVITY * settings.permittivity
    inverse = np.where(square > 0.0, 1.0, 0.0) / (scale * np.where(square > 0.0, square, 1.0))
    response = _charge_of_potential(grid, planes, inverse)
    return Electrodes(grid, planes, grid.tensor(wave), grid.tensor(inverse), grid.tensor(response))


def _charge_of_potential(
    grid: Grid, planes: tuple[int, int], inverse: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Inverse (2, 2, nx, ny) of the potential at the planes of charge on them; at kx = ky = 0 the charge is neutral."""
    nz = grid.shape[2]
    along = np.fft.irfft(inverse, nz, axis=2)
    apart = along[:, :, planes[1] - planes[0]]
    own = along[:, :, 0]
    matrix = np.stack([np.stack([own, apart]), np.stack([apart, own])])
    neutral = 2.0 * (own[0, 0] - apart[0, 0])
    matrix[:, :, 0, 0] = np.eye(2)
    result = np.moveaxis(np.linalg.inv(np.moveaxis(matrix, (0, 1), (-2, -1))), (-2, -1), (0, 1)).copy()
    result[:, :, 0, 0] = np.array([[1.0, -1.0], [-1.0, 1.0]]) / neutral
    return result
