"""One crystal from its 3D coherent diffraction: projections from random phases, then gradients.

1. The first support is where the autocorrelation at twice the place is above noise, about the crystal itself, or a box as wide
   as the autocorrelation, twice the crystal; shrink-wrap may let it grow up to that box. Its centre is the array's.
2. Free cycles: HIO (or RAAR, difference map) with shrink-wrap; never ER alone, which stagnates (2.8e-3 on gold64). After half of
   them the blur of a partly coherent beam is fitted, and again before each further cycle.
3. Even cycles: the modulus of a crystal is even, whatever its strain. It is made so, the phases are kept, and projections go on
   with the modulus bounded a little above what is typical. Of simulated crystals with phase ranges of 5 pi 0.31 of the random
   starts of 400 iterations succeed without, 0.7 with; where the bound stands from the first iteration and shrink-wrap is as
   loose as in free cycles, none does: the support grows. A twin, a grain or a defect may be dark, so there is no lower bound.
4. ER, then gradients of the Poisson likelihood within the support found (refine.py), which bound nothing: data win.
5. Hops: from an even modulus projections with the bound and gradients run again; a hop that fits no better is taken back.
Voxels not measured and voxels held out are free throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.ndimage import binary_dilation

from nanotexture.phasing.coherence import PartlyCoherent, Widths, fitted_widths
from nanotexture.phasing.constraints import Data, Mask, Real, Support, chi2_and_free
from nanotexture.phasing.crystal_pattern import Pattern
from nanotexture.phasing.crystal_shape import bright
from nanotexture.phasing.driver import Leg, Retrieval, ShrinkWrap, Stop, random_start, retrieve
from nanotexture.phasing.farfield import Complex
from nanotexture.phasing.outcome import DESCRIBED, Outcome
from nanotexture.phasing.refine import Refined, Refinement, refine
from nanotexture.phasing.solvers import ER, HIO, RAAR, DifferenceMap, Iteration

NOISE = 1.1  # deviance a voxel below which there is nothing left to find
BOUND = 1.05  # of the typical modulus
EVEN_THRESHOLD = 0.2  # of shrink-wrap where the modulus is bounded
HOP, HOP_ER = 60, 20
WAIT = 40  # iterations of a start before shrink-wrap: a support by phases that are still noise is worse than the first one
_CUBE = np.ones((3, 3, 3), dtype=bool)
_NO_STOP = Stop(
    tolerance=0.0, improvement=-1.0, every=10**9
)  # looks cost a transform and decide nothing here

SolverName = Literal["hio", "raar", "dm"]
FirstSupport = Literal["box", "halved"]


@dataclass(frozen=True)
class CrystalSettings:
    """How one start runs.

    cycles of `iterations` of the solver with relaxation beta, `even` more with the modulus bounded, at the end `er` of ER;
    threshold: of shrink-wrap in the first, every `every` iterations, blurred by sigma voxels, at the end by sigma_end;
    coherence: whether the beam may be partly coherent; refine: most steps of the gradients; hops: how many; first: support of
    each start.
    """

    solver: SolverName = "hio"
    beta: float = 0.9
    cycles: int = 2
    even: int = 2
    iterations: int = 90
    er: int = 20
    threshold: float = 0.1
    every: int = 10
    sigma: float = 1.2
    sigma_end: float = 0.7
    coherence: bool = True
    refine: int = 120
    hops: int = 3
    first: FirstSupport = "halved"

    @property
    def projections(self) -> int:
        """Iterations before the gradients."""
        return (self.cycles + self.even) * self.iterations + self.er

    def legs(self, first: int, last: int) -> list[Leg]:
        """Legs of the cycles numbered first to last - 1; the very last one ends in ER."""
        chosen: dict[str, Iteration] = {
            "hio": HIO(self.beta),
            "raar": RAAR(self.beta),
            "dm": DifferenceMap(self.beta),
        }
        cycle = Leg(chosen[self.solver], self.iterations)
        end = [Leg(ER(), self.er)] if last == self.cycles + self.even else []
        return [cycle] * (last - first) + end


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


def solve_crystal(
    pattern: Pattern, *, settings: CrystalSettings, seed: int, start: int, begin: Complex | None = None
) -> CrystalRun:
    """One start, fixed by (seed, start) or by the object (n1, n2, n3) where it begins, in whatever batch it runs."""
    first = projected(pattern, settings=settings, seed=seed, start=start, begin=begin)
    return hopped(pattern, refined(pattern, first, settings=settings), settings=settings)


def hopped(pattern: Pattern, run: CrystalRun, *, settings: CrystalSettings) -> CrystalRun:
    """The best of a run and its hops by deviance; each begins from the best so far, none from what is but noise."""
    iterations = run.iterations
    for _ in range(settings.hops):
        if not run.deviance > NOISE:
            break
        data, legs = _blurry(pattern.data, run.widths), [Leg(HIO(settings.beta), HOP), Leg(ER(), HOP_ER)]
        again = evened(pattern, (run.object, run.support), data, settings=settings, legs=legs)
        tried = refined(pattern, Projected(again, run.widths), settings=settings)
        iterations += again.iterations + tried.iterations - settings.projections
        if tried.deviance < run.deviance:
            run = tried
    return replace(run, iterations=iterations)


@dataclass(frozen=True)
class Projected:
    """Where the projections of a start ended; widths: blur in voxels, none for a coherent beam."""

    found: Retrieval
    widths: Widths


def projected(
    pattern: Pattern, *, settings: CrystalSettings, seed: int, start: int, begin: Complex | None = None
) -> Projected:
    """The projections of one start; after half of the free cycles each runs with the blur that fits best before it."""
    data = pattern.data
    first = random_start(data, seed=seed, start=start) if begin is None else begin
    support = pattern.box if settings.first == "box" else pattern.halved
    coherent = settings.cycles if not settings.coherence else max(1, settings.cycles // 2)
    found = _cycles(first, data, support, pattern.box, settings, (0, coherent))
    widths: Widths = ()
    for cycle in range(coherent, settings.cycles + settings.even):
        if found.outcome is Outcome.NOT_DETERMINED:
            break
        if settings.coherence:
            widths = fitted_widths(found.object, data, widths or None)
            data = _blurry(data, widths)
        one = (cycle, cycle + 1)
        if cycle < settings.cycles:
            found = _cycles(found.object, data, found.support, pattern.box, settings, one)
        else:
            last, legs = (found.object, found.support), settings.legs(*one)
            found = evened(pattern, last, data, settings=settings, legs=legs)
    return Projected(found, widths)


def _blurry(data: Data, widths: Widths) -> Data:
    return PartlyCoherent(data.amplitude, data.free, widths) if widths else data


def evened(
    pattern: Pattern,
    begin: tuple[Complex, Mask],
    data: Data,
    *,
    settings: CrystalSettings,
    legs: Sequence[Leg],
) -> Retrieval:
    """Projections from the phases of an object in its support, with an even modulus and bounded, within a voxel of its shape."""
    estimate, support = begin
    modulus = np.abs(estimate)
    inside = bright(modulus, support)
    level = float(np.median(modulus[inside]))
    even = (np.where(inside, level, 0.0) * np.exp(1j * np.angle(estimate))).astype(estimate.dtype)
    near = binary_dilation(inside, _CUBE) & pattern.box
    found = retrieve(
        even,
        data=data,
        support=Support(near),
        begin=Support(near, BOUND * level),
        recipe=legs,
        shrink=ShrinkWrap(
            settings.every, settings.sigma_end, settings.sigma_end, EVEN_THRESHOLD, bound=BOUND
        ),
        stop=_NO_STOP,
    )
    # the gradients need the rim that a partly filled voxel and the array's finite range of q leave
    return replace(found, support=binary_dilation(found.support, _CUBE) & pattern.box)


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
        wait=0 if numbers[0] else WAIT,
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
