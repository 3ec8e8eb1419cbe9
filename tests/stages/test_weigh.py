"""Prior widths that the data choose, on planted films: harmonics that are not there stay away."""

import numpy as np
import pytest
import torch
from nanotexture.phasing.motif import MotifSolutions
from nanotexture.stages.motif_data import refolded
from nanotexture.stages.motif_solve import ModeNumbers, Motifs, relaxed, weighed_motif
from nanotexture.stages.weigh import predicts_worse

from .planted import GAP, SINGLE
from .test_planted_motif import HARMONICS, PROFILES, STRAIN, Planted

MANY = ModeNumbers(HARMONICS + 2, PROFILES + 3, STRAIN)


@pytest.fixture(scope="module")
def planted():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Planted(SINGLE, seed=5, size=0.25)
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data(planted):
    """With some satellites held out."""
    return refolded(planted.data, seed=3)


@pytest.fixture(scope="module")
def pair(planted, data):
    motif = Motifs(planted.data.on_planes(torch.from_numpy(planted.fields))[None], np.array([GAP]))
    return weighed_motif(data, MANY, motif)


def test_with_more_harmonics_than_the_texture_has_the_error_falls_by_a_third_and_held_out_satellites_agree(
    planted, pair
):
    before, after = pair
    error, less = (planted.misfit(one.solution)[0] for one in (before, after))
    assert np.all(less < error)
    assert less.mean() < error.mean() / 1.5
    assert float(after.solution.free_cost[0]) < float(before.solution.free_cost[0])
    assert not predicts_worse(before.solution, after.solution)


def test_harmonics_that_were_not_planted_get_the_smallest_widths(pair):
    scale = pair[1].scale.numpy()
    absent, there = scale[:, HARMONICS + 1 :], scale[:, 1 : HARMONICS + 1]
    assert absent.max() < there.min()


def test_the_errors_reported_still_cover_the_truth(planted, pair):
    pulls = planted.pulls(pair[1].solution)
    assert np.all(pulls < 2.0)
    assert 0.3 < pulls.mean() < 1.5


def test_an_answer_relaxed_with_the_scale_that_was_chosen_stays_where_it_is(data, pair):
    after = pair[1]
    motif = Motifs(data.on_planes(after.solution.fields), after.solution.gap.numpy())
    again = relaxed(data, MANY, motif, after.scale.numpy())
    assert float(again.cost[0]) == pytest.approx(float(after.solution.cost[0]), rel=1e-3)


def test_new_widths_are_refused_where_held_out_satellites_speak_against_them(pair):
    before = pair[0].solution
    worse = MotifSolutions(**{**vars(before), "free_cost": before.free_cost * 1.2})
    assert predicts_worse(before, worse)
    nothing = MotifSolutions(**{**vars(before), "free_cost": before.free_cost * float("nan")})
    assert not predicts_worse(before, nothing)
