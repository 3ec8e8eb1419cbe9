"""What a projection does voxel by voxel, compiled: one pass over the memory instead of one for each operation.

Complex arrays come as their real numbers in one row, real and imaginary part of a voxel side by side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.compiled import compiled

Row = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


@compiled
def scale_to(spectrum: Row, seen: Row, amplitude: Row, free: Flags, tiny: np.floating[Any]) -> None:
    """F -> F A / (m + tiny) where not free, in place; spectrum (2 n,) F; seen, amplitude, free (n,): m, A, not measured."""
    for i in range(free.size):
        factor = amplitude[i] / (seen[i] + tiny)
        for j in range(2 * i, 2 * i + 2):
            spectrum[j] = spectrum[j] if free[i] else spectrum[j] * factor


@compiled
def inside_or_outside(
    x: Row, p: Row, inside: Flags, previous: np.floating[Any], projected: np.floating[Any]
) -> None:
    """x -> p inside, previous x + projected p outside, in place; x, p (2 n,), inside (n,); numbers of one precision."""
    for i in range(inside.size):
        for j in range(2 * i, 2 * i + 2):
            outside = previous * x[j] + projected * p[j]
            x[j] = p[j] if inside[i] else outside


@compiled
def bounded_or_outside(
    x: Row,
    p: Row,
    inside: Flags,
    previous: np.floating[Any],
    projected: np.floating[Any],
    gain: np.floating[Any],
    ceiling: np.floating[Any],
) -> None:
    """x -> o = previous x + projected p outside, inside o + gain t, in place, t = (p - o) / gain shortened to the ceiling."""
    for i in range(inside.size):
        re, im = 2 * i, 2 * i + 1
        u, v = previous * x[re] + projected * p[re], previous * x[im] + projected * p[im]
        a, b = (p[re] - u) / gain, (p[im] - v) / gain
        length = math.sqrt(a * a + b * b)
        share = gain * ceiling / length if length > ceiling else gain
        x[re] = u + share * a if inside[i] else u
        x[im] = v + share * b if inside[i] else v


@compiled
def squares(field: Row, found: Row) -> None:
    """found (n,) becomes the squared modulus of field (2 n,)."""
    for i in range(found.size):
        found[i] = field[2 * i] * field[2 * i] + field[2 * i + 1] * field[2 * i + 1]


@compiled
def scale(field: Row, factor: Row) -> None:
    """field (2 n,) becomes field times factor (n,), real."""
    for i in range(factor.size):
        field[2 * i] *= factor[i]
        field[2 * i + 1] *= factor[i]


def as_row(field: NDArray[np.complexfloating[Any, Any]]) -> Row:
    """The real numbers (2 n,) of a complex array of n voxels, on its memory; the array must be contiguous."""
    row: Row = field.reshape(-1).view(field.real.dtype)
    return row
