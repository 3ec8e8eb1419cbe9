"""Named ends of a run, shared by every solver of the package; each says what to try next."""

from __future__ import annotations

from enum import StrEnum

DESCRIBED = (
    10.0  # chi2 per point above which the model does not describe the data, whatever the start says of itself
)
OVERFIT = 2.0  # free chi2 over chi2 from which the motif follows noise or errors of the model


class Outcome(StrEnum):
    """How one start ended; the value is what result.zarr holds."""

    CONVERGED = "converged"
    STALLED = "stalled"
    OUT_OF_STEPS = "out of steps"
    ABANDONED = "abandoned"
    NOT_DETERMINED = "not determined"

    @property
    def advice(self) -> str:
        """One sentence that says what to try."""
        return _ADVICE[self]

    @property
    def usable(self) -> bool:
        """Whether the start produced a solution at all; its cost says how good it is."""
        return self is not Outcome.NOT_DETERMINED


_ADVICE = {
    Outcome.CONVERGED: "Compare its cluster with the others: a low cost alone does not make it unique.",
    Outcome.STALLED: "Use more starts, or check mask, background, period and thickness: "
    "the cost stopped falling above the noise.",
    Outcome.OUT_OF_STEPS: "Allow more iterations: the cost was still falling at the last one.",
    Outcome.ABANDONED: "Use more starts: half way others of its batch fitted far better, so it was left where it was; "
    "its cost is the one there.",
    Outcome.NOT_DETERMINED: "Measure more reflections or a finer grid, or free fewer unknowns: "
    "there are fewer measured values than unknowns.",
}
