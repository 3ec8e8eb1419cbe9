"""The periodic grid: wavevectors and the real Fourier pair over x, y, z."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanotexture.errors import UserError
from nanotexture.simulate.phasefield.settings import Settings

AXES = (-3, -2, -1)


@dataclass(frozen=True)
class Grid:
    """Nodes (nx, ny, nz), their distance in nm, number type and device of all fields."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    dtype: torch.dtype
    device: torch.device

    def tensor(self, values: NDArray[np.float64]) -> Tensor:
        """Array as a real tensor of this grid's type."""
        return torch.as_tensor(values, dtype=self.dtype, device=self.device)

    @property
    def complex(self) -> torch.dtype:
        """Number type of transforms."""
        return torch.complex128 if self.dtype == torch.float64 else torch.complex64

    def modes(self, values: NDArray[np.complex128]) -> Tensor:
        """Array as a complex tensor of this grid's type."""
        return torch.as_tensor(values, dtype=self.complex, device=self.device)

    def forward(self, field: Tensor) -> Tensor:
        """Mean-normalised transform of real fields (..., nx, ny, nz): the zero mode is the mean."""
        return torch.fft.rfftn(field, dim=AXES, norm="forward")

    def backward(self, field: Tensor) -> Tensor:
        """Real fields (..., nx, ny, nz) of a transform."""
        return torch.fft.irfftn(field, s=self.shape, dim=AXES, norm="forward")

    def weights(self) -> Tensor:
        """How often each stored mode along z stands in a full sum, (nz // 2 + 1,): sum w |f_k|^2 = mean of f^2."""
        nz = self.shape[2]
        weight = np.full(nz // 2 + 1, 2.0)
        weight[0] = 1.0
        if nz % 2 == 0:
            weight[-1] = 1.0
        return self.tensor(weight)


def grid_of(settings: Settings) -> Grid:
    """Grid of a run; UserError if this machine lacks the device."""
    try:
        device = torch.empty(0, device=settings.device).device
    except (RuntimeError, AssertionError) as error:
        raise UserError(
            f"phase field: device: expected one that torch finds here, such as 'cpu', found {settings.device!r}"
        ) from error
    return Grid(settings.shape, settings.spacing, getattr(torch, settings.dtype), device)


def wavevectors(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wavevectors (3, nx, ny, nz // 2 + 1) in 1/nm: for products k_i^2, and for single factors (zero at Nyquist).

    A single derivative of the Nyquist mode of a real field is zero at the nodes; its square is not.
    """
    even, odd = [], []
    for axis, (count, step) in enumerate(zip(grid.shape, grid.spacing, strict=True)):
        frequency = np.fft.rfftfreq(count, step) if axis == 2 else np.fft.fftfreq(count, step)
        k = 2.0 * np.pi * frequency
        even.append(k)
        odd.append(np.where(np.abs(frequency) > (0.5 - 1e-9) / step, 0.0, k))
    return np.stack(np.meshgrid(*even, indexing="ij")), np.stack(np.meshgrid(*odd, indexing="ij"))


def quadratic_products(grid: Grid) -> NDArray[np.float64]:
    """Products k_i k_j (3, 3, modes) in 1/nm^2 with true squares on the diagonal."""
    even, odd = wavevectors(grid)
    products = odd[:, None] * odd[None, :]
    for i in range(3):
        products[i, i] = even[i] ** 2
    return products
