"""Grids of frames: ranges that hold every pixel and little else, steps that leave no hole."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.errors import UserError
from nanotexture.geometry import PRESETS, Panel, place
from nanotexture.gridding import FrameSums, add_frames, choose_grid, extent, pixel_steps, worth_of_frames
from nanotexture.gridding.kernel import PIXELS
from scipy.ndimage import binary_fill_holes

from .scans import Scan, header_of, random_scan

ALL = slice(None)
STILL = {"mu": 0.0, "chi": 0.0, "phi": 0.0, "nu": 0.0}


def rocking(frames=30, shape=(40, 30), width=1.0):
    """A rocking scan of eta about 2 theta = 36 degrees."""
    positions = STILL | {"eta": 18 + width * np.linspace(-1, 1, frames), "delta": 36.0}
    panel = Panel("x-", "z-", (shape[0] / 2 - 0.3, shape[1] / 2 + 0.1), (0.1, 0.1), 400.0)
    header = header_of(positions, shape)
    placement = place(header, replace(PRESETS["6idb_psic"], panel=panel), (0, 1, 0), (1, 0, 0))
    return Scan(header, placement, np.ones((frames, *shape), np.uint16))


@settings(max_examples=60)
@given(st.integers(0, 10**6))
def test_the_extent_holds_every_pixel_and_is_tight_or_a_turning_point(seed):
    placement = random_scan(seed, shape=(30, 26)).placement
    q = placement.q(ALL, ALL, ALL).reshape(-1, 3)
    found = extent(placement)
    assert (found[:, 0] <= q.min(axis=0) + 1e-12).all()
    assert (found[:, 1] >= q.max(axis=0) - 1e-12).all()
    # Between pixels of 0.01 rad a direction can turn: K (1 - cos(0.01)) beyond the last of them.
    slack = placement.wave_number * 1e-4
    np.testing.assert_allclose(found, np.stack([q.min(axis=0), q.max(axis=0)], axis=-1), atol=slack)


def test_the_steps_are_those_between_neighbours():
    placement = rocking().placement
    q = placement.q(ALL, ALL, ALL)
    for number, axis in enumerate((1, 2, 0)):
        expected = np.abs(np.diff(q, axis=axis)).max(axis=(0, 1, 2))
        np.testing.assert_allclose(pixel_steps(placement)[number], expected, rtol=0.03, atol=1e-7)


@pytest.mark.parametrize("flat", [False, True])
def test_voxels_inside_a_scan_are_not_empty(flat):
    scan = rocking()
    grid = choose_grid([scan.placement], flat=flat)
    sums = add_frames(
        FrameSums.empty(grid), scan.frames, scan.placement, worth_of_frames(scan.header, scan.placement, [])
    )
    assert sums.dropped[:, PIXELS].sum() == 0
    seen = sums.sums.contributions > 0
    seen = seen if flat else seen[:, seen.shape[1] // 2]
    assert not (binary_fill_holes(seen) & ~seen).any()


def test_the_axis_that_rows_run_along_is_innermost():
    grid = choose_grid([rocking().placement])
    assert grid.order[2] == 1  # columns run across the plane of scattering: along qy


def test_a_default_grid_that_would_be_too_large_is_made_coarser(monkeypatch):
    placement = rocking().placement
    fine = choose_grid([placement])
    for limit in ("MAX_VOXELS", "USUAL_VOXELS"):
        monkeypatch.setattr(f"nanotexture.gridding.frame_grid.{limit}", 2000)
    coarse = choose_grid([placement])
    assert coarse.voxels <= 2000 < fine.voxels
    with pytest.raises(UserError, match="voxels are more than"):
        choose_grid([placement], steps=tuple(axis.step for axis in fine.axes))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"steps": (0.0, 0.001, 0.001)}, "a step of qx above 0"),
        ({"crop": (None, (5.0, 6.0), None), "flat": True}, "qy_range: expected a range within"),
        ({"crop": (None, None, (9.0, 10.0))}, "qz_range: expected a range within"),
    ],
)
def test_grids_that_cannot_be_are_refused(told, words):
    with pytest.raises(UserError, match=words):
        choose_grid([rocking().placement], **told)
