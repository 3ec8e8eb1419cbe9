"""Refinement of a crystal by gradients: Poisson likelihood of the counts, with mask, background and partial coherence.

    expected counts  mu = |F w|^2 * gaussian(widths) + b,     F the orthonormal transform,
    deviance  D = 2 sum over measured voxels of e [ mu - n + n log(n / mu) ].

Voxels of a gridded scan were not all exposed alike: N photons were counted where a voxel of the usual exposure, e = 1,
would have n = N / e. N is Poisson with mean e mu, and its deviance 2 [ e mu - N + N log(N / (e mu)) ] is e times the
bracket: exact, with e as a weight. A mean of pixels taken for counts would claim a variance that is e times too large.

Unknown: w within a fixed support (complex), widths and b (their logarithms). L-BFGS with the strong Wolfe conditions;
the gradients are torch's. Projections end within a few per cent of this minimum, never at it: see benchmarks/crystal.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from nanotexture.phasing.coherence import FIRST, NARROWEST, WIDEST, Widths
from nanotexture.phasing.constraints import Mask, Real
from nanotexture.phasing.farfield import Complex, from_corner

FAINTEST = 1e-3  # counts: a background of nothing would make one stray count infinitely unlikely
HISTORY = 12
DARK = 5  # voxels


@dataclass(frozen=True)
class Refinement:
    """What is refined and for how long.

    steps: at most; look: steps between two looks, where it ends if the deviance fell by less than `improvement`;
    coherence, background: whether widths and background are unknown too.
    """

    steps: int = 120
    look: int = 20
    improvement: float = 0.005
    coherence: bool = True
    background: bool = True


@dataclass(frozen=True)
class Refined:
    """Where a refinement ended.

    object: (n1, n2, ...) sqrt(count), zero outside the support; expected: counts (n1, n2, ...), zero frequency at
    index 0; widths: voxels, zeros for a coherent beam; background: counts a voxel; deviance: mean over the measured
    voxels, at each look; steps: taken; settled: whether it had stopped falling.
    """

    object: Complex
    expected: Real
    widths: Widths
    background: float
    deviance: NDArray[np.float64]
    steps: int
    settled: bool


class _Model(torch.nn.Module):
    """Expected counts of the unknowns; everything of order one, so that one step length suits all."""

    def __init__(self, start: Complex, support: Mask, settings: Refinement, widths: Widths, b: float) -> None:
        super().__init__()
        inside = start[support].astype(np.complex64)
        self.shape = tuple(start.shape)
        self.size = float(np.sqrt(np.mean(np.abs(inside) ** 2))) or 1.0
        self.places = torch.from_numpy(np.flatnonzero(support))
        self.values = torch.nn.Parameter(torch.view_as_real(torch.from_numpy(inside / self.size)))
        known = np.clip(widths or (FIRST,) * start.ndim, 2 * NARROWEST, WIDEST)
        self.logs = torch.nn.Parameter(torch.log(torch.from_numpy(known).float()), settings.coherence)
        # at least a fiftieth of a count: from nearly nothing its logarithm would never move
        faint = max(b, 0.02) if settings.background else FAINTEST
        self.faint = torch.nn.Parameter(torch.log(torch.tensor(faint)), settings.background)
        self.coherence = settings.coherence

    def crystal(self) -> torch.Tensor:
        flat = torch.zeros(int(np.prod(self.shape)), dtype=torch.complex64)
        inside = torch.view_as_complex(self.values) * self.size
        return flat.index_put((self.places,), inside).reshape(self.shape)

    def forward(self) -> torch.Tensor:
        counts = torch.fft.fftn(self.crystal(), norm="ortho").abs() ** 2
        if self.coherence:
            spectrum = torch.fft.rfftn(counts) * self._transfer()
            counts = torch.fft.irfftn(spectrum, s=self.shape).clamp_min(0.0)
        return counts + torch.exp(self.faint)

    def _transfer(self) -> torch.Tensor:
        exponent = torch.zeros((1,) * len(self.shape))
        for axis, n in enumerate(self.shape):
            last = axis == len(self.shape) - 1
            w = 2 * np.pi * (torch.fft.rfftfreq(n) if last else torch.fft.fftfreq(n))
            along = (torch.exp(self.logs[axis]) * w) ** 2
            exponent = exponent + along.reshape([-1 if a == axis else 1 for a in range(len(self.shape))])
        return torch.exp(-0.5 * exponent)


def deviance_per_voxel(expected: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """2 [mu - n + n log(n / mu)], by log1p where n > 0, so that bright voxels keep their digits."""
    off = (expected - counts) / counts.clamp_min(1e-6)
    seen = counts * (off - torch.log1p(off.clamp_min(-1.0 + 1e-6)))
    return 2.0 * torch.where(counts > 0, seen, expected)


def refine(
    start: Complex,
    *,
    counts: Real,
    measured: Mask,
    support: Mask,
    settings: Refinement | None = None,
    widths: Widths = (),
    exposure: Real | None = None,
) -> Refined:
    """Object of largest likelihood near `start` (n1, n2, ...) within its support.

    counts: (n1, n2, ...), zero frequency at index 0, anything where not measured; widths: first guess; exposure: same
    shape, photons counted over counts, None for 1.
    """
    chosen = settings or Refinement()
    n = torch.from_numpy(np.where(measured, counts, 0.0).astype(np.float32))
    use = torch.from_numpy(np.ascontiguousarray(measured)).float() / max(int(measured.sum()), 1)
    if exposure is not None:
        use = use * torch.from_numpy(exposure.astype(np.float32))
    model = _Model(
        _scaled(start, counts, measured), support, chosen, widths, darkest_counts(counts, measured)
    )

    def cost() -> torch.Tensor:
        return (deviance_per_voxel(model(), n) * use).sum(dtype=torch.float64)

    costs, steps = _minimised(model, cost, chosen)
    with torch.no_grad():
        found, expected = model.crystal().numpy(), model().numpy()
        last = tuple(float(v) for v in torch.exp(model.logs))
        faint = float(torch.exp(model.faint))
    settled = len(costs) > 1 and costs[-1] > costs[-2] * (1.0 - chosen.improvement)
    blur = last if chosen.coherence else (0.0,) * start.ndim
    return Refined(found, expected, blur, faint, np.array(costs), steps, settled)


def darkest_counts(counts: Real, measured: Mask) -> float:
    """Mean counts of the darkest twentieth of all cubes of 5^d, edges wrapped: a first guess of the background.

    From above: a guess of nearly nothing is left slowly, since the object's own faint voxels stand in for a background.
    """
    known = measured.astype(float)
    share = uniform_filter(known, DARK, mode="wrap")
    means = uniform_filter(np.where(measured, counts, 0.0), DARK, mode="wrap") / np.maximum(share, 1e-9)
    return float(np.quantile(means[share > 0.5], 0.05)) if (share > 0.5).any() else 0.0


def _minimised(
    model: _Model, cost: Callable[[], torch.Tensor], chosen: Refinement
) -> tuple[list[float], int]:
    """Deviance at each look and the number of steps taken."""
    optimizer = torch.optim.LBFGS(
        [p for p in model.parameters() if p.requires_grad],
        max_iter=chosen.look,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
        tolerance_change=0.0,
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value: torch.Tensor = cost()
        value.backward()
        return value

    with torch.no_grad():
        costs = [float(cost())]
    steps = 0
    while steps < chosen.steps:
        optimizer.step(closure)
        steps += chosen.look
        with torch.no_grad():
            costs.append(float(cost()))
        if costs[-1] > costs[-2] * (1.0 - chosen.improvement):
            break
    return costs, steps


def _scaled(start: Complex, counts: Real, measured: Mask) -> Complex:
    """The object times the scale that makes its magnitudes the square roots of the counts."""
    m, a = np.abs(from_corner(start))[measured], np.sqrt(counts[measured])
    return start * np.float32(float(m @ a) / max(float(m @ m), 1e-30))
