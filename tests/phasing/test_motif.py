"""The motif solver on textures of its own model: recovered, blind where it must be, with honest errors."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.phasing.alignment import align, inverted
from nanotexture.phasing.elastic_response import repeating_response
from nanotexture.phasing.equilibrium import Equilibrium
from nanotexture.phasing.modes import Modes, legendre_profiles, repeat_profiles
from nanotexture.phasing.motif import hopeless, solve_motif
from nanotexture.phasing.motif_model import Nuisance, ReflectionData, order_intensities
from nanotexture.phasing.motif_problem import (
    OnRung,
    Problem,
    add_squares,
    prior_precision,
    system,
    tempered_sigma,
)
from nanotexture.phasing.motif_settings import MotifSettings, Rung, Schedule
from nanotexture.phasing.outcome import Outcome
from nanotexture.phasing.unknowns import Block, Unknowns, polar_width, random_starts, strain_width

C, A, PLANES, ROWS, HIGHEST, POINTS = 4.0, 3.9, 30, 41, 3, 32
SETTINGS = MotifSettings(harmonics=2, polynomials=3, tolerance=1e-10)
LAST = replace(SETTINGS, schedule=Schedule.LAST)
MODES = Modes(2, legendre_profiles(z=np.arange(PLANES) * C, number=3, thickness=PLANES * C), 120.0)
TRUTH_GAP = 0.15
SQUARE, INCLINED = np.eye(2)[None], np.array([[[-0.3, 0.95]]])


def unknowns(fields=2, strain=0.03):
    return Unknowns((Block(MODES, fields, strain_width(MODES, fields, strain), 0.4),), POINTS)


def gaps(value, number=1):
    return torch.full((number,), value, dtype=torch.float64)


def reflection(h, l, lift=SQUARE, substrate=True):  # noqa: E741
    """A reflection (h 0 l) of a film of 30 planes with the rod of a substrate of c = 3.9."""
    qz = 2 * np.pi * l / C + np.linspace(-3.2, 3.2, ROWS) * 2 * np.pi / (PLANES * C)
    planes = 70 * np.exp(1j * qz[:, None] * np.arange(PLANES) * C)
    rod = 60 * np.exp(-1j * qz * 3.9) / (1 - np.exp(-1j * qz * 3.9 - 1e-2)) if substrate else np.zeros(ROWS)
    g = np.array([2 * np.pi * h / A, 2 * np.pi * l / C])
    shape = 2 * HIGHEST + 1, ROWS
    along = np.arange(-HIGHEST, HIGHEST + 1)[:, None] * 2 * np.pi / 120.0
    return ReflectionData(
        orders=torch.arange(-HIGHEST, HIGHEST + 1),
        intensity=torch.zeros(shape, dtype=torch.float64),
        sigma=torch.ones(shape, dtype=torch.float64),
        work=torch.ones(shape, dtype=torch.bool),
        free=torch.zeros(shape, dtype=torch.bool),
        weights=torch.ones(len(lift), *shape, dtype=torch.complex128),
        planes=torch.from_numpy(planes).expand(len(lift), ROWS, PLANES),
        lift=torch.from_numpy(np.asarray(lift, float)),
        g=torch.from_numpy(g),
        detuning=torch.from_numpy(np.stack(np.broadcast_arrays(along, (qz - g[1])[None]), -1).copy()),
        substrate=torch.from_numpy(rod.astype(complex)),
        qz=torch.from_numpy(qz),
        resolution=0.0,
        scale=0.02,
    )


def planted(fields=2, seed=5, size=0.12):
    """Coefficients (1, f * modes): decreasing with harmonic and polynomial."""
    rng = np.random.default_rng(seed)
    k, m = MODES.index[:, 0], MODES.index[:, 2]
    draw = rng.normal(size=(1, fields, len(k))) / (np.maximum(k, 1) ** 1.5 * (1.0 + m))
    return torch.from_numpy(size * draw * np.where(k == 0, 0.2, 1.0)).flatten(1)


def measured(data, fields, *, error=0.01, gap=TRUTH_GAP, seed=None):
    """The data with the intensities of fields (1, f, x, z); error relative to sqrt(I I_max), noise if seeded."""
    zero = torch.zeros(1, dtype=torch.float64)
    made = []
    for i, one in enumerate(data):
        exact = order_intensities(one, fields, Nuisance(zero, zero, zero + gap))[0]
        sigma = error * torch.sqrt(exact * exact.max()) + 1e-4 * exact.max()
        noise = 0.0
        if seed is not None:
            noise = torch.from_numpy(np.random.default_rng([seed, i]).normal(size=exact.shape)) * sigma
        made.append(replace(one, intensity=exact + noise, sigma=sigma))
    return tuple(made)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """As on a worker; threads that wait for each other make these small products ten times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


HL = ((0, 2), (1, 3), (-1, 3))
THREE = tuple(reflection(*hl) for hl in HL)


def fields_of(coefficients, fields=2):
    return unknowns(fields).fields(coefficients).numpy()


def misfit(found, truth):
    """nrmse after shift and constant."""
    return align(found, truth, allow_inversion=False).nrmse


@pytest.fixture(scope="module")
def exact():
    return measured(THREE, unknowns().fields(planted()))


def solve(data, start, *, gap=TRUTH_GAP, settings=LAST, strain=0.03):
    number = len(start)
    return solve_motif(
        data=data, unknowns=unknowns(strain=strain), settings=settings, start=start, gap=gaps(gap, number)
    )


def test_a_planted_texture_is_recovered_from_a_nearby_start(exact):
    near = planted() + 0.02 * planted(seed=99) / 0.12
    found = solve(exact, near, strain=1.0)  # a wide prior: noise-free data must win
    assert misfit(found.fields.numpy(), fields_of(planted())[0])[0] < 1e-3
    assert float(found.cost) < 1e-4
    assert float(found.gap) == pytest.approx(TRUTH_GAP, abs=1e-3)
    np.testing.assert_allclose(found.log_scale, 0.0, atol=1e-3)
    assert found.outcome == (Outcome.CONVERGED,)
    assert float(found.determined) > 0.99


@pytest.fixture(scope="module")
def from_anywhere(exact):
    start = random_starts(unknowns(), [(0, i) for i in range(10)])
    return solve(exact, start, gap=0.0, settings=SETTINGS)


def test_random_starts_find_the_texture_and_the_cost_tells_which(from_anywhere):
    error = misfit(from_anywhere.fields.numpy(), fields_of(planted())[0])
    cost = from_anywhere.cost.numpy()
    assert (error < 0.05).sum() >= 2
    assert error[cost.argmin()] < 0.05
    assert cost[error > 0.3].min(initial=np.inf) > 3 * cost.min()


def test_a_wrong_first_gap_is_refined(from_anywhere):
    assert float(from_anywhere.gap[from_anywhere.cost.argmin()]) == pytest.approx(TRUTH_GAP, abs=0.03)


FINAL = Rung(0.0, 9, 9, 99, 1)


def whole_system(problem, coefficients, rest):
    return system(problem, torch.cat([coefficients, rest], dim=1), FINAL)


def whole_cost(problem, coefficients, rest):
    return whole_system(problem, coefficients, rest).cost


def problem_of(data, number=1):
    return Problem(data, unknowns(), SETTINGS, gaps(TRUTH_GAP, number))


def test_the_cost_does_not_rise_from_start_to_end(exact):
    start = random_starts(unknowns(), [(3, i) for i in range(3)])
    found = solve(exact, start)
    problem = problem_of(exact, number=3)
    before = whole_cost(problem, start, torch.zeros(3, 7, dtype=torch.float64))
    rest = torch.cat([found.log_scale, 0 * found.log_scale, found.gap[:, None] - TRUTH_GAP], 1)
    assert (whole_cost(problem, found.coefficients, rest) < before).all()


@pytest.fixture(scope="module")
def problem(exact):
    return problem_of(exact)


REST = torch.tensor([[0.05, -0.02, 0.01, 0.0, 0.0, 0.0, 0.1]], dtype=torch.float64)


def slope_of_cost(problem, c, rest, direction):
    step = 1e-6
    own, other = direction[:, : c.shape[1]], direction[:, c.shape[1] :]
    ahead = whole_cost(problem, c + step * own, rest + step * other)
    behind = whole_cost(problem, c - step * own, rest - step * other)
    return float(ahead - behind) / (2 * step)


def at_g(data):
    """The reflections with Q - G left out, where the Jacobian is exact."""
    return tuple(replace(one, detuning=torch.zeros_like(one.detuning)) for one in data)


def test_the_gradient_is_half_the_derivative_of_the_cost():
    """Gauss-Newton solves H step = g with g = J^T r, half the gradient of r^T r; prior included."""
    problem = problem_of(measured(at_g(THREE), unknowns().fields(planted())))
    c = planted(seed=8)
    found = whole_system(problem, c, REST)
    rng = np.random.default_rng(0)
    for _ in range(5):
        direction = torch.from_numpy(rng.normal(size=(1, problem.size)))
        numeric = slope_of_cost(problem, c, REST, direction)
        assert numeric == pytest.approx(2 * float((found.gradient * direction).sum()), rel=1e-4)


def test_at_the_answer_the_gradient_is_that_of_the_prior(problem):
    """The approximate Jacobian meets no residual there: the minimum does not move by what it leaves out."""
    c, rest = planted(), torch.zeros(1, 7, dtype=torch.float64)
    gradient = whole_system(problem, c, rest).gradient[:, : c.shape[1]]
    np.testing.assert_allclose(gradient, c * problem.unknowns.prior_precision(), atol=1e-8)


def test_the_scales_of_the_reflections_are_tied_to_their_mean():
    """The log of one factor common to three costs its square over flux_prior / sqrt(3), contrasts over scale_prior."""
    precision = prior_precision(problem_of(THREE)).numpy()
    first = unknowns().size
    scales = precision[first : first + 3, first : first + 3]
    common, contrast = np.ones(3), np.array([1.0, -1.0, 0.0])
    assert common @ scales @ common == pytest.approx(3 / SETTINGS.flux_prior**2)
    assert contrast @ scales @ contrast == pytest.approx(2 / SETTINGS.scale_prior**2)
    assert common @ scales @ contrast == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(
        np.diag(precision)[first + 3 :], [SETTINGS.resolution_prior**-2] * 3 + [SETTINGS.gap_prior**-2]
    )


def rolled(coefficients, points):
    """Coefficients of the motif moved by a fraction of its period."""
    c = coefficients.unflatten(1, (2, -1))
    k, sign, _ = MODES.index.T
    angle = 2 * np.pi * k * points
    partner = {tuple(row): i for i, row in enumerate(MODES.index.tolist())}
    swap = [partner.get((a, -b, c), i) for i, (a, b, c) in enumerate(MODES.index.tolist())]
    turn = torch.from_numpy(-sign * np.sin(angle) * (k > 0))
    return (c * torch.from_numpy(np.cos(angle)) + turn * c[..., swap]).flatten(1)


def test_moving_the_motif_along_x_changes_neither_data_nor_prior(problem):
    c = planted(seed=8)
    base = float(whole_cost(problem, c, REST))
    np.testing.assert_allclose(fields_of(rolled(c, 5 / POINTS)), np.roll(fields_of(c), 5, axis=2), atol=1e-9)
    for fraction in (0.013, 0.25, 0.77):
        assert float(whole_cost(problem, rolled(c, fraction), REST)) == pytest.approx(base, rel=1e-6)


def test_the_direction_of_translation_has_no_slope():
    problem = problem_of(measured(at_g(THREE), unknowns().fields(planted())))
    c, rest = planted(seed=8), torch.zeros(1, 7, dtype=torch.float64)
    gradient = whole_system(problem, c, rest).gradient[:, :-7]
    direction = unknowns().shift_direction(c)
    assert float(direction.norm()) == pytest.approx(1.0)
    assert abs(float((gradient * direction).sum())) < 1e-5 * float(gradient.norm())
    ahead = rolled(c, 1e-6) - rolled(c, -1e-6)
    cosine = float((ahead * direction).sum() / ahead.norm())
    assert abs(cosine) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("substrate", "same"), [(False, True), (True, False)])
def test_without_a_substrate_the_inverse_fits_as_well_and_with_one_it_does_not(substrate, same):
    """The inverse has the conjugate psi at the mirrored place, and so the conjugate amplitude where no rod beats with it."""
    data = at_g(tuple(reflection(*hl, substrate=substrate) for hl in HL))
    problem = problem_of(measured(data, unknowns().fields(planted())))
    turned = unknowns().project(torch.from_numpy(inverted(fields_of(planted())[0]))[None])
    rest = torch.zeros(1, 7, dtype=torch.float64)
    one, other = (float(whole_cost(problem, c, rest)) for c in (planted(), turned))
    assert (other == pytest.approx(one, rel=1e-6)) is same
    if not same:
        assert other > 10 * one


def test_standard_errors_are_those_of_repeated_measurements():
    """Low modes of many noisy repeats scatter about the truth by the reported standard error."""
    truth, pulls, costs = planted(), [], []
    goal = fields_of(truth)[0] - fields_of(truth)[0].mean((1, 2), keepdims=True)
    for seed in range(10):
        data = measured(THREE, unknowns().fields(truth), error=0.03, seed=seed)
        found = solve(data, truth, strain=0.2)
        back = align(found.fields.numpy(), fields_of(truth)[0], allow_inversion=False).fields[0]
        pulls.append((back - goal) / found.fields_std[0].numpy())
        costs.append(float(found.cost))
    assert np.mean(costs) == pytest.approx(1.0, abs=0.1)
    assert 0.7 < np.sqrt(np.mean(np.square(pulls))) < 1.3


def test_worse_data_give_larger_errors_in_proportion(exact):
    found = []
    for error in (0.01, 0.04):
        data = tuple(replace(one, sigma=one.sigma * (error / 0.01)) for one in exact)
        found.append(solve(data, planted(), strain=1.0))
    for name in ("fields_std", "slope_std"):
        ratio = getattr(found[1], name) / getattr(found[0], name)
        assert float(ratio.median()) == pytest.approx(4.0, rel=0.05)


def test_the_error_of_a_slope_is_that_of_the_difference_of_two_points(exact):
    """Of a field's own covariance: on a fine grid of harmonics d/dx is the difference of neighbours over their distance."""
    found = solve(exact, planted())
    basis = MODES.basis(POINTS)
    fine, own = MODES.basis(3200), found.covariance[0, : len(MODES.index), : len(MODES.index)]
    for i, k in ((3, 300), (17, 1700)):
        change = (fine[:, k + 1, 12] - fine[:, k - 1, 12]) / (2 * 120.0 / 3200)
        expected = float(torch.sqrt(change @ own @ change))
        assert float(found.slope_std[0, 0, 0, i, 12]) == pytest.approx(expected, rel=1e-4)
        value = basis[:, i, 12]
        assert float(found.fields_std[0, 0, i, 12]) == pytest.approx(float(torch.sqrt(value @ own @ value)))


def test_data_that_say_nothing_leave_the_motif_undetermined(exact):
    blind = tuple(replace(one, sigma=one.sigma * 1e6) for one in exact)
    found = solve(blind, random_starts(unknowns(), [(0, 0)]), gap=0.0, settings=SETTINGS)
    assert found.outcome == (Outcome.NOT_DETERMINED,)
    assert float(found.determined) < 0.01


def test_a_block_that_need_not_be_determined_is_not_judged(exact):
    one = unknowns().blocks[0]
    blind = tuple(replace(r, sigma=r.sigma * 1e6) for r in exact)
    judged, open_ = (replace(one, number=1, width=one.width[i : i + 1], judged=i == 0) for i in (0, 1))
    beside = Unknowns((judged, open_), POINTS)
    sharp = tuple(replace(r, lift=r.lift * torch.tensor([[[1.0], [1e-6]]])) for r in exact)
    start = random_starts(beside, [(0, 0)])
    told = {"unknowns": beside, "settings": LAST, "start": start, "gap": gaps(TRUTH_GAP)}
    assert (
        float(solve_motif(data=sharp, **told).determined) > 0.9
    )  # uz, on which nothing depends, is not judged
    assert float(solve_motif(data=blind, **told).determined) < 0.01


def test_held_out_values_are_counted_apart_and_do_not_move_the_fit(exact):
    rng = np.random.default_rng(0)
    kept, spoiled = [], []
    for one in exact:
        free = torch.from_numpy(rng.random(one.work.shape) < 0.1)
        kept.append(replace(one, free=free, work=one.work & ~free))
        spoiled.append(replace(kept[-1], intensity=torch.where(free, 3 * one.intensity, one.intensity)))
    start = planted() * 1.05
    runs = [solve(tuple(data), start) for data in (kept, spoiled)]
    np.testing.assert_array_equal(runs[0].fields, runs[1].fields)
    assert float(runs[0].free_cost) < 0.1 < float(runs[1].free_cost)
    assert np.isnan(float(solve(exact, start).free_cost))


def test_tempering_vanishes_with_tau(exact):
    one = exact[0]
    np.testing.assert_array_equal(tempered_sigma(one, 0.0), one.sigma)
    excess = [float((tempered_sigma(one, tau) / one.sigma - 1).max()) for tau in (1e-1, 1e-2, 1e-3, 1e-4)]
    assert excess == sorted(excess, reverse=True)
    assert excess[-1] < 1e-2


def test_tempering_is_an_error_of_the_amplitude(exact):
    """I = A^2 with an error d of A has a variance 4 A^2 d^2 at first order, d = tau A_max."""
    one, tau = exact[0], 0.05
    top = one.intensity[one.orders != 0].max()
    extra = tempered_sigma(one, tau) ** 2 - one.sigma**2
    amplitude = one.intensity.sqrt()
    d = tau * top.sqrt()
    np.testing.assert_allclose(extra, (2 * amplitude * d) ** 2 + (2 * d**2) ** 2, rtol=1e-9)


@pytest.mark.parametrize("schedule", Schedule)
def test_every_ladder_ends_with_all_modes_and_the_plain_error(schedule):
    ladder = replace(SETTINGS, harmonics=4, polynomials=6, schedule=schedule).ladder()
    assert (ladder[-1].tau, ladder[-1].harmonics, ladder[-1].polynomials) == (0.0, 4, 6)
    assert ladder[-1].orders > 10
    taus = [rung.tau for rung in ladder]
    assert taus == sorted(taus, reverse=True)
    assert [rung.harmonics for rung in ladder] == sorted(rung.harmonics for rung in ladder)


def solved(data, seeds):
    return solve(data, random_starts(unknowns(), seeds), gap=0.0, settings=SETTINGS)


def test_the_same_batch_gives_the_same_bits(exact):
    seeds = [(1, i) for i in range(4)]
    one, two = solved(exact, seeds), solved(exact, seeds)
    for name in ("fields", "cost", "fields_std"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_a_start_alone_ends_where_it_ends_in_a_batch(exact):
    """Unless it is abandoned beside better ones; to rounding, not to the bit: the recipe fixes the batches."""
    batch = solved(exact, [(1, i) for i in range(4)])
    good = [i for i in range(4) if batch.outcome[i] is not Outcome.ABANDONED]
    assert len(good)
    for i in good:
        alone = solved(exact, [(1, int(i))])
        assert float(misfit(alone.fields.numpy(), batch.fields[i].numpy())[0]) < 1e-3


def test_the_best_of_a_batch_is_found_though_others_are_abandoned_and_say_so(exact):
    """Their cost is the one where they were left: no lower than where they would have ended."""
    sharp = tuple(replace(one, sigma=one.sigma / 10) for one in exact)
    starts = torch.cat([0.95 * planted(), random_starts(unknowns(), [(1, i) for i in range(3)])])

    def ended(members):
        return solve(sharp, starts[members], gap=TRUTH_GAP, settings=SETTINGS)

    batch = ended(range(4))
    left = [i for i in range(4) if batch.outcome[i] is Outcome.ABANDONED]
    assert left
    assert batch.outcome[int(batch.cost.argmin())] is Outcome.CONVERGED
    for i in left:
        alone = ended([i])
        assert float(alone.cost) <= float(batch.cost[i])
        assert int(alone.iterations) > int(batch.iterations[i])
        assert float(alone.cost) > float(batch.cost.min())


@pytest.mark.parametrize(
    ("chi2", "expected"),
    [
        ([0.5], [False]),
        ([0.1, 0.2, 0.9, 1.1], [False, False, False, True]),  # beside 0.1, the middle of the better half
        ([1e-4, 1e-3, 0.05, 0.09], [False] * 4),  # none fits badly yet
        ([3.0, 4.0, 5.0, 20.0], [False] * 4),  # all are lost: none is left out for it
    ],
)
def test_only_starts_far_behind_the_better_half_are_hopeless(chi2, expected):
    assert hopeless(torch.tensor(chi2)).tolist() == expected


def test_one_reflection_gives_one_field():
    one = unknowns(1, strain=1.0)
    data = measured((reflection(-1, 3, lift=INCLINED),), one.fields(planted(fields=1)))
    near = planted(fields=1) * 1.05
    found = solve_motif(data=data, unknowns=one, settings=LAST, start=near, gap=gaps(TRUTH_GAP))
    assert found.fields.shape == (1, 1, POINTS, PLANES)
    assert misfit(found.fields.numpy(), fields_of(planted(fields=1), 1)[0])[0] < 5e-3
    assert found.slope_std.shape == (1, 1, 2, POINTS, PLANES)


CELLS, REPEAT = 8, 8 * C
STIFF = torch.tensor([[175.0], [79.4], [111.1]], dtype=torch.float64).expand(3, CELLS).clone()
TIED = Equilibrium(
    STIFF,
    torch.tensor([[0.089], [-0.026], [0.0675]], dtype=torch.float64).expand(3, CELLS).clone(),
    repeating_response(
        stiffness=STIFF.numpy(), spacings=np.full(CELLS, C), period=120.0, harmonics=POINTS // 2 - 1
    ),
    120.0,
    REPEAT,
    POINTS,
    carrier=Modes(4, repeat_profiles(z=np.arange(CELLS) * C, number=5, repeat=REPEAT), 120.0),
)


def tied_unknowns():
    profiles = repeat_profiles(z=np.arange(CELLS) * C, number=3, repeat=REPEAT)
    displaced, polar = Modes(4, profiles, 120.0), Modes(2, profiles, 120.0, constant=True)
    return Unknowns(
        (
            Block(displaced, 2, polar_width(displaced, 2, 0.002), 0.0, judged=False),
            Block(polar, 2, polar_width(polar, 2, 0.4), 0.3),
        ),
        POINTS,
    )


def tied_problem():
    """Two groups of atoms in a repeat of 8 cells, two repeats."""
    lift = np.array([[[1, 0], [0, 1], [s, 0], [0, t]] for s, t in ((0.1, 0.1), (-0.3, -0.35))])
    data = []
    for h, l in HL:  # noqa: E741
        one = reflection(h, l, lift=lift)
        planes = torch.exp(1j * one.qz[:, None] * torch.arange(CELLS) * C) * 70
        planes = planes * (1 + torch.exp(1j * one.qz * REPEAT))[:, None]
        data.append(replace(one, planes=torch.stack([planes, 0.4 * planes])))
    unknown = tied_unknowns()
    c = torch.from_numpy(np.random.default_rng(4).normal(size=(1, unknown.size)))
    c = c * unknown.prior_precision() ** -0.5 * 0.6
    measured_ = measured(at_g(data), TIED.added(unknown.fields(c)))
    return Problem(measured_, unknown, SETTINGS, gaps(TRUTH_GAP), TIED), c


def test_the_gradient_of_a_tied_displacement_goes_through_its_polarization():
    problem, truth = tied_problem()
    c = truth * 1.1
    found = whole_system(problem, c, REST)
    rng = np.random.default_rng(0)
    for first, last in ((0, problem.unknowns.blocks[0].size), (problem.unknowns.blocks[0].size, len(c[0]))):
        direction = torch.zeros(1, problem.size, dtype=torch.float64)
        direction[:, first:last] = torch.from_numpy(rng.normal(size=(1, last - first)))
        numeric = slope_of_cost(problem, c, REST, direction)
        assert numeric == pytest.approx(2 * float((found.gradient * direction).sum()), rel=1e-2)


def test_the_cost_alone_is_that_of_the_whole_system_on_every_rung():
    """A trial step is judged by the one, and the derivatives it goes on with belong to the other."""
    problem, truth = tied_problem()
    for rung in (Rung(0.3, 1, 1, 1, 1), Rung(0.03, 9, 9, 2, 1), FINAL):
        small, where = problem.on(rung)
        parameters = torch.cat([1.2 * truth, REST + 0.1], dim=1)[:, where]
        fit, every = OnRung(small, rung), torch.arange(1)
        alone = fit.cost(parameters, every)
        assert float(alone) == pytest.approx(float(fit.system(parameters, every).cost), rel=1e-12)


def test_squares_are_added_to_the_lower_triangle():
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 5, 40))).float()
    found = torch.ones(2, 5, 5)
    add_squares(found, rows)
    expected = np.tril((1 + rows @ rows.mT).numpy())
    np.testing.assert_allclose(np.tril(found.numpy()), expected, rtol=1e-5, atol=1e-4)


def test_the_error_of_a_tied_displacement_is_that_of_its_polarization():
    """Covariance through the tie: the scatter of the displacement that draws of the polarization make in equilibrium."""
    problem, truth = tied_problem()
    found = solve_motif(
        data=problem.data, unknowns=problem.unknowns, settings=LAST, start=truth, gap=gaps(TRUTH_GAP),
        equilibrium=TIED,
    )  # fmt: skip
    free, carried = problem.unknowns.blocks[0].size, 2 * len(TIED.carrier.index)
    polar = found.covariance[0, carried:, carried:]
    draws = np.random.default_rng(0).multivariate_normal(np.zeros(len(polar)), polar.numpy(), 400)
    c = found.coefficients.repeat(400, 1)
    c[:, free:] += torch.from_numpy(draws)
    scatter = (TIED.added(problem.unknowns.fields(c))[:, :2]).std(0)
    ratio = found.fields_std[0, :2] / scatter
    assert 0.8 < float(ratio.median()) < 1.5
