"""From labelled orders of a planted displacement and polarization back to both, through the stages' own settings."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.phasing.alignment import align
from nanotexture.phasing.motif import solve_motif
from nanotexture.phasing.motif_problem import Problem, prior_precision
from nanotexture.phasing.motif_settings import MotifSettings, Schedule
from nanotexture.phasing.pull import Pull
from nanotexture.stages.models import Tie
from nanotexture.stages.motif_data import motif_data
from nanotexture.stages.motif_solve import ModeNumbers, Motifs, batches_of, relaxed, solve_starts

from .planted import GAP, SINGLE, SUPERLATTICE, measured, orders, reference

HKL = ((0, 0, 1), (0, 0, 2), (0, 0, 3), (1, 0, 3), (-1, 0, 3), (1, 0, 1), (2, 0, 2))
HARMONICS, PROFILES, STRAIN = 2, 3, 0.03
DISPLACEMENT = np.array([True, True, False, False])


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """As on a worker; threads that wait for each other make these small products ten times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Planted:
    """Noisy data of a motif that is drawn from its own prior."""

    def __init__(self, film, seed, size, noise=0):
        self.film = film
        self.tie = Tie.LAYERS if film.repeat > 1 else Tie.NONE
        empty = motif_data(orders(film, HKL), reference(film), film, True, self.tie)
        self.unknowns = empty.unknowns(HARMONICS, PROFILES, STRAIN)
        self.equilibrium = empty.equilibrium(self.unknowns)
        problem = Problem(empty.reflections, self.unknowns, MotifSettings(), torch.zeros(1), self.equilibrium)
        self.precision = prior_precision(problem)[: self.unknowns.size, : self.unknowns.size]
        self.coefficients = size * self.draw(seed)
        free = self.unknowns.fields(self.coefficients)
        fields = free if self.equilibrium is None else self.equilibrium.added(free)
        self.fields = fields[0].numpy()
        self.data = self.measured_again(noise)

    def measured_again(self, noise):
        """The solver's data with other noise."""
        return motif_data(
            measured(self.film, HKL, self.fields, seed=noise, tie=self.tie),
            reference(self.film),
            self.film,
            True,
            self.tie,
        )

    def draw(self, seed):
        """Coefficients (1, size) with the prior's covariance."""
        noise = np.random.default_rng(seed).normal(size=self.unknowns.size)
        factor = torch.linalg.cholesky(torch.linalg.inv(self.precision))
        return (factor @ torch.from_numpy(noise))[None]

    def nearby(self, data=None):
        """Found from the truth with a tenth of another motif on top."""
        data = data or self.data
        settings = self.data.settings(HARMONICS, self.unknowns)
        return solve_motif(
            data=data.reflections,
            unknowns=self.unknowns,
            settings=replace(settings, schedule=Schedule.LAST),
            start=self.coefficients + 0.1 * self.draw(99),
            gap=torch.tensor([GAP + 0.1], dtype=torch.float64),
            equilibrium=self.equilibrium,
        )

    def random(self, starts):
        """Solutions of random starts, joined over schedules."""
        seeds = [(0, i) for i in range(starts)]
        return solve_starts(self.data, ModeNumbers(HARMONICS, PROFILES, STRAIN), seeds).solutions

    def scale(self):
        """One size for both displacements and one for both polarizations, (f,)."""
        size = self.fields.var((1, 2))
        return np.sqrt(np.repeat([size[:2].mean(), size[2:].mean()], 2))

    def difference(self, found):
        """Found less planted fields (start, f, x, z) after the best shift along x; displacement up to a constant."""
        back = align(
            found.fields.numpy(),
            self.fields,
            allow_inversion=False,
            constant=DISPLACEMENT,
            scale=self.scale(),
        )
        free = DISPLACEMENT[:, None, None]
        return back.fields - np.where(
            free, self.fields - self.fields.mean((1, 2), keepdims=True), self.fields
        )

    def misfit(self, found):
        """Rms difference of displacement and of polarization over their sizes, (start, 2)."""
        square = (self.difference(found) / self.scale()[:, None, None]) ** 2
        return np.sqrt(square.mean((2, 3)).reshape(-1, 2, 2).mean(2))

    def said(self, found):
        """Reported standard deviation of displacement and of polarization over their sizes, (start, 2)."""
        square = (found.fields_std.numpy() / self.scale()[:, None, None]) ** 2
        return np.sqrt(square.mean((2, 3)).reshape(-1, 2, 2).mean(2))

    def pulls(self, found):
        """Rms over each field of difference over standard deviation, (start, f)."""
        return np.sqrt(((self.difference(found) / found.fields_std.numpy()) ** 2).mean((2, 3)))


@pytest.fixture(scope="module")
def single():
    return Planted(SINGLE, seed=5, size=0.25)


@pytest.fixture(scope="module")
def superlattice():
    return Planted(SUPERLATTICE, seed=7, size=1.2)


LIMITS = {"single": (0.03, 0.25), "superlattice": (0.05, 0.25)}  # of displacement and polarization
HONEST = 1.7  # rms difference of one measurement over the standard deviation that it reports, at most


@pytest.mark.parametrize("name", LIMITS)
def test_displacement_and_polarization_are_recovered_from_nearby(name, request):
    planted = request.getfixturevalue(name)
    assert (planted.equilibrium is not None) is (name == "superlattice")
    found = planted.nearby()
    assert (planted.misfit(found)[0] < LIMITS[name]).all()
    assert (planted.misfit(found)[0] < HONEST * planted.said(found)[0]).all()
    assert 0.8 < float(found.cost) < 1.2
    assert float(found.gap) == pytest.approx(GAP, abs=0.02)
    assert float(found.determined) > 0.9


@pytest.mark.parametrize(("name", "repeats"), [("single", 6), ("superlattice", 3)])
def test_standard_deviations_of_both_are_honest(name, repeats, request):
    """Over several measurements, each field by itself."""
    planted = request.getfixturevalue(name)
    data = [planted.measured_again(noise) for noise in range(repeats)]
    pulls = np.concatenate([planted.pulls(planted.nearby(one)) for one in data])
    mean = np.sqrt((pulls**2).mean(0))
    assert (mean > 0.5).all()  # errors hold a doubt of the elastic constants that the planted film has not
    assert (mean < 1.4).all()


@pytest.mark.parametrize(("name", "starts", "right"), [("single", 8, 6), ("superlattice", 6, 2)])
def test_random_starts_find_both_and_the_cost_tells_which(name, starts, right, request):
    planted = request.getfixturevalue(name)
    found = planted.random(starts)
    misfit = np.concatenate([planted.misfit(one) for one in found])
    cost = np.concatenate([one.cost.numpy() for one in found])
    good = (misfit < LIMITS[name]).all(1)
    assert good.sum() >= right
    assert good[cost.argmin()]
    assert (cost[(misfit > 0.5).any(1)] > 1.2 * cost.min()).all()


def test_a_displacement_in_equilibrium_is_no_prior_of_a_single_film(single):
    assert single.equilibrium is None
    assert [block.number for block in single.unknowns.blocks] == [2, 2]


def test_the_motif_of_the_superlattice_is_that_of_one_repeat_in_equilibrium(superlattice):
    """What the data fix is P: the displacement beside the one in equilibrium is small but for the spacing of the planes."""
    free = superlattice.equilibrium.removed(torch.from_numpy(superlattice.fields[None]))[0, :2]
    assert superlattice.fields.shape[2] == 8
    free = free - free.mean(1, keepdim=True)
    assert float(free.std()) < 0.15 * superlattice.fields[:2].std()
    assert not superlattice.unknowns.blocks[0].judged


@pytest.mark.parametrize("name", LIMITS)
def test_a_motif_is_relaxed_onto_more_modes(name, request):
    """From fields on all planes, on another grid along x, to the same minimum or one just below."""
    planted = request.getfixturevalue(name)
    found = planted.nearby()
    more = relaxed(
        planted.data,
        ModeNumbers(HARMONICS + 1, PROFILES, STRAIN),
        Motifs(planted.data.on_planes(found.fields), np.array([GAP])),
    )
    assert float(more.cost) < float(found.cost) + 0.01
    moved = align(
        more.fields.numpy(), found.fields[0].numpy(), allow_inversion=False, constant=DISPLACEMENT,
        scale=planted.scale(),
    )  # fmt: skip
    assert float(moved.nrmse[0]) < 0.2


def test_starts_take_turns_with_the_schedules_by_their_own_numbers(single):
    def members(seeds, learned=False):
        return [one.members for one in batches_of(single.data, seeds, learned)]

    assert members([(0, i) for i in range(5)]) == [(0, 2, 4), (1, 3)]
    assert members([(0, 3), (0, 8)]) == [(1,), (0,)]
    # half of the starts stay random, of both schedules
    assert members([(0, i) for i in range(8)], learned=True) == [(2, 6), (1, 5), (0, 3, 4, 7)]


def test_first_gaps_depend_on_the_start_and_not_on_its_batch(single):
    all_, some = single.data.first_gaps(range(10)), single.data.first_gaps([7])
    assert float(some[0]) == float(all_[7])
    assert float(all_.std()) > 0.3
    assert float(all_[0]) == GAP


def test_a_prior_with_a_mean_wins_where_it_is_sure_and_changes_nothing_where_it_is_not():
    planted = Planted(SINGLE, seed=1, size=0.5)
    modes, motif = ModeNumbers(HARMONICS, PROFILES, STRAIN), Motifs(planted.fields[None], np.array([GAP]))
    free = relaxed(planted.data, modes, motif)
    size = planted.unknowns.size
    mean = 0.9 * free.coefficients[0]
    unit = torch.eye(size, dtype=torch.float64)
    vague, sure = (
        relaxed(planted.data, modes, motif, pull=Pull.towards(mean, weight * unit)) for weight in (1e-6, 1e12)
    )
    scale = free.coefficients.abs().max()
    assert torch.allclose(vague.coefficients, free.coefficients, atol=1e-3 * float(scale))
    assert torch.allclose(sure.coefficients[0], mean, atol=1e-3 * float(scale))
    assert (sure.own_covariance[0].diagonal() <= 1e-11).all()


def test_between_data_and_a_prior_with_a_mean_the_answer_is_that_of_the_linear_problem():
    planted = Planted(SINGLE, seed=1, size=0.5)
    modes, motif = ModeNumbers(HARMONICS, PROFILES, STRAIN), Motifs(planted.fields[None], np.array([GAP]))
    free = relaxed(planted.data, modes, motif)
    at, covariance = free.coefficients[0], free.own_covariance[0]
    # one standard deviation off: the problem is linear so near to the minimum
    off = at + covariance.diagonal().sqrt()
    chi2 = max(float(free.cost[0]), float(free.free_cost.nan_to_num(0.0)[0]), 0.25)
    data = torch.linalg.inv(covariance) * chi2
    precision = torch.diag(data.diagonal())
    expected = at + torch.linalg.solve(data + precision, precision @ (off - at))
    found = relaxed(planted.data, modes, motif, pull=Pull.towards(off, precision)).coefficients[0]
    far = float((off - at) @ data @ (off - at))
    left = float((found - expected) @ data @ (found - expected))
    assert left < 0.02 * far
