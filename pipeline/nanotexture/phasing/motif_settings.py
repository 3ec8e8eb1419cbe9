"""Settings of the motif solver: widths of its priors and the tempering ladder."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Rung:
    """One rung of the tempering ladder: extra amplitude error tau, harmonics, polynomials and orders in use, steps at most;
    terms of the Jacobian."""

    tau: float
    harmonics: int
    polynomials: int
    orders: int
    steps: int
    terms: int = 1


@dataclass(frozen=True)
class MotifSettings:
    """Numbers of the solver.

    harmonics, polynomials: modes; strain: prior rms strain of a mode; scale_prior: of the log scale of one reflection
    against the others; flux_prior: of their common log scale; gap_prior: angstrom; resolution_prior: of the
    log of the resolution along qz; points: grid along x; tolerance:
    relative fall of the cost at which a start has converged; start_phase: rms of Q.u of a random start, rad.
    """

    harmonics: int = 3
    polynomials: int = 5
    strain: float = 0.03
    scale_prior: float = 0.1
    flux_prior: float = 0.15
    gap_prior: float = 0.3
    resolution_prior: float = 1.0
    points: int = 32
    tolerance: float = 1e-4
    start_phase: float = 2.0
    only_last: bool = False

    def final_only(self) -> MotifSettings:
        """The same settings with the last rung alone: relaxes a motif that is already near a minimum."""
        return replace(self, only_last=True)

    def ladder(self) -> tuple[Rung, ...]:
        """Rungs from coarse to fine."""
        few = min(2, self.harmonics)
        rungs = (
            Rung(0.3, few, min(2, self.polynomials), 1, 12),
            Rung(0.1, few, min(3, self.polynomials), 2, 12),
            Rung(0.03, self.harmonics, self.polynomials, 99, 20),
            Rung(0.0, self.harmonics, self.polynomials, 99, 80),
        )
        return rungs[-1:] if self.only_last else rungs
