"""Warnings of a result: the same reflections to add as before the run, and orders that are missing where it matters."""

import json

import numpy as np
import pytest
import xarray as xr
from nanotexture.caveats import reflections_of, warnings_of
from nanotexture.foresight import not_told
from nanotexture.lacking import lacking_record, lacking_sentences
from nanotexture.recipe import read_recipe
from nanotexture.stages.determined import Told, axes_told, lacks, mixed_components

from .recipes_pruned import RECIPES
from .stages.planted import SINGLE, orders


def texture(cost=1.0, unknown=(True, True), free_cost=1.0):
    shape = (2, 4, 5)
    polar = np.where(np.array(unknown)[:, None, None], np.nan, np.ones(shape))
    found = xr.Dataset(
        {"polarization": (("component", "x", "z"), polar), "cost": cost, "free_cost": free_cost}
    )
    return found.assign_attrs(solver="motif")


def clusters(told, bright=0.0):
    model = np.ones(told["intensity"].shape) * np.where(told["order"].values == 0, 100.0, bright)[:, None]
    return xr.Dataset(
        {
            "model": (("reflection", "order", "row"), model),
            "outcome": ("start", np.array(["converged"], object)),
        }
    )


def said(hkl, *, told=None, polarization=True, **values):
    found = orders(SINGLE, hkl) if told is None else told
    return warnings_of(
        film=SINGLE, polarization=polarization, maps=(), orders=found, clusters=clusters(found, 1.0),
        texture=texture(**values), thickness_scans={},
    )  # fmt: skip


@pytest.mark.parametrize("hkl", [((0, 0, 2),), ((0, 0, 3), (1, 0, 3)), ((0, 0, 2), (2, 0, 2))])
@pytest.mark.parametrize("polarization", [True, False])
def test_a_result_lacks_what_was_said_before_the_run_in_the_same_words(hkl, polarization):
    recipe = read_recipe(RECIPES / "quickstart.toml", (f"texture.polarization={str(polarization).lower()}",))
    before = not_told(recipe, SINGLE, [Told(one, 8.048) for one in hkl])
    assert before or (not polarization and len(hkl) > 1)
    after = said(hkl, polarization=polarization)
    assert [text for text in after if "would tell" in text] == [
        text for text in before if "would tell" in text
    ]
    told = [Told(one, 8.048) for one in hkl]
    named = [tuple(one["add"]) for one in json.loads(lacking_record(SINGLE, told))]
    assert named == [tuple(map(list, one.add)) for one in lacks(SINGLE, told)]


def test_a_polarization_below_its_error_is_not_blamed_on_the_reflections():
    every = ((0, 0, 1), (0, 0, 2), (1, 0, 3), (1, 0, 4))
    (text,) = said(every, unknown=(True, False))
    assert "along x is smaller than its own error" in text
    assert said(every, unknown=(False, False)) == ()


@pytest.mark.parametrize(
    ("hkl", "mixed"),
    [
        (((0, 0, 2), (2, 0, 2)), ()),  # even l hardly feel the polarization
        (((0, 0, 1), (1, 0, 3)), (0,)),
        (((1, 0, 3), (-1, 0, 3)), (0, 1)),
        (((0, 0, 1), (0, 0, 2), (1, 0, 3), (1, 0, 4)), ()),
        (((0, 0, 1),), (1,)),
    ],
)
def test_odd_l_alone_mix_the_displacement_with_the_polarization(hkl, mixed):
    told = [Told(one, 8.048) for one in hkl]
    assert mixed_components(SINGLE, told, axes_told(SINGLE, told)[1]) == mixed
    text = " ".join(lacking_sentences(SINGLE, told, True))
    assert all(f"both stay NaN along {'xz'[i]}" in text for i in mixed)
    assert ("both" in text) == bool(mixed)


def test_missing_orders_are_named_where_the_answer_makes_them_bright_and_nowhere_else():
    hkl = ((0, 0, 2), (1, 0, 3))
    found = orders(SINGLE, hkl)
    bright = found["intensity"].values.copy()
    bright[0, 3] = np.nan  # order 0: the rod hides it
    bright[1, 5, :30] = np.nan  # order +2
    gone = found.assign(intensity=(found["intensity"].dims, bright))
    (text,) = [one for one in said(hkl, told=gone, polarization=False) if "Not measured" in one]
    assert "1 0 3 order +2 (" in text
    assert "0 0 2" not in text
    few = bright.copy()
    few[1, 5, 2:30] = 1.0
    gone = found.assign(intensity=(found["intensity"].dims, few))
    assert not [one for one in said(hkl, told=gone, polarization=False) if "Not measured" in one]


@pytest.mark.parametrize(("cost", "words"), [(92.0, "No answer"), (7.0, "widened accordingly"), (1.0, None)])
def test_a_poor_fit_is_said_and_a_hopeless_one_is_no_answer(cost, words):
    found = [text for text in said(((0, 0, 2),), polarization=False, cost=cost) if "chi2" in text]
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_the_reflections_of_a_result_are_those_of_its_orders():
    hkl = ((0, 0, 2), (-1, 0, 3))
    assert reflections_of(orders(SINGLE, hkl)) == tuple(Told(one, 8.048) for one in hkl)


def test_a_component_that_follows_from_equilibrium_is_neither_mixed_nor_missed():
    """001, 002 and 103 tell P_z alone; where the data choose equilibrium, P_x follows from its charges."""
    hkl = ((0, 0, 1), (0, 0, 2), (1, 0, 3))
    told = [Told(one, 8.048) for one in hkl]
    (before,) = lacking_sentences(SINGLE, told, True)
    assert "both stay NaN along x unless the data choose mechanical equilibrium" in before
    assert said(hkl, unknown=(False, False)) == ()
    assert mixed_components(SINGLE, told, np.eye(2)) == ()
    assert mixed_components(SINGLE, told, np.eye(2)[1:]) == (0,)


@pytest.mark.parametrize(
    ("cost", "free", "warned"),
    [(0.6, 9.9, True), (0.6, 1.9, False), (4.0, 7.0, False), (4.0, 9.0, True), (0.6, np.nan, False)],
)
def test_a_fit_that_misses_what_was_held_out_is_warned_of(cost, free, warned):
    every = ((0, 0, 1), (0, 0, 2), (1, 0, 3), (1, 0, 4))
    found = [
        text for text in said(every, cost=cost, free_cost=free, unknown=(False, False)) if "held out" in text
    ]
    assert bool(found) is warned
    assert all(f"free chi2 {free:.1f}" in text for text in found)
