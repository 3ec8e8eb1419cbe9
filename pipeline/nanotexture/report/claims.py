"""What may be concluded: one rule a sentence, empty where it has nothing to say."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nanotexture.report.denoised import denoised_words
from nanotexture.report.facts import Facts
from nanotexture.report.fields import Field
from nanotexture.report.format import listed, number, percent, reflection_text, with_error
from nanotexture.report.prior import learned_words


def displacement(facts: Facts) -> str:
    if not facts.displacement or not facts.described:
        return ""
    names = listed([reflection_text(one) for one in facts.reflections])
    return (
        f"The displacement of the average motif, from {names}: rms {_sizes(facts.displacement)}"
        f"{_clear(facts.displacement)}."
    )


def polarization(facts: Facts) -> str:
    if not facts.polarization or not facts.described:
        return ""
    sizes = _sizes(facts.polarization)
    return f"The polarization of the average motif: rms {sizes}{_clear(facts.polarization)}."


TIES = {
    "none": "with both fitted freely",
    "layers": "with layers each as stiff as its material",
    "mean": "with one stiffness for all layers",
}


def equilibrium(facts: Facts) -> str:
    """What the held-out satellites say of the displacement that the polarization causes."""
    # reflections that cannot tie them make every pilot the same
    tried = {tie for tie, _ in facts.ties}
    if len(tried) < 2 or facts.tie not in TIES or not facts.described:
        return ""
    free = facts.tie == "none"
    start = (
        "Displacement and polarization are fitted independently"
        if free
        else "The displacement is the one in mechanical equilibrium with the polarization, but for a small correction"
    )
    costs = [f"{number(cost, 3)} {TIES[tie]}" for tie, cost in facts.ties if tie in TIES]
    return f"{start}: held-out satellites prefer it (free χ² {' and '.join(costs)})."


def prior_widths(facts: Facts) -> str:
    """Harmonics that the data do not need, instead of following noise, stay small."""
    if facts.widths is None or not facts.described:
        return ""
    least, most = (number(one, 2) for one in facts.widths)
    return (
        f"How strong each harmonic may be: its prior width was chosen by the data, {least} to {most} times the recipe's, and "
        "held-out satellites do not speak against it."
    )


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
    if facts.inversion != "resolved" or not facts.displacement or not facts.described:
        return ""
    worse = facts.inversion_delta_cost
    by = f" (its χ² is higher by {number(worse, 2)})" if math.isfinite(worse) else ""
    which = "the inverse of the motif shown" if facts.tied > 1 else "the inverted motif"
    return f"Up and down, and the sign of the motif: {which} fits worse{by}."


def unique(facts: Facts) -> str:
    if facts.clusters != 1 or facts.successful < 2 or not facts.described:
        return ""
    return f"The motif is the only one found: all {facts.successful} successful starts ended in it."


def learned(facts: Facts) -> str:
    return "" if facts.learned is None else learned_words(facts.learned)


def denoised(facts: Facts) -> str:
    return "" if facts.denoised is None else denoised_words(facts.denoised)


def _sizes(fields: Sequence[Field]) -> str:
    """rms of each field with its standard error."""
    named = [("along Q" if one.key.endswith("along_q") else f"along {one.component}", one) for one in fields]
    return listed([f"{with_error(one.rms, one.rms_error, one.units)} {name}" for name, one in named])


def _clear(fields: Sequence[Field]) -> str:
    """In how much of the motif the values stand out of their errors."""
    known = [one for one in fields if math.isfinite(one.clear_share)]
    shares = [percent(one.clear_share) for one in known]
    if len(known) > 1:
        shares = [f"{share} ({one.component})" for share, one in zip(shares, known, strict=True)]
    return f"; above its standard deviation in {listed(shares)} of the motif" if known else ""


RULES = (
    displacement,
    polarization,
    equilibrium,
    prior_widths,
    lengths,
    resolved,
    unique,
    learned,
    denoised,
)
