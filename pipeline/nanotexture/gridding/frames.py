"""Frames of an area detector to sums over voxels: chunk by chunk, combined, and finalized as those of any scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.geometry.placement import Placement
from nanotexture.gridding.accumulate import Sums
from nanotexture.gridding.frame_grid import Grid
from nanotexture.gridding.kernel import (
    COUNTS,
    DROPPED,
    GROUND,
    PIXELS,
    WEIGHT,
    Look,
    Worth,
    add_nearest,
    add_shared,
)

Array = NDArray[np.float64]

KINDS = ("u2", "u4", "i4", "f4", "f8")  # of counts that the kernel is compiled for, smallest first


@dataclass(frozen=True)
class FrameSums:
    """Sums over the voxels of a grid and over what was dropped, records (voxels + 3, fields): counts, weight, pixels, ground.

    Ground is what is to be taken off the counts; sums of frames with neither dark nor pedestal do without it.
    """

    grid: Grid
    records: Array

    @classmethod
    def empty(cls, grid: Grid, ground: bool = False) -> FrameSums:
        """Sums of nothing; memory is taken where voxels are first touched."""
        return cls(grid, np.zeros((grid.voxels + DROPPED, GROUND + ground)))

    def __add__(self, other: FrameSums) -> FrameSums:
        self._check(other)
        return FrameSums(self.grid, self.records + other.records)

    def __iadd__(self, other: FrameSums) -> FrameSums:
        self._check(other)
        np.add(self.records, other.records, out=self.records)
        return self

    @property
    def ground(self) -> bool:
        """Whether something may be taken off the counts."""
        return self.records.shape[1] > GROUND

    @property
    def dropped(self) -> Array:
        """Array (3, fields): outside the grid, masked, saturated; counts, weight, pixels, ground if there is one."""
        return self.records[-DROPPED:]

    @property
    def sums(self) -> Sums:
        """The same as accumulate.Sums, arrays (nx, ny, nz), or (nx, nz) of a flat grid.

        The variance of the signal is that of the counts, ground included. A single detected count has variance 1: the
        variance of single counts is the number of pixels.
        """
        counts, weight, pixels = (self._field(n) for n in (COUNTS, WEIGHT, PIXELS))
        signal = counts - self._field(GROUND) if self.ground else counts
        return Sums(signal, counts, pixels, pixels, weight)

    def _field(self, number: int) -> Array:
        order, shape = self.grid.order, self.grid.shape
        field = self.records[:-DROPPED, number].reshape([shape[axis] for axis in order])
        found = field.transpose(np.argsort(order))
        return np.asarray(found[:, 0] if self.grid.flat else found)

    def _check(self, other: FrameSums) -> None:
        if self.grid != other.grid or self.ground != other.ground:
            raise UserError("sums over two grids, or with and without ground, cannot be added")


def add_frames(
    sums: FrameSums,
    frames: NDArray[Any],
    placement: Placement,
    worth: Worth,
    *,
    start: int = 0,
    width: tuple[float, float, float] | None = None,
) -> FrameSums:
    """The same sums with frames start, start + 1 ... (frame, row, column) of a scan added in place.

    Each pixel counts for the voxel nearest to it; with width (1/angstrom along qx, qy, qz) it is a box that voxels share by
    volume. Negative integers and NaN are masked, the largest integer of its type is saturated: instruments mark pixels so.
    worth is of these frames alone.
    """
    part = slice(start, start + len(frames))
    order = list(sums.grid.order)
    steps = np.array([axis.step for axis in sums.grid.axes])[order]
    firsts = np.array([axis.first for axis in sums.grid.axes])[order]
    look = Look(
        to_voxel=np.ascontiguousarray(placement.matrix[part][:, order] / steps[:, None]),
        shift=np.ascontiguousarray((placement.offset[part][:, order] + firsts) / steps),
        directions=np.ascontiguousarray(np.moveaxis(placement.directions, -1, 0)),
        shape=(sums.grid.shape[order[0]], sums.grid.shape[order[1]], sums.grid.shape[order[2]]),
    )
    counts = _counts(frames)
    _check(counts, look, worth, placement)
    if not sums.ground and (worth.pedestal.any() or worth.dark.any()):
        raise UserError(
            f"{placement.file}: corrections: dark or pedestal expect sums with a ground, got none"
        )
    if frames.dtype.kind != "f":
        largest = float(np.iinfo(frames.dtype).max)
        worth = worth._replace(limits=np.array([0.0, min(largest, worth.limits[1])]))
    if width is None:
        add_nearest(counts, look, worth, sums.records)
    else:
        add_shared(counts, look, worth, sums.records, np.array(width)[order] / steps)
    return sums


def _counts(frames: NDArray[Any]) -> NDArray[Any]:
    known = (kind for kind in KINDS if np.can_cast(frames.dtype, kind, "safe"))
    return np.ascontiguousarray(frames, dtype=next(known, "f8"))


def _check(counts: NDArray[Any], look: Look, worth: Worth, placement: Placement) -> None:
    """The kernel reads without asking: shapes must agree."""
    expected = (len(look.shift), *placement.directions.shape[:2])
    if counts.shape != expected:
        raise UserError(
            f"{placement.file}: frames: expected {expected} frames, rows and columns, got {counts.shape}"
        )
    same = worth.pixel.shape == worth.pedestal.shape == worth.dark.shape == expected[1:]
    if not (same and len(worth.frame) == len(worth.seconds) == len(worth.forms) == expected[0]):
        raise UserError(
            f"{placement.file}: corrections: expected those of {expected[0]} frames of {expected[1:]}"
        )
