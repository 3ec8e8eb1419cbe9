"""Axes and the finer ones beneath: voxels are means where they stand, the resolution has its width."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanotexture.simulate.axes import Axes, refined, sensible_axes

from .textured import STACK


@given(st.floats(1e-4, 1e-2), st.floats(0.0, 5e-3))
def test_a_slope_keeps_its_value_at_the_centre_of_every_voxel(finest, resolution):
    axis = np.linspace(1.0, 1.2, 41)
    fine = refined(axis, finest=finest, resolution=resolution)
    slope = np.stack([3.0 * fine.points, fine.points - 2.0])
    np.testing.assert_allclose(fine.voxels(slope, axis=1), [3.0 * axis, axis - 2.0], rtol=1e-3)


def test_a_line_has_the_width_of_the_resolution_and_the_voxel():
    axis = np.linspace(-0.1, 0.1, 201)
    fine = refined(axis, finest=1e-4, resolution=4e-3)
    spike = (np.abs(fine.points - 0.02) < 0.6 * (fine.points[1] - fine.points[0])).astype(float)
    found = fine.voxels(spike[:, None], axis=0)[:, 0]
    mean = (found * axis).sum() / found.sum()
    width = np.sqrt((found * (axis - mean) ** 2).sum() / found.sum())
    assert mean == pytest.approx(0.02, abs=1e-4)
    assert width == pytest.approx(np.hypot(4e-3, 1e-3 / np.sqrt(12)), rel=0.01)


def test_points_are_as_close_as_the_finest_width_asks_and_reach_beyond_the_axis():
    axis = np.linspace(0.0, 1.0, 11)
    fine = refined(axis, finest=0.01, resolution=0.06)
    assert np.diff(fine.points).max() <= 0.01
    assert fine.points[0] < -4 * 0.06
    assert fine.points[-1] > 1 + 4 * 0.06
    assert len(fine.points) == (11 + 2 * fine.margin) * fine.each


def test_a_map_shows_superlattice_peaks_and_leaning_satellites_unless_fringes_were_too_fine():
    axes = sensible_axes(period=300.0, stack=STACK, hkl=(0, 0, 2), shape=(145, 301))
    once = 2 * np.pi / (STACK.thickness / 2)
    assert np.ptp(axes.qz) == pytest.approx(2 * 2 * np.pi * 6 / STACK.thickness)
    assert np.ptp(axes.qz) > 2 * 2.2 * once
    leaning = sensible_axes(period=30.0, stack=STACK, hkl=(0, 0, 2), shape=(145, 301))
    assert leaning.qz[-1] - leaning.qz[150] == pytest.approx(2.5 * 2 * np.pi / 30.0)
    few = sensible_axes(period=117.0, stack=STACK, hkl=(0, 0, 2), shape=(145, 21))
    assert np.ptp(few.qz) == pytest.approx(2 * np.pi / STACK.thickness * 21 / 5)


def test_the_shape_is_that_of_a_map():
    x, y, z = np.arange(3.0), np.arange(4.0), np.arange(5.0)
    assert Axes(x, z).shape == (3, 5)
    assert Axes(x, z, y).shape == (3, 4, 5)
