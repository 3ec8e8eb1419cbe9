"""Geometry from the chains of transformations that a file holds, evaluated at every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.quantities import Frames

Array = NDArray[np.float64]

CHAIN = ("beam", "sample_turn", "pixel_origin", "slow_step", "fast_step")
SHIFTED = 0.05  # pixels: a detector that moves farther from a rotation about the sample is refused
BENT = 1e-6  # entries of R^T R - 1 beyond which a matrix is no rotation


@dataclass(frozen=True)
class Arm:
    """What turns and what looks, in laboratory axes: beam (3,), sample_turn and detector_turn (frame, 3, 3).

    directions (row, column, 3) and panel_normal (3,) belong to the detector where detector_turn is 1.
    """

    beam: Array
    sample_turn: Array
    detector_turn: Array
    directions: Array
    panel_normal: Array


def arm_of_chain(header: Frames, file: str) -> Arm:
    """Arm of a header with chains; the detector's zero is its place at the first frame."""
    beam, turns, origin, slow, fast = (_chain(header, name, file) for name in CHAIN)
    _refuse_no_rotation(turns, file)
    _refuse_no_panel(origin, slow, fast, beam, file)
    triads = _triads(slow, fast)
    detector = triads @ triads[0].T
    _refuse_shift(detector, origin, slow, fast, file)
    rows, columns = header["mask"].shape
    place = (
        origin[0]
        + np.arange(rows)[:, None, None] * slow[0]
        + np.arange(columns)[None, :, None] * fast[0]
    )  # fmt: skip
    directions = place / np.linalg.norm(place, axis=-1, keepdims=True)
    return Arm(beam / np.linalg.norm(beam), turns, detector, directions, triads[0][:, 2])


def _chain(header: Frames, name: str, file: str) -> Array:
    if name not in header:
        raise InputError(
            file, name, "chains of transformations in the file, or a declared goniometer", "neither"
        )
    values = np.asarray(header[name].values, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError(file, name, "finite numbers at every frame", "NaN: distance or pixel size unknown?")
    return values


def _triads(slow: Array, fast: Array) -> Array:
    """Rotations (frame, 3, 3) whose columns are the fast direction, the one across it nearest to slow, and the normal."""
    x = fast / np.linalg.norm(fast, axis=-1, keepdims=True)
    y = slow - np.sum(slow * x, axis=-1, keepdims=True) * x
    y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _refuse_no_rotation(turns: Array, file: str) -> None:
    off = np.abs(np.swapaxes(turns, 1, 2) @ turns - np.eye(3)).max(axis=(1, 2))
    worst = int(np.argmax(off))
    if off[worst] > BENT or np.linalg.det(turns).min() < 0:
        raise InputError(
            file, "sample_turn", "a rotation at every frame", f"frame {worst} off by {off[worst]:.2g}"
        )


def _refuse_no_panel(origin: Array, slow: Array, fast: Array, beam: Array, file: str) -> None:
    """Pixels without size, rows along columns, a panel edge-on to its own pixels, a beam without direction."""
    if not np.linalg.norm(beam) > 0:
        raise InputError(file, "beam", "a direction", str(beam.tolist()))
    area = np.cross(fast[0], slow[0])
    size = np.linalg.norm(fast[0]) * np.linalg.norm(slow[0])
    if not np.linalg.norm(area) > 0.1 * size:
        found = f"rows {slow[0].tolist()}, columns {fast[0].tolist()} mm"
        raise InputError(file, "pixel_size", "rows and columns of some size across each other", found)
    if not abs(float(origin[0] @ area)) > 1e-6 * np.linalg.norm(origin[0]) * np.linalg.norm(area):
        raise InputError(
            file, "distance", "a detector at some distance, not edge-on", f"{origin[0].tolist()} mm"
        )


def _refuse_shift(detector: Array, origin: Array, slow: Array, fast: Array, file: str) -> None:
    """A detector that does more than turn about the sample: then frames do not share directions."""
    pixel = min(np.linalg.norm(slow[0]), np.linalg.norm(fast[0]))
    shift = np.linalg.norm(origin - detector @ origin[0], axis=-1)
    steps = [np.linalg.norm(one - detector @ one[0], axis=-1) for one in (slow, fast)]
    worst = int(np.argmax(shift))
    if shift[worst] > SHIFTED * pixel:
        raise InputError(
            file,
            "pixel_origin",
            f"a detector that only turns about the sample, within {SHIFTED * pixel:.2g} mm",
            f"moved by {shift[worst]:.4g} mm at frame {worst}",
        )
    if max(step.max() for step in steps) > 1e-6 * pixel:
        raise InputError(file, "slow_step, fast_step", "pixels of one size and shape at all frames", "others")
