"""Planted combs are found, their fractions are not, and noise is no comb."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.preparation.line_shape import LineShape, line_matrix
from nanotexture.preparation.lines import MapWindow
from nanotexture.preparation.period import (
    REGIONS,
    central_line,
    find_combs,
    highest_order,
    mean_period_error,
    profile_from_map,
    rod_profile,
)

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
    lorentz=st.sampled_from(
        (0.2, 0.7)
    ),  # purely Gaussian ones narrower than 0.12 may be taken for another comb,
)
@settings(max_examples=40)
def test_a_planted_comb_is_found(period, width, peak, offset, seed, lorentz):
    planted = comb_map(period=period, width=width, peak=10**peak, offset=offset, seed=seed, lorentz=lorentz)
    found = found_in(planted, period)
    assert found is not None
    assert 2 * np.pi / found.spacing == pytest.approx(period, rel=0.03)
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
@settings(max_examples=20)
def test_the_central_line_is_where_it_was_put(offset, width):
    qx = np.linspace(-0.2, 0.2, 401)
    profile = 10 + 1000 * np.exp(-4 * np.log(2) * ((qx - offset) / width) ** 2)
    centre, found = central_line(qx, profile, profile, 0.0, 0.1)
    assert centre == pytest.approx(offset, abs=5e-4)
    assert found == pytest.approx(width, abs=2.1e-3)


PERIOD = 120.0
SPACING = 2 * np.pi / PERIOD


def inclined_map(
    *, rod=60.0, satellites=3000.0, shift=6, highest=2, offset=0.0, width=0.12, lorentz=0.7, nz=60, seed=0
):
    """A laminate's map: order 0 a rod in all rows, orders +-n bright in few, n times `shift` rows from the middle.

    rod, satellites: counts in the brightest voxel of a row.
    """
    step = SPACING / 16
    qx = EXPECTED + step * np.arange(-80, 81)
    centre = EXPECTED + offset * SPACING
    rows = np.arange(nz) - nz / 2
    orders = np.arange(-highest, highest + 1)
    widths = (0.06 * SPACING, *(width * SPACING * np.sqrt(n) for n in range(1, highest + 1)))
    lines = line_matrix(qx, orders, LineShape(centre, SPACING, widths, (0.2, *(lorentz,) * highest)))
    lines /= lines.max(axis=1, keepdims=True)
    expected = np.full((len(qx), nz), 2.0)
    for n, line in zip(orders, lines, strict=True):
        bell = np.exp(-0.5 * ((rows - n * shift) / 2.0) ** 2)
        expected += line[:, None] * (satellites / n**2 * bell if n else rod)
    counts = np.random.default_rng(seed).poisson(expected).astype(float)
    qz = 4.7 + 0.003 * np.arange(nz)
    return MapWindow(qx, qz, counts, np.maximum(counts, 1), np.ones(counts.shape, bool))


@pytest.mark.parametrize("offset", [-0.1, 0.0, 0.15])
@pytest.mark.parametrize("satellites", [300.0, 3000.0, 30_000.0])
@pytest.mark.parametrize("lorentz", [0.0, 0.7])
def test_a_comb_whose_order_0_is_not_its_strongest_line_is_found_about_the_rod(satellites, offset, lorentz):
    """Satellites outshine the rod in the profile; that it is there in every row tells it."""
    map_ = inclined_map(satellites=satellites, offset=offset, lorentz=lorentz)
    profile, _ = profile_from_map(map_)
    found = find_combs([map_], [EXPECTED], SPACING / 3.2, SPACING * 3.2)[0]
    assert found is not None
    assert found.centre == pytest.approx(EXPECTED + offset * SPACING, abs=0.05 * SPACING)
    assert found.spacing == pytest.approx(SPACING, rel=0.03)
    strongest = map_.qx[int(np.nanargmax(profile))]
    if satellites > 1000:
        assert abs(strongest - found.centre) > 0.8 * SPACING


def test_a_rod_along_all_rows_outdoes_satellites_in_a_few():
    map_ = inclined_map(rod=60.0, satellites=30_000.0)
    rod = rod_profile(map_)
    assert map_.qx[int(np.nanargmax(rod))] == pytest.approx(EXPECTED, abs=0.05 * SPACING)
    seen = map_.measured.copy()
    seen[3] = False
    seen[:, 20:40] = False
    counts = np.where(seen, map_.intensity, 0.0)
    gaps = rod_profile(MapWindow(map_.qx, map_.qz, counts, map_.variance, seen))
    assert np.isnan(gaps[3])
    assert map_.qx[int(np.nanargmax(gaps))] == pytest.approx(EXPECTED, abs=0.05 * SPACING)


def test_of_lines_that_are_nearly_as_strong_the_nearest_to_where_order_0_is_expected_is_it():
    qx = np.linspace(-0.2, 0.2, 401)

    def lines(beside):
        return 10 + sum(h * np.exp(-(((qx - at) / 0.006) ** 2)) for at, h in ((0.01, 900), (0.08, beside)))

    for beside, centre in ((1000, 0.01), (1500, 0.08)):
        profile = lines(beside)
        assert central_line(qx, profile, profile, 0.0, 0.1)[0] == pytest.approx(centre, abs=1e-3)
    profile = lines(9000)
    assert central_line(qx, profile, profile, 0.0, 0.05)[0] == pytest.approx(0.01, abs=1e-3)  # out of reach


def test_all_maps_have_one_spacing():
    """A map whose own satellites are weak takes that of the others, and one without any has no comb."""
    clear, weak, none = (
        comb_map(period=PERIOD, peak=peak, ratio=ratio, seed=seed)
        for peak, ratio, seed in ((1e5, 0.3, 0), (2e3, 0.3, 1), (1e4, 0.0, 2))
    )
    found = find_combs([weak, clear, none], [EXPECTED] * 3, SPACING / 3.2, SPACING * 3.2)
    assert found[2] is None
    assert found[0].spacing == found[1].spacing == pytest.approx(SPACING, rel=0.02)
    assert found[1].gain > found[0].gain


@pytest.mark.parametrize("highest", [1, 2, 3])
def test_the_highest_order_may_be_bright_in_rows_of_its_own_only(highest):
    """Inclined walls put order n at heights that no other order shares, where the profile over bright rows hardly sees it."""
    map_ = inclined_map(highest=highest, shift=8, satellites=2000.0)
    assert highest_order(map_, centre=EXPECTED, spacing=SPACING) == highest


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_no_order_and_there_is_at_least_one(seed):
    dark = inclined_map(highest=1, satellites=0.0, seed=seed)
    assert highest_order(dark, centre=EXPECTED, spacing=SPACING) == 1
    bright = inclined_map(highest=2, shift=8, satellites=2000.0, seed=seed)
    assert highest_order(bright, centre=EXPECTED, spacing=SPACING) == 2


def test_an_order_that_lies_outside_the_map_is_not_asked_for():
    map_ = inclined_map(highest=3, satellites=5000.0)
    near = np.abs(map_.qx - EXPECTED) < 2.5 * SPACING
    cut = MapWindow(map_.qx[near], map_.qz, map_.intensity[near], map_.variance[near], map_.measured[near])
    assert highest_order(cut, centre=EXPECTED, spacing=SPACING) == 2


@pytest.mark.parametrize(("step", "coherent"), [(0.06, 8.0), (0.02, 20.0), (0.15, 8.0)])
def test_the_mean_period_of_as_many_regions_scatters_by_the_error_that_is_told(step, coherent):
    """coherent: standard deviation of a region's amplitude in periods; what a line's place follows is its square."""
    rng = np.random.default_rng(0)
    period, trials = 117.0, 400
    j = np.arange(-5 * int(coherent), 5 * int(coherent) + 1)
    weight = np.exp(-((j / coherent) ** 2))
    lengths = period * (1 + step * rng.normal(size=(trials, int(REGIONS), len(j))))
    means = ((lengths * weight).sum(2) / weight.sum()).mean(1)
    told = mean_period_error(
        period=period,
        coherent=2.3548 / (np.sqrt(2) * coherent * period),
        disorder=2 * np.pi * step**2 * 2 * np.pi / period,
    )
    assert told == pytest.approx(means.std(), rel=0.1)
