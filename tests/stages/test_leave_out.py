"""A reflection left out and a temperature's neighbour: what a known motif must predict, and where a warm start must end."""

import numpy as np
import pytest
import torch
import xarray as xr
from nanotexture.stages.invert import best_of_batches, invert, warm
from nanotexture.stages.leave_out import leave_out, settle
from nanotexture.stages.models import InvertConfig, LeaveOutConfig, SettleConfig
from nanotexture.stages.motif_data import motif_data

from .planted import GAP, SINGLE, measured, orders, reference

HKL = ((0, 0, 2), (0, 0, 3), (1, 0, 3), (-1, 0, 3), (1, 0, 2), (2, 0, 2))
CHOICE = xr.Dataset({"harmonics": 2, "polynomials": 3, "tie": "none"})
STRAIN = 0.03
NEAR = 0.05  # relative difference of neighbouring temperatures' motifs


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def planted(scale, noise=0):
    """Fields (f, x, planes) of an elastic motif, and its measured orders."""
    empty = motif_data(orders(SINGLE, HKL), reference(SINGLE), SINGLE)
    unknowns = empty.unknowns(2, 3, STRAIN)
    width = unknowns.prior_precision() ** -0.5
    draw = width * torch.from_numpy(np.random.default_rng(3).normal(size=(1, unknowns.size)))
    fields = 0.25 * scale * unknowns.fields(draw)[0].numpy()
    told = measured(SINGLE, HKL, fields, polarization=False, seed=noise)
    return empty.on_planes(torch.from_numpy(fields)), told


@pytest.fixture(scope="module")
def cold():
    return planted(1.0)


def answer(fields, gap=GAP):
    """Clusters whose best motif is the one given."""
    return xr.Dataset({"field": (("cluster", "f", "x", "z"), np.asarray(fields)[None]), "gap": gap})


def predicted(fields, told, left):
    return without(told, answer(fields), left)


def without(told, clusters, left):
    """The answer settled on all reflections, then without one."""
    settled = settle(
        told,
        reference(SINGLE),
        CHOICE,
        clusters,
        config=SettleConfig(film=SINGLE, strain=STRAIN, polarization=False),
    )
    config = LeaveOutConfig(film=SINGLE, strain=STRAIN, polarization=False, left=left)
    return leave_out(told, reference(SINGLE), CHOICE, settled, config=config)


@pytest.mark.parametrize("left", range(len(HKL)))
def test_the_true_motif_foretells_a_reflection_left_out_to_within_its_noise(cold, left):
    found = predicted(*cold, left)
    assert found["hkl"].values.tolist() == list(HKL[left])
    assert 0.7 < float(found["cost_fitted"]) < 1.3
    assert 0.7 < float(found["cost_left_out"]) < 1.6
    assert int(found["points"]) > 30


def test_a_reflection_of_another_motif_is_not_foretold(cold):
    fields, told = cold
    _, other = planted(2.0)
    bright, variance = (told[name].copy() for name in ("intensity", "variance"))
    bright[2], variance[2] = other["intensity"][2], other["variance"][2]
    mixed = told.assign(intensity=bright, variance=variance)
    found = predicted(fields, mixed, 2)
    assert float(found["cost_left_out"]) > 10
    assert float(found["worst_order"]) in told["order"]


def test_no_answer_predicts_nothing(cold):
    _, told = cold
    empty = answer(cold[0]).isel(cluster=slice(0, 0))
    found = without(told, empty, 0)
    assert np.isnan([float(found[name]) for name in ("cost_fitted", "cost_left_out", "worst_order")]).all()


def solved(told, starts):
    config = InvertConfig(film=SINGLE, starts=starts, seed=0, strain=STRAIN)
    return invert(told, reference(SINGLE), CHOICE, config=config)


def warmed(told, nearest, second=()):
    config = InvertConfig(film=SINGLE, starts=(100, 101), seed=0, strain=STRAIN)
    return warm(told, reference(SINGLE), CHOICE, list(nearest), list(second), config=config)


@pytest.fixture(scope="module")
def batches():
    """A cold start of the neighbouring temperature, whose texture is NEAR smaller and whose noise is its own, and its right
    motif."""
    fields, neighbour = planted(1.0 - NEAR, noise=1)
    exact = {
        "field": (("start", "f", "x", "z"), fields[None]),
        "gap": ("start", [GAP]),
        "cost": ("start", [0.0]),
    }
    return [solved(neighbour, (0,)), warmed(neighbour, [xr.Dataset(exact)])]


def test_a_warm_start_from_the_neighbours_motif_costs_no_more_than_the_cold_ones(cold, batches):
    _, here = cold
    own, found = solved(here, (0, 3)), warmed(here, batches)
    assert min(float(one["cost"].min()) for one in batches) < 1.3  # the right motif is among the neighbour's
    assert found["start"].values.tolist() == [100]
    assert float(found["cost"].min()) < 1.01 * float(own["cost"].min())
    assert int(found["iterations"].max()) <= int(own["iterations"].max())
    # the motif it came from does not fit here as it is
    settled = float(best_of_batches(batches).fields.std())
    assert float(found["field"].std()) > (1 + 0.5 * NEAR) * settled


def test_each_neighbour_gives_one_warm_start_from_its_batch_of_lowest_cost(cold, batches):
    _, told = cold
    found = warmed(told, batches, batches)
    assert found["start"].values.tolist() == [100, 101]
    assert found["cost"].values[0] == found["cost"].values[1]
    costs = [one["cost"].values for one in batches]
    best = int(np.argmin([cost.min() for cost in costs]))
    source = batches[best]["field"].values[costs[best].argmin()]
    np.testing.assert_array_equal(best_of_batches(batches).fields[0], source)
