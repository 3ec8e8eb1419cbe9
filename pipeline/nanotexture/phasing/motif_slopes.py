"""Derivatives of a reflection's order intensities by the unknowns of a motif.

    dI_n = Re(2 conj(A_n) dA_n) * resolution,   dA_n = sum_a weights_a i Q.v_a sum_z E_a (psi_a * mode)_n

They leave out (Q - G).v beside 1, a few per cent, and have single precision: they say where to step, the intensities say how
far. Most of the solver's time is spent here: what does not change from step to step is computed once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch

from nanotexture.phasing.modes import Modes
from nanotexture.phasing.motif_model import (
    Nuisance,
    ReflectionData,
    amplitudes,
    harmonics,
    psi_from_fields,
    smear_from_resolution,
    substrate_amplitude,
)
from nanotexture.phasing.unknowns import Unknowns

Tensor = torch.Tensor


@dataclass(frozen=True)
class Evaluation:
    """Model of one reflection: intensity (batch, n, q) and its derivatives (batch, parameters, n, q), in single precision."""

    intensity: Tensor
    jacobian: Tensor


@dataclass(frozen=True)
class Slopes:
    """Derivatives of the orders of one reflection by the coefficients of `unknowns`, then log_scale, log_resolution, gap."""

    data: ReflectionData
    unknowns: Unknowns

    def at(
        self, fields: Tensor, nuisance: Nuisance, reduced: Callable[[Tensor], Tensor] | None = None
    ) -> Evaluation:
        """Order intensities and Jacobian for fields (batch, f, x, z).

        reduced: what makes of the derivatives (batch, coefficients, points) those by other parameters, if any.
        """
        psi = psi_from_fields(self.data, fields)
        amplitude = amplitudes(self.data, fields, psi, nuisance.gap)
        scale = torch.exp(nuisance.log_scale)[:, None, None] * self.data.scale
        bright, twice = scale * amplitude.abs() ** 2, 2.0 * scale * amplitude.conj()
        sharp = self._by_coefficients(psi, twice, 3 if reduced is None else 0)
        if reduced is not None:
            rows = reduced(sharp.flatten(2)).unflatten(2, bright.shape[1:])
            sharp = torch.cat([rows, rows.new_empty(len(rows), 3, *bright.shape[1:])], dim=1)
        smear, smear_slope = smear_from_resolution(self.data, nuisance.log_resolution)
        rod = substrate_amplitude(self.data, nuisance.gap)
        sharp[:, -3], sharp[:, -2], sharp[:, -1] = bright, 0.0, (twice * -1j * self.data.qz * rod).real
        jacobian = torch.bmm(sharp.flatten(1, 2), smear.mT.to(sharp.dtype)).view_as(sharp)
        jacobian[:, -2] = torch.matmul(bright, smear_slope.mT)
        return Evaluation(torch.matmul(bright, smear.mT), jacobian)

    def _by_coefficients(self, psi: Tensor, twice: Tensor, more: int) -> Tensor:
        """Re(2 conj(A) dA) by all coefficients, (batch, size + more, n, q), the last `more` rows empty.

        From psi (batch, a, x, z) and twice = 2 conj(A) (batch, n, q).
        """
        size = self.unknowns.size + more
        out = torch.empty(len(psi), size, *twice.shape[1:], dtype=torch.float32)
        first, moments = 0, None
        for block, part in zip(self.unknowns.blocks, self._parts, strict=True):
            if moments is None or not part.shares(moments):
                moments = _Moments.of(part, psi)
            part.fill(out[:, first : first + block.size], moments, twice)
            first += block.size
        return out

    @cached_property
    def _parts(self) -> tuple[_Part, ...]:
        parts, first = [], 0
        for block in self.unknowns.blocks:
            own = slice(first, first + block.number)
            weights = self.data.slope_weights[own]
            # all atoms move alike with a displacement: the sum over groups is then the same for all its directions
            alike = bool((self.data.lift[:, own] == self.data.lift[:1, own]).all())
            common = self.data.slopes_along[own, 0] if alike else None
            parts.append(
                _Part(self.data, block.modes, (self.data.weights[None] if alike else weights), common)
            )
            first += block.number
        return tuple(parts)


@dataclass(frozen=True)
class _Part:
    """One block's modes, and what a group of atoms scatters by its fields: weights (f or 1, a, n, q), common (f, n, q)."""

    data: ReflectionData
    modes: Modes
    weights: Tensor
    common: Tensor | None

    @cached_property
    def kernel(self) -> Tensor:
        """Profiles times planes, (a, z, m q) in single precision."""
        product = self.modes.profiles.values[:, None, None, :] * self.data.planes
        return product.to(torch.complex64).permute(1, 3, 0, 2).flatten(2).contiguous()

    @cached_property
    def factor(self) -> tuple[Tensor, Tensor | None]:
        """weights and common in single precision."""
        common = None if self.common is None else self.common.to(torch.complex64)
        return self.weights.to(torch.complex64), common

    def shares(self, moments: _Moments) -> bool:
        """Whether moments of another block are those of this one too."""
        mine, other = self.modes, moments.part.modes
        return (
            mine.waves == other.waves
            and mine.lean == other.lean
            and mine.profiles.values.shape == other.profiles.values.shape
            and bool((mine.profiles.values == other.profiles.values).all())
        )

    def fill(self, out: Tensor, moments: _Moments, twice: Tensor) -> None:
        """Re(2 conj(A) dA) into out (batch, field * modes, n, q)."""
        weights, common = self.factor
        factor = twice.to(torch.complex64)[:, None, None] * weights
        number = factor.shape[1] if common is None else len(common)
        rows = out.unflatten(1, (number, len(self.modes.index)))
        flat, many = (0 if self.modes.constant else 1), len(self.modes.profiles)

        def of(wave: tuple[int, ...]) -> Tensor:
            total = _over_groups(factor, moments.at(wave))
            return total if common is None else total * common[:, None]

        still, *waves = self.modes.waves
        rows[:, :, : many - flat] = of(still).real[:, :, flat:]
        first = many - flat
        for wave in waves:
            up, down = of(wave), of(tuple(-k for k in wave))
            torch.add(up.real, down.real, out=rows[:, :, first : first + many]).mul_(0.5)
            torch.sub(up.imag, down.imag, out=rows[:, :, first + many : first + 2 * many]).mul_(0.5)
            first += 2 * many


@dataclass(frozen=True)
class _Moments:
    """sum_z E_a h_m (psi_a)_(n + k), of one block; spectrum of psi (a, batch, l, z) up to `reach` along each direction."""

    part: _Part
    spectrum: Tensor
    reach: tuple[int, ...]

    @classmethod
    def of(cls, part: _Part, psi: Tensor) -> _Moments:
        """Those of psi (batch, a, x, z)."""
        reach = tuple(most + part.modes.harmonics for most in part.data.highest)
        return cls(part, harmonics(psi, reach).to(torch.complex64).transpose(0, 1), reach)

    def at(self, wave: tuple[int, ...]) -> Tensor:
        """Those of one wave, (a, batch, n, m, q)."""
        if self.part.modes.lean != 0.0:
            return self._leaning[:, :, wave[0] + self.part.modes.harmonics]
        place = self.part.data.places(self.reach, wave)
        first, last = int(place[0]), int(place[-1])
        together = last - first + 1 == len(place)
        return self._upright[:, :, first : last + 1] if together else self._upright[:, :, place]

    @cached_property
    def _leaning(self) -> Tensor:
        """Of leaning modes, each harmonic with the lean of its own, (a, batch, k, n, m, q)."""
        modes, data = self.part.modes, self.part.data
        k = torch.arange(-modes.harmonics, modes.harmonics + 1)
        place = data.orders + k[:, None] + self.reach[0]
        lean = torch.stack([modes.leaning(int(one)) for one in k])
        return self._over_planes(self.spectrum[:, :, place] * lean[:, None].to(self.spectrum.dtype))

    @cached_property
    def _upright(self) -> Tensor:
        """Of upright modes, which need those of n + k only, all at once, (a, batch, l, m, q)."""
        return self._over_planes(self.spectrum)

    def _over_planes(self, spectrum: Tensor) -> Tensor:
        """Sum over z, from (a, batch, ..., z) to (a, batch, ..., m, q)."""
        found = torch.bmm(spectrum.flatten(1, -2), self.part.kernel)
        return found.unflatten(1, spectrum.shape[1:-1]).unflatten(-1, (len(self.part.modes.profiles), -1))


def _over_groups(factor: Tensor, moments: Tensor) -> Tensor:
    """Sum over groups of factor (batch, f, a, n, q) times moments (a, batch, n, m, q), (batch, f, m, n, q)."""
    placed = moments.transpose(2, 3)[:, :, None]
    total = factor[:, :, 0, None] * placed[0]
    for a in range(1, factor.shape[2]):
        total = torch.addcmul(total, factor[:, :, a, None], placed[a], out=total)
    return total
