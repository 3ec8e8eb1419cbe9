"""Satellites of a map qx, qy, qz integrated over qx and qy, one by one: lines that are products of one along qx and one along qy.

    I(qx, qy, qz) = sum_nm S_nm(qz) line_n(qx) line_m(qy) + background

The lines along qx are those of the map summed over qy, the lines along qy those of the map summed over qx. Every order m along
qy has a band of qy, half way to its neighbours; the sum over a band is a map qx, qz whose orders are sum_m' T_mm' S_nm', T_mm'
the share of line m' that falls into band m.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from nanotexture.preparation.line_shape import LineShape, line_matrix
from nanotexture.preparation.lines import (
    SYSTEMATIC,
    TAILS,
    LineFit,
    MapWindow,
    background_basis,
    orders_of_known_lines,
)

Array = NDArray[np.float64]

DEGREE = 2  # of the background of a band
SMOOTH = (
    3,
    5,
)  # voxels of qx and qz that a variance is averaged over: one count too few must not weigh more for it


@dataclass(frozen=True)
class Bands:
    """Bands of qy: lines (m, ny) in angstrom of the orders (m,), band (ny,) that a voxel belongs to, step in 1/angstrom."""

    orders: NDArray[np.int64]
    lines: Array
    band: NDArray[np.int64]
    step: float

    @property
    def nearest(self) -> NDArray[np.int64]:
        """The band of every voxel, that at the end of the axis for voxels beyond all (ny,)."""
        ends = np.where(np.arange(len(self.band)) < len(self.band) // 2, 0, len(self.orders) - 1)
        return np.where(self.band >= 0, self.band, ends)

    @property
    def shares(self) -> Array:
        """Share of line m' that falls into band m, (m, m')."""
        inside = self.band == np.arange(len(self.orders))[:, None]
        return self.step * inside.astype(float) @ self.lines.T


@dataclass(frozen=True)
class VolumeFit:
    """Orders (n, m) of one map, n slowest.

    along_x, along_y: line fits of the maps summed over qy and over qx; intensity and variance (n m, nz) in count/angstrom^2;
    lines_x (n, nx), lines_y (m, ny) in angstrom; background (m, nx, nz) in counts of a voxel, and the band (ny,) it is for;
    chi2 per degree of freedom, the mean over bands.
    """

    along_x: LineFit
    along_y: LineFit
    intensity: Array
    variance: Array
    bands: Bands
    background: Array
    chi2: float

    @property
    def pairs(self) -> NDArray[np.int64]:
        """Orders (n, m) of every row of the intensities, (n m, 2)."""
        n, m = np.meshgrid(self.along_x.orders, self.along_y.orders, indexing="ij")
        return np.stack([n.ravel(), m.ravel()], axis=1)

    def as_lines(self) -> LineFit:
        """The orders numbered through, (0, 0) as order 0, for what tells only that one from the others."""
        half = len(self.intensity) // 2
        orders = np.arange(-half, half + 1)
        return replace(self.along_x, orders=orders, intensity=self.intensity, variance=self.variance)


def bands_from_shape(qy: Array, shape: LineShape) -> Bands:
    """Bands half way between the orders of a family of lines; voxels beyond the outermost belong to none (-1)."""
    most = len(shape.width) - 1
    orders = np.arange(-most, most + 1)
    nearest = np.rint((qy - shape.centre) / shape.spacing).astype(np.int64)
    band = np.where(np.abs(nearest) <= most, nearest + most, -1)
    return Bands(orders, line_matrix(qy, orders, shape), band, float(qy[1] - qy[0]))


def fit_bands(
    along_x: LineFit, along_y: LineFit, bands: Bands, maps: Sequence[MapWindow | None]
) -> VolumeFit:
    """Orders from the sums over each band, maps (m,); None where a band was not measured as far as its line reaches."""
    fits = [None if one is None else orders_from_lines(one, along_x.shape) for one in maps]
    seen = np.array([one is not None for one in fits])
    shape = (len(along_x.orders), len(maps), along_x.intensity.shape[1])
    raw, spread = np.full(shape, np.nan), np.full(shape, np.nan)
    background = np.zeros((len(maps), *along_x.background.shape))
    for m, one in enumerate(fits):
        if one is not None:
            raw[:, m], spread[:, m] = one.intensity, one.variance
            background[m] = one.background / max(int((bands.band == m).sum()), 1)
    intensity, variance = unmixed(raw, spread, bands.shares, seen)
    return VolumeFit(
        along_x,
        along_y,
        intensity.reshape(-1, shape[2]) * bands.step,
        variance.reshape(-1, shape[2]) * bands.step**2,
        bands,
        background,
        float(np.mean([one.chi2 for one in fits if one is not None])),
    )


def unmixed(raw: Array, variance: Array, shares: Array, seen: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Orders (n, m, nz) and variances from the sums of bands (n, m, nz), of which some were seen (m,); shares (m, m').

    A share of the tails is uncertain (TAILS), as it is of lines that overlap along qx.
    """
    matrix = np.where(seen[:, None] & seen, shares, 0.0)
    matrix[~seen, ~seen] = 1.0
    inverse = np.linalg.inv(matrix)
    filled, known = np.nan_to_num(raw), np.isfinite(raw)
    found = np.einsum("ab,nbz->naz", inverse, filled)
    spread = np.einsum("ab,nbz->naz", inverse**2, np.where(known, variance, 0.0))
    tails = TAILS * (matrix - np.diag(np.diag(matrix)))
    spread += np.einsum("ab,nbz->naz", tails, np.clip(found, 0.0, None)) ** 2
    return np.where(known, found, np.nan), np.where(known, spread, np.nan)


def orders_from_lines(window: MapWindow, shape: LineShape) -> LineFit:
    """Orders and background of a map whose lines are known; chi2 widens the variance, as in fit_lines."""
    where = window.measured.astype(float)
    near = np.maximum(uniform_filter(where, SMOOTH), 1e-9)
    noise = uniform_filter(where * window.variance, SMOOTH) / near
    bright = uniform_filter(where * window.intensity, SMOOTH) / near
    variance = np.maximum(noise, 1e-12) + (SYSTEMATIC * np.maximum(bright, where * window.intensity)) ** 2
    return orders_of_known_lines(window, shape, background_basis(window, DEGREE), variance)
