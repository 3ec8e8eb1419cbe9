"""Order intensities of a motif and their derivatives: the forward model that the motif solver fits.

    A_n(qz) = sum_a w_a(Q) sum_z E_a(qz, z) (1/L) integral dx exp(2 pi i n x) exp(i Q.v_a) + [n = 0] substrate(qz)
    I_n(qz) = s |A_n(qz)|^2 * resolution,     v_a = sum_f lift_af field_f

a runs over groups of atoms that move alike (one group where the polarization is not asked for), Q = G + (dqx_n, dqz). The
moduli are those of the known stack, the fields are the only unknown (Minkevich et al., Phys. Rev. B 76, 104106 (2007), for
why the modulus must not be free). exp(i (Q - G).v) is expanded to second order, psi_a = exp(i G.v_a) kept whole; taking Q.v
at G instead doubles the misfit at the truth. With a mode's wave exp(2 pi i k x) the derivative needs harmonics n + k of psi
only, so one matrix product over z serves model and Jacobian.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.fft import dct

from nanotexture.phasing.modes import Modes
from nanotexture.phasing.unknowns import Unknowns

Tensor = torch.Tensor


@dataclass(frozen=True)
class ReflectionData:
    """Measured orders of one reflection and the fixed part of its model.

    orders (n,) integers; intensity, sigma (n, q) in count/angstrom, with work and free (n, q) boolean: fitted, held out;
    weights (a, n, q) complex: what a group of atoms scatters at Q, without the phase of its plane; planes (a, q, z)
    complex: exp(i qz z) summed over the planes of one z that hold the group; lift (a, f, 2): displacement (x, z) of the
    group in angstrom per unit of each field; g (2,): Gx, Gz; detuning (n, q, 2): Q - G, 1/angstrom; substrate (q,) complex,
    for order 0; qz (q,) in 1/angstrom, uniform; resolution: first guess of the standard deviation along qz, 1/angstrom, 0
    for none; scale: first guess of s.
    """

    orders: Tensor
    intensity: Tensor
    sigma: Tensor
    work: Tensor
    free: Tensor
    weights: Tensor
    planes: Tensor
    lift: Tensor
    g: Tensor
    detuning: Tensor
    substrate: Tensor
    qz: Tensor
    resolution: float
    scale: float

    @property
    def highest(self) -> int:
        """Largest |n|."""
        return int(self.orders.abs().max())

    @cached_property
    def cosines(self) -> tuple[Tensor, Tensor]:
        """Orthonormal cosine series on the rows, (wave, q), and the wave numbers (wave,) in angstrom."""
        number = len(self.qz)
        cosines = torch.from_numpy(dct(np.eye(number), axis=0, norm="ortho"))
        step = float(self.qz[1] - self.qz[0]) if number > 1 else 1.0
        return cosines, torch.pi * torch.arange(number, dtype=cosines.dtype) / (number * step)

    @cached_property
    def phase_per_field(self) -> Tensor:
        """G.v_a per unit of each field, (a, f)."""
        return self.lift @ self.g

    @cached_property
    def moment_weights(self) -> Tensor:
        """weights times (1, i dx, i dz, -dx^2/2, -dx dz, -dz^2/2), d = Q - G: (a, t, n, q)."""
        dx, dz = self.detuning.unbind(-1)
        one = torch.ones_like(dx)
        terms = torch.stack([one, 1j * dx, 1j * dz, -0.5 * dx**2, -dx * dz, -0.5 * dz**2])
        return self.weights[:, None] * terms

    @cached_property
    def slope_weights(self) -> Tensor:
        """i Q.v_a per unit of each field, times weights: (f, a, n, q)."""
        along = self.phase_per_field[:, :, None, None] + torch.einsum(
            "afc,nqc->afnq", self.lift, self.detuning
        )
        return (1j * along * self.weights[:, None]).movedim(1, 0)


@dataclass(frozen=True)
class Evaluation:
    """Model of one reflection: intensity (batch, n, q) and its derivatives (batch, parameters, n, q), in single precision."""

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

    The derivative is by log_resolution (batch,). By cosine series, mirrored at both ends: intensities of a film are limited
    in band, so that this is exact on rows as coarse as half a fringe, where a sampled Gaussian would not be.
    """
    cosines, wave = data.cosines
    damping = 0.5 * (data.resolution * torch.exp(log_resolution)[:, None] * wave) ** 2
    falls = torch.exp(-damping)
    series = torch.stack([falls, -2 * damping * falls])
    smear, slope = (cosines.mT * series[:, :, None, :]) @ cosines
    return smear, slope


def psi_from_fields(data: ReflectionData, fields: Tensor) -> Tensor:
    """exp(i G.v_a), (batch, a, x, z), of fields (batch, f, x, z)."""
    return torch.exp(1j * torch.einsum("af,bfxz->baxz", data.phase_per_field, fields))


def harmonics(values: Tensor, highest: int) -> Tensor:
    """(1/L) integral dx exp(2 pi i l x), l = -highest..highest, of values (..., x, z), (..., l, z)."""
    spectrum = torch.fft.fft(values, dim=-2) / values.shape[-2]
    return spectrum[..., torch.arange(highest, -highest - 1, -1) % values.shape[-2], :]


def amplitudes(data: ReflectionData, fields: Tensor, psi: Tensor, gap: Tensor) -> Tensor:
    """A_n(qz), (batch, n, q), of fields (batch, f, x, z) with their psi (batch, a, x, z) and gap (batch,)."""
    vx, vz = torch.einsum("afc,bfxz->cbaxz", data.lift, fields)
    terms = torch.stack([psi, psi * vx, psi * vz, psi * vx * vx, psi * vx * vz, psi * vz * vz], dim=2)
    found = harmonics(terms, data.highest)[..., data.orders + data.highest, :]
    sums = torch.matmul(found.flatten(2, 3), data.planes.mT).unflatten(2, (terms.shape[2], -1))
    return (data.moment_weights * sums).sum((1, 2)) + _substrate(data, gap)


def order_intensities(data: ReflectionData, fields: Tensor, nuisance: Nuisance) -> Tensor:
    """Order intensities (batch, n, q) in count/angstrom of fields (batch, f, x, z)."""
    amplitude = amplitudes(data, fields, psi_from_fields(data, fields), nuisance.gap)
    bright = torch.exp(nuisance.log_scale)[:, None, None] * data.scale * amplitude.abs() ** 2
    return torch.matmul(bright, smear_from_resolution(data, nuisance.log_resolution)[0].mT)


def evaluate_reflection(
    data: ReflectionData, unknowns: Unknowns, fields: Tensor, nuisance: Nuisance
) -> Evaluation:
    """Order intensities and Jacobian for fields (batch, f, x, z).

    Parameters: the coefficients of `unknowns`, then log_scale, log_resolution, gap. The Jacobian leaves out (Q - G).v
    beside 1, a few per cent, and has single precision: it says where to step, the intensities say how far.
    """
    psi = psi_from_fields(data, fields)
    amplitude = amplitudes(data, fields, psi, nuisance.gap)
    scale = torch.exp(nuisance.log_scale)[:, None, None] * data.scale
    bright = scale * amplitude.abs() ** 2
    twice = 2.0 * scale * amplitude.conj()
    smear, smear_slope = smear_from_resolution(data, nuisance.log_resolution)
    size = unknowns.size
    sharp = torch.zeros(len(fields), size + 3, *bright.shape[1:], dtype=torch.float32)
    first_field, first = 0, 0
    for block in unknowns.blocks:
        weights = data.slope_weights[first_field : first_field + block.number]
        _fill_slopes(sharp[:, first : first + block.size], data, block.modes, weights, psi, twice)
        first_field, first = first_field + block.number, first + block.size
    sharp[:, size] = bright
    sharp[:, size + 2] = (twice * -1j * data.qz * _substrate(data, nuisance.gap)).real
    jacobian = torch.bmm(sharp.flatten(1, 2), smear.mT.to(sharp.dtype)).view_as(sharp)
    jacobian[:, size + 1] = torch.matmul(bright, smear_slope.mT)
    return Evaluation(torch.matmul(bright, smear.mT), jacobian)


def _substrate(data: ReflectionData, gap: Tensor) -> Tensor:
    """The rod's amplitude in order 0, zero in the others, (batch, n, q) complex."""
    rod = data.substrate * torch.exp(-1j * gap[:, None] * data.qz)
    return (data.orders == 0).to(rod.dtype)[None, :, None] * rod[:, None, :]


def _fill_slopes(
    out: Tensor, data: ReflectionData, modes: Modes, weights: Tensor, psi: Tensor, twice: Tensor
) -> None:
    """Re(2 conj(A) dA) by the coefficients of one block into out (batch, field * modes, n, q).

    dA = sum_a weights_a sum_z E_a (psi_a * mode)_n, weights (f, a, n, q).
    """
    kernel = (modes.profiles.values[:, None, None, :] * data.planes).to(torch.complex64)
    spectrum = harmonics(psi, data.highest + modes.harmonics).to(torch.complex64)
    factor = (twice[:, None, None] * weights).to(torch.complex64)
    moments = _Moments(data, modes, kernel, spectrum)
    rows = out.view(len(out), len(weights), len(modes.index), *out.shape[2:])
    flat, many = (0 if modes.constant else 1), len(modes.profiles)
    rows[:, :, : many - flat] = _over_groups(factor, moments.of(0)).real[:, :, flat:]
    first = many - flat
    for k in range(1, modes.harmonics + 1):
        up, down = (_over_groups(factor, moments.of(sign * k)) for sign in (1, -1))
        rows[:, :, first : first + many] = 0.5 * (up.real + down.real)
        rows[:, :, first + many : first + 2 * many] = 0.5 * (up.imag - down.imag)
        first += 2 * many


@dataclass(frozen=True)
class _Moments:
    """sum_z E_a h_m (psi_a)_(n + k), from kernel (m, a, q, z) and spectrum of psi (batch, a, l, z)."""

    data: ReflectionData
    modes: Modes
    kernel: Tensor
    spectrum: Tensor

    def of(self, k: int) -> Tensor:
        """Those of one harmonic, (n, batch, a, m, q)."""
        orders = self.data.orders + k + self.data.highest + self.modes.harmonics
        if self.modes.lean == 0.0:
            return self._upright[orders]
        leaning = self.spectrum[:, :, orders] * self.modes.leaning(k).to(self.spectrum.dtype)
        return torch.einsum("balz,maqz->lbamq", leaning, self.kernel)

    @cached_property
    def _upright(self) -> Tensor:
        """Of upright modes, which need those of n + k only, all at once."""
        return torch.einsum("balz,maqz->lbamq", self.spectrum, self.kernel)


def _over_groups(factor: Tensor, moments: Tensor) -> Tensor:
    """Sum over groups of factor (batch, f, a, n, q) times moments (n, batch, a, m, q), (batch, f, m, n, q)."""
    placed = moments.permute(2, 1, 3, 0, 4)
    total = factor[:, :, 0, None] * placed[0, :, None]
    for a in range(1, factor.shape[2]):
        total += factor[:, :, a, None] * placed[a, :, None]
    return total
