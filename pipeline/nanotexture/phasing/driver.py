"""The one loop of projection phase retrieval: a recipe of solvers, shrink-wrap, a named outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from nanotexture.phasing.constraints import Constraint, Data, Mask, Real, Support, together
from nanotexture.phasing.farfield import Complex, to_corner
from nanotexture.phasing.outcome import Outcome
from nanotexture.phasing.solvers import ER, Iteration, advance


@dataclass(frozen=True)
class Leg:
    """One part of a recipe: a solver and how many iterations it runs."""

    solver: Iteration
    iterations: int


@dataclass(frozen=True)
class ShrinkWrap:
    """Support = blurred modulus above a share of its maximum (Marchesini et al., PRB 68, 140101 (2003)).

    every: iterations between two updates, the first of them not before `wait`; sigma, sigma_end: Gaussian blur in voxels at
    the first and the last iteration; threshold: share of the maximum; axes: along which the support moves, None for all. For
    a film axes = (0,): the modulus is averaged over z, so the support stays a slab and only its extent in the plane changes.
    bound: no modulus may exceed so much of the typical one inside, None for any; that of a crystal is even.
    """

    every: int = 20
    sigma: float = 2.0
    sigma_end: float = 1.0
    threshold: float = 0.15
    axes: tuple[int, ...] | None = None
    bound: float | None = None
    wait: int = 0

    def shrink(self, estimate: Complex, *, within: Mask, sigma: float) -> Mask:
        """New support (n1, n2, ...), never outside `within`; `within` itself where nothing would remain."""
        moving = range(estimate.ndim) if self.axes is None else self.axes
        fixed = tuple(sorted(set(range(estimate.ndim)) - set(moving)))
        modulus = np.abs(estimate)
        profile = np.sqrt(np.mean(modulus**2, axis=fixed, keepdims=True)) if fixed else modulus
        blur = [sigma if axis in moving else 0.0 for axis in range(estimate.ndim)]
        profile = gaussian_filter(profile, blur, mode="wrap")
        support = within & (profile > self.threshold * profile.max())
        return support if support.any() else within

    def around(self, estimate: Complex, *, within: Mask, sigma: float) -> Support:
        """The new support, with the modulus bounded as `bound` says."""
        mask = self.shrink(estimate, within=within, sigma=sigma)
        if self.bound is None:
            return Support(mask)
        return Support(mask, self.bound * typical_modulus(np.abs(estimate), mask))


def typical_modulus(modulus: Real, within: Mask) -> float:
    """Median of the voxels above half of the 95th percentile."""
    inside = modulus[within]
    return float(np.median(inside[inside >= 0.5 * np.quantile(inside, 0.95)]))


@dataclass(frozen=True)
class Stop:
    """When a run ends early; a look every `every` iterations.

    Converged: chi2 of the estimate at or below `tolerance`. Stalled: in the last leg chi2 fell by less than
    the share `improvement` over `patience` looks.
    """

    tolerance: float = 1e-6
    improvement: float = 0.01
    patience: int = 5
    every: int = 10


@dataclass(frozen=True)
class Retrieval:
    """What a run ended with.

    object: estimate P_S P_M x (n1, n2, ...), zero outside support; support: bool, same shape; errors: chi2 of
    the estimate at each look (n_looks,), `looks` their iterations; iterations: steps taken.
    """

    object: Complex
    support: Mask
    errors: NDArray[np.float64]
    looks: NDArray[np.int64]
    iterations: int
    outcome: Outcome


@dataclass
class _History:
    """Errors seen so far."""

    errors: list[float] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)

    def add(self, iteration: int, error: float) -> None:
        self.errors.append(error)
        self.looks.append(iteration)

    def converged(self, stop: Stop) -> bool:
        return bool(self.errors) and self.errors[-1] <= stop.tolerance

    def stalled(self, stop: Stop, since: int) -> bool:
        """Whether the looks after iteration `since` have stopped falling."""
        seen = [e for e, look in zip(self.errors, self.looks, strict=True) if look > since]
        if len(seen) <= stop.patience:
            return False
        before = min(seen[: -stop.patience])
        return min(seen[-stop.patience :]) > before * (1.0 - stop.improvement)


@dataclass
class _Run:
    """The state of one run."""

    x: Complex
    data: Data
    allowed: Support
    support: Support
    others: tuple[Constraint, ...]
    stop: Stop
    history: _History = field(default_factory=_History)

    @property
    def known(self) -> Constraint:
        return together(self.support, self.others)

    def advance(self, solver: Iteration) -> None:
        self.x = advance(solver, x=self.x, data=self.data, known=self.known)

    def shrink(self, settings: ShrinkWrap, done: float) -> None:
        sigma = settings.sigma + (settings.sigma_end - settings.sigma) * done
        # of the projected iterate, not the estimate: what lies just outside lets the support grow again
        self.support = settings.around(self.data.project(self.x), within=self.allowed.mask, sigma=sigma)

    def look(self, iteration: int, last_leg_from: int) -> Outcome | None:
        self.history.add(iteration, self.data.chi2(self.estimate()))
        if self.history.converged(self.stop):
            return Outcome.CONVERGED
        return Outcome.STALLED if self.history.stalled(self.stop, last_leg_from) else None

    def estimate(self) -> Complex:
        return self.known.project(self.data.project(self.x))

    def result(self, iteration: int, ended: Outcome | None) -> Retrieval:
        history, estimate = self.history, self.estimate()
        if not history.looks or history.looks[-1] != iteration:
            history.add(iteration, self.data.chi2(estimate))
        late = Outcome.CONVERGED if history.converged(self.stop) else Outcome.OUT_OF_STEPS
        errors, looks = np.array(history.errors), np.array(history.looks)
        return Retrieval(estimate, self.support.mask, errors, looks, iteration, ended or late)


def random_start(data: Data, *, seed: int, start: int) -> Complex:
    """Measured magnitudes with random phases, back in real space; fixed by (seed, start) alone."""
    rng = np.random.Generator(np.random.PCG64([seed, start]))
    phase = rng.uniform(-np.pi, np.pi, size=data.amplitude.shape)
    dtype = np.result_type(data.amplitude.dtype, np.complex64)
    return to_corner((data.amplitude * np.exp(1j * phase)).astype(dtype))


def retrieve(
    start: Complex,
    *,
    data: Data,
    support: Support,
    recipe: Sequence[Leg],
    others: Sequence[Constraint] = (),
    shrink: ShrinkWrap | None = None,
    stop: Stop | None = None,
    begin: Support | None = None,
) -> Retrieval:
    """Runs the recipe from `start` (n1, n2, ...); `others`: further constraints, e.g. Bounds or a prior.

    begin: support at the first iteration where an earlier run has shrunk it; it may grow back up to `support`.
    """
    run = _Run(np.array(start), data, support, begin or support, tuple(others), stop or Stop())
    if undetermined(data, run.support):
        return run.result(0, Outcome.NOT_DETERMINED)
    total = sum(leg.iterations for leg in recipe)
    last_leg_from = total - (recipe[-1].iterations if recipe else 0)
    # what ER ends with fits the support that it has
    shrinks_until = last_leg_from if recipe and isinstance(recipe[-1].solver, ER) else total
    for iteration, solver in _steps(recipe):
        run.advance(solver)
        if shrink and iteration % shrink.every == 0 and shrink.wait <= iteration < shrinks_until:
            run.shrink(shrink, iteration / total)
        if iteration % run.stop.every == 0 and (ended := run.look(iteration, last_leg_from)):
            return run.result(iteration, ended)
    return run.result(total, None)


def undetermined(data: Data, support: Support) -> bool:
    """Whether there are fewer measured magnitudes than real unknowns, two per voxel of the support.

    The factor 2 is the oversampling condition of Miao, Sayre, Chapman, J. Opt. Soc. Am. A 15, 1662 (1998).
    """
    return data.n_measured < 2 * int(np.count_nonzero(support.mask)) or not data.amplitude.any()


def _steps(recipe: Sequence[Leg]) -> Iterator[tuple[int, Iteration]]:
    solvers = (leg.solver for leg in recipe for _ in range(leg.iterations))
    return enumerate(solvers, start=1)
