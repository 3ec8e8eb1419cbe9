"""Pixels that cannot be trusted are found from frames alone, and pixels that merely saw nothing are not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.readers.frame_defects import find_defects

FILE = Path("scan")


@dataclass
class Pixels:
    """Frames in memory, which count how many are read at once."""

    frames: np.ndarray
    most: int = 0
    read_in_all: int = 0

    @property
    def shape(self):
        return self.frames.shape

    def read(self, start: int, stop: int) -> np.ndarray:
        self.most, self.read_in_all = max(self.most, stop - start), self.read_in_all + stop - start
        return self.frames[start:stop]


def poisson(mean: float, frames: int = 40) -> np.ndarray:
    return np.random.default_rng(4).poisson(mean, (frames, 60, 50)).astype(np.int32)


def test_a_pixel_without_counts_among_bright_ones_is_dead() -> None:
    frames = poisson(5.0)
    frames[:, 7, 9] = 0
    found = find_defects(FILE, Pixels(frames), None, np.nan, 64)
    assert found.counted["dead_pixels"] == 1
    assert np.argwhere(found.mask).tolist() == [[7, 9]]


def test_pixels_without_counts_are_not_dead_where_hardly_anything_was_counted() -> None:
    frames = poisson(0.1)
    assert (frames.max(axis=0) == 0).sum() > 20
    assert find_defects(FILE, Pixels(frames), None, np.nan, 64).counted["dead_pixels"] == 0


def test_a_pixel_far_above_its_neighbours_in_all_frames_is_hot_but_a_reflection_is_not() -> None:
    frames = poisson(5.0)
    frames[:, 20, 20] = 500
    frames[18:23, 40, 30] = 100_000  # one pixel wide, rocked through
    rows, columns = np.indices(frames.shape[1:])
    frames += (
        np.random.default_rng(1)
        .poisson(  # a peak that stays
            3000 * np.exp(-((rows - 10) ** 2 + (columns - 10) ** 2) / 8), frames.shape
        )
        .astype(np.int32)
    )
    found = find_defects(FILE, Pixels(frames), None, np.nan, 64)
    assert np.argwhere(found.mask).tolist() == [[20, 20]]
    assert found.counted["hot_pixels"] == 1


def test_negative_counts_and_nan_exclude_a_pixel() -> None:
    frames = poisson(5.0).astype(np.float32)
    frames[:, 3, 3], frames[7, 4, 4] = -2, np.nan
    found = find_defects(FILE, Pixels(frames), None, np.nan, 64)
    assert np.argwhere(found.mask).tolist() == [[3, 3], [4, 4]]
    assert found.counted["excluded_pixels"] == 2


def test_what_the_file_masks_is_counted_once_and_hides_what_lies_under_it() -> None:
    frames = poisson(5.0)
    frames[:, :10] = -1
    frames[:, 30, 30] = 0
    masked = np.zeros(frames.shape[1:], bool)
    masked[:10], masked[30, 30] = True, True
    counted = find_defects(FILE, Pixels(frames), masked, np.nan, 64).counted
    assert (counted["masked_pixels"], counted["excluded_pixels"], counted["dead_pixels"]) == (501, 0, 0)


def test_saturated_counts_are_counted_but_stay() -> None:
    frames = poisson(5.0)
    frames[3, 5, 5:8] = 1000
    found = find_defects(FILE, Pixels(frames), None, 1000.0, 64)
    assert found.counted["saturated_counts"] == 3
    assert not found.mask.any()


def test_the_pedestal_is_the_typical_count_and_a_peak_does_not_lift_it() -> None:
    frames = poisson(180.0)
    frames[:, 20:30, 20:30] += 10_000
    assert float(find_defects(FILE, Pixels(frames), None, np.nan, 64).counted["pedestal"]) == pytest.approx(
        180, abs=2
    )


def test_long_scans_are_looked_at_frame_by_frame_and_only_in_part() -> None:
    pixels = Pixels(np.broadcast_to(poisson(5.0, 1), (5000, 60, 50)))
    counted = find_defects(FILE, pixels, None, np.nan, 64).counted
    assert (pixels.most, pixels.read_in_all, counted["frames_looked_at"]) == (1, 64, 64)


def test_where_no_frame_is_to_be_looked_at_none_is_read() -> None:
    pixels = Pixels(poisson(5.0))
    found = find_defects(FILE, pixels, np.eye(60, 50, dtype=bool), np.nan, 0)
    assert pixels.read_in_all == 0
    np.testing.assert_array_equal(found.mask, np.eye(60, 50))


def test_a_scan_in_which_nothing_can_be_trusted_is_refused() -> None:
    with pytest.raises(InputError, match="zero in all of 40 frames"):
        find_defects(FILE, Pixels(0 * poisson(1.0)), None, np.nan, 64)
    with pytest.raises(InputError, match="zero in all of 40 frames"):
        find_defects(FILE, Pixels(-1 - poisson(1.0)), None, np.nan, 64)
