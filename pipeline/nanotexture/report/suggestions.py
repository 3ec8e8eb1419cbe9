"""What to measure next: one rule a sentence, empty where it has nothing to say."""

from __future__ import annotations

import math

from nanotexture.phasing.outcome import Outcome
from nanotexture.report.facts import Facts
from nanotexture.report.format import indices, listed, reflection_text

PARALLEL = math.cos(math.radians(10.0))  # directions of Q closer than this count as one
ENOUGH = 1e7  # peak counts at which simulated films were solved


def another_direction(facts: Facts) -> str:
    """A reflection whose Q points elsewhere, so that both components of u are seen."""
    known = [one for one in facts.q_directions if all(math.isfinite(v) for v in one)]
    if not known or any(abs(_dot(known[0], other)) < PARALLEL for other in known[1:]):
        return ""
    return (
        "A reflection with another direction of Q, such as "
        f"{reflection_text(_turned(facts.reflections[0]))}: "
        "two directions separate the components of the displacement, and with them strain and rotation."
    )


def other_parity(facts: Facts) -> str:
    """Odd l where all are even, and the other way round."""
    found = [indices(one) for one in facts.reflections]
    odd = {one[2] % 2 for one in found if one}
    if len(odd) != 1 or not facts.polar:
        return ""
    h, k, step = found[0] if found[0] else (0, 0, 1)
    other = reflection_text(f"{h}_{k}_{step + 1}")
    if odd == {1}:
        return (
            f"An even-l reflection, such as {other}: in perovskites like PbTiO₃ it shows the elastic "
            "displacement "
            "nearly alone, and odd against even l gives the sign of the polarization."
        )
    return (
        f"An odd-l reflection, such as {other}, to see the sign of the polarization: in perovskites like "
        "PbTiO₃ "
        "even l shows the elastic displacement nearly alone."
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


def _dot(one: tuple[float, float], other: tuple[float, float]) -> float:
    return one[0] * other[0] + one[1] * other[1]


def _turned(hkl: str) -> str:
    """Reflection on the other side of the normal; off the normal where the given one lies on it."""
    h, k, l_index = indices(hkl) or (0, 0, 1)
    return f"{-h}_{-k}_{l_index}" if (h, k) != (0, 0) else f"1_0_{l_index}"


def more_steps(facts: Facts) -> str:
    """The advice of the outcome that most starts came to, unless they converged."""
    most = max(facts.outcomes, key=lambda name: facts.outcomes[name], default="")
    known = {str(one): one.advice for one in Outcome if one is not Outcome.CONVERGED}
    return known.get(most, "")


RULES = (another_direction, other_parity, break_tie, wider_map, more_counts, more_steps)
