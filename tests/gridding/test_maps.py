"""Maps from scans: counts are conserved, no holes, variance that adds up, and the peaks where they belong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.geometry import alignment_from_substrate, q_from_angles, scan_to_q
from nanotexture.gridding import Crop, map_from_scan
from nanotexture.gridding.accumulate import Pixels, means_from_sums, sums_from_pixels
from nanotexture.gridding.grid import choose_axes, pixel_extent
from nanotexture.quantities import Alignment, ReciprocalMap, Scan
from nanotexture.readers import read_scan
from nanotexture.schema import MAP, SCAN, check, labelled
from scipy.ndimage import label

HKL, A = (-1, 0, 3), 3.9885
UNIT = 2 * np.pi / A


def scan_of(counts: np.ndarray, **changes: np.ndarray | float) -> Scan:
    """A scan of the given counts about omega 56, two theta 77, in steps of 0.01 and 0.0078125 degrees."""
    omega, two_theta = np.meshgrid(
        56 + 0.01 * np.arange(counts.shape[0]), 77 + 0.0078125 * np.arange(counts.shape[1]), indexing="ij"
    )
    values = {
        "counts": counts,
        "attenuation": np.ones_like(counts),
        "seconds": np.full_like(counts, 2.0),
        "omega": omega,
        "two_theta": two_theta,
        "wavelength": 1.54,
        "oversampling": 1.0,
    }
    return Scan(labelled(values | changes, SCAN, {"file": "simulated.asc"}))


def pixels_of(scan: Scan) -> Pixels:
    qx, qz = scan_to_q(scan, None, HKL)
    return Pixels(qx, qz, scan["counts"].values, scan["attenuation"].values)


@pytest.fixture(scope="module")
def substrate(mirror: Path) -> Alignment:
    return alignment_from_substrate(
        read_scan(mirror / "pto_kto/e16014_01_-103_KTO_RSM_2-Theta.asc"), HKL, A, A
    )


@pytest.fixture(scope="module")
def film_scan(mirror: Path) -> Scan:
    return read_scan(mirror / "pto_kto/e16014_02_-103_PTO_RSM_2-Theta.asc")


@pytest.fixture(scope="module")
def film(film_scan: Scan, substrate: Alignment) -> ReciprocalMap:
    return map_from_scan(film_scan, substrate, HKL)


@pytest.mark.parametrize("spacing", [None, (5e-4, 5e-4), (3e-3, 1e-3)])
def test_the_sum_over_voxels_is_the_sum_over_pixels(spacing: tuple[float, float] | None) -> None:
    pixels = pixels_of(scan_of(np.random.default_rng(1).poisson(50, (40, 60)).astype(float)))
    width = pixel_extent(pixels.qx), pixel_extent(pixels.qz)
    axes = choose_axes(pixels.qx, pixels.qz, width, spacing, Crop())
    sums = sums_from_pixels(pixels=pixels, oversampling=2.5, axes=axes, width=width)
    assert sums.counts.sum() == pytest.approx(pixels.counts.sum(), rel=1e-9)
    assert sums.contributions.sum() == pytest.approx(pixels.counts.size, rel=1e-9)
    assert sums.variance.sum() == pytest.approx(2.5 * pixels.counts.sum(), rel=1e-9)


def test_sums_of_two_halves_are_the_sums_of_the_whole() -> None:
    pixels = pixels_of(scan_of(np.random.default_rng(1).poisson(50, (40, 60)).astype(float)))
    width = pixel_extent(pixels.qx), pixel_extent(pixels.qz)
    axes = choose_axes(pixels.qx, pixels.qz, width, None, Crop())
    halves = [
        Pixels(*(getattr(pixels, name)[part] for name in ("qx", "qz", "counts", "factor")))
        for part in (slice(0, 17), slice(17, None))
    ]
    one, two, whole = (
        sums_from_pixels(pixels=p, oversampling=1.0, axes=axes, width=width) for p in (*halves, pixels)
    )
    assert np.allclose((one + two).counts, whole.counts)
    assert np.allclose((one + two).contributions, whole.contributions)


def test_even_counts_give_an_even_map() -> None:
    found = map_from_scan(scan_of(np.full((50, 70), 9.0)), None, HKL)
    check(found, MAP)
    seen = found["mask"].values == 0
    assert np.allclose(found["intensity"].values[seen], 9.0)
    assert np.isnan(found["intensity"].values[~seen]).all()


def test_attenuation_multiplies_counts_once_and_variance_twice() -> None:
    counts = np.random.default_rng(2).poisson(100, (30, 40)).astype(float)
    plain = map_from_scan(scan_of(counts), None, HKL)
    behind = map_from_scan(scan_of(counts, attenuation=np.full(counts.shape, 40.0)), None, HKL)
    assert np.allclose(behind["intensity"], 40 * plain["intensity"], equal_nan=True)
    assert np.allclose(behind["variance"], 1600 * plain["variance"], equal_nan=True)


def test_oversampling_multiplies_the_variance_only() -> None:
    counts = np.random.default_rng(2).poisson(100, (30, 40)).astype(float)
    plain, inflated = (map_from_scan(scan_of(counts, oversampling=f), None, HKL) for f in (1.0, 2.5))
    assert np.allclose(inflated["variance"], 2.5 * plain["variance"], equal_nan=True)
    assert np.allclose(inflated["intensity"], plain["intensity"], equal_nan=True)


def test_unequal_counting_times_are_brought_to_one() -> None:
    seconds = np.ones((30, 40))
    seconds[::2] = 3.0
    found = map_from_scan(scan_of(20 * seconds, seconds=seconds), None, HKL)
    seen = found["intensity"].values[found["mask"].values == 0]
    assert np.allclose(seen, seen[0])


def test_the_variance_of_an_integral_over_voxels_is_the_spread_of_repeated_measurements() -> None:
    rng, integrals, variances = np.random.default_rng(3), [], []
    for _ in range(150):
        found = map_from_scan(scan_of(rng.poisson(20, (40, 60)).astype(float)), None, HKL)
        inside = (
            (found["qx"] > -1.545) & (found["qx"] < -1.530) & (found["qz"] > 4.848) & (found["qz"] < 4.862)
        )
        weight = found["contributions"].where(inside, 0).fillna(0)
        integrals.append(float((found["intensity"].fillna(0) * weight).sum()))
        variances.append(float((found["variance"].fillna(0) * weight**2).sum()))
    assert np.mean(integrals) > 1000
    assert np.var(integrals) == pytest.approx(np.mean(variances), rel=0.45)


def test_where_nothing_was_counted_the_variance_is_that_of_one_count() -> None:
    pixels = pixels_of(scan_of(np.zeros((30, 40))))
    width = pixel_extent(pixels.qx), pixel_extent(pixels.qz)
    axes = choose_axes(pixels.qx, pixels.qz, width, None, Crop())
    sums = sums_from_pixels(pixels=pixels, oversampling=1.0, axes=axes, width=width)
    mean, variance, mask = means_from_sums(sums=sums, least=0.5)
    assert (mean[mask == 0] == 0).all()
    assert np.allclose(variance[mask == 0], 1 / sums.contributions[mask == 0] ** 2)


def test_the_real_map_has_no_hole_inside_what_was_measured(film: ReciprocalMap, substrate: Alignment) -> None:
    regions, number = label(film["mask"].values)
    edge = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    assert set(range(1, number + 1)) <= set(edge)
    omega, two_theta = np.meshgrid(np.linspace(53.1, 59.0, 300), np.linspace(76.3, 78.2, 200), indexing="ij")
    qx, qz = q_from_angles(
        omega=omega - float(substrate["omega_offset"]),
        two_theta=two_theta - float(substrate["two_theta_offset"]),
        wavelength=1.54059,
    )
    steps = [float(film[name][1] - film[name][0]) for name in ("qx", "qz")]
    i = np.round((-qx - float(film["qx"][0])) / steps[0]).astype(int)
    j = np.round((qz - float(film["qz"][0])) / steps[1]).astype(int)
    assert not film["mask"].values[i, j].any()


def test_the_real_grid_is_fine_enough_for_the_satellites(film: ReciprocalMap) -> None:
    assert np.diff(film["qx"])[0] <= 7e-4
    assert np.diff(film["qz"])[0] < 9e-4
    assert film.sizes["qx"] * film.sizes["qz"] < 400_000


def test_the_counts_of_the_real_map_are_those_of_the_scan(film: ReciprocalMap, film_scan: Scan) -> None:
    total = float((film["intensity"] * film["contributions"]).sum())
    assert total == pytest.approx(float(film_scan["counts"].sum()), rel=0.01)


def profile_along_qx(film: ReciprocalMap) -> tuple[np.ndarray, np.ndarray]:
    """H in reciprocal lattice units, and mean counts of the rows about the film peak."""
    rows = film.where(abs(film["qz"] / UNIT - 3.0505) < 0.006, drop=True)
    return rows["qx"].values / UNIT, rows["intensity"].mean("qz").values


def top(x: np.ndarray, y: np.ndarray, near: float, within: float) -> float:
    """Position of a maximum, from a parabola through its logarithm."""
    k = int(np.nanargmax(np.where(abs(x - near) < within, y, np.nan)))
    curve = np.polyfit(x[k - 2 : k + 3] - x[k], np.log(y[k - 2 : k + 3]), 2)
    return float(x[k] - curve[1] / 2 / curve[0])


def test_the_film_peak_lies_where_the_coherent_film_puts_it(film: ReciprocalMap) -> None:
    h, along_h = profile_along_qx(film)
    assert top(h, along_h, -1.0, 0.004) == pytest.approx(-1.0, abs=2e-4)
    column = film.where(abs(film["qx"] / UNIT + 1) < 0.0006, drop=True)["intensity"].mean("qx").values
    index = top(film["qz"].values / UNIT, column, 3.05, 0.015)
    assert index == pytest.approx(3.0508, abs=6e-4)


def test_the_satellites_are_where_they_are_known_to_be(film: ReciprocalMap) -> None:
    h, counts = profile_along_qx(film)
    for side in (-1, 1):
        assert top(h, counts, -1 + side * 0.017, 0.004) == pytest.approx(-1 + side * 0.017, abs=7e-4)
        between = counts[abs(h + 1 - side * 0.009) < 0.001].min()
        assert counts[abs(h + 1 - side * 0.017) < 0.002].max() > 2.5 * between


def test_a_crop_is_the_same_map_with_less_around_it(
    film: ReciprocalMap, film_scan: Scan, substrate: Alignment
) -> None:
    crop = Crop(qx=(-1.62, -1.53), qz=(4.76, 4.86))
    part = map_from_scan(film_scan, substrate, HKL, crop=crop)
    assert crop.qx is not None
    assert crop.qz is not None
    assert part["qx"].min() >= crop.qx[0]
    assert part["qz"].max() <= crop.qz[1]
    same = film.sel(qx=part["qx"], qz=part["qz"], method="nearest", tolerance=1e-9)
    assert np.allclose(part["intensity"], same["intensity"], equal_nan=True)
    assert np.allclose(part["variance"], same["variance"], equal_nan=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"crop": Crop(qx=(1.0, 2.0))}, "qx_range: expected a range within"),
        ({"crop": Crop(qz=(5.0, 4.0))}, "qz_range: expected a range within"),
        ({"spacing": (0.0, 1e-3)}, "spacing must be positive"),
        ({"spacing": (1e-9, 1e-9)}, "too large"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        map_from_scan(scan_of(np.ones((20, 30))), None, HKL, **arguments)


def test_a_single_line_is_not_a_map() -> None:
    with pytest.raises(UserError, match="at least 2 lines"):
        map_from_scan(scan_of(np.ones((1, 30))), None, HKL)
