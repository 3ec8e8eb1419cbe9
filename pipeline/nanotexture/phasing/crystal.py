"""One crystal from its 3D coherent diffraction: projections from random phases, then gradients.

1. The first support is a box as wide as the autocorrelation, twice the crystal, or where the autocorrelation at twice the place
   is above noise, about the crystal itself, which may grow up to that box. Its centre is the array's.
2. HIO (or RAAR, difference map) with ER between and shrink-wrap; never ER alone, which stagnates (2.8e-3 on gold64).
3. Half way the blur of a partly coherent beam is fitted and the rest runs with it.
4. Gradients of the Poisson likelihood within the support found (refine.py).
5. Hops: the modulus is made even, as that of a crystal is, and projections and gradients run again, in the last hop with the
   modulus bounded; a hop that fits no better is taken back. What blur or noise left in the modulus while the first cycles
   took the beam for coherent is held there by the support: of a small simulated crystal with a partly coherent beam 3
   starts of 3 stagnated at 5 to 12 times the counting noise, and after three hops ended at 0.9 to 3 times.
Voxels not measured and voxels held out are free throughout.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.ndimage import binary_dilation

from nanotexture.phasing.coherence import PartlyCoherent, Widths, fitted_widths
from nanotexture.phasing.constraints import (
    Bounds,
    Data,
    InSupport,
    Mask,
    Real,
    Support,
    chi2_and_free,
)
from nanotexture.phasing.crystal_pattern import Pattern
from nanotexture.phasing.crystal_shape import shape_of
from nanotexture.phasing.driver import Leg, Retrieval, ShrinkWrap, Stop, random_start, retrieve
from nanotexture.phasing.farfield import Complex
from nanotexture.phasing.outcome import DESCRIBED, Outcome
from nanotexture.phasing.refine import Refined, Refinement, refine
from nanotexture.phasing.solvers import ER, HIO, RAAR, DifferenceMap, Iteration

NOISE = 1.1  # deviance a voxel below which there is nothing left to find
HOP, HOP_ER, HOP_THRESHOLD, BOUND = 60, 20, 0.2, 1.05
_CUBE = np.ones((3, 3, 3), dtype=bool)
_NO_STOP = Stop(
    tolerance=0.0, improvement=-1.0, every=10**9
)  # looks cost a transform and decide nothing here

SolverName = Literal["hio", "raar", "dm"]
FirstSupport = Literal["box", "halved"]


@dataclass(frozen=True)
class CrystalSettings:
    """How one start runs.

    cycles of `iterations` of the solver with relaxation beta and `er` of ER, then `last` of ER; threshold: of
    shrink-wrap, every `every` iterations, blurred by sigma voxels, at the end by sigma_end; coherence: whether the beam
    may be partly coherent; refine: most steps of the gradients; hops: how many; first: support of a random start.
    """

    solver: SolverName = "hio"
    beta: float = 0.9
    cycles: int = 4
    iterations: int = 90
    er: int = 10
    last: int = 20
    threshold: float = 0.1
    every: int = 10
    sigma: float = 2.0
    sigma_end: float = 1.0
    coherence: bool = True
    refine: int = 120
    hops: int = 3
    first: FirstSupport = "box"

    @property
    def projections(self) -> int:
        """Iterations before the gradients."""
        return self.cycles * (self.iterations + self.er) + self.last

    def legs(self, first: int, last: int) -> list[Leg]:
        """Legs of the cycles numbered first to last - 1; the very last one ends in more ER."""
        chosen: dict[str, Iteration] = {
            "hio": HIO(self.beta),
            "raar": RAAR(self.beta),
            "dm": DifferenceMap(self.beta),
        }
        cycle = [Leg(chosen[self.solver], self.iterations), Leg(ER(), self.er)]
        end = [Leg(ER(), self.last)] if last == self.cycles else []
        return cycle * (last - first) + end


@dataclass(frozen=True)
class CrystalRun:
    """What one start ended with.

    object: complex64 (n1, n2, n3), sqrt(count), zero outside `support`; expected: counts (zero frequency at index 0);
    widths: blur in voxels; background: counts a voxel; chi2, free_chi2: over fitted and held-out voxels, physics.md
    section 5; deviance: mean Poisson deviance of the fitted voxels.
    """

    object: Complex
    support: Mask
    expected: Real
    widths: Widths
    background: float
    chi2: float
    free_chi2: float
    deviance: float
    iterations: int
    outcome: Outcome


@dataclass(frozen=True)
class Begin:
    """Where a start begins instead of random phases: object and support (n1, n2, n3), middle at n // 2."""

    object: Complex
    support: Mask


def solve_crystal(
    pattern: Pattern, *, settings: CrystalSettings, seed: int, start: int, begin: Begin | None = None
) -> CrystalRun:
    """One start, fixed by (seed, start) or by where it begins, in whatever batch it runs."""
    first = projected(pattern, settings=settings, seed=seed, start=start, begin=begin)
    return hopped(pattern, refined(pattern, first, settings=settings), settings=settings)


def hopped(pattern: Pattern, run: CrystalRun, *, settings: CrystalSettings) -> CrystalRun:
    """The best of a run and its hops by deviance; each begins from the best so far, none from what is but noise."""
    iterations = run.iterations
    for number in range(settings.hops):
        if not run.deviance > NOISE:
            break
        again = projected_again(pattern, run, bounded=number == settings.hops - 1, settings=settings)
        tried = refined(pattern, again, settings=settings)
        iterations += HOP + HOP_ER + tried.iterations - settings.projections
        if tried.deviance < run.deviance:
            run = tried
    return replace(run, iterations=iterations)


def projected_again(
    pattern: Pattern, run: CrystalRun, *, bounded: bool, settings: CrystalSettings
) -> Projected:
    """Projections from the phases of a run with an even modulus, within a voxel of its shape."""
    inside = shape_of(np.abs(run.object), run.support)
    level = float(np.median(np.abs(run.object)[inside]))
    even = (np.where(inside, level, 0.0) * np.exp(1j * np.angle(run.object))).astype(run.object.dtype)
    near = binary_dilation(inside, _CUBE)
    data = pattern.data
    if settings.coherence:
        data = PartlyCoherent(data.amplitude, data.free, run.widths)
    found = retrieve(
        even,
        data=data,
        support=Support(near),
        others=(InSupport(near, Bounds(0.0, BOUND * level)),) if bounded else (),
        recipe=[Leg(HIO(settings.beta), HOP), Leg(ER(), HOP_ER)],
        shrink=ShrinkWrap(
            every=settings.every,
            sigma=settings.sigma_end,
            sigma_end=settings.sigma_end,
            threshold=HOP_THRESHOLD,
        ),
        stop=_NO_STOP,
    )
    # the gradients need the rim that a partly filled voxel and the array's finite range of q leave
    return Projected(replace(found, support=binary_dilation(found.support, _CUBE)), run.widths)


@dataclass(frozen=True)
class Projected:
    """Where the projections of a start ended; widths: blur in voxels, none for a coherent beam."""

    found: Retrieval
    widths: Widths


def projected(
    pattern: Pattern, *, settings: CrystalSettings, seed: int, start: int, begin: Begin | None = None
) -> Projected:
    """The projections of one start; from half way on every cycle runs with the blur that fits best before it."""
    data = pattern.data
    if begin is None:
        first = random_start(data, seed=seed, start=start)
        support = pattern.box if settings.first == "box" else pattern.halved
    else:
        first, support = begin.object, begin.support & pattern.box
    coherent = settings.cycles if not settings.coherence else max(1, settings.cycles // 2)
    found = _cycles(first, data, support, pattern.box, settings, (0, coherent))
    widths: Widths = ()
    for cycle in range(coherent, settings.cycles):
        widths = fitted_widths(found.object, data, widths or None)
        blurry = PartlyCoherent(data.amplitude, data.free, widths)
        found = _cycles(found.object, blurry, found.support, pattern.box, settings, (cycle, cycle + 1))
    return Projected(found, widths)


def _cycles(
    begin: Complex,
    data: Data,
    support: Mask,
    box: Mask,
    settings: CrystalSettings,
    numbers: tuple[int, int],
) -> Retrieval:
    """Cycles from one number to the next of one start."""
    first, last = (number / settings.cycles for number in numbers)
    falls = settings.sigma_end - settings.sigma
    shrink = ShrinkWrap(
        every=settings.every,
        sigma=settings.sigma + falls * first,
        sigma_end=settings.sigma + falls * last,
        threshold=settings.threshold,
    )
    return retrieve(
        begin,
        data=data,
        support=Support(box),
        begin=Support(support),
        recipe=settings.legs(*numbers),
        shrink=shrink,
        stop=_NO_STOP,
    )


def refined(pattern: Pattern, first: Projected, *, settings: CrystalSettings) -> CrystalRun:
    """The gradients of one start, and how well it describes fitted and held-out voxels."""
    found = first.found
    if found.outcome is Outcome.NOT_DETERMINED:
        return _failed(pattern, found)
    chosen = Refinement(steps=settings.refine, coherence=settings.coherence)
    ended = refine(
        found.object,
        counts=pattern.counts,
        measured=pattern.work,
        support=found.support,
        settings=chosen,
        widths=first.widths,
        exposure=pattern.exposure,
    )
    magnitude, amplitude = np.sqrt(ended.expected), np.sqrt(pattern.counts)
    chi2, free = chi2_and_free(magnitude=magnitude, amplitude=amplitude, work=pattern.work, held=pattern.held)
    return CrystalRun(
        ended.object,
        found.support,
        ended.expected,
        ended.widths,
        ended.background,
        chi2,
        free,
        float(ended.deviance[-1]),
        settings.projections + ended.steps,
        _outcome(ended),
    )


def _outcome(ended: Refined) -> Outcome:
    if not ended.settled:
        return Outcome.OUT_OF_STEPS
    return Outcome.CONVERGED if ended.deviance[-1] <= DESCRIBED else Outcome.STALLED


def _failed(pattern: Pattern, found: Retrieval) -> CrystalRun:
    nothing = np.full(pattern.counts.shape, np.nan)
    lost = float("nan")
    return CrystalRun(found.object, found.support, nothing, (), lost, lost, lost, lost, 0, found.outcome)
