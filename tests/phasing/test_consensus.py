"""Planted clusters come back, with the right weights and in the stated order."""

import numpy as np
import pytest
from nanotexture.phasing.alignment import inverted, nrmse, shifted
from nanotexture.phasing.consensus import Grouping, consensus, group, rank_clusters

N_X, N_Z, C = 24, 10, 2


def base(seed):
    rng = np.random.default_rng(seed)
    x, z = np.arange(N_X)[:, None] / N_X, np.linspace(0, 1, N_Z)
    waves = [
        np.cos(2 * np.pi * (k * x - rng.random())) * np.polyval(rng.normal(size=3), z)
        for _ in range(C)
        for k in (1, 2, 3)
    ]
    field = np.array(waves).reshape(C, 3, N_X, N_Z).sum(axis=1)
    return field / field.std(axis=(1, 2), keepdims=True)


def planted(kinds, noise=0.05, seed=0):
    """Fields (start, C, x, z): the motif of each start's kind, moved, half of them inverted, with noise."""
    rng = np.random.default_rng(seed)
    fields = []
    for kind in kinds:
        f = inverted(base(kind)) if rng.random() < 0.5 else base(kind)
        moved = shifted(f, rng.random()) + rng.normal(size=(C, 1, 1))
        fields.append(moved + noise * rng.normal(size=moved.shape))
    return np.array(fields)


def solve(fields, cost, free=None, usable=None, n_free=200, **more):
    n = len(fields)
    return consensus(
        fields,
        cost=cost,
        free_cost=np.ones(n) if free is None else free,
        usable=np.ones(n, bool) if usable is None else usable,
        n_free=n_free,
        allow_inversion=True,
        **more,
    )


KINDS = np.array([1, 2, 1, 3, 2, 1, 1, 2, 3, 1])
COST = np.array([1.0, 2.0, 3.0])[KINDS - 1] + 0.001 * np.arange(10)


def test_planted_clusters_are_recovered_with_their_weights():
    got = solve(planted(KINDS), COST)
    np.testing.assert_array_equal(got.labels, KINDS - 1)
    np.testing.assert_allclose(got.weight, [0.5, 0.3, 0.2])
    np.testing.assert_array_equal(got.representative, [0, 1, 3])
    np.testing.assert_allclose(got.cost, COST[[0, 1, 3]])
    assert got.n_clusters == 3
    np.testing.assert_allclose(got.spread, 0.05 * np.sqrt(2), rtol=0.15)


def test_members_lie_on_their_representative_and_their_scatter_is_the_noise():
    fields = planted(KINDS)
    got = solve(fields, COST)
    for k in range(3):
        for start in np.flatnonzero(got.labels == k):
            assert nrmse(got.aligned[start], got.aligned[got.representative[k]]) < 0.12
    np.testing.assert_allclose(np.sqrt(np.mean(got.std**2, axis=(1, 2, 3))), 0.05, rtol=0.25)
    best = fields[got.representative[0]]
    np.testing.assert_allclose(
        got.aligned[0], best - best.mean(axis=(1, 2), keepdims=True), atol=1e-9
    )  # the answer itself is not moved


def test_the_answer_does_not_depend_on_the_order_of_the_starts():
    fields, order = planted(KINDS), np.random.default_rng(3).permutation(10)
    one, other = solve(fields, COST), solve(fields[order], COST[order])
    np.testing.assert_array_equal(other.labels, one.labels[order])
    np.testing.assert_array_equal(order[other.representative], one.representative)
    np.testing.assert_array_equal(solve(fields, COST).aligned, one.aligned)


def test_failed_starts_have_no_cluster_and_no_weight():
    fields, usable, cost = planted(KINDS), np.ones(10, bool), COST.copy()
    usable[0], cost[1] = False, np.nan
    fields[2] = np.nan
    got = solve(fields, cost, usable=usable)
    assert (got.labels[:3] == -1).all()
    np.testing.assert_allclose(np.sort(got.weight), np.sort([3 / 7, 2 / 7, 2 / 7]))
    assert np.isnan(got.aligned[:3]).all()
    assert np.isfinite(got.aligned[3:]).all()


def test_a_component_that_is_not_determined_does_not_hinder():
    fields = planted(KINDS)
    fields[:, 1] = np.nan
    got = solve(fields, COST)
    np.testing.assert_array_equal(got.labels, KINDS - 1)
    assert np.isnan(got.aligned[:, 1]).all()


def test_one_start_is_one_cluster_without_spread():
    got = solve(planted([1]), [1.0])
    np.testing.assert_array_equal(got.labels, [0])
    assert got.weight[0] == 1.0
    assert np.isnan(got.spread[0])
    assert np.isnan(got.std).all()


@pytest.mark.parametrize("n", [0, 3])
def test_all_failed_is_no_cluster(n):
    fields = np.full((n, C, N_X, N_Z), np.nan)
    got = solve(fields, np.full(n, np.nan), usable=np.zeros(n, bool))
    np.testing.assert_array_equal(got.labels, np.full(n, -1))
    assert got.n_clusters == 0
    assert got.std.shape == (0, C, N_X, N_Z)


@pytest.mark.parametrize("field", [base(1), np.zeros((C, N_X, N_Z))], ids=["motif", "flat"])
def test_all_equal_is_one_cluster(field):
    got = solve(np.stack([field] * 5), np.ones(5))
    np.testing.assert_array_equal(got.labels, np.zeros(5))
    np.testing.assert_allclose(got.spread, 0, atol=1e-7)
    assert got.representative[0] == 0


def test_without_permission_to_invert_the_inverse_is_another_cluster():
    pair = np.stack([base(1), inverted(base(1))])
    shared = {"cost": [1.0, 2.0], "free_cost": [1.0, 1.0], "usable": [True, True], "n_free": 9}
    assert consensus(pair, allow_inversion=True, **shared).n_clusters == 1
    assert consensus(pair, allow_inversion=False, **shared).n_clusters == 2


def test_the_threshold_decides_what_counts_as_the_same():
    fields = planted([1, 1, 1], noise=0.3)
    assert solve(fields, np.ones(3)).n_clusters == 3
    assert solve(fields, np.ones(3), grouping=Grouping(threshold=0.8)).n_clusters == 1
    np.testing.assert_array_equal(group(np.array([[0, 0.1], [0.1, 0]]), threshold=0.25), [0, 0])


@pytest.mark.parametrize(
    ("cost", "free", "n_free", "order"),
    [
        ([3.0, 1.0, 2.0], [1.0, 9.0, 1.0], 200, [1, 2, 0]),  # clear costs: the free chi2 is not asked
        ([1.0, 1.02, 3.0], [2.0, 1.0, 0.1], 200, [1, 0, 2]),  # a tie: the free chi2 decides
        ([1.0, 1.02, 3.0], [1.05, 1.0, 0.1], 200, [0, 1, 2]),  # within its error (10 %) it cannot
        ([1.0, 1.02, 3.0], [1.05, 1.0, 0.1], 200_000, [1, 0, 2]),  # with more points it can
        ([1.0, 1.02], [2.0, 1.0], 0, [0, 1]),  # nothing held out
        ([1.0, 1.02, 1.01], [np.nan, 1.0, 2.0], 200, [1, 2, 0]),  # no free chi2: after those that have one
        ([1.0, 1.02], [np.nan, np.nan], 200, [0, 1]),
        ([], [], 200, []),
    ],
)
def test_clusters_are_ranked_by_cost_and_ties_by_the_free_chi2(cost, free, n_free, order):
    got = rank_clusters(cost=np.array(cost), free_cost=np.array(free), n_free=n_free, tie=0.05)
    np.testing.assert_array_equal(got, order)
