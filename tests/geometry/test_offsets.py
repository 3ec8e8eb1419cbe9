"""Offsets from a substrate peak: known ones are found again, and what is no peak is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.geometry import alignment_from_substrate, nominal_angles, scan_to_q
from nanotexture.geometry.peak import NoPeakError, fit_peak
from nanotexture.quantities import Scan
from nanotexture.readers import read_scan
from nanotexture.schema import ALIGNMENT, SCAN, check, labelled

HKL, A = (-1, 0, 3), 3.9885
NOMINAL = nominal_angles(hkl=HKL, a=A, c=A, wavelength=1.54, grazing_exit=True)


def simulated(offset: tuple[float, float], seed: int = 1, **changes: float) -> Scan:
    """A tilted Gaussian substrate peak on a background, counted, at nominal plus offset."""
    omega, two_theta = np.meshgrid(
        NOMINAL[0] + 0.005 * np.arange(-40, 41), NOMINAL[1] + 0.0078125 * np.arange(-50, 51), indexing="ij"
    )
    du, dv = omega - NOMINAL[0] - offset[0], two_theta - NOMINAL[1] - offset[1]
    rate = 20 + 1e5 * np.exp(-0.5 * (((du - 0.3 * dv) / 0.006) ** 2 + (dv / 0.02) ** 2))
    counts = np.random.default_rng(seed).poisson(rate).astype(float)
    if "spike" in changes:
        counts[3, 4] = changes["spike"]
    values = {
        "counts": counts,
        "attenuation": np.ones_like(counts),
        "seconds": np.ones_like(counts),
        "omega": omega,
        "two_theta": two_theta,
        "wavelength": 1.54,
        "oversampling": 1.0,
    }
    return Scan(labelled(values, SCAN, {"file": "simulated.asc"}))


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.0079, 0.0187), (-0.031, 0.052), (0.0024, -0.0039)])
def test_the_offsets_of_a_simulated_peak_are_found(offset: tuple[float, float]) -> None:
    found = alignment_from_substrate(simulated(offset), HKL, A, A)
    check(found, ALIGNMENT)
    assert float(found["omega_offset"]) == pytest.approx(offset[0], abs=2e-4)
    assert float(found["two_theta_offset"]) == pytest.approx(offset[1], abs=4e-4)


def test_the_error_of_a_position_is_at_least_a_step_over_root_12() -> None:
    found = alignment_from_substrate(simulated((0.0, 0.0)), HKL, A, A)
    assert 0.005 / np.sqrt(12) <= float(found["omega_offset_std"]) < 0.002
    assert 0.0078125 / np.sqrt(12) <= float(found["two_theta_offset_std"]) < 0.003


def test_a_hot_pixel_is_not_taken_for_the_peak() -> None:
    found = alignment_from_substrate(simulated((0.01, 0.02), spike=1e7), HKL, A, A)
    assert float(found["omega_offset"]) == pytest.approx(0.01, abs=2e-4)


def test_offsets_taken_off_put_the_peak_on_its_reflection() -> None:
    scan = simulated((0.03, -0.02))
    qx, qz = scan_to_q(scan, alignment_from_substrate(scan, HKL, A, A), HKL)
    brightest = np.unravel_index(int(scan["counts"].values.argmax()), qx.shape)
    unit = 2 * np.pi / A
    assert qx[brightest] / unit == pytest.approx(-1, abs=5e-4)
    assert qz[brightest] / unit == pytest.approx(3, abs=5e-4)


def test_the_real_substrate_gives_the_known_offsets_within_half_a_step(mirror: Path) -> None:
    # The known ones (0.0079, 0.0187) are the brightest point's, with the step as printed, 0.0078 for 2/256.
    scan = read_scan(mirror / "pto_kto/e16014_01_-103_KTO_RSM_2-Theta.asc")
    found = alignment_from_substrate(scan, HKL, A, A)
    assert float(found["omega_offset"]) == pytest.approx(0.0079, abs=0.0025)
    assert float(found["two_theta_offset"]) == pytest.approx(0.0187, abs=0.0045)
    assert float(found["omega_offset_std"]) < 0.002


def test_the_real_substrate_013_is_found_in_grazing_incidence(mirror: Path) -> None:
    scan = read_scan(mirror / "lab_maps/sto_013_area.xrdml")
    found = alignment_from_substrate(scan, (0, 1, 3), 3.905, 3.905)
    assert abs(float(found["omega_offset"])) < 0.1
    assert abs(float(found["two_theta_offset"])) < 0.15
    qx, qz = scan_to_q(scan, found, (0, 1, 3))
    peak = np.unravel_index(int(scan["counts"].values.argmax()), qx.shape)
    assert qx[peak] * 3.905 / 2 / np.pi == pytest.approx(1, abs=0.005)
    assert qz[peak] * 3.905 / 2 / np.pi == pytest.approx(3, abs=0.005)


def test_another_reflection_than_the_one_named_is_refused() -> None:
    with pytest.raises(InputError, match="-1 0 3 within 2 deg of omega"):
        alignment_from_substrate(simulated((0.0, 0.0)), HKL, 4.3, 4.3)


@pytest.mark.parametrize("counts", [np.zeros((9, 9)), np.ones((1, 50)), np.eye(9) * 1e-300])
def test_what_has_no_peak_is_refused(counts: np.ndarray) -> None:
    omega, two_theta = np.meshgrid(np.arange(counts.shape[0]), np.arange(counts.shape[1]), indexing="ij")
    with pytest.raises(NoPeakError):
        fit_peak(counts, omega.astype(float), two_theta.astype(float))
