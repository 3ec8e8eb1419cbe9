"""The number of modes: fewest whose free chi2 is as good as the lowest within its error."""

import numpy as np
import pytest
from nanotexture.schema import TRIAL, labelled
from nanotexture.stages.invert import choose
from nanotexture.stages.models import ChooseConfig


def trial(harmonics, polynomials, free, cost=1.0, points=200):
    values = {
        "harmonics": harmonics,
        "polynomials": polynomials,
        "cost": cost,
        "free_cost": free,
        "free_points": points,
    }
    return labelled(values, TRIAL)


def chosen(*trials, tolerance=0.5):
    found = choose(list(trials), config=ChooseConfig(tolerance=tolerance))
    return int(found["harmonics"]), int(found["polynomials"])


def test_a_clearly_lower_free_chi2_is_taken_even_with_more_modes():
    assert chosen(trial(2, 4, 94.0), trial(3, 4, 1.15), trial(4, 4, 2.2)) == (3, 4)


def test_of_equals_the_fewest_modes_are_taken():
    assert chosen(trial(2, 3, 1.04), trial(2, 5, 1.0), trial(4, 6, 1.01)) == (2, 3)


@pytest.mark.parametrize("points", [20, 2000])
@pytest.mark.parametrize("tolerance", [0.25, 1.0])
def test_equal_means_within_the_told_share_of_the_standard_error_of_chi2(points, tolerance):
    """chi2 per point of N values has a standard error of sqrt(2 / N)."""
    limit = tolerance * np.sqrt(2 / points)
    rich = trial(4, 6, 1.0, points=points)
    assert chosen(trial(2, 3, 1 + 0.9 * limit, points=points), rich, tolerance=tolerance) == (2, 3)
    assert chosen(trial(2, 3, 1 + 1.1 * limit, points=points), rich, tolerance=tolerance) == (4, 6)


def test_ordinary_chi2_does_not_decide_while_there_is_a_free_one():
    assert chosen(trial(2, 3, 1.0, cost=9.0), trial(5, 6, 3.0, cost=0.1)) == (2, 3)


def test_without_held_out_values_ordinary_chi2_is_all_there_is():
    nothing = float("nan")
    assert chosen(trial(2, 3, nothing, cost=5.0, points=0), trial(3, 3, nothing, cost=1.0, points=0)) == (
        3,
        3,
    )


def test_the_trials_are_kept_for_the_report():
    found = choose([trial(2, 4, 94.0), trial(3, 4, 1.15)], config=ChooseConfig())
    np.testing.assert_array_equal(found["trial_harmonics"], [2, 3])
    np.testing.assert_array_equal(found["trial_free_cost"], [94.0, 1.15])
