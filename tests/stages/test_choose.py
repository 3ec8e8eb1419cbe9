"""The number of modes: fewest whose free chi2 is as good as the lowest within its error."""

import numpy as np
import pytest
import xarray as xr
from nanotexture.schema import TRIAL, labelled
from nanotexture.stages.invert import better_pilot, choose, pilot_cost
from nanotexture.stages.models import BetterPilotConfig, ChooseConfig


def trial(harmonics, polynomials, free, cost=1.0, points=200):
    values = {
        "harmonics": harmonics,
        "polynomials": polynomials,
        "tie": "layers",
        "cost": cost,
        "free_cost": free,
        "free_points": points,
    }
    return labelled(values, TRIAL)


def pilot(tie, free):
    """What is read of a pilot's solutions, with the free chi2 of each start."""
    free = np.array(free)
    return xr.Dataset(
        {"tie": tie, "cost": ("start", np.where(np.isfinite(free), 0.5, 7.0)), "free_cost": ("start", free)}
    )


def chosen(*trials, tolerance=0.5):
    found = choose(list(trials), [pilot("layers", [2.0])], config=ChooseConfig(tolerance=tolerance))
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


def test_the_trials_and_the_pilots_are_kept_for_the_report():
    pilots = [pilot("none", [98.0, 138.0]), pilot("layers", [1.7, 1.6])]
    found = choose([trial(2, 4, 94.0), trial(3, 4, 1.15)], pilots, config=ChooseConfig())
    np.testing.assert_array_equal(found["trial_harmonics"], [2, 3])
    np.testing.assert_array_equal(found["trial_free_cost"], [94.0, 1.15])
    np.testing.assert_array_equal(found["pilot_tie"], ["none", "layers"])
    np.testing.assert_array_equal(found["pilot_free_cost"], [98.0, 1.6])
    assert found["tie"].item() == "layers"


def test_the_held_out_satellites_choose_between_tied_and_free_displacements():
    free, tied = pilot("none", [1.1, 2.8]), pilot("layers", [5.4, 5.5])
    assert better_pilot([free, tied], config=BetterPilotConfig()) is free
    assert better_pilot([pilot("none", [98.0]), tied], config=BetterPilotConfig()) is tied


def test_of_pilots_that_predict_alike_the_tightest_tie_is_taken():
    layers, mean, free = pilot("layers", [1.02]), pilot("mean", [1.0]), pilot("none", [1.01])
    assert better_pilot([free, mean, layers], config=BetterPilotConfig()) is layers
    assert better_pilot([free, mean, pilot("layers", [1.2])], config=BetterPilotConfig()) is mean


def test_a_pilot_without_held_out_values_is_judged_by_the_fitted_ones():
    nothing = pilot("layers", [np.nan])
    assert pilot_cost(nothing) == 7.0
