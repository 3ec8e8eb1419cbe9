"""Which order intensities the inversion does not see: blocks along qz on the satellites, for the free chi2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHARE = 0.15  # of the significant satellite values; fewer leave a free chi2 too coarse to choose the modes by
_SIGNIFICANT = 3.0  # standard deviations above zero; noise held out would tell nothing


def block_rows(qz: Array, thickness: float) -> int:
    """Rows in a third of a fringe 2 pi / thickness, at least 2; qz (nz,) uniform in 1/angstrom, thickness in angstrom."""
    return max(round(2 * np.pi / thickness / float(qz[1] - qz[0]) / 3), 2)


def held_out_blocks(
    *, intensity: Array, variance: Array, orders: NDArray[np.int64], block: int, seed: int
) -> NDArray[np.bool_]:
    """Blocks of `block` rows on the orders other than 0, (n, nz), that cover about SHARE of their significant values.

    A block is as long as rows stay correlated (a third of a fringe): single rows could be guessed from their neighbours.
    """
    significant = np.isfinite(intensity) & (orders != 0)[:, None]
    significant &= np.nan_to_num(intensity) > _SIGNIFICANT * np.sqrt(np.nan_to_num(variance, nan=np.inf))
    held = np.zeros(intensity.shape, bool)
    blocks = [
        (n, start)
        for n in range(len(orders))
        for start in range(0, intensity.shape[1] - block + 1, block)
        if significant[n, start : start + block].mean() > 0.7
    ]
    wanted = round(SHARE * len(blocks))
    for index in np.random.Generator(np.random.PCG64(seed)).permutation(len(blocks))[:wanted]:
        n, start = blocks[index]
        held[n, start : start + block] = True
    return held & np.isfinite(intensity)
