"""UB of a NeXus sample, with 2 pi whatever the file's convention.

NeXus defines ub_matrix after Busing and Levy, without 2 pi; others write it with 2 pi. The unit cell of the sample
tells which: UB^T UB is the metric of its reciprocal lattice, or that over 4 pi^2.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers import hdf5
from nanotexture.readers.hdf5_units import PER_LENGTH, factor
from nanotexture.readers.spec_geometry import reciprocal_metric

Array = NDArray[np.float64]

CLOSE = 0.02  # relative, of the metric


def read_orientation(path: Path, handle: h5py.File, sample: str) -> tuple[Array | None, str]:
    """UB (3, 3) in 1/angstrom, 2 pi included, and how that is known; None where the file has none."""
    field = f"{sample}/ub_matrix"
    if not sample or not hdf5.has(path, handle, field):
        return None, "none"
    data = hdf5.dataset(path, handle, field)
    if data.shape not in ((3, 3), (1, 3, 3)):
        raise InputError(path, field, "3 x 3 numbers", f"shape {data.shape}")
    units = " ".join(hdf5.attribute(path, data, field, "units"))
    ub = hdf5.values(path, data, field).reshape(3, 3) * factor(path, field, units, PER_LENGTH, "1/angstrom")
    if not np.isfinite(ub).all() or not abs(np.linalg.det(ub)) > 1e-12:
        raise InputError(path, field, "a matrix that can be inverted", f"{ub.tolist()}")
    metric = _metric(path, handle, f"{sample}/unit_cell")
    if metric is None:
        return 2 * np.pi * ub, "ub_matrix, taken as NeXus defines it (no unit_cell to tell): times 2 pi"
    for scale, said in ((1.0, "ub_matrix, 2 pi included"), (2 * np.pi, "ub_matrix, times 2 pi")):
        apart = np.abs(scale**2 * ub.T @ ub - metric).max() / np.abs(metric).max()
        if apart < CLOSE:
            return scale * ub, said
    raise InputError(path, field, "UB of the sample's unit_cell, with or without 2 pi", "another lattice's")


def _metric(path: Path, handle: h5py.File, field: str) -> Array | None:
    if not hdf5.has(path, handle, field):
        return None
    cell = hdf5.values(path, hdf5.dataset(path, handle, field), field).reshape(-1)
    if cell.size != 6 or not (cell > 0).all() or not (cell[3:] < 180).all():
        raise InputError(path, field, "a, b, c in angstrom and three angles in deg", f"{cell.tolist()[:6]}")
    metric = reciprocal_metric(cell)
    if not np.isfinite(metric).all():
        raise InputError(path, field, "a cell with a volume", f"{cell.tolist()}")
    return metric
