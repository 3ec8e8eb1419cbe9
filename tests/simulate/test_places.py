"""Places of a wandering texture: unit lines, the closed forms of both kinds of disorder, limits."""

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.simulate.places import Disorder, place_products, texture_phases, window_amplitudes
from scipy.optimize import curve_fit
from scipy.special import voigt_profile

A, PERIOD = 4.0, 120.0
Q0 = 2 * np.pi / PERIOD


def lines(disorder, harmonics, dq, seed=1):
    """Mean |B_h|^2 (dq, H)."""
    products = place_products(
        dq=dq, harmonics=np.array(harmonics), period=PERIOD, in_plane=A, disorder=disorder, seed=seed
    )
    return np.einsum("qhh->qh", products).real


@pytest.mark.parametrize("window", ["gaussian", "flat"])
@pytest.mark.parametrize("told", [{}, {"cumulative": 0.15}, {"jitter": 0.1}])
def test_every_line_holds_unit_area_whatever_the_disorder(window, told):
    disorder = Disorder(coherence=500.0, window=window, places=4, **told)
    zone = 2 * np.pi / A * np.arange(2000) / 2000
    area = lines(disorder, [0, 1, -3], zone).mean(axis=0) * 2 * np.pi / A
    np.testing.assert_allclose(area, 1.0, rtol=1e-4)


@pytest.mark.parametrize("n", [-2, 1])
def test_an_ideal_texture_has_the_windows_line_at_each_order(n):
    """exp(2 pi i h x / L) exp(i q x) adds up where q = -h 2 pi / L: harmonic -n makes the satellite at +n."""
    disorder = Disorder(coherence=600.0, places=2)
    dq = n * Q0 + np.linspace(-4, 4, 41) * disorder.width
    expected = np.exp(-0.5 * ((dq - n * Q0) / disorder.width) ** 2) / (np.sqrt(2 * np.pi) * disorder.width)
    np.testing.assert_allclose(lines(disorder, [-n], dq)[:, 0], expected, atol=2e-3 * expected.max())


@pytest.mark.parametrize(("n", "sigma"), [(1, 0.05), (2, 0.05), (3, 0.03), (-5, 0.02)])
def test_cumulative_disorder_widens_order_n_to_a_lorentzian_of_half_width_pi_sigma2_n2_q0(n, sigma):
    """Where 2 pi n sigma is small against one: a stretched period narrows the line again beyond (13 % at 0.94)."""
    disorder = Disorder(cumulative=sigma, coherence=40 * PERIOD, places=300)
    width = np.pi * sigma**2 * n**2 * Q0
    dq = n * Q0 + np.linspace(-6, 6, 121) * width
    found = lines(disorder, [-n], dq)[:, 0]
    (half, centre), _ = curve_fit(
        lambda q, half, centre: voigt_profile(q - centre, disorder.width, half), dq, found, p0=(width, n * Q0)
    )
    assert half == pytest.approx(width, rel=0.06)
    assert centre == pytest.approx(n * Q0, abs=0.05 * width + 2e-3 * Q0)


@pytest.mark.parametrize("n", [1, 2])
def test_jitter_costs_order_n_a_debye_waller_factor_and_leaves_its_width(n):
    sigma = 0.06
    disorder = Disorder(jitter=sigma, coherence=30 * PERIOD, places=150)
    ideal = Disorder(coherence=30 * PERIOD, places=1)
    dq = n * Q0 + np.linspace(-3, 3, 61) * disorder.width
    found, full = lines(disorder, [-n], dq)[:, 0], lines(ideal, [-n], dq)[:, 0]
    loss = np.exp(-((2 * np.pi * n * sigma) ** 2))
    core = full > 0.4 * full.max()
    np.testing.assert_allclose(found[core] / full[core], loss, rtol=0.08)


def test_the_intensity_that_jitter_takes_from_the_lines_lies_between_them():
    jittered = lines(
        Disorder(jitter=0.08, coherence=3000.0, places=100), [-1], np.array([0.5, 1.5, 1.8]) * Q0
    )
    ideal = lines(Disorder(coherence=3000.0, places=1), [-1], np.array([0.5, 1.5, 1.8]) * Q0)
    assert (jittered > 1e3 * np.maximum(ideal, 1e-9)).all()


def test_disorder_of_the_texture_leaves_the_lattice_alone():
    dq = np.linspace(-0.5, 0.5, 50) * Q0
    calm = lines(Disorder(coherence=600.0, places=1), [0], dq)
    wild = lines(Disorder(cumulative=0.2, jitter=0.1, coherence=600.0, places=3), [0], dq)
    np.testing.assert_allclose(wild, calm, rtol=1e-4, atol=1e-4)


def test_periods_have_the_mean_and_spread_they_were_told():
    x = np.arange(0.0, 400 * PERIOD, A)
    disorder = Disorder(cumulative=0.1, places=40)
    phases = texture_phases(x=x, period=PERIOD, disorder=disorder, rng=np.random.default_rng(0))
    walls = np.stack([np.interp(np.arange(5, 350), row, x) for row in phases])
    assert np.diff(walls).mean() == pytest.approx(PERIOD, rel=4 * 0.1 / np.sqrt(40 * 345))
    assert np.diff(walls).std() == pytest.approx(0.1 * PERIOD, rel=0.03)


def test_walls_that_jitter_stay_by_their_ideal_places():
    x = np.arange(0.0, 100 * PERIOD, A)
    disorder = Disorder(jitter=0.05, places=40)
    phases = texture_phases(x=x, period=PERIOD, disorder=disorder, rng=np.random.default_rng(0))
    away = phases - x / PERIOD
    away -= away.mean(axis=1, keepdims=True)
    assert away.std() == pytest.approx(0.05, rel=0.03)
    assert away[:, :300].std() == pytest.approx(away[:, -300:].std(), rel=0.15)


def test_the_same_seed_gives_the_same_places():
    told = {"disorder": Disorder(cumulative=0.1, places=3), "harmonics": [1], "dq": np.array([-Q0])}
    assert lines(seed=5, **told) == lines(seed=5, **told)
    assert lines(seed=5, **told) != lines(seed=6, **told)


def test_phases_start_anywhere_in_a_period():
    phases = texture_phases(
        x=np.zeros(1) + 0.0, period=PERIOD, disorder=Disorder(places=4000), rng=np.random.default_rng(0)
    )
    counts, _ = np.histogram(phases % 1.0, 10, (0, 1))
    assert np.abs(counts - 400).max() < 5 * 20


def test_the_windows_amplitudes_are_symmetric_and_end_small():
    x, weight = window_amplitudes(disorder=Disorder(coherence=500.0), in_plane=A)
    np.testing.assert_allclose(weight, weight[::-1])
    np.testing.assert_allclose(x, -x[::-1])
    assert weight[0] < 2e-3 * weight.max()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"cumulative": -0.1}, "disorder.cumulative"),
        ({"jitter": 0.7}, "disorder.jitter.*0.5"),
        ({"coherence": 0.0}, "disorder.coherence.*1200"),
        ({"coherence": np.nan}, "disorder.coherence"),
        ({"places": 0}, "disorder.places"),
    ],
)
def test_disorder_that_cannot_be_is_refused(told, words):
    with pytest.raises(UserError, match=words):
        Disorder(**told)


def test_more_places_than_memory_holds_are_refused_with_numbers_that_work():
    with pytest.raises(UserError, match=r"GB.*coherence = .*work"):
        lines(Disorder(coherence=1e7), [1], np.linspace(0, 1, 1000))
