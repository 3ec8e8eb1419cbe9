"""The laminate of Ca2RuO4: published lattices, geometry of {012}, compatible strain, order against temperature."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.errors import UserError
from nanotexture.simulate.laminate import (
    Lamellae,
    Laminate,
    lamellae,
    laminate_displacement,
    motif_from_laminate,
    order_parameter,
    s_lattice,
)

from .films import RUTHENATE, strains

X = np.arange(192) / 192
Z = np.arange(400) * 2.0


def degrees_from_c(direction):
    return np.degrees(np.arctan2(abs(direction[0]), abs(direction[1])))


def test_the_lattices_are_the_published_ones():
    np.testing.assert_allclose(s_lattice(295.0), [5.410, 5.492, 11.961])
    np.testing.assert_allclose(s_lattice(11.0), [5.395, 5.600, 11.765])
    np.testing.assert_allclose(s_lattice(153.0), [5.4025, 5.546, 11.863])


@given(st.floats(5.0, 300.0), st.floats(0.3, 0.7))
@settings(max_examples=40)
def test_walls_are_46_to_49_degrees_from_c_and_the_displacement_mirrors_them(temperature, duty):
    found = lamellae(Laminate(100.0, duty=duty, temperature=temperature))
    assert 46.0 < degrees_from_c(found.normal) < 49.0
    assert np.linalg.norm(found.normal) == pytest.approx(1.0)
    np.testing.assert_allclose(found.direction, found.normal * [1, -1])


@pytest.mark.parametrize("temperature", [11.0, 100.0, 150.0])
def test_the_strain_is_that_between_the_phases(temperature):
    """S against L: b longer by 3.6 to 4.7 %, c shorter by 3.3 to 4.1 %; the laminate fits both at full order."""
    texture = Laminate(100.0, temperature=temperature, onset=400.0, spread=0.0)
    found = lamellae(texture)
    order = order_parameter(temperature=temperature, onset=400.0, spread=0.0)
    jump = 0.5 * (np.outer(found.direction, found.normal) + np.outer(found.normal, found.direction))
    jump *= found.strain / order
    small, large = s_lattice(temperature), np.array([5.361, 5.351, 12.264])
    assert jump[0, 0] == pytest.approx(small[1] / large[1] - 1, rel=0.12)
    assert jump[1, 1] == pytest.approx(small[2] / large[2] - 1, rel=0.12)
    assert jump[0, 1] == pytest.approx(0.0, abs=1e-12)


def test_twins_far_from_the_substrate_have_the_strains_of_the_phases():
    """Inside the lamellae e = g (share - duty) sym(e n): two values, and in their walls what is between."""
    told = lamellae(Laminate(100.0, duty=0.4))
    u = laminate_displacement(lamellae=told, wall=4.0, x=X, z=2000.0 + Z)
    found = strains(u, 100.0, Z)
    unit = np.array([told.normal[0] ** 2, -(told.normal[1] ** 2), 0.0]) * told.strain
    share = found[0] / unit[0] + 0.4
    np.testing.assert_allclose(found, unit[:, None, None] * (share - 0.4)[None], atol=0.015 * told.strain)
    assert share.min() == pytest.approx(0.0, abs=0.02)
    assert share.max() == pytest.approx(1.0, abs=0.02)
    assert (share > 0.5).mean() == pytest.approx(0.4, abs=0.02)


def test_it_repeats_along_x_and_leans_with_its_walls():
    """n.r is constant along a wall: up by dz the profile moves by -dz n_z / n_x."""
    told = lamellae(Laminate(100.0))
    up = 0.25 * 100.0 * told.normal[0] / told.normal[1]
    u = laminate_displacement(lamellae=told, wall=5.0, x=X, z=np.array([5000.0, 5000.0 + up]))
    np.testing.assert_allclose(np.roll(u[:, :, 0], -48, axis=1), u[:, :, 1], atol=1e-9)


def test_it_vanishes_at_the_substrate_and_its_strain_stays_bounded():
    told = lamellae(Laminate(100.0))
    u = laminate_displacement(lamellae=told, wall=10.0, x=X, z=Z)
    np.testing.assert_array_equal(u[:, :, 0], 0.0)
    assert np.abs(strains(u, 100.0, Z)).max() < 1.2 * told.strain


def test_the_order_falls_from_1_to_a_trace_above_the_onset():
    temperatures = np.array([0.0, 10.0, 100.0, 180.0, 220.0, 240.0, 300.0])
    found = [order_parameter(temperature=t, onset=225.0, spread=20.0) for t in temperatures]
    assert found[0] == 1.0
    assert found[1] > 0.999
    assert (np.diff(found) < 0).all() or found[-1] == 0.0
    assert found[-1] < 0.05
    assert order_parameter(temperature=226.0, onset=225.0, spread=0.0) == 0.0


def test_near_a_sharp_onset_the_order_is_a_root():
    """tanh(1.74 sqrt(T0 / T - 1)): its square is linear in T0 - T."""
    one, two = (order_parameter(temperature=225.0 - dt, onset=225.0, spread=0.0) for dt in (0.1, 0.4))
    assert two / one == pytest.approx(2.0, rel=0.01)


def test_period_and_duty_run_from_the_onset_to_0_K():
    told = {"period": 100.0, "period_onset": 150.0, "duty": 0.4, "duty_onset": 0.6, "onset": 200.0}
    cold, half, warm = (lamellae(Laminate(**told, temperature=t)) for t in (0.0, 100.0, 300.0))
    assert (cold.period, half.period, warm.period) == (100.0, 125.0, 150.0)
    assert (cold.duty, half.duty, warm.duty) == pytest.approx((0.4, 0.5, 0.6))


def test_one_displacement_explains_every_reflection():
    """Q.u is the same profile for all Q, times Q.e."""
    motif = motif_from_laminate(stack=RUTHENATE, texture=Laminate(100.0))
    u = motif.displacement[[0, 2], :, 0]
    told = lamellae(Laminate(100.0))
    profile = np.tensordot(told.direction, u, 1)
    np.testing.assert_allclose(u, told.direction[:, None, None] * profile, atol=1e-12)
    assert motif.periods[0] == 100.0


@pytest.mark.parametrize(
    ("field", "value"),
    [("period", -1.0), ("duty", 0.8), ("duty_onset", 0.1), ("wall", 25.0), ("order", 1.2), ("onset", 0.0),
     ("spread", 200.0), ("temperature", 500.0)],
)  # fmt: skip
def test_what_is_no_laminate_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=rf"^texture\.{field}: expected .*, found "):
        Laminate(**({"period": 100.0} | {field: value}))


def test_a_lamella_is_as_wide_as_its_period_says():
    told = Lamellae(100.0, 0.5, np.array([0.6, 0.8]), np.array([0.6, -0.8]), 0.01)
    u = laminate_displacement(lamellae=told, wall=0.0, x=X, z=np.array([5000.0]))
    assert np.ptp(np.tensordot(told.direction, u, 1)) == pytest.approx(0.01 * 60.0 * 0.25, rel=0.02)
