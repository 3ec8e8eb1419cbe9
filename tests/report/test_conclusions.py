"""Each sentence appears under its condition and not otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from nanotexture.report.conclusions import Kind, conclusions, verdict
from nanotexture.report.facts import Facts, facts_of
from nanotexture.report.fields import Field
from nanotexture.report.format import reflection_text

WAVE = np.sin(2 * np.pi * np.arange(64) / 64)[:, None] * np.ones((1, 8))
ALONG = Field("displacement_along_q", "$u_Q$", "angstrom", 0.1 * WAVE, 0.005 + 0 * WAVE)
U_X = replace(ALONG, key="displacement_x", symbol="$u_x$")
U_Z = replace(ALONG, key="displacement_z", symbol="$u_{z}$")
P_Z = Field("polarization_z", "$P_z$", "C/m^2", 0.5 * WAVE, 0.02 + 0 * WAVE)

ONE = Facts(
    reflections=("-103",),
    displacement=(ALONG,),
    inversion="unresolved",
    inversion_delta_cost=0.01,
    clusters=3,
    tied=2,
    outcomes={"converged": 24},
    successful=24,
    cost=1.1,
    free_cost=1.4,
    period=120.0,
    period_std=0.1,
    correlation_length=960.0,
    highest_order=3,
    qz_range=0.2,
    counts={"-103": 2e7},
)
MORE = replace(
    ONE,
    reflections=("-103", "103", "004"),
    displacement=(U_X, U_Z),
    polarization=(P_Z,),
    inversion="resolved",
    inversion_delta_cost=0.8,
    clusters=1,
    tied=1,
)


def said(facts, kind=None):
    return {one.rule: one.text for one in conclusions(facts) if kind in (None, one.kind)}


def test_symbols_in_sentences_have_no_marks_of_typesetting():
    assert U_Z.plain == "uz"
    unclear = replace(U_Z, std=10 * np.abs(U_Z.value) + 1.0)
    assert not any(
        c in text for text in said(replace(MORE, displacement=(unclear,))).values() for c in "{}$\\"
    )


def test_one_reflection_gives_neither_components_nor_polarization():
    told = said(ONE, Kind.NOT)
    assert "Q·u only" in told["one_direction"]
    assert "polarization" in told["one_direction"]
    assert "harmonic_phases" in told
    assert "no_polarization" not in told
    assert verdict([ONE]) == (
        "displacement along Q determined, its components and the polarization not; inversion unresolved; "
        "3 clusters, 2 of them fit equally well"
    )


@pytest.mark.parametrize(("tie", "word"), [("layers", "equilibrium"), ("none", "independently")])
def test_what_ties_displacement_and_polarization_is_said_with_the_cost_of_each_way(tie, word):
    told = said(replace(MORE, tie=tie, ties=(("none", 98.0), ("layers", 1.66))))
    assert word in told["equilibrium"]
    assert "98 with both fitted freely" in told["equilibrium"]
    assert "1.66 with layers" in told["equilibrium"]
    for alone in (((tie, 1.0),), ((tie, 1.0), (tie, 1.0))):
        assert "equilibrium" not in said(replace(MORE, tie=tie, ties=alone))


def test_several_reflections_give_components():
    told = said(MORE)
    assert not {"one_direction", "harmonic_phases", "unresolved", "ties", "nothing"} & set(told)
    assert "Å along x and" in told["displacement"]
    assert "C m⁻²" in told["polarization"]
    assert "higher by 0.8" in told["resolved"]
    assert "all 24" in told["unique"]
    assert verdict([MORE]).startswith("displacement along x and z determined; polarization determined")


def test_a_polarization_that_was_not_sought_is_not_missed():
    quiet = replace(MORE, polarization=(), polarization_sought=False)
    assert "no_polarization" not in said(quiet)
    assert "polarization not sought" in verdict([quiet])
    assert "no_polarization" in said(replace(quiet, polarization_sought=True))


def test_an_unresolved_inversion_says_what_survives_it():
    assert "tilt of its stripes are the same" in said(ONE)["unresolved"]


def test_ties_are_told_and_what_would_break_them():
    assert "2 of 3 clusters" in said(ONE)["ties"]
    assert "tell the clusters apart" in said(ONE)["break_tie"]
    assert "its inverse apart" in said(replace(ONE, tied=1))["break_tie"]
    assert "break_tie" not in said(MORE)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("overfit", {"free_cost": 2.5}),
        ("misfit", {"cost": 3.5}),
        ("prior", {"determined": 0.5}),
        ("few_counts", {"counts": {"-103": 1e5}}),
        ("more_counts", {"counts": {"-103": 1e6}}),
        ("cut", {"cut": ("-103",)}),
        ("wider_map", {"cut": ("-103",)}),
        ("failed_starts", {"successful": 10}),
        ("unfinished", {"outcomes": {"converged": 4, "out of steps": 20}}),
        ("more_steps", {"outcomes": {"converged": 4, "out of steps": 20}}),
        ("noisy", {"displacement": (replace(ALONG, std=0.1 + 0 * WAVE),)}),
    ],
)
def test_a_caution_appears_under_its_condition_only(rule, change):
    assert rule not in said(ONE)
    assert rule in said(replace(ONE, **change))


def test_a_field_below_its_error_is_determined_in_part():
    vague = replace(MORE, displacement=(replace(U_X, std=0.09 + 0 * WAVE), U_Z))
    assert "along x (in part) and z" in verdict([vague])


def test_temperatures_that_differ_are_not_hidden_by_the_first():
    assert "not alike at all" in verdict([ONE, replace(ONE, displacement=())])
    assert "not alike" not in verdict([ONE, ONE])
    assert verdict([ONE, replace(ONE, clusters=5)]).endswith("3 to 5 clusters")


def test_resolution_follows_from_orders_and_range():
    assert "20 Å along x (highest order seen 3) and 31 Å along z" in said(ONE)["resolution"]
    assert "resolution" not in said(Facts())


def test_the_motif_is_an_average():
    assert "8 periods" in said(ONE)["average"]
    assert "short" not in said(ONE)["average"]
    assert "The order is short" in said(replace(ONE, correlation_length=90.0))["average"]


def test_the_reflections_that_the_run_names_are_what_to_measure_next_each_once():
    missing = (
        ("the components", ("103",)),
        ("P along x", ("103",)),
        ("P along z", ("0_0_1", "104")),
        ("P along y", ()),
    )
    text = said(replace(ONE, to_add=missing))["missing_reflections"]
    assert f"{reflection_text('103')}, to tell the components and P along x." in text
    assert f"{reflection_text('001')} and {reflection_text('104')}, to tell P along z." in text
    assert "along y" not in text
    assert "missing_reflections" not in said(ONE)


def test_a_model_that_does_not_describe_the_data_gives_no_answer():
    """By the first line; nothing is claimed of the motif, and what may not be concluded begins with it."""
    poor = replace(MORE, cost=92.0)
    assert (
        verdict([poor])
        == "No answer: the model does not describe the data (\N{GREEK SMALL LETTER CHI}² 92 per point)"
    )
    told = said(poor)
    assert next(iter(said(poor, Kind.NOT))) == "not_described"
    assert "another_model" in told
    assert not {"displacement", "polarization", "resolved", "unique", "misfit"} & set(told)
    assert "lengths" in told  # from positions of satellites and fringes
    assert "not_described" not in said(MORE)
    assert "No answer at 120 K" in verdict(
        [replace(MORE, temperature=10.0), replace(poor, temperature=120.0)]
    )


def test_the_chi2_of_the_baseline_is_no_measure_of_the_model():
    assert replace(MORE, cost=92.0, solver="window").described


def test_without_any_solution_nothing_is_claimed(results):
    facts = facts_of(results["failed"])
    told = said(facts)
    assert "nothing" in told
    assert not {"displacement", "resolved", "unique", "ties", "size_of_displacement"} & set(told)
    assert verdict([facts]) == "displacement not determined; no solution"


def test_facts_of_a_planted_result(results):
    facts = facts_of(results["single"])
    assert facts.along_q
    assert (facts.clusters, facts.tied, facts.starts) == (3, 2, 24)
    assert facts.highest_order == 2
    assert facts.qz_range == pytest.approx(0.19, abs=0.005)
    assert facts.cut == ()
    assert facts.inversion_delta_cost == 0.01


def test_a_map_that_ends_on_its_satellites_is_cut(results):
    group = results["single"]
    short = {key: one.isel(qz=slice(0, 60)) for key, one in group.orders.items()}
    assert facts_of(replace(group, orders=short)).cut == ("-103",)


def test_rms_error_is_that_of_fully_correlated_errors():
    field = replace(ALONG, value=WAVE, std=0.1 * np.abs(WAVE))
    assert field.rms_error == pytest.approx(0.1 * field.rms)


def test_prior_widths_that_the_data_chose_are_told_with_their_range():
    told = said(replace(MORE, widths=(0.03, 0.512)))["prior_widths"]
    assert "0.03 to 0.51 times" in told
    assert "prior_widths" not in said(MORE)
    assert "prior_widths" not in said(replace(MORE, widths=(0.03, 0.512), cost=50.0))
