"""Film and substrate sums against the sums written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.film.rod import (
    film_sum_from_thickness,
    film_sum_slopes,
    smoothed_along_qz,
    substrate_sum_from_gap,
)

LENGTHS = st.floats(3.5, 4.5)


def around(l, c, fringes=5, thickness=200.0):  # noqa: E741
    return 2 * np.pi * l / c + np.linspace(-fringes, fringes, 121) * 2 * np.pi / thickness


@given(LENGTHS, st.integers(2, 150), st.integers(1, 4))
@settings(max_examples=40)
def test_a_film_of_n_planes_is_the_sum_over_its_planes(c, planes, l):  # noqa: E741
    qz = around(l, c)
    explicit = np.exp(1j * qz[:, None] * c * np.arange(planes)).sum(axis=1)
    found = film_sum_from_thickness(qz=qz, c=c, thickness=planes * c)
    np.testing.assert_allclose(found, explicit, atol=1e-6 * planes)


@given(LENGTHS, st.integers(2, 100), st.floats(0.01, 0.99))
@settings(max_examples=25)
def test_the_thickness_may_be_anything_and_the_peak_follows_it(c, planes, fraction):
    thickness = (planes + fraction) * c
    bragg = np.array([2 * np.pi * 3 / c])
    assert film_sum_from_thickness(qz=bragg, c=c, thickness=thickness)[0] == pytest.approx(
        thickness / c, rel=1e-6
    )
    zeros = bragg + 2 * np.pi / thickness * np.array([1, 2, 3])
    wide = np.concatenate([zeros, bragg, 2 * bragg - zeros])
    np.testing.assert_allclose(
        np.abs(film_sum_from_thickness(qz=wide, c=c, thickness=thickness))[:3], 0, atol=1e-6
    )


def test_roughness_leaves_the_peak_and_fades_the_fringes_continuously():
    c, t = 4.0, 200.0
    qz = around(2, c, thickness=t)
    flat = film_sum_from_thickness(qz=qz, c=c, thickness=t)
    np.testing.assert_allclose(
        film_sum_from_thickness(qz=qz, c=c, thickness=t, roughness=1e-6), flat, atol=1e-9
    )
    rough = film_sum_from_thickness(qz=qz, c=c, thickness=t, roughness=30.0)
    assert abs(rough[60]) == pytest.approx(t / c, rel=1e-3)

    def contrast(values):
        far = np.abs(qz - qz[60]) > 3 * 2 * np.pi / t
        envelope = (np.abs(values) * np.abs(1 - np.exp(1j * qz * c)))[
            far
        ] ** 2  # without roughness 2 - 2 cos(dq t)
        return (envelope.max() - envelope.min()) / (envelope.max() + envelope.min())

    assert contrast(rough) < 0.2 < 0.9 < contrast(flat)


def test_roughness_is_the_mean_amplitude_of_a_gaussian_spread_of_thicknesses():
    c, t, sigma = 4.0, 200.0, 8.0
    qz = around(2, c, thickness=t)
    offsets = np.linspace(-6, 6, 1201) * sigma
    weight = np.exp(-0.5 * (offsets / sigma) ** 2)
    parts = [film_sum_from_thickness(qz=qz, c=c, thickness=t + d) for d in offsets]
    averaged = np.tensordot(weight / weight.sum(), np.array(parts), axes=1)
    np.testing.assert_allclose(
        film_sum_from_thickness(qz=qz, c=c, thickness=t, roughness=sigma), averaged, atol=1e-4
    )


@given(LENGTHS, st.floats(-2, 2), st.floats(0.3, 4.7))
@settings(max_examples=30)
def test_the_substrate_is_the_long_sum_over_its_planes_with_absorption(c, gap, l):  # noqa: E741
    eps = 0.01
    qz = np.array([2 * np.pi * l / c])
    j = np.arange(1, 4000)
    explicit = (np.exp(-1j * qz[:, None] * (gap + j * c)) * np.exp(-eps * (j - 1))).sum(axis=1)
    np.testing.assert_allclose(
        substrate_sum_from_gap(qz=qz, c=c, gap=gap, absorption=eps), explicit, rtol=1e-8
    )


def test_between_bragg_points_a_rod_is_a_quarter_plane_in_intensity():
    """|1 / (1 - e^(i pi))|^2 = 1/4: half a lattice plane in amplitude (Robinson 1986)."""
    found = substrate_sum_from_gap(qz=np.array([2 * np.pi * 2.5 / 3.9]), c=3.9, gap=0.0)
    assert abs(found[0]) ** 2 == pytest.approx(0.25, rel=2e-3)


def test_film_continues_a_substrate_of_the_same_crystal():
    """A film with the substrate's c and no gap is more substrate: the rod is the same up to a phase."""
    c, planes = 3.9, 25
    qz = 2 * np.pi / c * np.linspace(1.55, 2.45, 40)
    film = np.exp(1j * qz[:, None] * c * np.arange(planes)).sum(axis=1)
    both = film + substrate_sum_from_gap(qz=qz, c=c, gap=0.0, absorption=1e-9)
    alone = substrate_sum_from_gap(qz=qz, c=c, gap=0.0, absorption=1e-9)
    np.testing.assert_allclose(np.abs(both), np.abs(alone), rtol=1e-5)


@given(st.floats(0.3, 5.0))
@settings(max_examples=15)
def test_smoothing_keeps_the_sum_and_adds_variances(sigma):
    z = np.arange(201.0)
    peak = np.exp(-0.5 * ((z - 100) / 4) ** 2)
    found = smoothed_along_qz(np.stack([peak, 3 * peak]), 1.0, sigma)
    np.testing.assert_allclose(found.sum(axis=1), [peak.sum(), 3 * peak.sum()], rtol=1e-6)
    width = np.sqrt((found[0] * (z - 100) ** 2).sum() / found[0].sum())
    assert width == pytest.approx(np.hypot(4, sigma), rel=5e-3)


def test_no_resolution_changes_nothing_and_a_constant_stays():
    values = np.random.default_rng(0).normal(size=(2, 30))
    np.testing.assert_array_equal(smoothed_along_qz(values, 0.1, 0.0), values)
    np.testing.assert_allclose(smoothed_along_qz(np.full(30, 2.0), 0.1, 0.3), 2.0)


def test_the_slopes_of_a_films_sum_are_its_derivatives_at_the_bragg_point_too():
    c, t, sigma, step = 4.0, 163.0, 5.0, 1e-6
    bragg = 2 * np.pi * 2 / c
    qz = bragg + np.linspace(-0.2, 0.2, 41)

    def total(c, sigma):
        return film_sum_from_thickness(qz=qz, c=c, thickness=t, roughness=sigma)

    found = film_sum_slopes(qz=qz, c=c, thickness=t, roughness=sigma)
    np.testing.assert_array_equal(found[0], total(c, sigma))
    by_c = (total(c + step, sigma) - total(c - step, sigma)) / (2 * step)
    np.testing.assert_allclose(found[1], by_c, rtol=1e-5, atol=1e-4)
    by_roughness = (total(c, sigma + step) - total(c, sigma - step)) / (2 * step)
    np.testing.assert_allclose(found[2], by_roughness, atol=1e-6)
