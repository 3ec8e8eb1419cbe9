"""What is fitted to one map comes back from its labels as it was put in."""

from dataclasses import astuple

import numpy as np
from nanotexture.preparation.line_shape import LineShape
from nanotexture.preparation.lines import LineFit
from nanotexture.preparation.period import Comb
from nanotexture.preparation.rod_fit import RodFit
from nanotexture.schema import COMBS, labelled
from nanotexture.stages.combs import combs_of, strongest_of
from nanotexture.stages.map_fit import fitted, lines_of, rod_of

RNG = np.random.default_rng(0)


def shape():
    return LineShape(*RNG.random(2), tuple(RNG.random(2)), (*RNG.random(1), np.nan), RNG.random())


def test_line_and_rod_fits_come_back_from_their_labels():
    lines = LineFit(
        shape(), shape(), np.arange(-1, 2), RNG.random((3, 5)), RNG.random((3, 5)), RNG.random((3, 4)),
        RNG.random((4, 5)), 1.5,
    )  # fmt: skip
    rod = RodFit(*RNG.random(9), RNG.random(5), *RNG.random(2))
    found = fitted(lines, rod)
    for expected, back in ((lines, lines_of(found)), (rod, rod_of(found))):
        for one, other in zip(astuple(expected), astuple(back), strict=True):
            flat = [np.hstack(value) if isinstance(value, tuple) else value for value in (one, other)]
            np.testing.assert_array_equal(*flat)


def test_a_map_without_a_comb_has_none_and_the_strongest_is_that_of_the_most_gain():
    columns = {
        name: np.array([0.1 * i, np.nan, i])
        for i, name in enumerate(("centre", "spacing", "width0", "width1"), 1)
    }
    columns["gain"] = np.array([3.0, np.nan, 30.0])
    values = {**columns, **{f"free_{name}": column for name, column in columns.items()}}
    combs = labelled({"hkl": np.array([[0, 0, 2], [1, 0, 3], [2, 0, 4]]), **values}, COMBS)
    found = dict(combs_of(combs))
    assert found[0, 0, 2] == Comb(0.1, 0.2, 0.1 * 3, 0.4, (), 3.0)
    assert found[1, 0, 3] is None
    assert strongest_of(combs) == found[2, 0, 4]
