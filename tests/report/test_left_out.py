"""Reflections predicted by the others: what is drawn and said of them."""

from dataclasses import replace

import numpy as np
import pytest
from nanotexture.report import figures
from nanotexture.report.figures_left_out import prediction_text


@pytest.fixture
def left_out(results):
    return results["three"].left_out.isel(temperature=0)


def test_fit_and_prediction_stand_beside_each_other_on_a_logarithmic_axis(left_out):
    ax = figures.left_out_figure(left_out).axes[0]
    drawn = {line.get_label(): line.get_xdata() for line in ax.lines}
    assert ax.get_xscale() == "log"
    np.testing.assert_allclose(drawn["fitted"], left_out["cost_fitted"])
    np.testing.assert_allclose(drawn["predicted by the others"], left_out["cost_left_out"])
    assert [text.get_text() for text in ax.texts][-1] == "worst: n = \N{MINUS SIGN}2"


def test_the_reflection_that_the_others_do_not_foretell_is_named_and_no_other(left_out):
    text = prediction_text(left_out)
    assert "Not foretold: (0\u202f0\u202f4)" in text
    assert "order \N{MINUS SIGN}2" in text
    assert "103" not in text.replace("\u202f", "")


def test_reflections_that_foretell_each_other_are_said_to_agree(left_out):
    alike = left_out.assign(cost_left_out=1.5 * left_out["cost_fitted"])
    assert "agree on one motif" in prediction_text(alike)


def test_no_answer_gives_no_figure(left_out):
    assert figures.left_out_figure(left_out.assign(cost_left_out=np.nan * left_out["cost_fitted"])) is None


@pytest.mark.parametrize(("plan", "there"), [("three", True), ("single", False)])
def test_the_page_has_the_section_only_where_reflections_were_left_out(text, results, plan, there):
    few = replace(results[plan], maps={}, orders={}, clusters=None, solutions=None, truth=None, score=None)
    assert ("Each reflection predicted by the others" in text(few)) == there
