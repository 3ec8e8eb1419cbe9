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
    """Two planes at one potential: free charge on them minimises the energy, which is the same condition.

    The planes lie half a node above the nodes `planes`, where P jumps. response (2, 2, nx, ny): potential of the planes
    to the charge that cancels it; inverse_square (modes): 1 / (eps0 eps k^2), zero at k = 0; half (nz // 2 + 1): the
    phase of half a node.
    """

    grid: Grid
    planes: tuple[int, int]
    wave: Tensor
    inverse_square: Tensor
    response: Tensor
    half: Tensor

    def energy_and_slope(self, modes: Tensor) -> tuple[Tensor, Tensor]:
        """What the free charge adds: mean energy density in GPa (never above 0), slope modes (3, modes)."""
        bound = -1j * (self.wave * modes).sum(0) * self.inverse_square
        potential = self.grid.backward(bound * self.half)[:, :, self.planes]
        seen = torch.fft.fft2(potential.movedim(2, 0), dim=(1, 2))
        charge = torch.fft.ifft2(-(self.response * seen[None]).sum(1), dim=(1, 2)).real
        free = torch.zeros(self.grid.shape, dtype=self.grid.dtype, device=self.grid.device)
        free[:, :, self.planes] = charge.movedim(0, 2)
        answer = self.grid.forward(free) * self.half.conj() * self.inverse_square
        energy = 0.5 * (potential * charge.movedim(0, 2)).double().sum() / free.numel()
        return energy, 1j * self.wave * answer[None]


def electrodes_of(grid: Grid, settings: Settings) -> Electrodes | None:
    """Electrodes on the faces of the film, or None where the run has none."""
    if settings.electrical is not Electrical.ELECTRODES:
        return None
    nz = grid.shape[2]
    planes = (settings.below - 1, nz - settings.above - 1)
    _, wave = wavevectors(grid)
    square = np.einsum("ii...->...", quadratic_products(grid))
    scale = VACUUM_PERMITTIVITY * settings.permittivity
    inverse = np.where(square > 0.0, 1.0, 0.0) / (scale * np.where(square > 0.0, square, 1.0))
    half = np.exp(1j * np.pi * np.arange(nz // 2 + 1) / nz) * (np.arange(nz // 2 + 1) * 2 < nz)
    response = _charge_of_potential(grid, planes, inverse * np.abs(half))
    return Electrodes(
        grid,
        planes,
        grid.tensor(wave),
        grid.tensor(inverse),
        grid.tensor(response),
        grid.modes(half),
    )


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
    return np.asarray(result)
