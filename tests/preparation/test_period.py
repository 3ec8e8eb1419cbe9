"""Planted combs are found, their fractions are not, and noise is no comb."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.preparation.lines import LineShape, MapWindow, line_matrix
from nanotexture.preparation.period import central_line, find_combs, profile_from_map

EXPECTED = 1.6


def comb_map(
    *,
    period,
    width=0.25,
    peak=2e4,
    ratio=0.3,
    offset=0.0,
    diffuse=0.0,
    background=3.0,
    seed=0,
    nz=30,
    lorentz=0.7,
):
    """Counts of a comb of two orders on either side; width of order 1 as a fraction of the spacing."""
    spacing = 2 * np.pi / period
    step = spacing / 16
    qx = EXPECTED + step * np.arange(-56, 57)
    centre = EXPECTED + offset * spacing
    orders = np.arange(-2, 3)
    shape = LineShape(
        centre, spacing, (0.06 * spacing, width * spacing, 1.4 * width * spacing), (0.2, lorentz, lorentz)
    )
    lines = line_matrix(qx, orders, shape) * step
    bright = np.array([0.3 * ratio, ratio, 1.0, 0.9 * ratio, 0.25 * ratio])
    along = np.exp(-0.5 * ((np.arange(nz) - nz / 2) / 5.0) ** 2)
    spread = diffuse * peak * np.exp(-0.5 * ((qx - centre) / (1.3 * spacing)) ** 2) * step / spacing
    expected = ((bright @ lines) * peak + spread)[:, None] * along[None] + background
    counts = np.random.default_rng(seed).poisson(expected).astype(float)
    return MapWindow(
        qx, 4.7 + 0.003 * np.arange(nz), counts, np.maximum(counts, 1), np.ones(counts.shape, bool)
    )


def found_in(map_, period):
    spacing = 2 * np.pi / period
    return find_combs([map_], [EXPECTED], spacing / 3.2, spacing * 3.2)[0]


@given(
    period=st.floats(40, 400),
    width=st.floats(0.1, 0.4),
    peak=st.floats(3.5, 6),
    offset=st.floats(-0.15, 0.15),
    seed=st.integers(0, 100),
)
@settings(max_examples=25, deadline=None)
def test_a_planted_comb_is_found(period, width, peak, offset, seed):
    found = found_in(comb_map(period=period, width=width, peak=10**peak, offset=offset, seed=seed), period)
    assert found is not None
    assert 2 * np.pi / found.spacing == pytest.approx(period, rel=0.02)
    assert found.centre == pytest.approx(
        EXPECTED + offset * 2 * np.pi / period, abs=0.06 * 2 * np.pi / period
    )
    assert found.intensity[1] > 2 * found.intensity[2] > 0


@pytest.mark.parametrize("diffuse", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("period", [80.0, 240.0])
def test_diffuse_scattering_between_satellites_does_not_make_a_fraction_of_the_spacing(period, diffuse):
    found = found_in(comb_map(period=period, diffuse=diffuse, peak=1e5), period)
    assert found is not None
    # its slope pulls the lines inwards by a few percent; the fit of the lines starts from here
    assert 2 * np.pi / found.spacing == pytest.approx(period, rel=0.1)


@pytest.mark.parametrize("diffuse", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_a_film_peak_without_satellites_has_no_comb(diffuse, seed):
    assert found_in(comb_map(period=120.0, ratio=0.0, diffuse=diffuse, seed=seed), 120.0) is None


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_comb(seed):
    assert found_in(comb_map(period=120.0, peak=0.0, background=20.0, seed=seed), 120.0) is None


def test_satellites_stronger_than_the_film_peak_are_a_comb_all_the_same():
    found = found_in(comb_map(period=120.0, ratio=2.5, peak=1e5), 120.0)
    assert found is not None
    assert 2 * np.pi / found.spacing == pytest.approx(120.0, rel=0.03)


def test_gaps_in_the_map_do_not_matter():
    map_ = comb_map(period=120.0, peak=1e5)
    seen = map_.measured.copy()
    seen[:, 10:13] = False
    seen[20:22] = False
    seen[70, :] = False
    counts = np.where(seen, map_.intensity, 0.0)
    found = found_in(MapWindow(map_.qx, map_.qz, counts, map_.variance, seen), 120.0)
    assert found is not None
    assert 2 * np.pi / found.spacing == pytest.approx(120.0, rel=0.02)


def test_the_profile_is_the_mean_over_measured_bright_rows():
    rng = np.random.default_rng(0)
    counts = np.full((40, 20), 2.0)
    counts[:, 8:12] = 50 + rng.integers(0, 5, (40, 4))
    counts[18:22, 8:12] += 1000
    seen = np.ones(counts.shape, bool)
    seen[5, 9] = False
    seen[7] = False
    map_ = MapWindow(np.arange(40.0), np.arange(20.0), np.where(seen, counts, 9e9), counts, seen)
    profile, variance = profile_from_map(map_)
    assert np.isnan(profile[7])
    assert profile[5] == pytest.approx(counts[5, [8, 10, 11]].mean())
    assert profile[20] == pytest.approx(counts[20, 8:12].mean())
    assert variance[20] == pytest.approx(counts[20, 8:12].sum() / 16)


@given(st.floats(-0.02, 0.02), st.floats(0.004, 0.02))
@settings(max_examples=20, deadline=None)
def test_the_central_line_is_where_it_was_put(offset, width):
    qx = np.linspace(-0.2, 0.2, 401)
    profile = 10 + 1000 * np.exp(-4 * np.log(2) * ((qx - offset) / width) ** 2)
    centre, found = central_line(qx, profile, profile, 0.0, 0.1)
    assert centre == pytest.approx(offset, abs=5e-4)
    assert found == pytest.approx(width, abs=2.1e-3)
