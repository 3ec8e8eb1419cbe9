"""Satellites integrated over qx: areas, linear elimination and errors against planted maps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.preparation.line_shape import (
    LineShape,
    line_matrix,
    line_slopes,
    lorentzian_width,
    pseudo_voigt_from_width,
    with_weak_order,
)
from nanotexture.preparation.linear_orders import residual_slopes, solve_linear, weighted_problem
from nanotexture.preparation.lines import (
    STEEPEST,
    TAILS,
    MapWindow,
    background_basis,
    covered_rows,
    fit_lines,
    tail_variance,
)
from scipy.integrate import quad
from scipy.special import gamma as gamma_function
from scipy.special import voigt_profile

STEP = 0.002
QX = 1.6 + STEP * np.arange(-100, 101)
QZ = 4.7 + 0.004 * np.arange(24)
SHAPE = LineShape(1.6007, 0.052, (0.004, 0.011, 0.018), (0.1, 0.6, 0.7))
ORDERS = np.arange(-2, 3)


def analytic(q, width, lorentz, tail=1.0):
    """Gaussian and Pearson VII of one FWHM; the latter a Lorentzian at m = (tail + 1) / 2 = 1."""
    sigma = width / (2 * np.sqrt(2 * np.log(2)))
    gauss = np.exp(-0.5 * (q / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    m = 0.5 * (tail + 1)
    root = np.sqrt(2 ** (1 / m) - 1)
    area = 0.5 * width * np.sqrt(np.pi) * gamma_function(m - 0.5) / (gamma_function(m) * root)
    return (1 - lorentz) * gauss + lorentz * (1 + (2 * q * root / width) ** 2) ** -m / area


TAILS_OF_LINES = (0.9, 1.0, 1.7, 3.0, STEEPEST)


@given(st.floats(0.0002, 0.02), st.floats(0, 1), st.floats(1.5, 1.7))
@settings(max_examples=40)
def test_a_line_has_unit_area_whatever_its_width(width, lorentz, centre):
    """Up to the Lorentzian's tails beyond the axis, lorentz * width / (pi * distance) on either side."""
    line = pseudo_voigt_from_width(qx=QX, centre=centre, width=width, lorentz=lorentz)
    beyond = sum(
        lorentz * np.arctan(0.5 * width / d) / np.pi
        for d in (centre - QX[0] + STEP / 2, QX[-1] + STEP / 2 - centre)
    )
    assert line.sum() * STEP == pytest.approx(1 - beyond, abs=1e-9)
    assert (line >= 0).all()


@pytest.mark.parametrize("width", [0.0005, 0.003, 0.02])
@pytest.mark.parametrize("lorentz", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("tail", [1.0, 2.5])
def test_a_line_is_the_voxel_average_of_the_analytic_one(width, lorentz, tail):
    line = pseudo_voigt_from_width(qx=QX, centre=1.6003, width=width, lorentz=lorentz, tail=tail)
    for i in (97, 99, 100, 101, 105):
        edges = QX[i] - STEP / 2 - 1.6003, QX[i] + STEP / 2 - 1.6003
        middle = [0.0] if edges[0] < 0 < edges[1] else None
        area = quad(analytic, *edges, args=(width, lorentz, tail), points=middle, epsabs=1e-12)[0]
        assert line[i] == pytest.approx(area / STEP, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("tail", TAILS_OF_LINES)
@pytest.mark.parametrize("lorentz", [0.0, 0.5, 1.0])
def test_the_width_is_the_full_width_at_half_maximum_whatever_the_tail(tail, lorentz):
    fine = np.linspace(-0.1, 0.1, 20001)
    line = pseudo_voigt_from_width(qx=fine, centre=0.0, width=0.02, lorentz=lorentz, tail=tail)
    above = fine[line >= 0.5 * line.max()]
    assert np.ptp(above) == pytest.approx(0.02, abs=3e-5)


@pytest.mark.parametrize("tail", TAILS_OF_LINES)
def test_a_line_has_unit_area_whatever_its_tail(tail):
    """Up to what lies beyond the axis, which is that of the analytic line."""
    line = pseudo_voigt_from_width(qx=QX, centre=1.61, width=0.01, lorentz=1.0, tail=tail)
    ends = QX[0] - STEP / 2 - 1.61, QX[-1] + STEP / 2 - 1.61
    beyond = sum(
        quad(analytic, *part, args=(0.01, 1.0, tail))[0] for part in ((-np.inf, ends[0]), (ends[1], np.inf))
    )
    assert line.sum() * STEP == pytest.approx(1 - beyond, abs=1e-8)


@pytest.mark.parametrize("tail", [1.0, 2.0, 4.0])
def test_far_out_a_line_falls_as_its_tail_says(tail):
    """As |q|^-(1 + tail)."""
    fine = np.linspace(-2.0, 2.0, 8001)
    line = pseudo_voigt_from_width(qx=fine, centre=0.0, width=0.01, lorentz=1.0, tail=tail)
    at = [int(np.searchsorted(fine, q)) for q in (0.5, 1.0)]
    assert np.log2(line[at[0]] / line[at[1]]) == pytest.approx(1 + tail, abs=0.02)


def planted(peak=3000.0, nz=24):
    """Order intensities (n, nz) in count/angstrom and a background that the basis holds exactly."""
    qz = np.arange(nz)
    bright = np.array([0.05, 0.3, 1.0, 0.25, 0.04])[:, None] * (0.2 + np.exp(-0.5 * ((qz - 11) / 3.0) ** 2))
    x, z = np.linspace(-1, 1, len(QX))[:, None], np.linspace(-1, 1, nz)[None]
    return peak * 0.01 * bright, 6 + 1.5 * x - 2 * z + 0.7 * x * z + 0.5 * x**2


def window(counts, measured=None, variance=None):
    seen = np.ones(counts.shape, bool) if measured is None else measured
    return MapWindow(QX, QZ, counts, np.maximum(counts, 1.0) if variance is None else variance, seen)


def test_the_linear_part_recovers_planted_orders_and_background_exactly():
    orders, ground = planted()
    lines = line_matrix(QX, ORDERS, SHAPE)
    seen = np.random.default_rng(0).random(ground.shape) > 0.2
    map_ = window(lines.T @ orders + ground, seen)
    problem = weighted_problem(
        map_.intensity, background_basis(map_, 2), np.where(seen, 1 / map_.variance, 0.0)
    )
    found = solve_linear(problem, lines)
    np.testing.assert_allclose(found.intensity, orders, rtol=1e-6)
    np.testing.assert_allclose(np.tensordot(found.coefficients, problem.basis, axes=1), ground, atol=1e-5)
    np.testing.assert_allclose(found.residual[seen], 0, atol=1e-5)


def test_the_linear_part_is_one_dense_weighted_least_squares():
    """Schur complement against the normal equations written out; variances too."""
    rng = np.random.default_rng(1)
    nz = 4
    orders, ground = planted(nz=nz)
    lines = line_matrix(QX, ORDERS, SHAPE)
    counts = rng.poisson(lines.T @ orders + ground).astype(float)
    map_ = MapWindow(QX, QZ[:nz], counts, np.maximum(counts, 1), np.ones(counts.shape, bool))
    basis, weight = background_basis(map_, 1), 1 / map_.variance
    found = solve_linear(weighted_problem(map_.intensity, basis, weight), lines)
    columns = []
    for n in range(5):
        for row in range(nz):
            one = np.zeros(counts.shape)
            one[:, row] = lines[n]
            columns.append(one.ravel())
    design = np.stack([*columns, *(b.ravel() for b in basis)], axis=1)
    normal = design.T @ (weight.ravel()[:, None] * design)
    best = np.linalg.solve(normal, design.T @ (weight * counts).ravel())
    np.testing.assert_allclose(found.intensity, best[: 5 * nz].reshape(5, nz), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found.coefficients, best[5 * nz :], rtol=1e-5, atol=1e-5)
    variance = np.diag(np.linalg.inv(normal))[: 5 * nz].reshape(5, nz)
    np.testing.assert_allclose(found.variance, variance, rtol=1e-5)


def shapes_around(shape, change):
    """The shape with centre, log width, logit of the Lorentzian fraction or log tail a little larger and smaller."""
    step = 1e-6
    pair = []
    for sign in (step, -step):
        fraction = np.array(shape.lorentz)
        odds = fraction / (1 - fraction) * np.exp(sign * (change == "lorentz"))
        pair.append(
            LineShape(
                shape.centre + sign * (change == "centre"),
                shape.spacing,
                tuple(np.array(shape.width) * np.exp(sign * (change == "width"))),
                tuple(odds / (1 + odds)),
                shape.tail * np.exp(sign * (change == "tail")),
            )
        )
    return pair, 2 * step


@pytest.mark.parametrize("change", ["centre", "width", "lorentz", "tail"])
def test_the_slopes_of_the_lines_are_their_derivatives(change):
    shape = LineShape(1.6007, 0.052, (0.004, 0.011, 0.018), (0.1, 0.6, 0.7), 1.7)
    (more, less), step = shapes_around(shape, change)
    expected = (line_matrix(QX, ORDERS, more) - line_matrix(QX, ORDERS, less)) / step
    found = getattr(line_slopes(QX, ORDERS, shape), change)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("change", ["centre", "width", "lorentz", "tail"])
def test_the_slopes_of_the_residual_take_along_the_orders_and_the_background(change):
    """Far from the best lines, where the residual is large and a short cut (Kaufman's) would show."""
    orders, ground = planted()
    seen = np.random.default_rng(0).random(ground.shape) > 0.2
    counts = line_matrix(QX, ORDERS, SHAPE).T @ orders + ground
    shape = LineShape(1.603, 0.051, (0.006, 0.013, 0.02), (0.3, 0.5, 0.5), 1.7)
    map_ = window(counts, seen)
    problem = weighted_problem(counts, background_basis(map_, 2), np.where(seen, 1 / map_.variance, 0.0))
    (more, less), step = shapes_around(shape, change)
    two = [solve_linear(problem, line_matrix(QX, ORDERS, one)).residual for one in (more, less)]
    expected = (two[0] - two[1]) / step
    lines, slopes = line_matrix(QX, ORDERS, shape), getattr(line_slopes(QX, ORDERS, shape), change)
    found = residual_slopes(problem, lines, solve_linear(problem, lines), slopes[None])[0]
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


@pytest.fixture(scope="module")
def repeats():
    orders, ground = planted(peak=60_000.0)
    expected = line_matrix(QX, ORDERS, SHAPE).T @ orders + ground
    start = LineShape(1.603, 0.049, (0.006, 0.015, 0.015), (0.5,) * 3)
    rng = np.random.default_rng(3)
    return [fit_lines(window(rng.poisson(expected).astype(float)), start) for _ in range(5)]


def test_planted_lines_are_recovered_within_their_errors(repeats):
    for fit in repeats:
        assert abs(fit.shape.centre - SHAPE.centre) < 3 * fit.shape_std.centre
        assert abs(fit.shape.spacing - SHAPE.spacing) < 3 * fit.shape_std.spacing
        assert fit.shape.spacing == pytest.approx(SHAPE.spacing, rel=5e-3)
        for n in range(3):
            assert abs(fit.shape.width[n] - SHAPE.width[n]) < 3.5 * fit.shape_std.width[n]
        assert fit.shape.width[1] == pytest.approx(SHAPE.width[1], rel=0.08)


def test_line_errors_are_not_far_from_the_scatter(repeats):
    """They hold 3 % of systematic error besides counting noise: at most a few times the scatter."""
    for name in ("centre", "spacing"):
        scatter = np.std([getattr(fit.shape, name) - getattr(SHAPE, name) for fit in repeats])
        said = np.mean([getattr(fit.shape_std, name) for fit in repeats])
        assert 0.5 * scatter < said < 8 * scatter


def test_order_intensities_scatter_by_their_variance(repeats):
    orders, _ = planted(peak=60_000.0)
    pulls = []
    for fit in repeats:
        assert list(fit.orders) == [-3, -2, -1, 0, 1, 2, 3]
        inner = slice(1, -1)
        pulls.append((fit.intensity[inner] - orders) / np.sqrt(fit.variance[inner]))
        assert fit.chi2 < 1.3
        absent = fit.intensity[[0, -1]] / np.sqrt(fit.variance[[0, -1]])
        assert np.sqrt(np.nanmean(absent**2)) < 1.6
    assert np.sqrt(np.nanmean(np.square(pulls))) < 1.3


@pytest.mark.parametrize("tail", [1.0, 2.0, 4.0])
def test_planted_lines_are_recovered_with_their_tails(tail):
    """Steep ones too: a Lorentzian in their place would put a few percent of order 0 under every other order."""
    shape = LineShape(1.6007, 0.052, (0.004, 0.011, 0.018), (0.6, 0.8, 0.8), tail)
    orders, ground = planted(peak=300_000.0)
    orders[2] *= 10.0
    expected = line_matrix(QX, ORDERS, shape).T @ orders + ground
    counts = np.random.default_rng(5).poisson(expected).astype(float)
    fit = fit_lines(window(counts), LineShape(1.603, 0.049, (0.006, 0.015, 0.015), (0.5,) * 3))
    assert abs(fit.shape.spacing - shape.spacing) < 3 * fit.shape_std.spacing
    assert fit.shape.tail == pytest.approx(tail, abs=3 * fit.shape_std.tail)
    assert fit.shape_std.tail < 0.5 * tail
    pulls = (fit.intensity[1:-1] - orders) / np.sqrt(fit.variance[1:-1])
    assert np.sqrt((pulls**2).mean()) < 1.4
    np.testing.assert_allclose(fit.intensity[1:-1].sum(1), orders.sum(1), rtol=0.05)
    assert fit.chi2 < 1.3


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("place", [0.0, 0.3])
@pytest.mark.parametrize("peak", [1e5, 1e7])
def test_an_order_narrower_than_a_voxel_keeps_its_intensity(share, place, peak):
    """Order 0 of a film without faults: all of it lies in one voxel, wherever in it and however bright it is."""
    shape = LineShape(1.6 + place * STEP, 0.052, (share * STEP, 0.011, 0.018), (0.02, 0.6, 0.7))
    orders, ground = planted(peak=peak)
    orders[2] *= 10.0
    expected = line_matrix(QX, ORDERS, shape).T @ orders + ground
    counts = np.random.default_rng(2).poisson(expected).astype(float)
    start = LineShape(1.6 + place * STEP + 0.0003, 0.0518, (2 * STEP, 0.013, 0.016), (0.5,) * 3)
    fit = fit_lines(window(counts), start)
    middle = len(fit.orders) // 2
    assert fit.intensity[middle].sum() == pytest.approx(orders[2].sum(), rel=0.02)
    np.testing.assert_allclose(fit.intensity[middle], orders[2], rtol=0.03)
    for n in (-1, 1):
        found = fit.intensity[middle + n]
        assert found.sum() == pytest.approx(orders[2 + n].sum(), rel=0.05)


def test_orders_outside_the_map_are_not_measured():
    orders, ground = planted(peak=60_000.0)
    counts = (
        np.random.default_rng(0).poisson(line_matrix(QX, ORDERS, SHAPE).T @ orders + ground).astype(float)
    )
    cut = QX > 1.6 - 0.08
    map_ = MapWindow(QX[cut], QZ, counts[cut], np.maximum(counts, 1)[cut], np.ones(counts[cut].shape, bool))
    fit = fit_lines(map_, LineShape(1.6, 0.052, (0.005, 0.012, 0.018), (0.5,) * 3))
    at = {int(n): i for i, n in enumerate(fit.orders)}
    assert np.isnan(fit.intensity[at[-2]]).all()
    assert np.isnan(fit.variance[at[-2]]).all()
    assert np.isfinite(fit.intensity[at[2]]).all()


def test_a_row_counts_as_covered_if_four_fifths_of_the_core_were_measured():
    seen = np.ones((len(QX), len(QZ)), bool)
    core = np.abs(QX - SHAPE.centre - SHAPE.spacing) <= 0.5 * SHAPE.width[1]
    inside = np.flatnonzero(core)
    seen[inside, 3] = False
    seen[inside[0], 5] = False
    seen[inside[: len(inside) // 2], 7] = False
    found = covered_rows(window(np.ones(seen.shape), seen), SHAPE, ORDERS)
    assert list(np.flatnonzero(~found[3])) == [3, 7]
    assert found[[0, 1, 2, 4]].all()


def test_the_weak_order_continues_the_widths_and_nothing_else():
    more = with_weak_order(SHAPE)
    assert (more.centre, more.spacing) == (SHAPE.centre, SHAPE.spacing)
    assert more.width[:3] == SHAPE.width
    assert more.width[3] == pytest.approx(0.018 + 0.007)
    assert len(more.lorentz) == 4
    assert with_weak_order(LineShape(0, 1, (0.1,), (0.5,))).width == (0.1,)
    assert with_weak_order(LineShape(0, 0.01, (0.001, 0.004, 0.1), (0.5,) * 3)).width[3] == pytest.approx(
        0.02
    )
    assert (
        with_weak_order(LineShape(0, 1, (0.001, 0.009, 0.005), (0.5,) * 3)).width[3] == 0.005
    )  # never narrower


def test_a_neighbours_tail_adds_a_quarter_of_what_it_puts_under_an_order():
    lines = line_matrix(QX, ORDERS, SHAPE)
    bright = np.zeros((5, 2))
    bright[2, 0] = 1000.0
    found = tail_variance(lines, bright)
    assert found[2, 0] == 0.0
    np.testing.assert_array_equal(found[:, 1], 0.0)
    share = (lines[3] @ lines[2]) / (lines[3] @ lines[3])  # what a fit of order 1 alone makes of order 0
    assert found[3, 0] == pytest.approx((TAILS * share * 1000) ** 2)
    np.testing.assert_array_equal(tail_variance(lines, -bright), 0.0)


@pytest.mark.parametrize(("gamma", "sigma"), [(0.002, 0.0006), (0.01, 0.004), (0.003, 0.003)])
def test_the_lorentzian_in_a_voigt_line_is_found_from_the_two_widths(gamma, sigma):
    x = np.linspace(-0.1, 0.1, 200_001)
    line = voigt_profile(x, sigma, gamma)
    above = x[line >= 0.5 * line.max()]
    found = lorentzian_width(voigt=above[-1] - above[0], gaussian=2 * np.sqrt(2 * np.log(2)) * sigma)
    assert found == pytest.approx(2 * gamma, rel=0.01)
