"""From the phase of a crystal to displacement and strain along Q: closed forms, wraps, dislocations, the rim left out."""

import numpy as np
import pytest
from nanotexture.phasing.crystal_shape import shape_of
from nanotexture.texture.crystal import (
    displacement_from_phase,
    strain_from_phase,
    unwrapped_phase,
    without_ramp,
)

SHAPE = (20, 18, 16)
Q = 2.67
STEPS = (40.0, 50.0, 60.0)


def ball(radius=7.0):
    r = np.meshgrid(*(np.arange(n) - n // 2 for n in SHAPE), indexing="ij")
    return np.array(r), np.sqrt(sum(x**2 for x in r)) < radius


def test_the_mean_slope_is_taken_off_and_no_curvature():
    r, inside = ball()
    bend = 0.02 * (r[0] ** 2 + r[1] ** 2 + r[2] ** 2)
    psi = np.exp(1j * (bend + 0.3 * r[0] - 0.2 * r[1] + 1.1 * r[2] + 2.0)) * inside
    flat, slope = without_ramp(psi, inside)
    np.testing.assert_allclose(slope, [0.3, -0.2, 1.1], atol=1e-6)
    left = np.angle(flat * np.exp(-1j * bend))[inside]
    assert np.ptp(left) < 1e-6


def test_a_homogeneous_strain_comes_back_with_its_direction():
    r, inside = ball()
    direction = np.array([0.6, 0.0, 0.8])
    gradient = np.array([[1e-3, 0, 2e-4], [0, 5e-4, 0], [3e-4, 0, -8e-4]])  # of u along x, y, z
    place = r * np.array(STEPS)[:, None, None, None]
    phase = Q * np.einsum("i,ij,jxyz->xyz", direction, gradient, place)
    wrapped = np.angle(np.exp(1j * phase))
    found = strain_from_phase(phase=wrapped, support=inside, steps=STEPS, direction=direction, q=Q)
    np.testing.assert_allclose(found[inside], direction @ gradient @ direction, atol=1e-12)
    assert np.isnan(found[~inside]).all()


def test_a_phase_of_many_turns_is_unwrapped_into_the_displacement():
    r, inside = ball()
    phase = 0.15 * r[0] ** 2 - 0.4 * r[2]
    assert np.ptp(phase[inside]) > 2 * np.pi
    found = unwrapped_phase(np.exp(1j * phase) * inside, inside)
    off = (found - phase)[inside]
    assert np.ptp(off) < 1e-9
    u = displacement_from_phase(phase=found, q=Q)
    np.testing.assert_allclose(u[inside], (phase[inside] - phase[inside].mean()) / Q, atol=1e-9)


def test_strain_round_a_screw_dislocation_has_no_jump():
    r, inside = ball()
    across, along = r[0] + 0.5, r[1] + 0.5
    phase = np.arctan2(along, across)
    core = np.hypot(across, along) < 2.5
    found = strain_from_phase(
        phase=phase, support=inside & ~core, steps=(50.0,) * 3, direction=np.array([0.0, 1.0, 0.0]), q=Q
    )
    exact = across / (across**2 + along**2) / (50.0 * Q)
    here = inside & ~core & np.isfinite(found)
    assert np.abs(found - exact)[here].max() < 0.35 * np.abs(exact[here]).max()
    assert np.median(np.abs(found - exact)[here]) < 0.1 * np.abs(exact[here]).max()


def test_the_crystal_is_the_largest_part_that_is_bright():
    _, inside = ball(6.0)
    _, rim = ball(7.5)
    modulus = np.where(inside, 1.0, np.where(rim, 0.15, 0.0))
    modulus[0, 0, 0] = 3.0
    assert np.array_equal(shape_of(modulus, modulus > 0), inside)


def test_without_a_neighbour_there_is_no_strain():
    support = np.zeros(SHAPE, bool)
    support[3, 3, 3] = True
    found = strain_from_phase(
        phase=np.zeros(SHAPE), support=support, steps=STEPS, direction=np.array([1.0, 0, 0]), q=Q
    )
    assert np.isnan(found).all()
    assert displacement_from_phase(phase=np.where(support, 1.0, np.nan), q=Q)[3, 3, 3] == pytest.approx(0.0)
