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

import torch

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
        """i Q.v_a per unit of each field times weights times (1, i dx, i dz): (f, t, a, n, q)."""
        along = self.phase_per_field[:, :, None, None] + torch.einsum(
            "afc,nqc->afnq", self.lift, self.detuning
        )
        flat = (1j * along * self.weights[:, None]).movedim(1, 0)
        dx, dz = self.detuning.unbind(-1)
        return torch.stack([flat, 1j * dx * flat, 1j * dz * flat], dim=1)


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
    data: ReflectionData, unknowns: Unknowns, fields: Tensor, nuisance: Nuisance, terms: int = 3
) -> Evaluation:
    """Order intensities and Jacobian for fields (batch, f, x, z).

    Parameters: the coefficients of `unknowns`, then log_scale, log_resolution, gap. With terms = 1 the Jacobian leaves out
    (Q - G).v beside 1, a third of the work: enough far from the minimum, where with it a fit ends before it is there.
    """
    psi = psi_from_fields(data, fields)
    amplitude = amplitudes(data, fields, psi, nuisance.gap)
    scale = torch.exp(nuisance.log_scale)[:, None, None] * data.scale
    bright = scale * amplitude.abs() ** 2
    twice = 2.0 * scale * amplitude.conj()
    by_modes = _amplitude_slopes(data, unknowns, _moments(data, fields, psi, terms))
    by_gap = (twice * -1j * data.qz * _substrate(data, nuisance.gap)).real
    smear, smear_slope = smear_from_resolution(data, nuisance.log_resolution)
    sharp = torch.cat(
        [
            (twice[..., None] * by_modes).real,
            bright[..., None],
            torch.zeros_like(bright)[..., None],
            by_gap[..., None],
        ],
        dim=-1,
    )
    jacobian = torch.matmul(smear[:, None], sharp)
    jacobian[..., -2] = torch.matmul(bright, smear_slope.mT)
    return Evaluation(torch.matmul(bright, smear.mT), jacobian)


def _substrate(data: ReflectionData, gap: Tensor) -> Tensor:
    """The rod's amplitude in order 0, zero in the others, (batch, n, q) complex."""
    rod = data.substrate * torch.exp(-1j * gap[:, None] * data.qz)
    return (data.orders == 0).to(rod.dtype)[None, :, None] * rod[:, None, :]


def _moments(data: ReflectionData, fields: Tensor, psi: Tensor, terms: int) -> Tensor:
    """psi (1, v_x, v_z), as many as asked, (batch, t, a, x, z)."""
    if terms == 1:
        return psi[:, None]
    vx, vz = torch.einsum("afc,bfxz->cbaxz", data.lift, fields)
    return torch.stack([psi, psi * vx, psi * vz], dim=1)


def _amplitude_slopes(data: ReflectionData, unknowns: Unknowns, moments: Tensor) -> Tensor:
    """dA_n(qz) by every coefficient, (batch, n, q, size), from the moments (batch, t, a, x, z) of psi."""
    planes = data.planes.repeat(moments.shape[1], 1, 1)
    parts, first = [], 0
    for block in unknowns.blocks:
        fields = slice(first, first + block.number)
        weights = data.slope_weights[fields, : moments.shape[1]].flatten(1, 2)
        parts.append(_block_slopes(data.orders, planes, block.modes, weights, moments.flatten(1, 2)))
        first += block.number
    return torch.cat(parts, dim=-1)


def _block_slopes(orders: Tensor, planes: Tensor, modes: Modes, weights: Tensor, psi: Tensor) -> Tensor:
    """sum_a weights_a sum_z E_a (psi_a * mode)_n for the fields of one block, (batch, n, q, field * modes)."""
    reach = int(orders.abs().max()) + modes.harmonics
    kernel = modes.profiles.values[:, None, None, :] * planes
    moments = torch.einsum("balz,maqz->lbamq", harmonics(psi, reach), kernel)
    by_shift = {
        k: _over_groups(weights, moments[orders - k + reach])
        for k in range(-modes.harmonics, modes.harmonics + 1)
    }
    columns = [_column(by_shift, *(int(i) for i in row)) for row in modes.index]
    return torch.stack(columns, dim=-1).movedim(0, -2).flatten(-2)


def _over_groups(weights: Tensor, moments: Tensor) -> Tensor:
    """Sum over groups of weights (f, a, n, q) times moments (n, batch, a, m, q), (f, batch, m, n, q)."""
    total = weights[:, 0, :, None, None] * moments[None, :, :, 0]
    for a in range(1, weights.shape[1]):
        total = total + weights[:, a, :, None, None] * moments[None, :, :, a]
    return total.permute(0, 2, 3, 1, 4)


def _column(by_shift: dict[int, Tensor], k: int, sign: int, m: int) -> Tensor:
    """Slope (f, batch, n, q) by one cosine or sine."""
    down, up = by_shift[k][:, :, m], by_shift[-k][:, :, m]
    return 0.5 * (down + up) if sign > 0 else -0.5j * (up - down)
