"""Scans along h, k, l to rods, maps and volumes: normalised to the monitor, nothing lost, nothing invented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.gridding.hkl_maps import (
    FilmFrame,
    map_from_hkl_scans,
    rod_from_hkl_scan,
    volume_from_hkl_scans,
)
from nanotexture.quantities import HklScan
from nanotexture.readers.spec_hkl import Columns, read_hkl_scan
from nanotexture.schema import HKL_SCAN, MAP, ROD, check, in_volume, labelled

A, C = 4.0, 20.0
LEAVE_OUT = Columns(without_monitor="leave out")


def scanned(
    hkl: np.ndarray, counts: np.ndarray, per_line: int, monitor: float | np.ndarray = 1000.0
) -> HklScan:
    """A scan of these points (point, 3) in a tetragonal lattice."""
    size = len(hkl)
    values = {
        "counts": np.ravel(counts).astype(float),
        "monitor": np.broadcast_to(monitor, size).astype(float),
        "seconds": np.full(size, 1.0),
        "attenuation": np.ones(size),
        "hkl": np.asarray(hkl, dtype=float),
        "lengths": np.array([A, A, C]),
        "angles": np.full(3, 90.0),
        "energy": 10.0,
    }
    attrs = {"file": "a", "scan": 1, "monitor": "I0", "points_per_line": per_line, "points_missing": 0}
    return HklScan(labelled(values, HKL_SCAN, attrs))


def mesh(h: np.ndarray, k: np.ndarray, ell: np.ndarray) -> tuple[np.ndarray, int]:
    """Points of a mesh whose first axis with more than one value moves fastest, and the points of a line."""
    grid = np.stack(np.meshgrid(h, k, ell, indexing="ij"), axis=-1)
    fast = next(axis for axis in range(3) if grid.shape[axis] > 1)
    return grid.transpose(2, 1, 0, 3).reshape(-1, 3), grid.shape[fast]


H, L = 1 + 0.01 * np.arange(7), 17.3 + 0.1 * np.arange(5)
COUNTS = np.random.default_rng(2).poisson(50, 35)


def test_a_mesh_in_h_and_l_becomes_a_map_voxel_by_point() -> None:
    found = map_from_hkl_scans([scanned(*_with(COUNTS, H, np.zeros(1), L))], (1, 0, 17))
    check(found, MAP)
    assert found["intensity"].shape == (7, 5)
    assert np.allclose(found["intensity"].values.T.ravel(), COUNTS)
    assert np.allclose(found["variance"].values.T.ravel(), COUNTS)
    assert np.allclose(found["qx"], 2 * np.pi * H / A)
    assert np.allclose(found["qz"], 2 * np.pi * L / C)
    assert not found["mask"].any()


def _with(
    counts: np.ndarray, h: np.ndarray, k: np.ndarray, ell: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    points, per_line = mesh(h, k, ell)
    return points, counts, per_line


def test_twice_the_monitor_halves_the_intensity_and_keeps_the_relative_error() -> None:
    points, per_line = mesh(H, np.zeros(1), L)
    monitor = np.where(np.arange(35) < 7, 2000.0, 1000.0)
    found = map_from_hkl_scans([scanned(points, COUNTS, per_line, monitor)], (1, 0, 17))
    first = found.isel(qz=0)
    assert np.allclose(first["intensity"], COUNTS[:7] / 2)
    assert np.allclose(first["variance"], COUNTS[:7] / 4)
    assert np.allclose(found.isel(qz=1)["intensity"], COUNTS[7:14])


def test_an_aborted_mesh_leaves_the_points_it_lacks_unmeasured() -> None:
    points, per_line = mesh(H, np.zeros(1), L)
    found = map_from_hkl_scans([scanned(points[:31], COUNTS[:31], per_line)], (1, 0, 17))
    mask = found["mask"].values.T.ravel()
    assert mask.tolist() == [0] * 31 + [1] * 4
    assert np.isnan(found["intensity"].values.T.ravel()[31:]).all()


def test_a_point_without_monitor_is_unmeasured_and_not_zero() -> None:
    points, per_line = mesh(H, np.zeros(1), L)
    monitor = np.full(35, 1000.0)
    monitor[9] = np.nan
    found = map_from_hkl_scans([scanned(points, COUNTS, per_line, monitor)], (1, 0, 17))
    assert np.flatnonzero(found["mask"].values.T.ravel()).tolist() == [9]


def test_two_meshes_side_by_side_are_one_map() -> None:
    left, right = (_with(COUNTS, h, np.zeros(1), L) for h in (H, H + 0.07))
    found = map_from_hkl_scans([scanned(*left), scanned(*right)], (1, 0, 17))
    assert found["intensity"].shape == (14, 5)
    assert found["intensity"].sum() == pytest.approx(2 * COUNTS.sum())


def test_meshes_in_the_plane_become_a_volume_and_a_level_without_a_scan_is_unmeasured() -> None:
    k = -0.02 + 0.01 * np.arange(5)
    scans = [scanned(*_with(COUNTS + 10 * n, H, k, np.array([L[n]]))) for n in (0, 1, 3)]
    found = check(volume_from_hkl_scans(scans, (1, 0, 17)), in_volume(MAP))
    assert found["intensity"].shape == (7, 5, 4)
    assert np.allclose(found["qz"], 2 * np.pi * L[:4] / C)
    assert found["mask"].values.mean(axis=(0, 1)).tolist() == [0, 0, 1, 0]
    assert np.allclose(found["intensity"].values[..., 3].T.ravel(), COUNTS + 30)


def test_a_line_becomes_a_rod_of_its_points() -> None:
    points = np.stack([np.ones(6), np.zeros(6), L[0] + 0.1 * np.arange(6)], axis=1)
    counts = np.array([0, 5, 7, 9, 11, 400])
    monitor = np.array([1000, 1000, 2000, 1000, np.nan, 1000.0])
    found = check(rod_from_hkl_scan(scanned(points, counts, 6, monitor)), ROD)
    assert np.allclose(found["intensity"], [0, 5, 3.5, 9, 400])
    assert np.allclose(found["variance"], [1, 5, 1.75, 9, 400])  # one count where none was seen
    assert np.allclose(found["distance"], 2 * np.pi / C * 0.1 * np.array([0, 1, 2, 3, 5]))


def test_a_film_lattice_and_directions_that_are_told_take_the_place_of_the_file() -> None:
    points, per_line = mesh(H, np.zeros(1), L)
    frame = FilmFrame(lengths=(3.9, 3.9, 19.0), angles=(90.0, 90.0, 90.0), energy=8.0)
    found = map_from_hkl_scans([scanned(points, COUNTS, per_line)], (1, 0, 17), frame)
    assert np.allclose(found["qx"], 2 * np.pi * H / 3.9)
    assert float(found["energy"]) == 8.0


def test_what_cannot_be_a_map_is_refused() -> None:
    flat = scanned(*_with(COUNTS, H, 0.01 * np.arange(5), L[:1]))
    upright = scanned(*_with(COUNTS, H, np.zeros(1), L))
    line = scanned(np.stack([H, 0 * H, 0 * H + 17], axis=1), COUNTS[:7], 7)
    with pytest.raises(UserError, match="a mesh along qx and qz"):
        map_from_hkl_scans([flat], (1, 0, 17))
    with pytest.raises(UserError, match="a mesh along qx and qy"):
        volume_from_hkl_scans([upright], (1, 0, 17))
    with pytest.raises(UserError, match="at least 2 lines"):
        map_from_hkl_scans([line], (1, 0, 17))
    with pytest.raises(UserError, match="found a mesh"):
        rod_from_hkl_scan(flat)
    with pytest.raises(UserError, match="at least one scan"):
        map_from_hkl_scans([], (1, 0, 17))
    other = HklScan(upright.assign_attrs(monitor="I1"))
    with pytest.raises(UserError, match="one monitor for all scans, found I0, I1"):
        map_from_hkl_scans([upright, other], (1, 0, 17))
    unknown = HklScan(upright.assign(lengths=upright["lengths"] * np.nan))
    with pytest.raises(UserError, match="lattice: expected to be told"):
        map_from_hkl_scans([unknown], (1, 0, 17))


# --- the measured crystals


def test_the_charge_order_satellites_of_the_manganite_stand_at_1_0_3_18(mirror: Path) -> None:
    scan = read_hkl_scan(mirror / "lmn40/lmn40.spe", 156)
    found = volume_from_hkl_scans([scan], (1, 0, 18))
    plane = found["intensity"].isel(qz=0)
    h, k = plane["qx"].values * 3.8803 / (2 * np.pi), plane["qy"].values * 3.8803 / (2 * np.pi)
    along = plane.values[np.abs(h - 1) < 0.015].mean(axis=0)
    for sign in (-1, 1):
        side = (sign * k > 0.25) & (sign * k < 0.35)
        place = np.sum(k[side] * along[side]) / along[side].sum()
        assert place == pytest.approx(sign * 0.3, abs=0.02)
        beyond = (sign * k > 0.35) & (sign * k < 0.45)
        assert along[side].max() > 1.8 * along[beyond].mean()
    bragg = np.unravel_index(np.nanargmax(plane.values), plane.shape)
    assert (h[bragg[0]], k[bragg[1]]) == pytest.approx((1, 0), abs=0.02)


def test_levels_of_the_real_file_are_one_volume_of_even_l(mirror: Path) -> None:
    scans = [read_hkl_scan(mirror / "lmn40/lmn40.spe", n, LEAVE_OUT) for n in range(144, 149)]
    found = volume_from_hkl_scans(scans, (1, 0, 18))
    assert np.allclose(found["qz"].values * 20.0772 / (2 * np.pi), [17.2, 17.4, 17.6, 17.8, 18.0])
    assert found["intensity"].shape == (18, 51, 5)
    assert int(found["mask"].sum()) == 1  # the point of scan 148 whose monitor was not read out


def test_the_rod_of_the_nickelate_peaks_at_the_substrate(mirror: Path) -> None:
    rod = rod_from_hkl_scan(read_hkl_scan(mirror / "lno_lao/LNO_LAO_s14.dat"))
    top = int(np.argmax(rod["intensity"].values))
    assert rod.sizes["point"] == 185
    assert float(rod["hkl"][top, 2]) == pytest.approx(3.0, abs=0.005)
    assert float(rod["intensity"][top]) > 1e8  # the attenuator's factor of 6500 is in
    assert np.allclose(np.diff(rod["distance"]), 2 * np.pi / 3.7989 * 0.001, rtol=0.01)
