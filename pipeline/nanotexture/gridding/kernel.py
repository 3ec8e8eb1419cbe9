"""Frames to sums over voxels in one pass, compiled: place each pixel, weigh it, add it up. No GIL is held.

A voxel's sums lie side by side (counts, weight, pixels, and what is to be taken off the counts where that is asked for),
so that a pixel touches one line of the cache; three more records hold what was dropped: outside the grid, masked,
saturated. Rows are worked on step by step, so that all steps but the last are done on several pixels at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanotexture.compiled import compiled

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Shape = tuple[int, int, int]

OUTSIDE, MASKED, SATURATED = 0, 1, 2  # records after the last voxel
DROPPED = 3
COUNTS, WEIGHT, PIXELS, GROUND = 0, 1, 2, 3  # fields of a record; without ground there are three
SLOWEST = (
    1e-3  # of the speed through the Ewald sphere: below, the Lorentz factor is no longer that of a plane
)


class Look(NamedTuple):
    """Where pixels lie on the grid: position in voxels = to_voxel[frame] @ directions[:, row, column] - shift[frame].

    to_voxel (frame, 3, 3), shift (frame, 3), directions (3, row, column), number of voxels along the three axes.
    """

    to_voxel: Array
    shift: Array
    directions: Array
    shape: Shape


class Worth(NamedTuple):
    """What a count is worth: weight = frame pixel P L, and ground = pedestal + seconds dark is to be taken off it.

    pixel (row, column), 0 where masked; frame (frame,); pedestal, dark (row, column) and seconds (frame,); forms (frame, 3, 3):
    directions of horizontal and vertical polarization and beam x axis of rotation, as seen with the detector's circles at
    zero; asked (2,): horizontal share of the polarization or NaN, 1 for the Lorentz factor; limits (2,): least count and
    count from which a pixel is saturated.
    """

    pixel: Array
    frame: Array
    pedestal: Array
    dark: Array
    seconds: Array
    forms: Array
    asked: Array
    limits: Array


@compiled
def _along(a: Array, directions: Array, row: int, column: int) -> float:
    """a . direction of a pixel."""
    x, y, z = directions[0, row, column], directions[1, row, column], directions[2, row, column]
    return a[0] * x + a[1] * y + a[2] * z


@compiled
def _nearest(a: Array, shift: Array, directions: Array, row: int, shape: Shape, voxel: Integers) -> None:
    """Voxels (column,) nearest to the pixels of a row; the number of voxels where outside."""
    ny, nz = float(shape[1]), float(shape[2])
    outside = np.int64(shape[0] * shape[1] * shape[2] + OUTSIDE)
    for c in range(len(voxel)):
        x = np.rint(_along(a[0], directions, row, c) - shift[0])
        y = np.rint(_along(a[1], directions, row, c) - shift[1])
        z = np.rint(_along(a[2], directions, row, c) - shift[2])
        inside = (x >= 0) & (x < shape[0]) & (y >= 0) & (y < ny) & (z >= 0) & (z < nz)
        voxel[c] = np.int64((x * ny + y) * nz + z) if inside else outside


@compiled
def _weigh(pixel: Array, forms: Array, asked: Array, directions: Array, row: int, weight: Array) -> None:
    """Efficiencies (column,) of a row: the pixel's, times polarization and Lorentz factor where asked for."""
    for c in range(len(weight)):
        weight[c] = pixel[row, c]
    if asked[0] >= 0:
        for c in range(len(weight)):
            across, up = _along(forms[0], directions, row, c), _along(forms[1], directions, row, c)
            weight[c] *= asked[0] * (1 - across * across) + (1 - asked[0]) * (1 - up * up)
    if asked[1] > 0:
        for c in range(len(weight)):
            weight[c] /= max(abs(_along(forms[2], directions, row, c)), SLOWEST)


@compiled
def _read(
    counts: NDArray[Any], weight: Array, limits: Array, voxels: int, voxel: Integers, value: Array
) -> None:
    """Counts (column,) of a row as numbers; pixels not to be trusted are sent to their records."""
    masked, saturated = np.int64(voxels + MASKED), np.int64(voxels + SATURATED)
    for c in range(len(voxel)):
        count = float(counts[c])
        kept = (weight[c] > 0) & (count >= limits[0])
        at = saturated if count >= limits[1] else voxel[c]
        voxel[c] = at if kept else masked
        value[c] = count if count == count else 0.0


@compiled
def _add(voxel: Integers, value: Array, weight: Array, frame: float, records: Array) -> None:
    """Add a row; neighbours often share a voxel, so that its sums are kept apart until the voxel changes."""
    at, total, w, pixels = voxel[0], 0.0, 0.0, 0.0
    for c in range(len(voxel)):
        here = voxel[c]
        if here != at:
            records[at, COUNTS] += total
            records[at, WEIGHT] += frame * w
            records[at, PIXELS] += pixels
            at, total, w, pixels = here, 0.0, 0.0, 0.0
        total += value[c]
        w += weight[c]
        pixels += 1.0
    records[at, COUNTS] += total
    records[at, WEIGHT] += frame * w
    records[at, PIXELS] += pixels


@compiled
def add_nearest(frames: NDArray[Any], look: Look, worth: Worth, records: Array) -> None:
    """Add frames (frame, row, column) to records (voxels + 3, 3 or 4), each pixel to the voxel nearest to it."""
    columns = frames.shape[2]
    voxel, weight, value = np.empty(columns, np.int64), np.empty(columns), np.empty(columns)
    voxels, ground = len(records) - DROPPED, records.shape[1] > GROUND
    for f in range(frames.shape[0]):
        for r in range(frames.shape[1]):
            _nearest(look.to_voxel[f], look.shift[f], look.directions, r, look.shape, voxel)
            _weigh(worth.pixel, worth.forms[f], worth.asked, look.directions, r, weight)
            _read(frames[f, r], weight, worth.limits, voxels, voxel, value)
            _add(voxel, value, weight, worth.frame[f], records)
            if ground:
                for c in range(columns):
                    taken = worth.pedestal[r, c] + worth.seconds[f] * worth.dark[r, c]
                    records[voxel[c], GROUND] += taken


@compiled
def _boxes(
    a: Array, shift: Array, directions: Array, row: int, shape: Shape, width: Array, low: Array, high: Array
) -> None:
    """Ends (3, column) of the pixels' boxes of `width` voxels (3,), as far as they lie on the grid."""
    for axis in range(3):
        half, edge = width[axis] / 2, shape[axis] - 0.5
        for c in range(low.shape[1]):
            place = _along(a[axis], directions, row, c) - shift[axis]
            low[axis, c] = max(place - half, -0.5)
            high[axis, c] = min(place + half, edge)


@compiled
def _share(
    low: Array, high: Array, c: int, width: Array, shape: Shape, values: Array, records: Array
) -> float:
    """Add values (field,) of a pixel to the voxels that its box overlaps; the share that found none."""
    if not (high[0, c] > low[0, c] and high[1, c] > low[1, c] and high[2, c] > low[2, c]):
        return 1.0
    left, volume = 1.0, width[0] * width[1] * width[2]
    first, last = int(np.rint(low[2, c])), int(np.rint(high[2, c])) + 1
    for x in range(int(np.rint(low[0, c])), int(np.rint(high[0, c])) + 1):
        in_x = (min(high[0, c], x + 0.5) - max(low[0, c], x - 0.5)) / volume
        for y in range(int(np.rint(low[1, c])), int(np.rint(high[1, c])) + 1):
            area = in_x * (min(high[1, c], y + 0.5) - max(low[1, c], y - 0.5))
            for z in range(first, last):
                part = area * (min(high[2, c], z + 0.5) - max(low[2, c], z - 0.5))
                if part > 0:
                    here = (x * shape[1] + y) * shape[2] + z
                    for field in range(records.shape[1]):
                        records[here, field] += part * values[field]
                    left -= part
    return left


@compiled
def add_shared(frames: NDArray[Any], look: Look, worth: Worth, records: Array, width: Array) -> None:
    """As add_nearest, but a pixel is a box of `width` voxels (3,) shared by volume; its part outside is dropped."""
    columns, values = frames.shape[2], np.ones(GROUND + 1)
    voxel, low, high = np.empty(columns, np.int64), np.empty((3, columns)), np.empty((3, columns))
    weight, value = np.empty(columns), np.empty(columns)
    voxels = len(records) - DROPPED
    shape, directions = look.shape, look.directions
    for f in range(frames.shape[0]):
        for r in range(frames.shape[1]):
            voxel[:] = voxels + OUTSIDE
            _boxes(look.to_voxel[f], look.shift[f], directions, r, shape, width, low, high)
            _weigh(worth.pixel, worth.forms[f], worth.asked, directions, r, weight)
            _read(frames[f, r], weight, worth.limits, voxels, voxel, value)
            for c in range(columns):
                values[COUNTS], values[WEIGHT] = value[c], worth.frame[f] * weight[c]
                values[GROUND] = worth.pedestal[r, c] + worth.seconds[f] * worth.dark[r, c]
                left = 1.0
                if voxel[c] == voxels + OUTSIDE:
                    left = _share(low, high, c, width, shape, values, records)
                for field in range(records.shape[1]):
                    records[voxel[c], field] += left * values[field]
