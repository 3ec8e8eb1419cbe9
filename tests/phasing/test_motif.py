"""The motif solver on textures of its own model: recovered, blind where it must be, with honest errors."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.phasing.alignment import align, inverted
from nanotexture.phasing.modes import Modes
from nanotexture.phasing.motif import (
    MotifSettings,
    Rung,
    _Problem,
    _system,
    random_starts,
    shift_direction,
    solve_motif,
    tempered_sigma,
)
from nanotexture.phasing.motif_model import (
    Nuisance,
    ReflectionData,
    displacement_from_coefficients,
    order_intensities,
)
from nanotexture.phasing.outcome import Outcome

C, A, PLANES, ROWS, HIGHEST, POINTS = 4.0, 3.9, 30, 41, 3, 32
SETTINGS = MotifSettings(harmonics=2, polynomials=3, points=POINTS, tolerance=1e-10)
MODES = Modes(2, 3, tuple((np.arange(PLANES) * C).tolist()), 120.0, PLANES * C)
TRUTH_GAP = 0.15


def reflection(h, l, fields=2, substrate=True):  # noqa: E741
    """A reflection (h 0 l) of a film of 30 planes with the rod of a substrate of c = 3.9."""
    qz = 2 * np.pi * l / C + np.linspace(-3.2, 3.2, ROWS) * 2 * np.pi / (PLANES * C)
    kernel = 70 * np.exp(1j * qz[:, None] * np.arange(PLANES) * C)
    rod = 60 * np.exp(-1j * qz * 3.9) / (1 - np.exp(-1j * qz * 3.9 - 1e-2)) if substrate else np.zeros(ROWS)
    g = np.array([2 * np.pi * h / A, 2 * np.pi * l / C])
    shape = 2 * HIGHEST + 1, ROWS
    return ReflectionData(
        orders=torch.arange(-HIGHEST, HIGHEST + 1),
        intensity=torch.zeros(shape, dtype=torch.float64),
        sigma=torch.ones(shape, dtype=torch.float64),
        work=torch.ones(shape, dtype=torch.bool),
        free=torch.zeros(shape, dtype=torch.bool),
        kernel=torch.from_numpy(kernel),
        substrate=torch.from_numpy(rod.astype(complex)),
        qz=torch.from_numpy(qz),
        resolution=0.0,
        g=torch.from_numpy(g if fields == 2 else np.array([np.linalg.norm(g)])),
        scale=0.02,
    )


def planted(fields=2, seed=5, size=0.12):
    """Coefficients (1, f, modes): decreasing with harmonic and polynomial."""
    rng = np.random.default_rng(seed)
    k, m = MODES.index[:, 0], MODES.index[:, 2]
    draw = rng.normal(size=(1, fields, len(k))) / (np.maximum(k, 1) ** 1.5 * (1.0 + m))
    return torch.from_numpy(size * draw * np.where(k == 0, 0.2, 1.0))


def measured(data, coefficients, *, error=0.01, gap=TRUTH_GAP, seed=None):
    """The data with the planted motif's intensities; error relative to sqrt(I I_max), noise if seeded."""
    u = displacement_from_coefficients(coefficients=coefficients, basis=MODES.basis(POINTS))
    zero = torch.zeros(1, dtype=torch.float64)
    made = []
    for i, one in enumerate(data):
        exact = order_intensities(one, u, Nuisance(zero, zero, zero + gap))[0]
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


def fields_of(coefficients):
    return displacement_from_coefficients(coefficients=coefficients, basis=MODES.basis(POINTS)).numpy()


def misfit(found, truth):
    """nrmse after shift and constant."""
    return align(found, truth, allow_inversion=False).nrmse


@pytest.fixture(scope="module")
def exact():
    return measured(THREE, planted())


def test_a_planted_texture_is_recovered_from_a_nearby_start(exact):
    near = planted() + 0.02 * planted(seed=99) / 0.12
    loose = replace(SETTINGS, strain=1.0)  # a wide prior: noise-free data must win
    found = solve_motif(data=exact, modes=MODES, settings=loose.final_only(), start=near, gap=TRUTH_GAP)
    assert misfit(found.displacement.numpy(), fields_of(planted())[0])[0] < 1e-3
    assert float(found.cost) < 1e-4
    assert float(found.gap) == pytest.approx(TRUTH_GAP, abs=1e-3)
    np.testing.assert_allclose(found.log_scale, 0.0, atol=1e-3)
    assert found.outcome == (Outcome.CONVERGED,)
    assert float(found.determined) > 0.99


@pytest.fixture(scope="module")
def from_anywhere(exact):
    seeds = [(0, i) for i in range(10)]
    start = random_starts(MODES, 2, seeds, 2.0 / 5.0)
    return solve_motif(data=exact, modes=MODES, settings=SETTINGS, start=start, gap=0.0)


def test_random_starts_find_the_texture_and_the_cost_tells_which(from_anywhere):
    error = misfit(from_anywhere.displacement.numpy(), fields_of(planted())[0])
    cost = from_anywhere.cost.numpy()
    assert (error < 0.05).sum() >= 2
    assert error[cost.argmin()] < 0.05
    assert cost[error > 0.3].min(initial=np.inf) > 3 * cost.min()


def test_a_wrong_first_gap_is_refined(from_anywhere):
    assert float(from_anywhere.gap[from_anywhere.cost.argmin()]) == pytest.approx(TRUTH_GAP, abs=0.03)


def test_the_cost_does_not_rise_from_start_to_end(exact):
    problem = _Problem(exact, MODES, SETTINGS, TRUTH_GAP)
    start = random_starts(MODES, 2, [(3, i) for i in range(3)], 0.4)
    found = solve_motif(data=exact, modes=MODES, settings=SETTINGS.final_only(), start=start, gap=TRUTH_GAP)
    before = whole_cost(problem, start, torch.zeros(3, 7, dtype=torch.float64))
    after = whole_cost(
        problem,
        found.coefficients,
        torch.cat([found.log_scale, 0 * found.log_scale, found.gap[:, None] - TRUTH_GAP], 1),
    )
    assert (after < before).all()


FINAL = Rung(0.0, 2, 3, 99, 1)


def system(problem, coefficients, rest):
    parameters = torch.cat([coefficients.flatten(1), rest], dim=1)
    return _system(problem, parameters, FINAL)


def whole_cost(problem, coefficients, rest):
    return system(problem, coefficients, rest).cost


@pytest.fixture(scope="module")
def problem(exact):
    return _Problem(exact, MODES, SETTINGS, TRUTH_GAP)


def test_the_gradient_is_half_the_derivative_of_the_cost(problem):
    """Gauss-Newton solves H step = g with g = J^T r, half the gradient of r^T r; prior included."""
    c, rest = planted(seed=8), torch.tensor([[0.05, -0.02, 0.01, 0.0, 0.0, 0.0, 0.1]], dtype=torch.float64)
    found = system(problem, c, rest)
    rng = np.random.default_rng(0)
    for _ in range(5):
        direction = torch.from_numpy(rng.normal(size=(1, problem.size)))
        own, other = direction[:, :-7].unflatten(1, (2, -1)), direction[:, -7:]
        step = 1e-6
        ahead = whole_cost(problem, c + step * own, rest + step * other)
        behind = whole_cost(problem, c - step * own, rest - step * other)
        numeric = float(ahead - behind) / (2 * step)
        assert numeric == pytest.approx(2 * float((found.gradient * direction).sum()), rel=1e-5)


def rolled(coefficients, points):
    """Coefficients of the motif moved by a fraction of its period."""
    k, sign, _ = MODES.index.T
    angle = 2 * np.pi * k * points
    partner = {tuple(row): i for i, row in enumerate(MODES.index.tolist())}
    swap = [partner.get((a, -b, c), i) for i, (a, b, c) in enumerate(MODES.index.tolist())]
    turn = torch.from_numpy(-sign * np.sin(angle) * (k > 0))
    return coefficients * torch.from_numpy(np.cos(angle)) + turn * coefficients[..., swap]


def test_moving_the_motif_along_x_changes_neither_data_nor_prior(problem):
    c, rest = planted(seed=8), torch.tensor([[0.05, -0.02, 0.01, 0.0, 0.0, 0.0, 0.1]], dtype=torch.float64)
    base = float(whole_cost(problem, c, rest))
    for fraction in (0.013, 0.25, 0.77):
        moved = rolled(c, fraction)
        u = fields_of(c)
        np.testing.assert_allclose(
            rolled(c, 5 / POINTS) @ MODES.basis(POINTS).flatten(1),
            np.roll(u, 5, axis=2).reshape(1, 2, -1),
            atol=1e-9,
        )
        assert float(whole_cost(problem, moved, rest)) == pytest.approx(base, rel=1e-6)


def test_the_direction_of_translation_has_no_slope(problem):
    c, rest = planted(seed=8), torch.zeros(1, 7, dtype=torch.float64)
    gradient = system(problem, c, rest).gradient[:, :-7]
    direction = shift_direction(MODES, c)
    assert float(direction.flatten(1).norm()) == pytest.approx(1.0)
    along = abs(float((gradient * direction.flatten(1)).sum()))
    assert along < 1e-6 * float(gradient.norm())
    ahead = (rolled(c, 1e-6) - rolled(c, -1e-6)).flatten(1)
    cosine = float((ahead * direction.flatten(1)).sum() / ahead.norm())
    assert abs(cosine) == pytest.approx(1.0, abs=1e-6)


def test_without_a_substrate_the_inverse_fits_as_well_and_with_one_it_does_not():
    for substrate, same in ((False, True), (True, False)):
        data = measured(tuple(reflection(*hl, substrate=substrate) for hl in HL), planted())
        problem = _Problem(data, MODES, SETTINGS, TRUTH_GAP)
        turned = MODES.project(torch.from_numpy(inverted(fields_of(planted()))))
        rest = torch.zeros(1, 7, dtype=torch.float64)
        one, other = (float(whole_cost(problem, c, rest)) for c in (planted(), turned))
        assert (other == pytest.approx(one, rel=1e-6)) is same
        if not same:
            assert other > 10 * one


def test_standard_errors_are_those_of_repeated_measurements():
    """Low modes of many noisy repeats scatter about the truth by the reported standard error."""
    truth, pulls, costs = planted(), [], []
    wide = replace(SETTINGS, strain=0.2)
    for seed in range(10):
        data = measured(THREE, truth, error=0.03, seed=seed)
        found = solve_motif(data=data, modes=MODES, settings=wide.final_only(), start=truth, gap=TRUTH_GAP)
        back = align(found.displacement.numpy(), fields_of(truth)[0], allow_inversion=False).fields[0]
        goal = fields_of(truth)[0] - fields_of(truth)[0].mean((1, 2), keepdims=True)
        pulls.append((back - goal) / found.displacement_std[0].numpy())
        costs.append(float(found.cost))
    assert np.mean(costs) == pytest.approx(1.0, abs=0.1)
    assert 0.7 < np.sqrt(np.mean(np.square(pulls))) < 1.3


def test_worse_data_give_larger_errors_in_proportion():
    truth, found = planted(), []
    wide = replace(SETTINGS, strain=1.0)
    for error in (0.01, 0.04):
        data = tuple(replace(one, sigma=one.sigma * (error / 0.01)) for one in measured(THREE, truth))
        found.append(
            solve_motif(data=data, modes=MODES, settings=wide.final_only(), start=truth, gap=TRUTH_GAP)
        )
    ratio = found[1].displacement_std / found[0].displacement_std
    assert float(ratio.median()) == pytest.approx(4.0, rel=0.05)


def test_data_that_say_nothing_leave_the_motif_undetermined():
    blind = tuple(replace(one, sigma=one.sigma * 1e6) for one in measured(THREE, planted()))
    found = solve_motif(
        data=blind, modes=MODES, settings=SETTINGS, start=random_starts(MODES, 2, [(0, 0)], 0.4), gap=0.0
    )
    assert found.outcome == (Outcome.NOT_DETERMINED,)
    assert float(found.determined) < 0.01


def test_held_out_values_are_counted_apart_and_do_not_move_the_fit(exact):
    rng = np.random.default_rng(0)
    kept, spoiled = [], []
    for one in exact:
        free = torch.from_numpy(rng.random(one.work.shape) < 0.1)
        kept.append(replace(one, free=free, work=one.work & ~free))
        spoiled.append(replace(kept[-1], intensity=torch.where(free, 3 * one.intensity, one.intensity)))
    start = planted() * 1.05
    runs = [
        solve_motif(data=tuple(data), modes=MODES, settings=SETTINGS.final_only(), start=start, gap=TRUTH_GAP)
        for data in (kept, spoiled)
    ]
    np.testing.assert_array_equal(runs[0].displacement, runs[1].displacement)
    assert float(runs[0].free_cost) < 0.1 < float(runs[1].free_cost)
    nothing = solve_motif(data=exact, modes=MODES, settings=SETTINGS.final_only(), start=start, gap=TRUTH_GAP)
    assert np.isnan(float(nothing.free_cost))


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


def test_random_starts_have_the_asked_size_and_depend_on_their_own_seed_only():
    starts = random_starts(MODES, 2, [(7, i) for i in range(40)], 0.4)
    alone = random_starts(MODES, 2, [(7, 23)], 0.4)
    np.testing.assert_array_equal(starts[23], alone[0])
    size = np.sqrt((fields_of(starts) ** 2).sum(1).mean((1, 2)))
    assert size == pytest.approx(0.4, rel=0.4)
    assert not np.allclose(starts[0], starts[1])


def solved(data, seeds):
    start = random_starts(MODES, 2, seeds, 0.4)
    return solve_motif(data=data, modes=MODES, settings=SETTINGS, start=start, gap=0.0)


def test_the_same_batch_gives_the_same_bits(exact):
    seeds = [(1, i) for i in range(4)]
    one, two = solved(exact, seeds), solved(exact, seeds)
    np.testing.assert_array_equal(one.displacement, two.displacement)
    np.testing.assert_array_equal(one.cost, two.cost)
    np.testing.assert_array_equal(one.displacement_std, two.displacement_std)


def test_a_start_alone_ends_where_it_ends_in_a_batch(exact):
    """To rounding, not to the bit: the recipe fixes the batches, whatever the workers."""
    batch = solved(exact, [(1, i) for i in range(4)])
    good = np.flatnonzero(batch.cost.numpy() < 1)
    assert len(good)
    for i in good:
        alone = solved(exact, [(1, int(i))])
        assert float(misfit(alone.displacement.numpy(), batch.displacement[i].numpy())[0]) < 1e-3


def test_one_reflection_gives_one_field():
    data = measured((reflection(-1, 3, fields=1),), planted(fields=1))
    wide = replace(SETTINGS, strain=1.0)
    near = planted(fields=1) * 1.05
    found = solve_motif(data=data, modes=MODES, settings=wide.final_only(), start=near, gap=TRUTH_GAP)
    assert found.displacement.shape == (1, 1, POINTS, PLANES)
    assert misfit(found.displacement.numpy(), fields_of(planted(fields=1))[0])[0] < 5e-3
    assert found.slope_std.shape == (1, 1, 2, POINTS, PLANES)
