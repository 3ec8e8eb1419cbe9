"""The brightest spot of frames, found block by block, for the check of a geometry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.geometry.peak_check import Spot

CANDIDATES = 16  # brightest pixels of a frame that are looked at
COMPANY = 0.1  # of a pixel's counts that its brightest neighbour must have: hot pixels stand alone


@dataclass(frozen=True)
class Brightest:
    """A spot and its counts."""

    counts: float
    spot: Spot


def brightest_of_block(frames: NDArray[Any], mask: NDArray[Any], start: int = 0) -> Brightest | None:
    """Brightest pixel of frames start, start + 1 ... (frame, row, column), masked and lonely pixels aside; None if dark."""
    found = (_of_frame(np.where(mask, 0, frame), start + n) for n, frame in enumerate(frames))
    return brightest_of(found)


def brightest_of(blocks: Iterable[Brightest | None]) -> Brightest | None:
    """The brightest of several; the first of equals."""
    return max((one for one in blocks if one is not None), key=lambda one: one.counts, default=None)


def _of_frame(counts: NDArray[Any], frame: int) -> Brightest | None:
    flat = counts.ravel()
    number = min(CANDIDATES, flat.size)
    some = np.argpartition(flat, flat.size - number)[flat.size - number :]
    for place in some[np.argsort(-flat[some].astype(float), kind="stable")]:
        row, column = (int(n) for n in divmod(int(place), counts.shape[1]))
        if flat[place] > 0 and _neighbour(counts, row, column) >= COMPANY * float(flat[place]):
            return Brightest(float(flat[place]), Spot(frame, row, column))
    return None


def _neighbour(counts: NDArray[Any], row: int, column: int) -> float:
    """Counts of the brightest of the pixels around one."""
    around = counts[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].astype(float)
    return float(np.sort(around, axis=None)[-2]) if around.size > 1 else float(around[0, 0])
