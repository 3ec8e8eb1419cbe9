"""Order intensities of a motif: the forward model that the motif solver fits.

    A_n(qz) = sum_a w_a(Q) sum_z E_a(qz, z) (1/L) integral dx exp(2 pi i n x) exp(i Q.v_a) + [n = 0] substrate(qz)
    I_n(qz) = s |A_n(qz)|^2 * resolution,     v_a = sum_f lift_af field_f

a runs over groups of atoms that move alike (one group where the polarization is not asked for), Q = G + (dqx_n, dqz). The
moduli are those of the known stack, the fields are the only unknown (Minkevich et al., Phys. Rev. B 76, 104106 (2007), for
why the modulus must not be free). exp(i (Q - G).v) is expanded to second order, psi_a = exp(i G.v_a) kept whole; taking Q.v
at G instead doubles the misfit at the truth. A texture that is periodic along y too has orders (n, m) and one more axis: "x
z" of a shape stands for "x y z" there, and vectors have three components. With a mode's wave exp(2 pi i k x) the derivative
needs harmonics n + k of psi only, so one matrix product over z serves model and Jacobian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import torch
from scipy.fft import dct

Tensor = torch.Tensor


@dataclass(frozen=True)
class ReflectionData:
    """Measured orders of one reflection and the fixed part of its model.

    orders (n,) integers, orders_y (n,) those along y, None of a texture that is uniform along y; intensity, sigma (n, q) in
    count/angstrom, with work and free (n, q) boolean: fitted, held out; weights (a, n, q) complex: what a group of atoms
    scatters at Q, without the phase of its plane; planes (a, q, z) complex: exp(i qz z) summed over the planes of one z that
    hold the group; lift (a, f, c): displacement (x, z) or (x, y, z) of the group in angstrom per unit of each field; g (c,):
    G; detuning (n, q, c): Q - G, 1/angstrom; substrate (q,) complex, for order 0; qz (q,) in 1/angstrom, uniform; resolution:
    first guess of the standard deviation along qz, 1/angstrom, 0 for none; scale: first guess of s.
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
    orders_y: Tensor | None = None

    @cached_property
    def indices(self) -> tuple[Tensor, ...]:
        """Orders along each direction of the plane, (n,) each."""
        return (self.orders,) if self.orders_y is None else (self.orders, self.orders_y)

    @cached_property
    def highest(self) -> tuple[int, ...]:
        """Largest order along each direction."""
        return tuple(int(one.abs().max()) for one in self.indices)

    @cached_property
    def distance(self) -> Tensor:
        """Larger of |n| and |m|, (n,)."""
        return torch.stack(self.indices).abs().amax(0)

    def places(self, reach: Sequence[int], wave: Sequence[int]) -> Tensor:
        """Where harmonics order + wave are among those up to `reach` along each direction, (n,)."""
        place = torch.zeros_like(self.orders)
        for order, most, k in zip(self.indices, reach, wave, strict=True):
            place = place * (2 * most + 1) + order + k + most
        return place

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
        d = self.detuning.unbind(-1)
        squares = [(-0.5 if i == j else -1.0) * d[i] * d[j] for i, j in _pairs(len(d))]
        terms = torch.stack([torch.ones_like(d[0]), *(1j * one for one in d), *squares])
        return self.weights[:, None] * terms

    @cached_property
    def slope_weights(self) -> Tensor:
        """i Q.v_a per unit of each field, times weights: (f, a, n, q)."""
        return self.slopes_along * self.weights

    @cached_property
    def slopes_along(self) -> Tensor:
        """i Q.v_a per unit of each field, (f, a, n, q)."""
        moved = torch.einsum("afc,nqc->fanq", self.lift, self.detuning)
        return 1j * (self.phase_per_field.T[:, :, None, None] + moved)

    def only(self, which: Tensor) -> ReflectionData:
        """The data of some orders, which (n,) boolean."""
        return replace(
            self,
            orders=self.orders[which],
            intensity=self.intensity[which],
            sigma=self.sigma[which],
            work=self.work[which],
            free=self.free[which],
            weights=self.weights[:, which],
            detuning=self.detuning[which],
            orders_y=None if self.orders_y is None else self.orders_y[which],
        )


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
    phase = torch.einsum("af,bf...->ba...", data.phase_per_field, fields)
    return torch.complex(torch.cos(phase), torch.sin(phase))


def _pairs(number: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(number) for j in range(i, number)]


def harmonics(values: Tensor, highest: Sequence[int]) -> Tensor:
    """(1/L) integral dx exp(2 pi i l x), l = -highest..highest, of values (..., x, z), (..., l, z); all pairs along x and y."""
    found = _waves(values.shape[-2], highest[-1]).to(values.dtype) @ values
    if len(highest) == 1:
        return found
    planes = found.shape[-1]
    found = _waves(values.shape[-3], highest[0]).to(values.dtype) @ found.flatten(-2)
    return found.unflatten(-1, (-1, planes)).flatten(-3, -2)


@lru_cache(maxsize=64)
def _waves(points: int, highest: int) -> Tensor:
    """exp(2 pi i l x) / points, (l, x): for the few harmonics wanted a product is faster than a transform."""
    order = torch.arange(-highest, highest + 1, dtype=torch.float64)
    place = torch.arange(points, dtype=torch.float64) / points
    return torch.exp(2j * torch.pi * order[:, None] * place) / points


def amplitudes(data: ReflectionData, fields: Tensor, psi: Tensor, gap: Tensor) -> Tensor:
    """A_n(qz), (batch, n, q), of fields (batch, f, x, z) with their psi (batch, a, x, z) and gap (batch,)."""
    # with an axis for real and imaginary part: quicker than promoted to complex
    v = torch.einsum("afc,bf...->cba...", data.lift, fields)[..., None]
    one = torch.view_as_real(psi)
    first = one * v
    terms = torch.stack([one, *first, *(first[i] * v[j] for i, j in _pairs(len(v)))], dim=2)
    terms = torch.view_as_complex(terms)
    here = data.places(data.highest, [0] * len(data.highest))
    found = harmonics(terms, data.highest)[..., here, :]
    sums = torch.matmul(found.flatten(2, 3), data.planes.mT).unflatten(2, (terms.shape[2], -1))
    return (data.moment_weights * sums).sum((1, 2)) + substrate_amplitude(data, gap)


def order_intensities(data: ReflectionData, fields: Tensor, nuisance: Nuisance) -> Tensor:
    """Order intensities (batch, n, q) in count/angstrom of fields (batch, f, x, z)."""
    amplitude = amplitudes(data, fields, psi_from_fields(data, fields), nuisance.gap)
    bright = torch.exp(nuisance.log_scale)[:, None, None] * data.scale * amplitude.abs() ** 2
    return torch.matmul(bright, smear_from_resolution(data, nuisance.log_resolution)[0].mT)


def substrate_amplitude(data: ReflectionData, gap: Tensor) -> Tensor:
    """The rod's amplitude in order 0, zero in the others, (batch, n, q) complex."""
    rod = data.substrate * torch.exp(-1j * gap[:, None] * data.qz)
    return (data.distance == 0).to(rod.dtype)[None, :, None] * rod[:, None, :]
