"""From the intensities of the orders to the map: line shapes, leakage between orders, diffuse part, resolution, background.

    I(qx, [qy,] qz) = sum_nm line_n(qx - Gx - n kx) [line_m(qy - Gy - m ky)] smear(|A_nm|^2)(qz) + background
    line = (1 - d) Voigt(sigma, pi s^2 n^2 k) + d Gauss(w)

Every line has unit area; orders leak into each other by the tails of their lines. s is the relative rms step of the
period (cumulative disorder: Guinier, X-Ray Diffraction, ch. 9), sigma the coherent width and the resolution together,
d the share that uncorrelated disorder takes from every order into a broad diffuse line of width w.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.film.forward import Reflection, amplitudes
from nanotexture.film.limits import available_bytes, refuse_voxels

Array = NDArray[np.float64]
Tensor = torch.Tensor
Number = Tensor | float

TERMS = 32  # of Weideman's series: absolute error below 1e-12


@dataclass(frozen=True)
class LineShape:
    """Lines in the plane and resolution along qz, 1/angstrom; period_step and diffuse are shares (1).

    sigma, resolution_z: Gaussian standard deviations in the plane and along qz; diffuse_width that of the diffuse line.
    """

    sigma: Number
    period_step: Number = 0.0
    resolution_z: Number = 0.0
    diffuse: Number = 0.0
    diffuse_width: Number = 0.1


@dataclass(frozen=True)
class Lines:
    """Matrices from orders to voxels: along_x (qx, n), along_y (qy, m) or None for a map integrated over qy, along_z (qz, qz)."""

    along_x: Tensor
    along_y: Tensor | None
    along_z: Tensor


def sigma_from_coherent_width(*, width: float, resolution: float) -> float:
    """Standard deviation 1/angstrom of |A|^2 under a coherent amplitude exp(-x^2 / (2 width^2)), and of the instrument.

    The transform of that window squared has 1 / (sqrt(2) width); the two add in squares. width in angstrom.
    """
    return math.hypot(1.0 / (math.sqrt(2.0) * width), resolution)


def voigt(*, offset: Tensor, sigma: Number, half_width: Number) -> Tensor:
    """Unit-area Voigt line, Re w((q + i g) / (sqrt(2) s)) / (sqrt(2 pi) s): Gaussian s, Lorentzian half-width g >= 0.

    w by Weideman's rational series (SIAM J. Numer. Anal. 31, 1497 (1994)), differentiable in all three, float64.
    """
    sigma = torch.as_tensor(sigma, dtype=torch.float64, device=offset.device)
    half_width = torch.as_tensor(half_width, dtype=torch.float64, device=offset.device)
    scale = math.sqrt(2.0) * sigma
    z = torch.complex((offset / scale).double(), (half_width / scale).expand(offset.shape))
    return _faddeeva(z).real / (math.sqrt(math.pi) * scale)


def lines_from_shape(
    *,
    reflection: Reflection,
    shape: LineShape,
    qx: Array,
    qy: Array | None = None,
    memory_limit: float | None = None,
) -> Lines:
    """Matrices of one reflection for axes qx (qx,), qy (qy,) in 1/angstrom; qz is the reflection's own, uniform.

    UserError where one map would need more than memory_limit bytes, by default what is free.
    """
    refuse_voxels(
        shape=(len(qx), 1 if qy is None else len(qy), len(reflection.qz)),
        itemsize=reflection.qz.itemsize,
        limit=available_bytes() if memory_limit is None else memory_limit,
    )
    for name, width in (("sigma", shape.sigma), ("diffuse_width", shape.diffuse_width)):
        number = float(torch.as_tensor(width).detach())
        if number <= 0.0:
            raise UserError(f"{name}: expected a width above 0 1/angstrom, found {number:g}")
    return Lines(
        _along(reflection, shape, qx, 0),
        None if qy is None else _along(reflection, shape, qy, 1),
        smear_from_resolution(qz=reflection.qz, sigma=shape.resolution_z),
    )


def smear_from_resolution(*, qz: Tensor, sigma: Number) -> Tensor:
    """Gaussian resolution (qz, qz) along a uniform axis, each row a weighted mean; unity where sigma is far below a step."""
    rows = qz.double()
    step = (rows[-1] - rows[0]).abs() / max(len(rows) - 1, 1)
    sigma = torch.as_tensor(sigma, dtype=torch.float64, device=qz.device)
    width = torch.maximum(sigma, 0.05 * step + torch.finfo(torch.float64).tiny)
    weight = torch.exp(-0.5 * ((rows[:, None] - rows[None, :]) / width) ** 2)
    return (weight / weight.sum(1, keepdim=True)).to(qz.dtype)


def map_from_orders(*, intensity: Tensor, lines: Lines, background: Number = 0.0) -> Tensor:
    """Map (..., qx, qz), or (..., qx, qy, qz) where the lines have a qy, from order intensities (..., n, m, qz)."""
    sharp = torch.matmul(intensity, lines.along_z.mT)
    if lines.along_y is None:
        return torch.einsum("xn,...nmq->...xq", lines.along_x, sharp) + background
    along = torch.einsum("ym,...nmq->...nyq", lines.along_y, sharp)
    return torch.einsum("xn,...nyq->...xyq", lines.along_x, along) + background


def map_from_texture(
    reflection: Reflection,
    lines: Lines,
    displacement: Tensor,
    polarization: Tensor | None = None,
    gap: Number = 0.0,
    background: Number = 0.0,
) -> Tensor:
    """Map of a texture (..., 3, nx, ny, planes), electrons squared per unit cell of area times angstrom (squared with qy)."""
    bright = amplitudes(reflection, displacement, polarization, gap).abs().square()
    return map_from_orders(intensity=bright, lines=lines, background=background)


def _along(reflection: Reflection, shape: LineShape, axis: Array, direction: int) -> Tensor:
    """Line of every order at every voxel, (q, orders)."""
    orders = (reflection.orders_x, reflection.orders_y)[direction].double()
    spacing = reflection.spacing[direction]
    q = torch.as_tensor(axis, dtype=torch.float64, device=orders.device)
    offset = q[:, None] - reflection.g[direction].double() - orders[None, :] * spacing
    half_width = math.pi * shape.period_step**2 * orders**2 * spacing
    sharp = voigt(offset=offset, sigma=shape.sigma, half_width=half_width)
    width = shape.diffuse_width
    broad = torch.exp(-0.5 * (offset / width) ** 2) / (math.sqrt(2.0 * math.pi) * width)
    return ((1.0 - shape.diffuse) * sharp + shape.diffuse * broad).to(reflection.qz.dtype)


def _faddeeva(z: Tensor) -> Tensor:
    """w(z) = exp(-z^2) erfc(-i z) in the upper half plane."""
    size = math.sqrt(TERMS / math.sqrt(2.0))
    ratio = (size + 1j * z) / (size - 1j * z)
    total = torch.zeros_like(z)
    for coefficient in _weideman(size):
        total = total * ratio + coefficient
    return 2.0 * total / (size - 1j * z) ** 2 + (1.0 / math.sqrt(math.pi)) / (size - 1j * z)


def _weideman(size: float) -> list[float]:
    """Coefficients of the series, highest power first."""
    number = 2 * TERMS
    angle = np.arange(-number + 1, number) * np.pi / number
    t = size * np.tan(0.5 * angle)
    sampled = np.concatenate([[0.0], np.exp(-(t**2)) * (size**2 + t**2)])
    spectrum = np.fft.fft(np.fft.fftshift(sampled)).real / (2 * number)
    return [float(value) for value in spectrum[1 : TERMS + 1][::-1]]
