"""Order intensities of a motif and their derivatives: the forward model that the motif solver fits.

    A_n(qz) = sum_z K(qz, z) psi_n(z) + [n = 0] substrate(qz),   psi_n(z) = (1/L) integral dx exp(-2 pi i n x) exp(i G.u)
    I_n(qz) = s |A_n(qz)|^2 * resolution

|psi| is 1: the structure factor of the known stack is in K, the only unknown is the displacement (Minkevich et al., Phys.
Rev. B 76, 104106 (2007), for why the modulus must not be free). With a mode's wave exp(2 pi i k x) the derivative needs
psi_(n-k) only, so one matrix product over z gives model and Jacobian together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nanotexture.phasing.modes import Modes

Tensor = torch.Tensor


@dataclass(frozen=True)
class ReflectionData:
    """Measured orders of one reflection and the fixed part of its model.

    orders (n,) integers; intensity, sigma (n, q) in count/angstrom, with work and free (n, q) boolean: fitted, held out;
    kernel (q, z) complex: structure factor and phase of each plane; substrate (q,) complex, for order 0;
    qz (q,) in 1/angstrom, uniform; resolution: first guess of the standard deviation along qz, 1/angstrom, 0 for none;
    g (f,) in 1/angstrom: Q.e_f for each unknown field; scale: first guess of s.
    """

    orders: Tensor
    intensity: Tensor
    sigma: Tensor
    work: Tensor
    free: Tensor
    kernel: Tensor
    substrate: Tensor
    qz: Tensor
    resolution: float
    g: Tensor
    scale: float


def displacement_from_coefficients(*, coefficients: Tensor, basis: Tensor) -> Tensor:
    """Fields (batch, f, x, z) in angstrom from coefficients (batch, f, modes) and modes (modes, x, z)."""
    return torch.einsum("bfm,mxz->bfxz", coefficients, basis)


def harmonics_of_psi(*, displacement: Tensor, g: Tensor, highest: int) -> Tensor:
    """psi_l(z) for l = -highest..highest, (batch, l, z) complex, from fields (batch, f, x, z) and g (f,)."""
    psi = torch.exp(1j * torch.einsum("f,bfxz->bxz", g, displacement))
    spectrum = torch.fft.fft(psi, dim=1) / psi.shape[1]
    wanted = torch.arange(-highest, highest + 1) % psi.shape[1]
    return spectrum[:, wanted]


@dataclass(frozen=True)
class Evaluation:
    """Model of one reflection: intensity (batch, n, q) and its derivatives (batch, n, q, parameters)."""

    intensity: Tensor
    jacobian: Tensor


@dataclass(frozen=True)
class Nuisance:
    """What is fitted beside the texture, each (batch,): logs of scale and resolution against their guesses, gap in angstrom."""

    log_scale: Tensor
    log_resolution: Tensor
    gap: Tensor


def smear_from_resolution(data: ReflectionData, log_resolution: Tensor) -> tuple[Tensor, Tensor]:
    """Gaussian resolution along uniform rows, (batch, q, q) with rows that sum to one, and its derivative.

    The derivative is by log_resolution (batch,); both do nothing where the resolution is far below a row.
    """
    width = data.resolution * torch.exp(log_resolution)[:, None, None]
    square = (data.qz[:, None] - data.qz[None, :]) ** 2
    ratio = square / width.clamp_min(1e-3 * float(data.qz[1] - data.qz[0])) ** 2
    weight = torch.exp(-0.5 * ratio)
    weight = weight / weight.sum(2, keepdim=True)
    change = weight * ratio
    return weight, change - weight * change.sum(2, keepdim=True)


def order_intensities(data: ReflectionData, displacement: Tensor, nuisance: Nuisance) -> Tensor:
    """Order intensities (batch, n, q) in count/angstrom of fields (batch, f, x, z)."""
    highest = int(data.orders.abs().max())
    psi = harmonics_of_psi(displacement=displacement, g=data.g, highest=highest)
    amplitude = torch.matmul(psi[:, data.orders + highest], data.kernel.T) + _substrate(data, nuisance.gap)
    bright = torch.exp(nuisance.log_scale)[:, None, None] * data.scale * amplitude.abs() ** 2
    return torch.matmul(bright, smear_from_resolution(data, nuisance.log_resolution)[0].mT)


def evaluate_reflection(
    data: ReflectionData, modes: Modes, displacement: Tensor, nuisance: Nuisance
) -> Evaluation:
    """Order intensities and Jacobian for fields (batch, f, x, z).

    Parameters are ordered f-major: coefficients of field 0, of field 1, ..., log_scale, log_resolution, gap.
    """
    reach = int(data.orders.abs().max()) + modes.harmonics
    psi = harmonics_of_psi(displacement=displacement, g=data.g, highest=reach)
    weighted = (modes.through_film[:, None, :] * data.kernel[None]).flatten(0, 1)
    moments = torch.matmul(psi, weighted.T).unflatten(-1, (modes.polynomials, -1))
    below = _substrate(data, nuisance.gap)
    amplitude = moments[:, data.orders + reach, 0] + below
    slope = _mode_slopes(data, modes, moments, reach)
    scale = torch.exp(nuisance.log_scale)[:, None, None] * data.scale
    bright = scale * amplitude.abs() ** 2
    twice = 2.0 * scale * amplitude.conj()
    fields = [(twice[..., None] * (1j * g) * slope).real for g in data.g]
    by_gap = (twice * -1j * data.qz * below).real
    smear, smear_slope = smear_from_resolution(data, nuisance.log_resolution)
    sharp = torch.cat(
        [*fields, bright[..., None], torch.zeros_like(bright)[..., None], by_gap[..., None]], dim=-1
    )
    jacobian = torch.matmul(smear[:, None], sharp)
    jacobian[..., -2] = torch.matmul(bright, smear_slope.mT)
    return Evaluation(torch.matmul(bright, smear.mT), jacobian)


def _substrate(data: ReflectionData, gap: Tensor) -> Tensor:
    """The rod's amplitude in order 0, zero in the others, (batch, n, q) complex."""
    rod = data.substrate * torch.exp(-1j * gap[:, None] * data.qz)
    return (data.orders == 0).to(rod.dtype)[None, :, None] * rod[:, None, :]


def _mode_slopes(data: ReflectionData, modes: Modes, moments: Tensor, reach: int) -> Tensor:
    """sum_z K (psi * mode)_n for every mode, (batch, n, q, modes)."""
    k, sign, m = (torch.from_numpy(modes.index[:, i].copy()) for i in range(3))
    lower = data.orders[:, None] - k[None, :] + reach
    upper = data.orders[:, None] + k[None, :] + reach
    down, up = moments[:, lower, m[None, :]], moments[:, upper, m[None, :]]
    cosine = (sign > 0)[None, None, :, None]
    return torch.where(cosine, 0.5 * (down + up), -0.5j * (down - up)).movedim(2, 3)
