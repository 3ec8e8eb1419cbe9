"""Loops over voxels or pixels, compiled by numba without the GIL.

numba keeps a compiled function on disk until *its* file changes, whatever it calls: a compiled function calls only those
that stand in its own file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled on first use and kept on disk; only in memory where no folder can be written.

    Multiplications may be fused with additions; all else of floating point is as written, NaN included.
    """
    try:
        return _njit(function, cache=True)
    except RuntimeError:  # numba found no place for its cache: a read-only installation without a home
        return _njit(function, cache=False)


def _njit(function: Callable[..., Any], cache: bool) -> Callable[..., Any]:
    return numba.njit(function, cache=cache, nogil=True, fastmath={"contract"}, error_model="numpy")
