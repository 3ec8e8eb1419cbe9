"""Settings of the motif solver: widths of its priors and the tempering ladder."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ALL = 99  # orders: as many as there are


class Schedule(StrEnum):
    """Ways from coarse to fine: which finds the motif depends on it, so starts take turns.

    COARSE: few modes and orders at once, then all; GRADUAL: a few more at every rung; WHOLE: all modes from the beginning,
    the error alone is tempered (superlattices with a displacement tied to the polarization); HOPPING: few modes to the end,
    with hops, then all at once, for textures that are periodic along x and y, whose modes are many;
    NEAR: from a motif that a prior guessed, the coarse rungs left out;
    LAST: no tempering, for a motif that is near a minimum already.
    """

    COARSE = "coarse"
    GRADUAL = "gradual"
    WHOLE = "whole"
    HOPPING = "hopping"
    NEAR = "near"
    LAST = "last"


class Hops(StrEnum):
    """What a rung tries beside going downhill: nothing, turns of the first waves, or of single components of them."""

    NONE = "none"
    WAVES = "waves"
    COMPONENTS = "components"


@dataclass(frozen=True)
class Rung:
    """One rung of the tempering ladder: extra amplitude error tau, harmonics, polynomials and orders in use, steps at most."""

    tau: float
    harmonics: int
    polynomials: int
    orders: int
    steps: int
    hops: Hops = Hops.NONE


@dataclass(frozen=True)
class MotifSettings:
    """Numbers of the solver.

    harmonics, polynomials: of the finest rung; scale_prior: of the log scale of one reflection against the others;
    flux_prior: of their common log scale; gap_prior: angstrom; resolution_prior: of the log of the resolution along qz;
    tolerance: relative fall of the cost at which a start has converged; schedule: how a start goes from coarse to fine.
    """

    harmonics: int = 3
    polynomials: int = 5
    scale_prior: float = 0.1
    flux_prior: float = 0.15
    gap_prior: float = 0.5
    resolution_prior: float = 1.0
    tolerance: float = 1e-4
    schedule: Schedule = Schedule.COARSE

    def ladder(self) -> tuple[Rung, ...]:
        """Rungs from coarse to fine."""
        k, m = self.harmonics, self.polynomials
        last = Rung(0.0, k, m, ALL, 80)

        def few(profiles: int) -> tuple[int, int]:
            return min(2, k), min(profiles, m)

        tempered = tuple(Rung(tau, k, m, ALL, 20) for tau in (0.5, 0.25, 0.12, 0.06, 0.03, 0.01))
        rungs = {
            Schedule.COARSE: (
                Rung(0.3, min(2, k), min(2, m), 1, 12),
                Rung(0.1, min(2, k), min(3, m), 2, 12),
                Rung(0.03, k, m, ALL, 20),
                last,
            ),
            Schedule.GRADUAL: (
                Rung(0.3, min(2, k), min(3, m), 1, 15),
                Rung(0.2, min(2, k), min(3, m), 2, 12),
                Rung(0.1, min(3, k), min(5, m), 2, 12),
                Rung(0.06, min(4, k), min(6, m), 3, 12),
                Rung(0.03, k, m, ALL, 20),
                Rung(0.01, k, m, ALL, 20),
                last,
            ),
            Schedule.WHOLE: (*tempered, last),
            Schedule.HOPPING: (
                Rung(0.3, *few(2), 1, 12),
                Rung(0.1, *few(3), 2, 12),
                Rung(0.03, *few(3), ALL, 12, Hops.WAVES),
                Rung(0.003, *few(5), ALL, 40, Hops.COMPONENTS),
                last,
            ),
            Schedule.NEAR: (
                Rung(0.1, min(3, k), min(5, m), 2, 12),
                Rung(0.03, k, m, ALL, 20),
                last,
            ),
            Schedule.LAST: (last,),
        }
        return rungs[self.schedule]
