"""Pixels not to be trusted, found from a sample of frames spread over the scan, in the memory of a few frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, median_filter

from nanotexture.errors import InputError
from nanotexture.readers.frame_scan import Pixels

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

MAX_VALUES = 150_000_000  # looked at in all: 33 frames of 4.5 million pixels take 10 s
FEWEST = 8  # frames from which a pixel is called hot or dead
FALSE_ALARMS = 1e-3  # pixels of a whole detector that chance alone may call dead
HOT_RATIO, HOT_SIGMA = 3.0, 8.0  # over the brightest neighbour
HOT_SHARE = 0.9  # of the frames: a reflection that is rocked through is gone in most of them
_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)


@dataclass(frozen=True)
class Defects:
    """Whether a pixel (row, column) is out, and how many are for which reason."""

    mask: Mask
    counted: dict[str, int | str]


@dataclass
class _Seen:
    """Sums over the frames looked at, arrays (row, column)."""

    total: Array
    hot: NDArray[np.int64]
    excluded: Mask
    saturated: int = 0
    empty: int = 0
    levels: tuple[float, ...] = ()


def find_defects(path: Path, pixels: Pixels, masked: Mask | None, saturation: float, look: int) -> Defects:
    """Dead, hot and excluded pixels in `look` frames, beside those that a file masks; InputError if all are zero.

    Excluded: a count below zero or NaN in any frame looked at. Dead: never a count, where the median of its
    neighbourhood makes that a chance below FALSE_ALARMS for the whole detector. Hot: HOT_RATIO times and HOT_SIGMA
    standard deviations above its brightest neighbour in HOT_SHARE of the frames. The pedestal is the median over
    frames of the median over pixels; nothing is subtracted.
    """
    frames, rows, columns = pixels.shape
    out = np.zeros((rows, columns), bool) if masked is None else masked.copy()
    if look == 0:
        return Defects(out, {"masked_pixels": int(np.count_nonzero(out)), "frames_looked_at": 0})
    number = min(frames, look, max(FEWEST, MAX_VALUES // (rows * columns)))
    chosen = np.unique(np.linspace(0, frames - 1, number).round().astype(int))
    seen = _look(pixels, chosen, out, saturation)
    if seen.empty == len(chosen):
        raise InputError(path, "frames", "counts", f"zero in all of {len(chosen)} frames looked at")
    excluded = seen.excluded & ~out
    dead = _dead(seen.total, out | excluded, len(chosen))
    hot = (seen.hot >= HOT_SHARE * len(chosen)) & ~(out | excluded) & (len(chosen) >= FEWEST)
    mask = out | excluded | dead | hot
    if mask.all():
        raise InputError(path, "mask", "at least one pixel that is not masked", "all are")
    return Defects(mask, _counted(seen, out, excluded, dead, hot, chosen))


def _look(pixels: Pixels, chosen: NDArray[np.int64], out: Mask, saturation: float) -> _Seen:
    shape = pixels.shape[1:]
    seen = _Seen(np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape, bool))
    for index in chosen:
        frame = pixels.read(int(index), int(index) + 1)[0].astype(np.float64)
        bad = ~(frame >= 0)  # NaN too
        seen.excluded |= bad
        good = ~(bad | out)
        counts = np.where(good, frame, 0.0)
        seen.total += counts
        seen.hot += _stands_out(counts)
        seen.saturated += int(np.count_nonzero(counts >= saturation)) if saturation > 0 else 0
        seen.empty += int(not counts.any())
        seen.levels += (float(np.median(frame[good])),) if good.any() else ()
    return seen


def _stands_out(frame: Array) -> Mask:
    """Where a pixel is far brighter than the brightest of its eight neighbours."""
    brightest = maximum_filter(frame, footprint=_NEIGHBOURS, mode="constant")
    return np.asarray(frame > HOT_RATIO * brightest + HOT_SIGMA * np.sqrt(brightest + 1.0))


def _dead(total: Array, out: Mask, frames: int) -> Mask:
    """Where no count came in though exp(-counts of the neighbourhood) leaves no chance for that."""
    never = (total == 0) & ~out
    if frames < FEWEST or not never.any():
        return np.zeros_like(never)
    around = median_filter(np.where(out, 0.0, total), size=5, mode="nearest")
    return np.asarray(never & (around > np.log(total.size / FALSE_ALARMS)))


def _counted(
    seen: _Seen, out: Mask, excluded: Mask, dead: Mask, hot: Mask, chosen: NDArray[np.int64]
) -> dict[str, int | str]:
    counts = {
        "masked_pixels": out,
        "excluded_pixels": excluded,
        "dead_pixels": dead,
        "hot_pixels": hot,
    }
    return {
        **{name: int(np.count_nonzero(where)) for name, where in counts.items()},
        "saturated_counts": seen.saturated,
        "empty_frames": seen.empty,
        "frames_looked_at": len(chosen),
        "pedestal": f"{np.median(seen.levels):g}" if seen.levels else "0",
    }
