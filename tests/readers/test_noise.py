"""Oversampling: 1 for Poisson counts, R where strips were interpolated onto R points each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanotexture.readers import read_scan
from nanotexture.readers.noise import oversampling


def interpolated(rate: float | np.ndarray, lines: int, points: int, ratio: float) -> np.ndarray:
    """Poisson counts of strips, each line interpolated onto `ratio` points per strip with its own phase."""
    rng = np.random.default_rng(11)
    number = int(points / ratio) + 3
    strips = rng.poisson(rate if np.ndim(rate) == 0 else np.asarray(rate)[:, :number], (lines, number))
    places = (np.arange(points) + rng.random((lines, 1)) * ratio) / ratio
    return np.array([np.interp(p, np.arange(s.size), s) for p, s in zip(places, strips, strict=True)])


@pytest.mark.parametrize("rate", [0.3, 5, 60, 1e4])
@pytest.mark.parametrize("shape", [(401, 257), (60, 64), (3, 64), (2, 100), (1, 501), (5, 10)])
def test_poisson_counts_have_no_oversampling(rate: float, shape: tuple[int, int]) -> None:
    counts = np.random.default_rng(7).poisson(rate, shape).astype(float)
    assert oversampling(counts) == 1.0


@pytest.mark.parametrize("ratio", [1.5, 2.0, 2.56, 4.0])
def test_interpolated_counts_have_the_ratio_of_points_to_strips(ratio: float) -> None:
    assert oversampling(interpolated(30, 400, 257, ratio)) == pytest.approx(ratio, rel=0.12)


def test_a_bright_peak_and_a_slope_do_not_change_it() -> None:
    line, strip = np.mgrid[:400, :120]
    peak = 1e5 * np.exp(-((line - 200) ** 2) / 50 - (strip - 50) ** 2 / 30)
    counts = interpolated(30 + 0.1 * line + 0.2 * strip + peak, 400, 257, 2.56)
    assert oversampling(counts) == pytest.approx(2.56, rel=0.1)


def test_no_counts_at_all_are_not_an_error() -> None:
    assert oversampling(np.zeros((10, 64))) == 1.0


@pytest.mark.parametrize("name", ["e16014_01_-103_KTO_RSM_2-Theta.asc", "e16014_02_-103_PTO_RSM_2-Theta.asc"])
def test_a_strip_of_the_real_detector_is_recorded_on_two_and_a_half_points(mirror: Path, name: str) -> None:
    assert 2.2 < float(read_scan(mirror / "pto_kto" / name)["oversampling"]) < 2.95


@pytest.mark.parametrize("name", ["pto_kto/e16014_09_t2t_002.ras", "lab_maps/sto_013_area.xrdml"])
def test_a_point_detector_has_no_oversampling(mirror: Path, name: str) -> None:
    assert float(read_scan(mirror / name)["oversampling"]) == 1.0
