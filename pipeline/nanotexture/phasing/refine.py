"""Refinement of a crystal by gradients: Poisson likelihood of the counts, with mask, background and partial coherence.

    expected counts  mu = |F w|^2 * gaussian(widths) + b,     F the orthonormal transform,
    deviance  D = 2 sum over measured voxels of e [ mu - n + n log(n / mu) ].

Voxels of a gridded scan were not all exposed alike: N photons were counted where a voxel of the usual exposure, e = 1,
would have n = N / e. N is Poisson with mean e mu, and its deviance 2 [ e mu - N + N log(N / (e mu)) ] is e times the
bracket: exact, with e as a weight. A mean of pixels taken for counts would claim a variance that is e times too large.

Unknown: w within a fixed support (complex), widths and b (their logarithms). L-BFGS with the strong Wolfe conditions.
Projections end within a few per cent of this minimum, never at it: see benchmarks/crystal.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from nanotexture.phasing.coherence import Widths
from nanotexture.phasing.constraints import Mask, Real
from nanotexture.phasing.crystal_likelihood import Likelihood
from nanotexture.phasing.farfield import Complex, from_corner

HISTORY = 12
DARK = 5  # voxels


@dataclass(frozen=True)
class Refinement:
    """What is refined and for how long.

    steps: evaluations of deviance and gradient, at most (the last line search may take a few more); look: how many lie
    between two looks, where it ends if the deviance fell by less than `improvement`; coherence, background: whether widths
    and background are unknown too.
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
    voxels, at each look; steps: evaluations taken; settled: whether it had stopped falling.
    """

    object: Complex
    expected: Real
    widths: Widths
    background: float
    deviance: NDArray[np.float64]
    steps: int
    settled: bool


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
    shares = measured / max(int(measured.sum()), 1)
    model = Likelihood(
        _scaled(start, counts, measured),
        support,
        counts=np.where(measured, counts, 0.0),
        weight=shares if exposure is None else shares * exposure,
        widths=widths if chosen.coherence else None,
        background=darkest_counts(counts, measured) if chosen.background else None,
    )
    costs, steps = _minimised(model, chosen)
    settled = len(costs) > 1 and costs[-1] > costs[-2] * (1.0 - chosen.improvement)
    blur = model.widths if chosen.coherence else (0.0,) * start.ndim
    found, expected = model.crystal().numpy(), model().numpy()
    return Refined(found, expected, blur, model.background, np.array(costs), steps, settled)


def darkest_counts(counts: Real, measured: Mask) -> float:
    """Mean counts of the darkest twentieth of all cubes of 5^d, edges wrapped: a first guess of the background.

    From above: a guess of nearly nothing is left slowly, since the object's own faint voxels stand in for a background.
    """
    known = measured.astype(float)
    share = uniform_filter(known, DARK, mode="wrap")
    means = uniform_filter(np.where(measured, counts, 0.0), DARK, mode="wrap") / np.maximum(share, 1e-9)
    return float(np.quantile(means[share > 0.5], 0.05)) if (share > 0.5).any() else 0.0


def _minimised(model: Likelihood, chosen: Refinement) -> tuple[list[float], int]:
    """Deviance at each look and the number of evaluations."""
    look = min(chosen.look, chosen.steps)
    optimizer = torch.optim.LBFGS(
        [p for p in model.parameters() if p.requires_grad],
        max_iter=look,
        max_eval=look,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
        tolerance_change=0.0,
    )
    costs, steps = [float(model.deviance())], 0
    while steps < chosen.steps:
        optimizer.step(model.descend)
        steps = int(optimizer.state[model.values]["func_evals"])
        costs.append(float(model.deviance()))
        if costs[-1] > costs[-2] * (1.0 - chosen.improvement):
            break
    return costs, steps


def _scaled(start: Complex, counts: Real, measured: Mask) -> Complex:
    """The object times the scale that makes its magnitudes the square roots of the counts."""
    m, a = np.abs(from_corner(start))[measured], np.sqrt(counts[measured])
    return start * np.float32(float(m @ a) / max(float(m @ m), 1e-30))
