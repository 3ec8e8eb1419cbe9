"""Which sentences a result supports: pure functions from facts to sentences, one rule each.

A rule returns the sentence that holds for the facts, or an empty text where it has nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nanotexture.report import caveats, claims, suggestions
from nanotexture.report.facts import UNCLEAR_SHARE, Facts
from nanotexture.report.format import counted, listed, number, temperature_text


class Kind(StrEnum):
    """What a sentence says to the reader."""

    MAY = "may"
    NOT = "may not"
    NEXT = "next"


@dataclass(frozen=True)
class Conclusion:
    """One sentence and the rule that it came from."""

    kind: Kind
    rule: str
    text: str


def conclusions(facts: Facts) -> list[Conclusion]:
    """All sentences that the facts support."""
    told = [(kind, rule.__name__, rule(facts)) for kind, rules in _RULES.items() for rule in rules]
    return [Conclusion(kind, name, text) for kind, name, text in told if text]


def verdict(series: Sequence[Facts]) -> str:
    """One line: what was determined, whether the inversion was resolved, how many clusters."""
    first = series[0]
    if failed := [one for one in series if not one.described]:
        return _no_answer(failed, len(series))
    clusters = sorted({one.clusters for one in series})
    most, fewest = clusters[-1], clusters[0]
    span = counted(most, "cluster") if most == fewest else f"{fewest} to {most} clusters"
    tied = f", {first.tied} of them fit equally well" if len(series) == 1 and first.tied > 1 else ""
    words = list(dict.fromkeys(_determined_words(one) for one in series))
    determined = words[0] if len(words) == 1 else f"{words[0]} at the first temperature, not alike at all"
    return "; ".join([determined, *_inversion_words(first), span + tied if most else "no solution"])


def _no_answer(failed: Sequence[Facts], temperatures: int) -> str:
    """First line of a result that is none, at all temperatures or at some."""
    worst = number(max(one.cost for one in failed), 3)
    if temperatures == 1:
        return f"No answer: the model does not describe the data (χ² {worst} per point)"
    where = listed([temperature_text(one.temperature) for one in failed])
    return f"No answer at {where}: the model does not describe the data there (χ² up to {worst} per point)"


def _determined_words(facts: Facts) -> str:
    if not facts.displacement:
        return "displacement not determined"
    part = [one.clear_share < 1 - UNCLEAR_SHARE for one in facts.displacement]
    if facts.along_q:
        also = " and the polarization" if facts.polarization_sought else ""
        return f"displacement along Q determined{' in part' * part[0]}, its components{also} not"
    names = [
        one.component + " (in part)" * vague for one, vague in zip(facts.displacement, part, strict=True)
    ]
    missing = "not determined" if facts.polarization_sought else "not sought"
    polar = "determined" if facts.polarization else missing
    return f"displacement along {listed(names)} determined; polarization {polar}"


def _inversion_words(facts: Facts) -> list[str]:
    return [f"inversion {facts.inversion}"] if facts.displacement and facts.inversion else []


_RULES: dict[Kind, tuple[Callable[[Facts], str], ...]] = {
    Kind.MAY: claims.RULES,
    Kind.NOT: caveats.RULES,
    Kind.NEXT: suggestions.RULES,
}
