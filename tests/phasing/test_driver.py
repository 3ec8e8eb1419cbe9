"""The loop finds a known object, ends in the right outcome and is fixed by its seed."""

import numpy as np
import pytest
from nanotexture.phasing.constraints import Bounds, Data, Support
from nanotexture.phasing.driver import Leg, ShrinkWrap, Stop, random_start, retrieve, undetermined
from nanotexture.phasing.farfield import forward
from nanotexture.phasing.outcome import Outcome
from nanotexture.phasing.solvers import ER, HIO, RAAR

N = 48


def shape_of_object():
    mask = np.zeros((N, N), bool)
    mask[14:32, 15:30] = True
    mask[14:20, 15:20] = False
    return mask


def crystal(seed=0):
    rng, mask = np.random.default_rng(seed), shape_of_object()
    return np.where(mask, (1 + 0.3 * rng.random((N, N))) * np.exp(1j * rng.normal(size=(N, N))), 0)


def data_of(truth, stop=3):
    measured = np.ones(truth.shape, bool)
    c = N // 2
    measured[c - stop // 2 : c + stop // 2 + 1, c - stop // 2 : c + stop // 2 + 1] = False
    return Data.centred(np.abs(forward(truth)), measured, dtype=np.float64)


def likeness(found, truth):
    return np.abs(np.vdot(found, truth)) / np.linalg.norm(found) / np.linalg.norm(truth)


@pytest.mark.parametrize("solver", [HIO(0.9), RAAR(0.9)], ids=repr)
@pytest.mark.parametrize("start", [0, 1])
def test_a_known_object_behind_a_beam_stop_is_found(solver, start):
    truth = crystal()
    data = data_of(truth)
    found = retrieve(
        random_start(data, seed=3, start=start),
        data=data,
        support=Support(shape_of_object()),
        recipe=[Leg(solver, 600), Leg(ER(), 100)],
    )
    assert found.outcome is Outcome.CONVERGED
    assert found.errors[-1] <= 1e-6
    assert found.iterations < 700
    assert likeness(found.object, truth) > 0.9999
    assert not found.object[~found.support].any()


def test_er_never_raises_the_distance_to_the_data():
    truth = crystal(1)
    data, support = data_of(truth), Support(shape_of_object())
    start = random_start(data, seed=0, start=0)
    found = retrieve(start, data=data, support=support, recipe=[Leg(ER(), 60)], stop=Stop(every=1))
    gaps, x = [], start
    for _ in range(20):
        x = support.project(data.project(x))
        gaps.append(np.linalg.norm(x - data.project(x)))
    assert (np.diff(gaps) <= 1e-9).all()
    assert len(found.errors) == found.iterations
    np.testing.assert_array_equal(found.looks, np.arange(1, found.iterations + 1))


def test_shrink_wrap_finds_a_support_of_the_right_size():
    truth = crystal(2) * 0 + np.where(
        shape_of_object(), 1 + 0.3j * np.random.default_rng(0).random((N, N)), 0
    )
    data = data_of(truth, stop=1)
    wide = np.zeros((N, N), bool)
    wide[10:36, 11:34] = True
    found = retrieve(
        random_start(data, seed=0, start=1),
        data=data,
        support=Support(wide),
        recipe=[Leg(HIO(0.9), 400), Leg(ER(), 100)],
        shrink=ShrinkWrap(every=20, sigma=2.0, sigma_end=0.7, threshold=0.2),
    )
    size = np.count_nonzero(shape_of_object())
    assert size <= np.count_nonzero(found.support) < 1.35 * size < np.count_nonzero(wide)
    assert not (found.support & ~wide).any()


@pytest.mark.parametrize("wait", [0, 30])
@pytest.mark.parametrize("end", [[], [Leg(ER(), 30)]], ids=["solver", "ER"])
def test_shrink_wrap_runs_in_every_leg_but_an_er_at_the_end(end, wait):
    seen = []

    class Counted(ShrinkWrap):
        def shrink(self, estimate, *, within, sigma):
            seen.append(sigma)
            return within

    data = data_of(crystal())
    retrieve(
        random_start(data, seed=0, start=0),
        data=data,
        support=Support(shape_of_object()),
        recipe=[Leg(HIO(0.9), 30), Leg(HIO(0.9), 30), *end],
        shrink=Counted(10, wait=wait),
    )
    # at 10, 20, 30, 40, 50: the one at 60 would change a support that no iteration has used
    assert len(seen) == (3 if wait else 5)


def test_shrink_wrap_of_a_film_moves_in_the_plane_only():
    slab = np.zeros((40, 30), bool)
    slab[:, 10:20] = True
    film = np.zeros((40, 30), complex)
    film[12:25, 10:20] = np.random.default_rng(0).random((13, 10))  # weak voxels must not open holes
    got = ShrinkWrap(axes=(0,), threshold=0.3).shrink(film, within=slab, sigma=1.0)
    columns = got.any(axis=1)
    np.testing.assert_array_equal(got, slab & columns[:, None])
    assert set(np.flatnonzero(columns)) >= set(range(12, 25))
    assert columns.sum() <= 17


def test_an_empty_estimate_keeps_the_allowed_support():
    slab = np.ones((6, 6), bool)
    np.testing.assert_array_equal(
        ShrinkWrap().shrink(np.zeros((6, 6), complex), within=slab, sigma=1.0), slab
    )


def test_shrink_wrap_bounds_the_modulus_by_what_is_typical_inside():
    everywhere = np.ones((20, 20), bool)
    estimate = np.zeros((20, 20), complex)
    estimate[5:15, 5:15] = 2j
    estimate[9, 9] = 9.0  # a spot that no crystal has
    free, bounded = (
        ShrinkWrap(threshold=0.2, bound=bound).around(estimate, within=everywhere, sigma=0.5)
        for bound in (None, 1.05)
    )
    np.testing.assert_array_equal(free.mask, bounded.mask)
    assert np.isinf(free.ceiling)
    assert bounded.ceiling == pytest.approx(1.05 * 2.0)
    assert np.abs(bounded.project(estimate)).max() == pytest.approx(2.1)


def test_too_few_measured_voxels_are_not_determined():
    truth = crystal()
    data, support = data_of(truth), Support(np.ones((N, N), bool))
    found = retrieve(truth, data=data, support=support, recipe=[Leg(HIO(), 50)])
    assert undetermined(data, support)
    assert found.outcome is Outcome.NOT_DETERMINED
    assert found.iterations == 0
    assert not found.outcome.usable


def test_inconsistent_data_stall_and_short_runs_run_out_of_steps():
    rng = np.random.default_rng(0)
    data = Data.centred(rng.random((N, N)), np.ones((N, N), bool))
    start, support = random_start(data, seed=0, start=0), Support(shape_of_object())
    long = retrieve(start, data=data, support=support, recipe=[Leg(ER(), 2000)])
    short = retrieve(start, data=data, support=support, recipe=[Leg(ER(), 25)])
    assert long.outcome is Outcome.STALLED
    assert long.iterations < 2000
    assert short.outcome is Outcome.OUT_OF_STEPS
    assert short.iterations == 25
    assert short.looks[-1] == 25


def test_a_cost_that_still_falls_is_not_called_stalled():
    data = data_of(crystal())
    start, support = random_start(data, seed=0, start=0), Support(shape_of_object())
    settings = Stop(every=1, patience=2, improvement=0.005)
    found = retrieve(start, data=data, support=support, recipe=[Leg(ER(), 10)], stop=settings)
    assert found.errors[9] < 0.995 * found.errors[7]
    assert found.outcome is Outcome.OUT_OF_STEPS


def test_a_further_constraint_is_obeyed_by_the_answer():
    truth = crystal()
    data, bounds = data_of(truth), Bounds(0.0, 1.1)
    start = random_start(data, seed=0, start=0)
    support = Support(shape_of_object())
    found = retrieve(start, data=data, support=support, recipe=[Leg(HIO(), 20)], others=[bounds])
    assert np.abs(found.object).max() <= 1.1 + 1e-9


def test_a_start_is_fixed_by_its_numbers_and_left_unchanged():
    data = data_of(crystal())
    a, b = (random_start(data, seed=1, start=4) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert not np.allclose(a, random_start(data, seed=1, start=5))
    assert not np.allclose(a, random_start(data, seed=2, start=4))
    support = Support(shape_of_object())
    one, two = (retrieve(a, data=data, support=support, recipe=[Leg(HIO(), 30)]) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.object, two.object)


def test_every_outcome_says_what_to_try_in_one_sentence():
    for outcome in Outcome:
        assert outcome.advice.endswith(".")
        assert outcome.advice.count(".") == 1
    assert [str(o) for o in Outcome] == [
        "converged",
        "stalled",
        "out of steps",
        "abandoned",
        "not determined",
    ]
