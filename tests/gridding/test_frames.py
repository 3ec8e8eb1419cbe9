"""Frames to voxels: xrayutilities' counts bit for bit, nothing lost, order and chunks without effect, a measured rod."""

from dataclasses import replace

import numpy as np
import pytest
import xrayutilities as xu
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.compiled import compiled
from nanotexture.errors import UserError
from nanotexture.geometry.fuzzy import Axis
from nanotexture.gridding import (
    Correction,
    Detector,
    FrameSums,
    Grid,
    add_frames,
    choose_grid,
    worth_of_block,
    worth_of_frames,
)
from nanotexture.gridding.accumulate import means_from_sums
from nanotexture.gridding.kernel import COUNTS, GROUND, PIXELS
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from .scans import Scan, measured_rod, random_scan

ALL = slice(None)
SEEDS = st.integers(0, 10**6)


@pytest.fixture(scope="module")
def rod(mirror, tmp_path_factory):
    return measured_rod(mirror, tmp_path_factory.mktemp("nno"))


def grid_within(placement, sizes, order=(0, 1, 2), part=0.8):
    """A grid over the middle part of a scan whose voxels' faces meet no pixel by chance."""
    q = placement.q(ALL, ALL, ALL).reshape(-1, 3)
    low, high = q.min(axis=0), q.max(axis=0)
    middle, reach = (low + high) / 2, part * (high - low) / 2
    axes = [
        Axis(m - r * 0.99731, 2 * r / (n - 1) * 1.00037, n)
        for m, r, n in zip(middle, reach, sizes, strict=True)
    ]
    return Grid(tuple(axes), order)


def gridded(scan, grid, **options):
    worth = worth_of_frames(scan.header, scan.placement, [])
    return add_frames(FrameSums.empty(grid), scan.frames, scan.placement, worth, **options)


def authority(scan, grid, gridder=xu.Gridder3D, **options):
    """Sums and counts of xrayutilities, whose outermost voxels are half: one more on every side, cut off again."""
    found = gridder(*(axis.size + 2 for axis in grid.axes))
    ends = [(axis.first - axis.step, axis.last + axis.step) for axis in grid.axes]
    found.dataRange(*np.ravel(ends), fixed=True)
    q = scan.placement.q(ALL, ALL, ALL)
    good = (scan.header["mask"].values == 0) & np.ones(q.shape[:3], bool)
    data = np.ascontiguousarray(scan.frames[good], dtype=float)
    found(*(np.ascontiguousarray(q[good][:, n]) for n in range(3)), data, **options)
    inner = (slice(1, -1),) * 3
    return found._gdata[inner], found._gnorm[inner]


@settings(max_examples=40)
@given(SEEDS, st.permutations([0, 1, 2]), st.tuples(*[st.integers(2, 9)] * 3))
def test_counts_of_pixels_are_those_of_xrayutilities_on_any_geometry(seed, order, sizes):
    scan = random_scan(seed)
    grid = grid_within(scan.placement, sizes, tuple(order))
    sums, (data, number) = gridded(scan, grid).sums, authority(scan, grid)
    np.testing.assert_array_equal(np.reshape(sums.contributions, sizes), number)
    np.testing.assert_allclose(np.reshape(sums.counts, sizes), data, rtol=1e-12)


def test_counts_of_pixels_of_the_measured_rod_are_those_of_xrayutilities(rod):
    some = slice(0, None, 10)
    placed = {name: getattr(rod.placement, name)[some] for name in ("matrix", "offset", "detector_turn")}
    scan = Scan(rod.header.isel(frame=some), replace(rod.placement, **placed), rod.frames[some])
    grid = grid_within(scan.placement, (61, 67, 71), part=1.0)
    sums, (data, number) = gridded(scan, grid).sums, authority(scan, grid)
    np.testing.assert_array_equal(sums.contributions, number)
    np.testing.assert_allclose(sums.counts, data, rtol=1e-12)


@settings(max_examples=30)
@given(SEEDS, st.floats(0.1, 2.5), st.tuples(*[st.integers(2, 6)] * 3))
def test_shared_pixels_are_shared_as_by_xrayutilities(seed, width, sizes):
    scan = random_scan(seed)
    grid = grid_within(scan.placement, sizes, part=1.0)
    widths = tuple(width * axis.step for axis in grid.axes)
    sums = gridded(scan, grid, width=widths).sums
    wide = Grid(tuple(Axis(a.first - 4 * a.step, a.step, a.size + 8) for a in grid.axes))
    data, number = authority(scan, wide, xu.FuzzyGridder3D, width=widths)
    inner = (slice(4, -4),) * 3
    np.testing.assert_allclose(sums.contributions, number[inner], atol=1e-9)
    np.testing.assert_allclose(sums.counts, data[inner], atol=1e-8)


@settings(max_examples=60)
@given(
    SEEDS,
    st.sampled_from(
        [("u1", None), (">u2", None), ("i4", None), ("f4", None), ("u2", 0.3), ("u2", 2.0), ("i8", 0.7)]
    ),
    st.floats(0.05, 1.5),
    st.sampled_from([np.nan, 9.0]),
)
def test_what_is_gridded_and_what_is_dropped_are_together_all_frames(seed, kind, part, saturation):
    dtype, width = kind
    scan = random_scan(seed, dtype=dtype)
    scan.header["mask"].values[1:3, 2] = 1
    scan.header["saturation"] = scan.header["saturation"].copy(data=saturation)
    if np.dtype(dtype).kind in "if":
        scan.frames[1, 4, 4] = -2
    grid = grid_within(scan.placement, (4, 5, 6), (2, 0, 1), part)
    found = gridded(scan, grid, width=None if width is None else tuple(width * a.step for a in grid.axes))
    whole = found.records.sum(axis=0)
    counts = scan.frames.astype(float)
    unmasked = (scan.header["mask"].values == 0).sum() * len(counts)
    np.testing.assert_allclose(whole, [counts.sum(), unmasked, counts.size], rtol=1e-13)
    masked, saturated = found.dropped[1], found.dropped[2]
    bad = np.zeros(counts.shape, bool)
    bad[:, 1:3, 2] = True
    if np.dtype(dtype).kind == "i":
        bad |= counts < 0
    assert (masked[COUNTS], masked[PIXELS]) == (counts[bad].sum(), bad.sum())
    assert saturated[PIXELS] == ((counts >= saturation) & ~bad).sum()


def test_a_count_that_is_not_a_number_is_masked_and_poisons_nothing():
    scan = random_scan(1, dtype="f4")
    scan.frames[2, 3, 3] = np.nan
    found = gridded(scan, grid_within(scan.placement, (3, 3, 3), part=2.0))
    assert found.dropped[1].tolist() == [0.0, 1.0, 1.0]
    assert found.records[:, 0].sum() == np.nansum(scan.frames)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4"])
def test_the_largest_number_of_a_type_is_no_count(dtype):
    scan = random_scan(1, dtype=dtype)
    scan.frames[2, 3, 3] = np.iinfo(dtype).max
    found = gridded(scan, grid_within(scan.placement, (3, 3, 3), part=2.0))
    assert found.dropped[2].tolist() == [np.iinfo(dtype).max, 1.0, 1.0]


@given(st.integers(1, 4), st.permutations([0, 1, 2]))
@settings(max_examples=12)
def test_neither_blocks_nor_the_order_in_memory_change_the_sums(block, order):
    scan = random_scan(5, frames=6)
    grid = grid_within(scan.placement, (5, 4, 6), tuple(order))
    plain = gridded(scan, grid_within(scan.placement, (5, 4, 6)))
    worth = worth_of_frames(scan.header, scan.placement, [])
    total = FrameSums.empty(grid)
    for start in range(0, 6, block):
        stop = min(6, start + block)
        part = scan.frames[start:stop]
        total += add_frames(
            FrameSums.empty(grid), part, scan.placement, worth_of_block(worth, start, stop), start=start
        )
    np.testing.assert_array_equal(total.sums.counts, plain.sums.counts)
    np.testing.assert_array_equal(total.sums.weight, plain.sums.weight)
    np.testing.assert_array_equal(total.dropped, plain.dropped)


def test_a_flat_grid_is_the_sum_of_the_slabs_it_covers():
    scan = random_scan(2, frames=8, shape=(21, 19))
    grid = grid_within(scan.placement, (5, 6, 7))
    y = grid.axes[1]
    slab = Axis((y.first + y.last) / 2, y.size * y.step, 1)
    flat = gridded(scan, Grid((grid.axes[0], slab, grid.axes[2]))).sums
    np.testing.assert_allclose(flat.counts, gridded(scan, grid).sums.counts.sum(axis=1))
    assert flat.counts.shape == (5, 7)


def test_the_fringes_of_the_measured_rod_are_where_they_were_found(rod):
    a, c = rod.placement.ub[0, 0], rod.placement.ub[2, 2]  # a*, c* in 1/angstrom
    grid = choose_grid(
        [rod.placement], steps=(0.002, 1.0, 0.001), crop=(None, (0.98 * a, 1.02 * a), None), flat=True
    )
    sums = gridded(rod, grid).sums
    on_rod = np.abs(grid.axes[0].centres / a - 1) < 0.02
    mean = sums.counts[on_rod].sum(axis=0) / np.maximum(sums.weight[on_rod].sum(axis=0), 1)
    smooth = gaussian_filter1d(mean - 187.0, 4)  # the pedestal taken off
    peaks, _ = find_peaks(np.log(np.maximum(smooth, 1)), prominence=0.1)
    fringes = grid.axes[2].centres[peaks] / c
    np.testing.assert_allclose(fringes, [0.9786, 1.0159, 1.0549, 1.0933, 1.1323], atol=2e-3)


def test_a_voxel_means_counts_over_weight_with_poissons_variance():
    scan = random_scan(3, frames=12)
    sums = gridded(scan, grid_within(scan.placement, (3, 3, 3), part=1.0)).sums
    mean, variance, mask = means_from_sums(sums=sums, least=1)
    seen = mask == 0
    np.testing.assert_allclose(mean[seen], (sums.counts / sums.contributions)[seen])
    np.testing.assert_allclose(
        variance[seen], np.maximum(sums.counts, 1)[seen] / sums.contributions[seen] ** 2
    )
    assert (sums.contributions[~seen] == 0).all()


def test_frames_of_another_shape_and_sums_over_another_grid_are_refused():
    scan = random_scan(4)
    grid = grid_within(scan.placement, (3, 3, 3))
    worth = worth_of_frames(scan.header, scan.placement, [])
    with pytest.raises(UserError, match=r"scan.spec: frames: expected \(3, 9, 7\)"):
        add_frames(FrameSums.empty(grid), scan.frames[:3, :4], scan.placement, worth)
    with pytest.raises(UserError, match="corrections: expected those of 3 frames"):
        add_frames(FrameSums.empty(grid), scan.frames[:3], scan.placement, worth)
    with pytest.raises(UserError, match="two grids"):
        _ = FrameSums.empty(grid) + FrameSums.empty(grid_within(scan.placement, (3, 3, 4)))


@pytest.mark.parametrize("width", [None, 0.4])
def test_what_is_taken_off_is_conserved_too(width):
    scan = random_scan(6)
    pedestal = np.random.default_rng(0).uniform(1, 9, (9, 7))
    worth = worth_of_frames(scan.header, scan.placement, [Correction.PEDESTAL], Detector(pedestal=pedestal))
    grid = grid_within(scan.placement, (3, 4, 3))
    told = None if width is None else tuple(width * axis.step for axis in grid.axes)
    found = add_frames(FrameSums.empty(grid, ground=True), scan.frames, scan.placement, worth, width=told)
    whole = found.sums.counts.sum() + (found.dropped[:, COUNTS] - found.dropped[:, GROUND]).sum()
    assert whole == pytest.approx(scan.frames.sum() - 4 * pedestal.sum())
    with pytest.raises(UserError, match="expect sums with a ground"):
        add_frames(FrameSums.empty(grid), scan.frames, scan.placement, worth)


def test_a_kernel_is_compiled_without_a_cache_where_none_can_be_written():
    names = {}
    exec("def twice(x):\n    return 2 * x\n", names)  # of no file: numba has no place for a cache
    assert compiled(names["twice"])(4) == 8
