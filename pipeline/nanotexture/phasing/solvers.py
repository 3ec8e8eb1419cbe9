"""Projection solvers: frozen settings, each of them one formula for the next iterate.

With x the iterate, p = P_M x its projection onto the data and P the projection onto what is known of the
object, all three read

    x' = o + g P((p - o) / g),    o = a x + b p,

with (a, b, g) = (0, 0, 1) for ER, (1, -beta, 1) for HIO, (beta, 1 - 2 beta, beta) for RAAR. For a support
this is p inside and o outside, the voxel-by-voxel form of the textbooks. A new solver is one more class.
The difference map asks for a second projection onto the data and has a step of its own, `difference_step`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from nanotexture.phasing.constraints import Constraint, Data, Support
from nanotexture.phasing.farfield import Complex
from nanotexture.phasing.voxelwise import as_row, bounded_or_outside, inside_or_outside


class Relaxation(NamedTuple):
    """Coefficients of one solver: o = previous * x + projected * p, gain g; all without unit."""

    previous: float
    projected: float
    gain: float


class Solver(Protocol):
    """Settings of one solver; its coefficients are its formula."""

    @property
    def relaxation(self) -> Relaxation:
        """(a, b, g) of the formula above."""
        ...


@dataclass(frozen=True)
class ER:
    """Error reduction, x' = P p (Fienup, Appl. Opt. 21, 2758 (1982), eq. 6)."""

    @property
    def relaxation(self) -> Relaxation:
        """o = 0."""
        return Relaxation(0.0, 0.0, 1.0)


@dataclass(frozen=True)
class HIO:
    """Hybrid input-output, x' = p inside the support, x - beta p outside (Fienup 1982, eq. 44).

    For any other set x' = x + P((1 + beta) p - x) - beta p (Bauschke, Combettes, Luke, J. Opt. Soc. Am. A 19,
    1334 (2002)).
    """

    beta: float = 0.9

    @property
    def relaxation(self) -> Relaxation:
        """o = x - beta p."""
        return Relaxation(1.0, -self.beta, 1.0)


@dataclass(frozen=True)
class RAAR:
    """Relaxed averaged alternating reflections, x' = beta/2 (R_S R_M + 1) x + (1 - beta) p, R = 2 P - 1.

    For a support: p inside, beta x + (1 - 2 beta) p outside (Luke, Inverse Problems 21, 37 (2005)).
    """

    beta: float = 0.9

    @property
    def relaxation(self) -> Relaxation:
        """o = beta x + (1 - 2 beta) p."""
        return Relaxation(self.beta, 1.0 - 2.0 * self.beta, self.beta)


@dataclass(frozen=True)
class DifferenceMap:
    """x' = x + beta [P f_M - P_M f_S], f_M = (1 + 1/beta) p - x/beta, f_S = (1 - 1/beta) P x + x/beta.

    Elser, J. Opt. Soc. Am. A 20, 40 (2003), eqs. 7 and 8 with his estimate gamma_S = 1/beta, gamma_M = -1/beta. At
    beta = 1 it is HIO with beta = 1.
    """

    beta: float = 0.9


Iteration = Solver | DifferenceMap


def advance(solver: Iteration, *, x: Complex, data: Data, known: Constraint) -> Complex:
    """The next iterate from x alone; x is used as memory and holds nothing of use afterwards."""
    if isinstance(solver, DifferenceMap):
        return difference_step(solver, x=x, data=data, known=known)
    return step(solver, x=x, p=data.project(x), known=known)


def difference_step(solver: DifferenceMap, *, x: Complex, data: Data, known: Constraint) -> Complex:
    """One step of the difference map; two projections onto the data, x is left as it is."""
    share = 1.0 / solver.beta
    p = data.project(x)
    ahead = known.project((1.0 + share) * p - share * x)
    if solver.beta == 1.0:
        return x + ahead - p
    behind = data.project((1.0 - share) * known.project(x) + share * x)
    return x + solver.beta * (ahead - behind)


def step(solver: Solver, *, x: Complex, p: Complex, known: Constraint) -> Complex:
    """The next iterate; x and p are used as memory and hold nothing of use afterwards.

    x: iterate, p: x projected onto the data, both (n1, n2, ...) and contiguous; known: of the object.
    """
    previous, projected, gain = solver.relaxation
    if isinstance(known, Support):
        return _in_one_pass(x, p, known, solver.relaxation)
    outside = previous * x + projected * p
    return outside + gain * known.project((p - outside) / gain)


def _in_one_pass(x: Complex, p: Complex, known: Support, told: Relaxation) -> Complex:
    mask = np.broadcast_to(known.mask, x.shape).reshape(-1)
    previous, projected, gain, ceiling = map(x.real.dtype.type, (*told, known.ceiling))
    if np.isinf(known.ceiling):
        inside_or_outside(as_row(x), as_row(p), mask, previous, projected)
    else:
        bounded_or_outside(as_row(x), as_row(p), mask, previous, projected, gain, ceiling)
    return x
