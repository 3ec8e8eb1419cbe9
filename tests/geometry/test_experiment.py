"""Angles to Q: closed forms, round trips, signs, and the energy that is never taken from a default."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from nanotexture.errors import UserError
from nanotexture.geometry import (
    angles_from_q,
    energy_from_wavelength,
    nominal_angles,
    q_from_angles,
    wavelength_from_energy,
)
from nanotexture.geometry.experiment import in_plane_sign

two_thetas = st.floats(5.0, 150.0)
tilts = st.floats(-0.9, 0.9)
wavelengths = st.floats(0.4, 3.0)


@given(two_theta=two_thetas, tilt=tilts, wavelength=wavelengths)
def test_q_has_the_length_and_direction_of_the_textbook(
    two_theta: float, tilt: float, wavelength: float
) -> None:
    theta = two_theta / 2
    omega = theta * (1 + tilt)
    parallel, normal = q_from_angles(
        omega=np.array(omega), two_theta=np.array(two_theta), wavelength=wavelength
    )
    length = 4 * np.pi * np.sin(np.radians(theta)) / wavelength
    assert np.hypot(parallel, normal) == pytest.approx(length, rel=1e-7)
    assert parallel == pytest.approx(length * np.sin(np.radians(omega - theta)), abs=1e-6 * length)
    assert normal == pytest.approx(length * np.cos(np.radians(omega - theta)), rel=1e-6)


@given(two_theta=two_thetas, tilt=tilts, wavelength=wavelengths)
def test_angles_to_q_and_back(two_theta: float, tilt: float, wavelength: float) -> None:
    assume(abs(tilt) > 1e-3)
    omega = two_theta / 2 * (1 + tilt)
    parallel, normal = q_from_angles(
        omega=np.array(omega), two_theta=np.array(two_theta), wavelength=wavelength
    )
    back = angles_from_q(parallel=float(parallel), normal=float(normal), wavelength=wavelength)
    assert back == pytest.approx((omega, two_theta), abs=1e-5)


@given(wavelength=wavelengths)
def test_wavelength_to_energy_and_back(wavelength: float) -> None:
    assert wavelength_from_energy(energy=energy_from_wavelength(wavelength=wavelength)) == pytest.approx(
        wavelength
    )


def test_energy_of_copper_k_alpha() -> None:
    assert energy_from_wavelength(wavelength=1.540593) == pytest.approx(8.04782, abs=1e-4)


def test_the_shape_of_the_angles_is_kept() -> None:
    omega, two_theta = np.full((3, 4), 40.0), np.full((3, 4), 75.0)
    parallel, normal = q_from_angles(omega=omega, two_theta=two_theta, wavelength=1.54)
    assert parallel.shape == normal.shape == (3, 4)


def test_nominal_angles_of_a_cubic_substrate() -> None:
    theta = np.degrees(np.arcsin(1.54059 / 2 * np.sqrt(10) / 3.9885))
    tilt = np.degrees(np.arctan(1 / 3))
    high = nominal_angles(hkl=(-1, 0, 3), a=3.9885, c=3.9885, wavelength=1.54059, grazing_exit=True)
    low = nominal_angles(hkl=(1, 0, 3), a=3.9885, c=3.9885, wavelength=1.54059, grazing_exit=False)
    assert high == pytest.approx((theta + tilt, 2 * theta), abs=1e-6)
    assert low == pytest.approx((theta - tilt, 2 * theta), abs=1e-6)


def test_nominal_angles_of_a_tetragonal_substrate_use_c_along_the_normal() -> None:
    _, two_theta = nominal_angles(hkl=(0, 0, 2), a=3.9, c=4.1, wavelength=1.5, grazing_exit=True)
    assert two_theta == pytest.approx(2 * np.degrees(np.arcsin(1.5 / 4.1)))


def test_a_reflection_out_of_reach_is_refused() -> None:
    with pytest.raises(UserError, match="cannot be reached"):
        nominal_angles(hkl=(0, 0, 9), a=3.9, c=3.9, wavelength=1.54, grazing_exit=True)


@pytest.mark.parametrize(
    ("hkl", "exit_", "sign"),
    [
        ((-1, 0, 3), True, -1),
        ((-1, 0, 3), False, 1),
        ((1, 0, 3), True, 1),
        ((0, -1, 3), True, -1),
        ((0, 0, 2), True, 1),
        ((0, 0, 2), False, 1),
    ],
)
def test_the_sign_of_qx_follows_the_in_plane_index(hkl: tuple[int, int, int], exit_: bool, sign: int) -> None:
    assert in_plane_sign(hkl, grazing_exit=exit_) == sign
