"""What may be concluded: one rule a sentence, empty where it has nothing to say."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nanotexture.report.facts import Facts
from nanotexture.report.fields import Field
from nanotexture.report.format import listed, number, reflection_text, with_error


def displacement(facts: Facts) -> str:
    if not facts.displacement:
        return ""
    names = listed([reflection_text(one) for one in facts.reflections])
    return f"The displacement of the average motif, from {names}: rms {_sizes(facts.displacement)}."


def polarization(facts: Facts) -> str:
    if not facts.polarization:
        return ""
    return f"The polarization of the average motif: rms {_sizes(facts.polarization)}."


def lengths(facts: Facts) -> str:
    known = [
        f"{name} {with_error(value, error, 'angstrom')}"
        for name, value, error in (
            ("period", facts.period, facts.period_std),
            ("film thickness", facts.thickness, facts.thickness_std),
        )
        if math.isfinite(value)
    ]
    text = f"{listed(known)} follow from positions of satellites and fringes, whatever the inversion found."
    return text[0].upper() + text[1:] if known else ""


def resolved(facts: Facts) -> str:
    if facts.inversion != "resolved" or not facts.displacement:
        return ""
    worse = facts.inversion_delta_cost
    by = f" (its χ² is higher by {number(worse, 2)})" if math.isfinite(worse) else ""
    return f"Up and down, and the sign of the motif: the inverted motif fits worse{by}."


def unique(facts: Facts) -> str:
    if facts.clusters != 1 or facts.successful < 2:
        return ""
    return f"The motif is the only one found: all {facts.successful} successful starts ended in it."


def _sizes(fields: Sequence[Field]) -> str:
    """rms of each field with its standard error."""
    named = [("along Q" if one.key.endswith("along_q") else f"along {one.component}", one) for one in fields]
    return listed([f"{with_error(one.rms, one.rms_error, one.units)} {name}" for name, one in named])


RULES = (displacement, polarization, lengths, resolved, unique)
