"""Poisson deviance of a crystal's expected counts, and its gradient by the adjoint of each step.

    mu = |F w|^2 * gaussian(widths) + b,     D = 2 sum of e [ mu - n + n log(n / mu) ],
    dD/dmu = 2 e (1 - n / mu),     dD/dw = 2 F^-1 [ (dD/dmu * gaussian) F w ]     (gradient in real and imaginary part).

Written out and not left to automatic differentiation: the same transforms in two thirds of the time, half for a coherent beam.
"""

from __future__ import annotations

import numpy as np
import torch

from nanotexture.phasing.coherence import FIRST, NARROWEST, WIDEST, Widths
from nanotexture.phasing.constraints import Mask, Real
from nanotexture.phasing.farfield import Complex
from nanotexture.phasing.voxelwise import as_row, scale, squares

FAINTEST = 1e-3  # counts: a background of nothing would make one stray count infinitely unlikely
Tensor = torch.Tensor


def deviance_per_voxel(expected: Tensor, counts: Tensor) -> Tensor:
    """2 [mu - n + n log(n / mu)], by log1p where n > 0, so that bright voxels keep their digits."""
    off = (expected - counts) / counts.clamp_min(1e-6)
    seen = counts * (off - torch.log1p(off.clamp_min(-1.0 + 1e-6)))
    return 2.0 * torch.where(counts > 0, seen, expected)


class Likelihood(torch.nn.Module):
    """Expected counts of the unknowns; everything of order one, so that one step length suits all.

    Unknown: w within the support (complex64, over its rms), logarithms of widths (voxels) and background (counts).
    """

    def __init__(
        self,
        start: Complex,
        support: Mask,
        *,
        counts: Real,
        weight: Real,
        widths: Widths | None,
        background: float | None,
    ) -> None:
        """Begins at `start` (n1, n2, ...) within `support`; counts, weight: n, and e over the number of voxels, same shape.

        widths, background: first guess; () where there is none of the widths, None for a coherent beam and no background.
        """
        super().__init__()
        inside = start[support].astype(np.complex64)
        self.size = float(np.sqrt(np.mean(np.abs(inside) ** 2))) or 1.0
        self.places = torch.from_numpy(np.flatnonzero(support))
        self.values = torch.nn.Parameter(torch.view_as_real(torch.from_numpy(inside / self.size)))
        self.coherence = widths is not None
        known = np.clip(widths or (FIRST,) * start.ndim, 2 * NARROWEST, WIDEST)
        self.logs = torch.nn.Parameter(torch.log(torch.from_numpy(known).float()), self.coherence)
        # at least a fiftieth of a count: from nearly nothing its logarithm would never move
        faint = FAINTEST if background is None else max(background, 0.02)
        self.faint = torch.nn.Parameter(torch.log(torch.tensor(faint)), background is not None)
        self.counts = torch.from_numpy(counts.astype(np.float32))
        self.weight = torch.from_numpy(weight.astype(np.float32))

    @property
    def widths(self) -> Widths:
        """Standard deviations of the blur, voxels."""
        return tuple(float(v) for v in torch.exp(self.logs.detach()))

    @property
    def background(self) -> float:
        """Counts a voxel."""
        return float(torch.exp(self.faint.detach()))

    @torch.no_grad()
    def crystal(self) -> Tensor:
        """w on the whole array, sqrt(count)."""
        flat = torch.zeros(self.counts.numel(), dtype=torch.complex64)
        flat[self.places] = torch.view_as_complex(self.values) * self.size
        return flat.reshape(self.counts.shape)

    @torch.no_grad()
    def forward(self) -> Tensor:
        """Expected counts."""
        return self._expected(self._field())[0]

    @torch.no_grad()
    def deviance(self) -> Tensor:
        """D, float64."""
        return self._deviance(self.forward())

    @torch.no_grad()
    def descend(self) -> Tensor:
        """D; its gradient is left in the parameters."""
        field = self._field()
        expected, blur = self._expected(field)
        slope = 2.0 * self.weight * (1.0 - self.counts / expected)
        self.faint.grad = slope.sum() * torch.exp(self.faint)
        if blur is not None:
            slope = self._before_blur(slope, *blur)
        scale(as_row(field.numpy()), (2.0 * slope).numpy().reshape(-1))
        pull = torch.fft.ifftn(field, norm="ortho").reshape(-1)[self.places]
        self.values.grad = torch.view_as_real(pull * self.size)
        return self._deviance(expected)

    def _field(self) -> Tensor:
        return torch.fft.fftn(self.crystal(), norm="ortho")

    def _expected(self, field: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """mu, and for a partly coherent beam the half transform of |F w|^2 and that of the Gaussian."""
        counts = torch.empty(field.shape)
        squares(as_row(field.numpy()), counts.numpy().reshape(-1))
        background = torch.exp(self.faint)
        if not self.coherence:
            return counts + background, None
        spectrum, across = torch.fft.rfftn(counts), self._transfer()
        counts = torch.fft.irfftn(spectrum * across, s=field.shape).clamp_min_(0.0)
        return counts.add_(background), (spectrum, across)

    def _before_blur(self, slope: Tensor, spectrum: Tensor, across: Tensor) -> Tensor:
        """dD/d|F w|^2 from dD/dmu: the Gaussian is even, so its convolution is its own adjoint; widths by Parseval."""
        turned = torch.fft.rfftn(slope)
        both = (turned.real * spectrum.real + turned.imag * spectrum.imag) * across
        # the half grid's planes stand for two, its first and for an even number its last for one
        both[..., 1 : (slope.shape[-1] + 1) // 2] *= 2.0
        found = []
        for axis, w in enumerate(self._frequencies()):
            along = both.sum([a for a in range(both.ndim) if a != axis])
            found.append(-(w**2 * along).sum() * torch.exp(2.0 * self.logs[axis]) / slope.numel())
        self.logs.grad = torch.stack(found)
        return torch.fft.irfftn(turned * across, s=slope.shape)

    def _deviance(self, expected: Tensor) -> Tensor:
        return (deviance_per_voxel(expected, self.counts) * self.weight).sum(dtype=torch.float64)

    def _transfer(self) -> Tensor:
        """exp(-(sigma w)^2 / 2) on the half grid of a real transform."""
        found = torch.ones((1,) * self.counts.ndim)
        for axis, w in enumerate(self._frequencies()):
            along = torch.exp(-0.5 * (torch.exp(self.logs[axis]) * w) ** 2)
            found = found * along.reshape([-1 if a == axis else 1 for a in range(self.counts.ndim)])
        return found

    def _frequencies(self) -> list[Tensor]:
        """Of the half grid, rad a voxel."""
        *full, half = self.counts.shape
        rows = [torch.fft.fftfreq(n) for n in full]
        return [2 * np.pi * row for row in (*rows, torch.fft.rfftfreq(half))]
