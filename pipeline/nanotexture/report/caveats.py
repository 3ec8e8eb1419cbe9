"""What may not be concluded: one rule a sentence, empty where it has nothing to say."""

from __future__ import annotations

import math

from nanotexture.phasing.outcome import OVERFIT, Outcome
from nanotexture.report.facts import UNCLEAR_SHARE, Facts
from nanotexture.report.format import listed, number, percent, reflection_text

UNFINISHED = 0.3  # share of the starts
MISFIT = 3.0  # chi2 per point
LOW_COUNTS = 1e6  # simulated films failed at 1e5 peak counts and succeeded at 1e7
SHORT_ORDER = 2.0  # periods over which the phase is kept
MOSTLY_DATA = 0.8  # share of the variance of the motif fixed by the data


def not_described(facts: Facts) -> str:
    if facts.described:
        return ""
    return (
        f"Anything of the motif: with a χ² of {number(facts.cost, 3)} per point the model does not describe the data. The "
        "fields shown are the best that was found, not an answer."
    )


def nothing(facts: Facts) -> str:
    if facts.displacement:
        return ""
    if facts.successful:
        return (
            "The displacement: with these reflections any of it may be a polarization, and the other way round; both are left "
            "empty rather than mixed."
        )
    return (
        "Nothing about the motif: no start led to a solution, and every field is left empty rather than zero."
    )


def one_direction(facts: Facts) -> str:
    if not facts.along_q:
        return ""
    text = (
        "The components of the displacement, strain, rotation and polarization: one direction of Q gives "
        "Q·u only, "
        "and a displacement across Q leaves no trace."
    )
    mixed = " A polarization shifts the phase of the structure factor, and is read as displacement here."
    return text + mixed * facts.polar


def no_polarization(facts: Facts) -> str:
    if facts.along_q or facts.polarization or not facts.displacement or not facts.polarization_sought:
        return ""
    return "The polarization: these reflections do not separate it from the displacement."


def unresolved(facts: Facts) -> str:
    if facts.inversion != "unresolved" or not facts.displacement or not facts.described:
        return ""
    worse = facts.inversion_delta_cost
    by = f" (χ² differs by {number(worse, 2)})" if math.isfinite(worse) else ""
    return (
        f"The sign of the motif, and which interface is which: u(x, z) and −u(−x, t − z) fit alike{by}. "
        "Period, amplitude and the tilt of its stripes are the same for both."
    )


def harmonic_phases(facts: Facts) -> str:
    if not facts.along_q:
        return ""
    return (
        "The shape of the motif to the last detail: where the displacement is weak, one reflection hardly "
        "fixes the "
        "phases of its harmonics against each other, so that different shapes fit nearly alike (compare "
        "the clusters)."
    )


def ties(facts: Facts) -> str:
    if facts.tied < 2:
        return ""
    return (
        f"That the motif shown is the only one: {facts.tied} of {facts.clusters} clusters fit equally well "
        "within "
        "5 % of χ². Only what they have in common is established."
    )


def size_of_displacement(facts: Facts) -> str:
    if not facts.displacement:
        return ""
    return (
        "The amplitude of the displacement without its assumptions: it rests on the ratio of the "
        "satellites to order "
        "0, and on the modulus of the structure factor being that of the known layers. A composition "
        "modulated along "
        "x would be read as displacement."
    )


def noisy(facts: Facts) -> str:
    fields = (*facts.displacement, *facts.polarization)
    worst = [
        f"{percent(1 - one.clear_share)} of {one.plain}"
        for one in fields
        if one.clear_share < 1 - UNCLEAR_SHARE
    ]
    if not worst:
        return ""
    return (
        f"The sign where the standard deviation exceeds the value (dotted in the figures): {listed(worst)}."
    )


def prior(facts: Facts) -> str:
    if not facts.determined < MOSTLY_DATA:
        return ""
    return (
        f"That the data alone give the motif: they fix {percent(facts.determined)} of its variance, the "
        "prior on "
        "smoothness and size the rest."
    )


def overfit(facts: Facts) -> str:
    if not facts.free_cost > OVERFIT * max(facts.cost, 1.0):
        return ""
    return (
        f"The fine detail: the free χ² of {number(facts.free_cost, 3)} far exceeds the χ² of "
        f"{number(facts.cost, 3)}, so the motif has followed noise or errors of the model."
    )


def misfit(facts: Facts) -> str:
    if not facts.cost > MISFIT or not facts.described:
        return ""
    return (
        f"That the model is complete: with a χ² of {number(facts.cost, 3)} per point it misses the data by "
        "more "
        "than their noise, and no standard deviation says in which direction."
    )


def resolution(facts: Facts) -> str:
    x, z = facts.finest_x, facts.finest_z
    parts = [
        f"{number(x, 2)} Å along x (highest order seen {facts.highest_order})" if math.isfinite(x) else "",
        f"{number(z, 2)} Å along z (qz range {number(facts.qz_range, 2)} Å⁻¹)" if math.isfinite(z) else "",
    ]
    known = [part for part in parts if part]
    return f"Features finer than {listed(known)}: a sharper wall looks this wide." if known else ""


def average(facts: Facts) -> str:
    periods = facts.correlation_length / facts.period
    if not math.isfinite(periods):
        return "The displacement at any one place: the map averages over all that the beam lights."
    return (
        "The displacement at any one place: the texture keeps its phase over "
        f"{number(facts.correlation_length, 3)} Å, {number(periods, 2)} periods, and the beam averages "
        "over many "
        f"such regions. {_order_words(periods)} What is shown is the average motif; departures of single "
        "periods "
        "from it are in the line widths."
    )


def _order_words(periods: float) -> str:
    if periods < SHORT_ORDER:
        return "The order is short: neighbouring periods differ, and 'period' is their mean."
    return "Neighbouring periods are alike, distant ones are not in phase."


def conventions(facts: Facts) -> str:
    if not facts.displacement:
        return ""
    return (
        "The origin of x and a constant displacement: no intensity depends on them; the mean is set to zero."
    )


def cut(facts: Facts) -> str:
    if not facts.cut:
        return ""
    names = listed([reflection_text(one) for one in facts.cut])
    return (
        f"Detail through the film's depth: the satellites of {names} reach the edge of the measured qz range."
    )


def few_counts(facts: Facts) -> str:
    low = {key: value for key, value in facts.counts.items() if value < LOW_COUNTS}
    if not low or not facts.displacement:
        return ""
    told = listed([f"{number(value, 2)} at {reflection_text(key)}" for key, value in low.items()])
    return (
        f"That more counts would change nothing: the strongest voxels hold few, {told}. Inversions of "
        "simulated "
        "films failed at 10⁵ counts and succeeded at 10⁷."
    )


def failed_starts(facts: Facts) -> str:
    if not facts.displacement or facts.successful >= 0.7 * facts.starts:
        return ""
    return f"That the search was exhaustive: only {facts.successful} of {facts.starts} starts succeeded."


def unfinished(facts: Facts) -> str:
    count = facts.outcomes.get(Outcome.OUT_OF_STEPS, 0)
    if count <= UNFINISHED * facts.starts:
        return ""
    return f"That the costs are final: {count} of {facts.starts} starts ran out of steps, still falling."


RULES = (
    not_described,
    nothing,
    one_direction,
    no_polarization,
    unresolved,
    ties,
    harmonic_phases,
    size_of_displacement,
    noisy,
    prior,
    overfit,
    misfit,
    resolution,
    average,
    conventions,
    cut,
    few_counts,
    failed_starts,
    unfinished,
)
