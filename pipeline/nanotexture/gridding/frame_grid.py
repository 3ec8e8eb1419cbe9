"""The grid of a scan with an area detector: ranges from the edges of the panel, steps from the spacing of its pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.geometry.fuzzy import Axis
from nanotexture.geometry.placement import Placement
from nanotexture.gridding.grid import MAX_VOXELS, Range, cropped_range, regular_axis

Array = NDArray[np.float64]

NAMES = ("qx", "qy", "qz")
USUAL_VOXELS = 2**21  # of a grid whose steps nobody told: a worker holds several arrays of them
MOST = 10**9  # voxels along an axis: more are no grid
COARSER = 1.05
BLOCK = 64  # frames whose edges are placed at once
SAMPLES = 9  # pixels and frames along each direction at which steps are taken
LATTICE = 64  # pixels along a side among which a turning point of q inside the panel is looked for


@dataclass(frozen=True)
class Grid:
    """Voxels: axes qx, qy, qz, and in which order they lie in memory, outermost first.

    The axis along which the rows of the detector run is best innermost. A flat grid has one voxel along qy.
    """

    axes: tuple[Axis, Axis, Axis]
    order: tuple[int, int, int] = (0, 1, 2)

    @classmethod
    def from_arrays(
        cls, first: Array, step: Array, shape: NDArray[np.int64], order: NDArray[np.int64]
    ) -> Grid:
        """From first centres, steps and numbers of voxels along qx, qy, qz, and the order in memory, (3,) each."""
        x, y, z = (Axis(float(a), float(d), int(n)) for a, d, n in zip(first, step, shape, strict=True))
        return cls((x, y, z), (int(order[0]), int(order[1]), int(order[2])))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along qx, qy, qz."""
        return self.axes[0].size, self.axes[1].size, self.axes[2].size

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def flat(self) -> bool:
        """Whether qy is summed over."""
        return self.shape[1] == 1


def extent(placement: Placement) -> Array:
    """Least and largest (3, 2) of qx, qy, qz over all pixels and frames, from the pixels at the panel's edges.

    q is a fixed vector times a direction: inside the panel it turns only where the direction is along that vector; where
    a coarse lattice of pixels says so, the limit is the vector's length.
    """
    edges, inner = _edge(placement.directions), _lattice(placement.directions)
    starts = range(0, placement.frames, BLOCK)
    sides = [
        [_farthest(placement, slice(start, start + BLOCK), edges, inner, sign) for start in starts]
        for sign in (-1.0, 1.0)
    ]
    return np.stack([np.min(sides[0], axis=0), np.max(sides[1], axis=0)], axis=-1)


def _farthest(placement: Placement, frames: slice, edges: Array, inner: Array, sign: float) -> Array:
    """Largest (sign 1) or least (sign -1) of qx, qy, qz (3,) over some frames."""
    matrix = sign * placement.matrix[frames]
    at_edge, inside = ((matrix @ pixels.T).max(axis=-1) for pixels in (edges, inner))
    reach = np.where(inside > at_edge, np.linalg.norm(matrix, axis=-1), at_edge)
    return np.asarray(sign * (reach - sign * placement.offset[frames]).max(axis=0))


def pixel_steps(placement: Placement) -> Array:
    """Largest |qx|, |qy|, |qz| (3, 3), 1/angstrom, from one row, column and frame (first dim) to the next; of some pixels."""
    sizes = (*placement.directions.shape[:2], placement.frames)
    some = [np.unique(np.linspace(0, max(n - 2, 0), SAMPLES).astype(int)) for n in sizes]
    where = np.stack([index.ravel() for index in np.meshgrid(*some, indexing="ij")])
    return np.stack([_step(placement, where, axis) if n > 1 else np.zeros(3) for axis, n in enumerate(sizes)])


def _step(placement: Placement, where: NDArray[np.int64], axis: int) -> Array:
    moved = where + np.eye(3, dtype=int)[:, [axis]]
    here, there = (placement.q(frames, rows, columns) for rows, columns, frames in (where, moved))
    return np.asarray(np.abs(there - here).max(axis=0))


def choose_grid(
    placements: Iterable[Placement],
    *,
    steps: tuple[float, float, float] | None = None,
    crop: tuple[Range | None, Range | None, Range | None] = (None, None, None),
    flat: bool = False,
    as_told: bool = False,
) -> Grid:
    """Grid over all pixels of all scans or the crop; steps in 1/angstrom along qx, qy, qz, or those of the pixels.

    A flat grid has one voxel along qy, over the crop or all there can be; as_told: the crop stands even where no pixel is,
    for a scan that grows into it. By default a voxel is as large as the box around the steps of one row, column and frame,
    so that none inside the scan stays empty; larger if the voxels would be too many.
    """
    seen = [(pixel_steps(one), extent(one), one.wave_number, one.file) for one in placements]
    moves = np.max([steps for steps, *_ in seen], axis=0)
    limits = np.stack([limits for _, limits, *_ in seen])
    every = np.stack([limits[..., 0].min(axis=0), limits[..., 1].max(axis=0)], axis=-1)
    if flat and crop[1] is None:
        every[1] = np.array([-2.0, 2.0]) * max(wave_number for *_, wave_number, _ in seen)
    told = zip(every, crop, NAMES, strict=True)
    ranges = [limits if as_told and limits else cropped_range(q, limits, name) for q, limits, name in told]
    slab, file = _slab(ranges[1]) if flat else None, seen[0][-1]
    found = moves.sum(axis=0) if steps is None else np.array(steps, float)
    _refuse_coarse(file, ranges, steps, slab is not None)
    grid = _grid(file, ranges, found, slab, moves)
    while steps is None and grid.voxels > USUAL_VOXELS:
        found = COARSER * found
        grid = _grid(file, ranges, found, slab, moves)
    if grid.voxels > MAX_VOXELS:
        size = " x ".join(f"{n:.6g}" for n in grid.shape)
        raise UserError(
            f"{file}: voxel: {size} voxels are more than {MAX_VOXELS}: use larger steps or a crop"
        )
    return grid


def _grid(file: str, ranges: list[Range], steps: Array, slab: Axis | None, moves: Array) -> Grid:
    axes = []
    for name, limits, step in zip(NAMES, ranges, steps, strict=True):
        if name == "qy" and slab is not None:
            axes.append(slab)
            continue
        if not (np.isfinite(step) and step > 0):
            raise UserError(f"{file}: grid: expected a step of {name} above 0 1/angstrom, got {step:g}")
        if not limits[1] - limits[0] < MOST * step:
            raise UserError(
                f"{file}: voxel: expected a step of {name} that fits {limits}, got {step:g} 1/angstrom"
            )
        axes.append(regular_axis(limits, float(step), 0.0))
    return Grid((axes[0], axes[1], axes[2]), _order(moves, [axis.step for axis in axes]))


def _refuse_coarse(
    file: str, ranges: list[Range], steps: tuple[float, float, float] | None, flat: bool
) -> None:
    """UserError where a step that was told is longer than all that was measured, or asked for."""
    for name, limits, step in zip(NAMES, ranges, steps or (0.0, 0.0, 0.0), strict=True):
        if np.inf > step > limits[1] - limits[0] and not (flat and name == "qy"):
            extent = f"{limits[1] - limits[0]:.4g}"
            raise UserError(
                f"{file}: voxel: expected a step of {name} of at most {extent} 1/angstrom, got {step:g}"
            )


def _order(moves: Array, steps: list[float]) -> tuple[int, int, int]:
    """Axes by how many voxels a row of pixels runs along them, fewest first."""
    found = np.argsort(moves[1] / np.array(steps), kind="stable")
    return int(found[0]), int(found[1]), int(found[2])


def _slab(told: Range) -> Axis:
    """One voxel over a range and a little more, so that what lies on the edge is inside."""
    return Axis(0.5 * (told[0] + told[1]), (told[1] - told[0]) * (1 + 1e-9) + 1e-9, 1)


def _edge(directions: Array) -> Array:
    """Directions (pixel, 3) of the outermost rows and columns."""
    sides = directions[[0, -1]].reshape(-1, 3), directions[:, [0, -1]].reshape(-1, 3)
    return np.concatenate(sides)


def _lattice(directions: Array) -> Array:
    """Some directions (pixel, 3) off the edge."""
    directions = directions[1:-1, 1:-1] if min(directions.shape[:2]) > 2 else directions
    rows, columns = (np.unique(np.linspace(0, n - 1, LATTICE).astype(int)) for n in directions.shape[:2])
    return directions[np.ix_(rows, columns)].reshape(-1, 3)
