"""What to measure next: one rule a sentence, empty where it has nothing to say."""

from __future__ import annotations

from nanotexture.phasing.outcome import Outcome
from nanotexture.report.facts import Facts
from nanotexture.report.format import listed, reflection_text

ENOUGH = 1e7  # peak counts at which simulated films were solved


def missing_reflections(facts: Facts) -> str:
    """The reflections that would tell what these do not, as the run has found them."""
    told: dict[tuple[str, ...], list[str]] = {}
    for what, names in facts.to_add:
        if names:
            told.setdefault(names, []).append(what)
    return " ".join(
        f"{listed([reflection_text(name) for name in names])}, to tell {listed(what)}."
        for names, what in told.items()
    )


def another_model(facts: Facts) -> str:
    """What to try where nothing that was found describes the data."""
    if facts.described:
        return ""
    return (
        "More starts; then other materials, numbers of cells or c, a polarization where none was asked for, more harmonics: one "
        "of what the recipe takes for known is not so, or the search has not found the motif."
    )


def more_counts(facts: Facts) -> str:
    """More counts where the strongest voxel holds fewer than simulations needed."""
    low = [reflection_text(key) for key, value in facts.counts.items() if value < ENOUGH]
    return f"More counts at {listed(low)}: simulated films were solved at 10⁷ in the peak." if low else ""


def wider_map(facts: Facts) -> str:
    """A longer range of qz where satellites are cut."""
    names = listed([reflection_text(one) for one in facts.cut])
    return f"A longer range of qz at {names}, until the satellites sink into the background." if names else ""


def break_tie(facts: Facts) -> str:
    """What separates clusters of equal cost, or an unresolved inversion."""
    if not facts.displacement or (facts.tied < 2 and facts.inversion != "unresolved"):
        return ""
    what = "the clusters" if facts.tied > 1 else "the motif and its inverse"
    return (
        f"A reflection with larger |Q|, to tell {what} apart: its phases are stronger, "
        "and weak phases are what ties them."
    )


def more_steps(facts: Facts) -> str:
    """The advice of the outcome that most starts came to, unless they converged."""
    most = max(facts.outcomes, key=lambda name: facts.outcomes[name], default="")
    known = {str(one): one.advice for one in Outcome if one is not Outcome.CONVERGED}
    return known.get(most, "")


RULES = (another_model, missing_reflections, break_tie, wider_map, more_counts, more_steps)
