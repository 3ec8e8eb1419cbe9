"""Rows of qz: averaged without loss of intensity or noise, hidden at the substrate's peaks; orders that tell the lean."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.film.config import SubstrateConfig
from nanotexture.stages.motif_rows import (
    LEAST_LEAN,
    LEAST_RESOLUTION,
    MARGIN,
    ROD,
    ROWS,
    SUBSTRATE_PEAK,
    Rows,
    fewer_rows,
    lean_from_rows,
    measured_rows,
    useful_rows,
)

from .planted import SINGLE, SRTIO3, orders

THICKNESS = 60.0
FRINGE = 2 * np.pi / THICKNESS


def rows(per_fringe=20, fringes=12.0, highest=2, seed=0, resolution=0.5):
    """Random positive orders on rows of a film of THICKNESS, all of them fitted; resolution in rows."""
    number = round(fringes * per_fringe)
    qz = 4.0 + FRINGE / per_fringe * np.arange(number)
    rng = np.random.default_rng(seed)
    shape = 2 * highest + 1, number
    return Rows(
        orders=np.arange(-highest, highest + 1),
        qz=qz,
        intensity=rng.uniform(50, 150, shape),
        variance=rng.uniform(1, 9, shape),
        work=np.ones(shape, bool),
        free=np.zeros(shape, bool),
        resolution=resolution * FRINGE / per_fringe,
        from_bragg=np.full(number, np.inf),
        hidden=np.zeros(number, bool),
    )


@given(st.floats(2.0, 90.0), st.integers(0, 100))
@settings(max_examples=40)
def test_as_many_rows_are_averaged_as_leave_enough_in_a_fringe(per_fringe, seed):
    full = rows(per_fringe, seed=seed)
    few = fewer_rows(full, THICKNESS)
    many = round(few.step / full.step)
    left = per_fringe / many
    assert left >= min(ROWS, per_fringe) * (1 - 1e-4)
    assert per_fringe / (many + 1) < ROWS
    assert many * len(few.qz) <= len(full.qz) < many * (len(few.qz) + 1)
    np.testing.assert_allclose(np.diff(few.qz), few.step)


@pytest.mark.parametrize("per_fringe", [20, 25])
def test_fewer_rows_conserve_intensity_noise_and_place(per_fringe):
    """Sums over rows, their variances, first moments; 5 or 7 of them averaged."""
    full = rows(per_fringe, fringes=7.0)
    few = fewer_rows(full, THICKNESS)
    many = round(few.step / full.step)
    assert many * len(few.qz) == len(full.qz)
    np.testing.assert_allclose(many * few.intensity.sum(1), full.intensity.sum(1))
    np.testing.assert_allclose(many**2 * few.variance.sum(1), full.variance.sum(1))
    assert few.qz.mean() == pytest.approx(full.qz.mean(), rel=1e-12)
    draws = full.intensity[0, :many] + np.sqrt(full.variance[0, :many]) * np.random.default_rng(0).normal(
        size=(40_000, many)
    )
    assert draws.mean(1).var() == pytest.approx(few.variance[0, 0], rel=0.05)


@pytest.mark.parametrize("per_fringe", [8, 20, 43])
def test_the_span_of_an_average_adds_its_second_moment_to_the_resolution(per_fringe):
    full = rows(per_fringe)
    few = fewer_rows(full, THICKNESS)
    many = round(few.step / full.step)
    places = np.arange(many) * full.step
    assert few.resolution**2 - full.resolution**2 == pytest.approx(places.var(), rel=1e-9)


def test_coarse_rows_are_kept_as_they_are():
    full = rows(6)
    assert fewer_rows(full, THICKNESS) is full


def test_an_average_is_fitted_where_all_its_rows_are_and_held_out_where_any_is_and_all_are_usable():
    full = rows(20)  # fives
    kind = np.random.default_rng(1).choice(3, p=[0.86, 0.1, 0.04], size=full.work.shape)
    full = replace(full, work=kind == 0, free=kind == 1)
    few = fewer_rows(full, THICKNESS)
    groups = kind[:, : 5 * len(few.qz)].reshape(len(kind), -1, 5)
    lost = (groups == 2).any(-1)
    inner = slice(1, -1)
    np.testing.assert_array_equal(few.work[:, inner], (groups == 0).all(-1)[:, inner])
    np.testing.assert_array_equal(few.free[:, inner], ((groups == 1).any(-1) & ~lost)[:, inner])
    assert not (few.work & few.free).any()
    np.testing.assert_array_equal(few.usable[:, inner], ~lost[:, inner])
    assert not few.usable[:, [0, -1]].any()  # their resolution reaches beyond the rows
    assert few.free.any()
    assert lost.any()


@pytest.mark.parametrize(("per_fringe", "left_out"), [(6, SUBSTRATE_PEAK * 6.0), (40, ROD * FRINGE)])
def test_order_0_leaves_out_the_substrates_bragg_point_and_half_a_fringe_if_rows_are_averaged(
    per_fringe, left_out
):
    full = rows(per_fringe, fringes=40)
    away = np.abs(full.qz - 6.0)
    near = away < SUBSTRATE_PEAK * full.qz
    full = replace(full, from_bragg=away, hidden=near, work=full.work & ~((full.orders == 0)[:, None] & near))
    few = fewer_rows(full, THICKNESS)
    inner = slice(1, -1)
    gap = few.qz[inner][~few.work[2, inner]]
    assert np.ptp(gap) == pytest.approx(2 * left_out, abs=2.1 * few.step)
    assert gap.mean() == pytest.approx(6.0, abs=few.step)
    assert few.work[[0, 1, 3, 4], inner].all()


def test_rows_far_from_the_satellites_are_left_out():
    """Satellites above 3 sigma in the fringe in the middle, MARGIN fringes beside them; order 0 says nothing."""
    full = rows(10, fringes=30.0)
    bell = np.abs(full.qz - full.qz.mean()) < 0.5 * FRINGE
    intensity = np.where(bell | (full.orders == 0)[:, None], 100.0, 0.0)
    near = useful_rows(replace(full, intensity=intensity), THICKNESS)
    assert near.qz[-1] - near.qz[0] == pytest.approx((2 * MARGIN + 1) * FRINGE, abs=2.1 * full.step)
    assert (
        near.intensity.shape == near.variance.shape == near.work.shape == near.free.shape == (5, len(near.qz))
    )
    assert len(near.from_bragg) == len(near.hidden) == len(near.qz)
    dark = replace(full, intensity=np.where((full.orders == 0)[:, None], 100.0, 0.0))
    assert useful_rows(dark, THICKNESS) is dark


def film_on(c):
    """The film on a substrate whose cell has another height."""
    below = SubstrateConfig(material=SRTIO3, c=c)
    return SINGLE.model_copy(update={"substrate": below})


@pytest.mark.parametrize(("cell", "near"), [(3.905, [2]), (7.81, [3, 4]), (1.9525, [1]), (12.3, [5, 6, 7])])
def test_the_bragg_points_of_the_substrate_are_hidden_whatever_its_cell(cell, near):
    """Reflection 002 of a film of c = 4.08, the substrate's l of its own cell."""
    told = orders(SINGLE, [(0, 0, 2)], per_fringe=40)
    found = measured_rows(told, 0, film_on(cell))
    away = np.abs(found.qz[:, None] - 2 * np.pi * np.array(near) / cell).min(1)
    np.testing.assert_allclose(found.from_bragg, away, atol=1e-12)
    np.testing.assert_array_equal(found.hidden, away < SUBSTRATE_PEAK * found.qz)
    assert found.hidden.any()
    middle = found.orders == 0
    np.testing.assert_array_equal(found.work[middle][0], ~found.hidden)
    assert found.work[~middle].all()


def test_without_a_substrate_nothing_is_hidden():
    film = SINGLE.model_copy(update={"substrate": None})
    found = measured_rows(orders(SINGLE, [(0, 0, 2)]), 0, film)
    assert not found.hidden.any()
    assert found.work.all()


def test_the_resolution_is_the_instruments_the_median_of_the_reflections():
    hkl, widths = [(0, 0, 1), (0, 0, 2), (0, 0, 3)], np.array([0.004, 0.005, 0.09])
    told = orders(SINGLE, hkl, per_fringe=40, resolution_qz=widths)
    assert [measured_rows(told, r, SINGLE).resolution for r in range(3)] == [0.005] * 3
    sharp = measured_rows(orders(SINGLE, hkl, per_fringe=40), 1, SINGLE)
    assert sharp.resolution == pytest.approx(LEAST_RESOLUTION * sharp.step)  # or a fit could not widen it


def test_what_was_not_measured_is_neither_fitted_nor_held_out():
    told = orders(SINGLE, [(0, 0, 2)])
    values, held = told["intensity"].values.copy(), told["held_out"].values.copy()
    values[0, 1, 3:6], held[0, 1, 5:8] = np.nan, 1
    told = orders(SINGLE, [(0, 0, 2)], intensity=values, held_out=held)
    found = measured_rows(told, 0, SINGLE)
    assert np.isfinite(found.intensity).all()
    assert not found.usable[1, 3:6].any()
    assert list(np.flatnonzero(found.free[1])) == [6, 7]


def displaced(lean, number=2, noise=0.0):
    """Orders of Gaussian profiles whose nth is centred at -2 pi n lean, lean in periods per angstrom."""
    one = rows(20, fringes=24.0, highest=number)
    centre = one.qz.mean() - 2 * np.pi * one.orders * lean
    bright = (
        1e4
        * np.exp(-0.5 * ((one.qz - centre[:, None]) / (0.4 * FRINGE)) ** 2)
        / (1 + one.orders[:, None] ** 2)
    )
    counts = bright + noise * np.random.default_rng(0).normal(size=bright.shape)
    return replace(one, intensity=counts, variance=np.full(bright.shape, max(noise, 1.0) ** 2))


@pytest.mark.parametrize("turns", [-2.5, -0.4, 0.4, 1.3])
@pytest.mark.parametrize("noise", [0.0, 50.0])
def test_the_lean_is_how_far_order_n_lies_from_minus_n_along_qz_over_4_pi_n(turns, noise):
    """turns: periods through the film; the answer is in periods per angstrom, its sign with it."""
    lean = turns / THICKNESS
    found = lean_from_rows([displaced(lean, noise=noise), displaced(lean, 1, noise)], THICKNESS)
    assert found == pytest.approx(lean, rel=0.02)


def test_a_lean_of_less_than_a_quarter_period_through_the_film_is_none():
    for turns in (0.9 * LEAST_LEAN, -0.9 * LEAST_LEAN, 0.0):
        assert lean_from_rows([displaced(turns / THICKNESS)], THICKNESS) == 0.0
    dark = replace(displaced(0.02), intensity=np.zeros((5, 480)))
    assert lean_from_rows([dark], THICKNESS) == 0.0
    single = displaced(0.02)
    seen = single.work & (single.orders >= 0)[:, None]  # of no pair of orders both were measured
    assert lean_from_rows([replace(single, work=seen)], THICKNESS) == 0.0


def test_order_0_and_rows_that_are_not_usable_do_not_move_the_lean():
    lean = 0.8 / THICKNESS
    one = displaced(lean)
    spoiled = one.intensity.copy()
    spoiled[2] = 1e9 * np.linspace(0, 1, spoiled.shape[1])
    work = one.work.copy()
    work[:, :30] = False
    spoiled[3, :30] = 1e8
    assert lean_from_rows([replace(one, intensity=spoiled, work=work)], THICKNESS) == pytest.approx(
        lean, rel=0.02
    )
