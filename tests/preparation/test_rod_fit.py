"""Thickness, c and gap from order 0: planted ones come back, and a gap is known modulo 2 pi / q."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.materials import built_in
from nanotexture.film.rod import film_sum_from_thickness, substrate_sum_from_gap
from nanotexture.preparation.film_peak import film_peak, rod_data, sum_over_orders, thickness_scan_range
from nanotexture.preparation.line_shape import LineShape
from nanotexture.preparation.lines import LineFit
from nanotexture.preparation.rod_fit import (
    LayeredFilm,
    RodData,
    UniformFilm,
    _model,
    _slopes,
    common_gap,
    fit_rod,
    thickness_guess,
)

L, BELOW = 3, 3.905


def measured(
    *, c=4.06, thickness=40 * 4.06, gap=0.2, coherent=0.8, scale=2.0, level=1.0, substrate=True, seed=0
):
    """Order 0 of a slab of constant structure factor with a coherent share, counted; six rows a fringe."""
    step = 2 * np.pi / thickness / 6
    qz = 2 * np.pi * L / c + step * np.arange(-33, 34)
    film = UniformFilm(qz, np.full(len(qz), 70 + 6j))
    rod = (
        (60 + 4j) * substrate_sum_from_gap(qz=qz, c=BELOW, gap=0.0)
        if substrate
        else np.zeros(len(qz), complex)
    )
    flat = film(c, thickness, 0.0)
    bright = scale * np.abs(coherent * flat + rod * np.exp(-1j * qz * gap)) ** 2
    total = bright + scale * (1 - coherent**2) * np.abs(flat) ** 2  # a texture of pure phase keeps the sum
    counts = np.random.default_rng(seed).poisson(bright + level).astype(float)
    near = np.abs(qz - 2 * np.pi * L / BELOW) < 0.01 if substrate else np.zeros(len(qz), bool)
    counts[near] = np.nan
    return RodData(qz, counts, np.maximum(counts, 1.0), total, film, rod)


@pytest.mark.parametrize(("planes", "gap"), [(25, -0.4), (40, 0.2), (70, 0.2), (70, -0.4)])
def test_planted_thickness_c_and_gap_are_found_with_a_texture_in_order_0(planes, gap):
    c = 4.06
    data = measured(c=c, thickness=planes * c, gap=gap, coherent=0.7)
    found = fit_rod(data, c=c * 1.0005, thicknesses=planes * c * np.linspace(0.9, 1.1, 9))
    assert found.thickness == pytest.approx(planes * c, abs=2 * found.thickness_std)
    assert found.thickness_std < 0.05 * planes * c
    assert found.c == pytest.approx(c, abs=5e-4)
    beat = c / L
    assert (found.gap - gap + beat / 2) % beat - beat / 2 == pytest.approx(0.0, abs=0.02)
    assert found.coherent == pytest.approx(0.7, abs=0.03)
    assert found.scale == pytest.approx(2.0, rel=0.05)
    assert found.chi2 < 1.2


def test_without_a_substrate_the_gap_stays_at_zero():
    data = measured(substrate=False)
    found = fit_rod(data, c=4.06, thicknesses=40 * 4.06 * np.linspace(0.94, 1.06, 5))
    assert found.gap == pytest.approx(0.0, abs=1e-6)
    assert found.thickness == pytest.approx(40 * 4.06, rel=0.02)


def test_one_thickness_is_taken_as_told():
    found = fit_rod(measured(), c=4.06, thicknesses=np.array([40 * 4.06]))
    assert found.thickness == 40 * 4.06
    assert found.thickness_std == 0.0


@pytest.mark.parametrize("layered", [False, True])
def test_the_slopes_of_order_0_are_its_derivatives(layered):
    data = measured()
    if layered:
        heights = 4.06 * np.arange(40) + np.repeat([0.0, 0.1], 20)
        planes = np.exp(-0.01 * np.arange(40)) * np.full((len(data.qz), 1), 70 + 6j)
        data = replace(data, film=LayeredFilm(data.qz, planes, heights, 4.06))
    p = np.array([4.058, 0.1, 0.4, 0.8, 1.0, 4.0, 1.2 * data.step])
    found = _slopes(data, 160.0, p)
    rounding = 1e-16 / 1e-6 * _model(data, 160.0, p).max()
    for i, row in enumerate(found):
        step = 1e-6 * np.eye(7)[i]
        expected = (_model(data, 160.0, p + step) - _model(data, 160.0, p - step)) / 2e-6
        np.testing.assert_allclose(row, expected, atol=1e-4 * np.abs(expected).max() + rounding)


@given(
    gap=st.floats(-1.5, 1.5),
    errors=st.lists(st.floats(0.005, 0.05), min_size=3, max_size=3),
    wraps=st.lists(st.integers(-2, 2), min_size=3, max_size=3),
)
@settings(max_examples=40)
def test_gaps_known_modulo_their_wavelength_agree_on_one(gap, errors, wraps):
    """q of 002, 003 and 005: beats of 2.0, 1.35 and 0.81 angstrom; only the true gap is common."""
    q = 2 * np.pi * np.array([2, 3, 5]) / 4.06
    seen = gap + np.array(wraps) * 2 * np.pi / q
    assert common_gap(seen, np.array(errors), q, 2.03) == pytest.approx(gap, abs=0.01)


def test_one_reflection_alone_gives_the_smallest_gap_that_fits():
    q = np.array([2 * np.pi * 3 / 4.06])
    beat = 2 * np.pi / q[0]
    assert common_gap(np.array([0.3 + beat]), np.array([0.02]), q, 2.03) == pytest.approx(0.3, abs=0.02)


def test_a_reflection_with_a_large_error_hardly_counts():
    q = 2 * np.pi * np.array([3, 3, 3]) / 4.06
    found = common_gap(np.array([0.2, 0.21, -0.4]), np.array([0.01, 0.01, 2.0]), q, 2.03)
    assert found == pytest.approx(0.205, abs=0.02)


@pytest.mark.parametrize("planes", [20, 50, 120])
def test_the_first_thickness_is_that_of_a_slab_with_the_peaks_width(planes):
    c = 4.0
    qz = 2 * np.pi * 2 / c + np.linspace(-0.3, 0.3, 3001)
    total = np.abs(film_sum_from_thickness(qz=qz, c=c, thickness=planes * c)) ** 2
    assert thickness_guess(qz, total) == pytest.approx(planes * c, rel=0.03)
    total[0] = np.nan
    assert thickness_guess(qz, total) == pytest.approx(planes * c, rel=0.03)


def test_a_layered_film_stretches_as_one():
    qz = np.linspace(4.5, 4.8, 11)
    heights = np.array([0.0, 3.9, 7.9, 12.0])
    factors = np.random.default_rng(0).normal(size=(11, 4)) + 40
    film = LayeredFilm(qz, factors.astype(complex), heights, 4.0)
    explicit = (factors * np.exp(1j * np.outer(qz, heights * 1.01))).sum(1)
    np.testing.assert_allclose(film(4.04, 99.0, 3.0), explicit, rtol=1e-12)


# From line fit to rod.


def config(**more):
    layer = LayerConfig(material=built_in("PbTiO3"), cells=more.pop("cells", None), c=more.pop("c", None))
    return FilmConfig(in_plane=3.905, layers=(layer,), **more)


def line_fit(intensity):
    shape = LineShape(0.0, 0.05, (0.01, 0.01), (0.5, 0.5))
    return LineFit(
        shape,
        shape,
        np.array([-1, 0, 1]),
        intensity,
        np.maximum(intensity, 1),
        np.zeros((3, 1)),
        np.zeros((1, 1)),
        1.0,
    )


def test_an_order_beyond_the_map_is_taken_from_its_mirror():
    intensity = np.array([[np.nan, 2.0, 3.0], [10.0, np.nan, 30.0], [5.0, 6.0, -7.0]])
    np.testing.assert_allclose(sum_over_orders(line_fit(intensity)), [20.0, np.nan, 26.0])


def test_the_film_peak_is_not_the_substrates():
    qz = np.linspace(4.4, 5.0, 601)
    below = 2 * np.pi * 3 / 3.905
    total = 1e6 * np.exp(-0.5 * ((qz - below) / 0.01) ** 2) + 1e3 * np.exp(-0.5 * ((qz - 4.60) / 0.02) ** 2)
    film = config(substrate=SubstrateConfig(material=built_in("SrTiO3"), c=3.905))
    assert film_peak(qz, total, film, 3, 0.12) == pytest.approx(4.60, abs=2e-3)
    assert film_peak(qz, total, config(), 3, 0.12) == pytest.approx(below, abs=2e-3)


def test_the_thicknesses_tried_are_those_that_the_recipe_leaves_open():
    qz = np.linspace(4.3, 4.9, 601)
    total = np.abs(film_sum_from_thickness(qz=qz, c=4.1, thickness=164.0)) ** 2
    told = thickness_scan_range(config(thickness=200.0), 4.1, qz, total)
    assert (told.min(), told.max()) == pytest.approx((188.0, 212.0))
    cells = thickness_scan_range(config(cells=50, c=4.1), 4.1, qz, total)
    assert np.median(cells) == pytest.approx(205.0)
    free = thickness_scan_range(config(), 4.1, qz, total)
    assert free.min() < 0.85 * 164 < 1.2 * 164 < free.max()


def test_the_rod_of_a_stack_is_its_kernel():
    layers = tuple(
        LayerConfig(material=built_in(m), cells=3, c=c) for m, c in (("SrTiO3", 3.9), ("PbTiO3", 4.1))
    )
    film = FilmConfig(in_plane=3.905, layers=layers, repeat=2)
    qz = np.linspace(4.5, 4.9, 9)
    data = rod_data(qz=qz, fit=line_fit(np.ones((3, 9))), film=film, hkl=(1, 0, 3), energy_kev=8.048, c=4.0)
    from nanotexture.film.kernel import plane_kernel

    kernel = plane_kernel(stack=film.stack(c=4.0, thickness=0.0), hkl=(1, 0, 3), qz=qz, energy_kev=8.048)
    np.testing.assert_allclose(
        data.film(film.stack(c=4.0, thickness=0).mean_c, 0.0, 0.0), kernel.sum(1), rtol=1e-9
    )
    np.testing.assert_array_equal(data.substrate, 0)
