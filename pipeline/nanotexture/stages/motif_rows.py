"""Rows of qz of one reflection that the motif solver sees: those that hold something, averaged as far as nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.config import FilmConfig
from nanotexture.film.rod import nearest_bragg
from nanotexture.quantities import Orders

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SUBSTRATE_PEAK = 0.004  # relative half width in qz around the substrate's Bragg point that is not fitted
ROWS_OF_VOLUME = 2.4  # the same where every row has orders (n, m): no more than an intensity holds
LEAST_LEAN = 0.25  # periods through the film that upright modes follow as well
CLEAR, FAINT = 5.0, 1e-3  # standard deviations, and of the strongest satellite: an order is seen
MARGIN = 4  # fringes beside the satellites
ROWS = (
    3.5  # of qz in a fringe at least: twice as fine as an intensity's finest detail, which is half a fringe
)
ROD = 0.5  # fringes from the substrate's Bragg point that averaged rows of order 0 leave out
LEAST_RESOLUTION = 0.3  # rows: what the fit of the resolution starts from at least, or it could not grow


@dataclass(frozen=True)
class Rows:
    """Order intensities of one reflection on uniform rows.

    orders (n,), orders_y (n,) along y, None of a texture that is uniform along y; qz (q,) in 1/angstrom; intensity in
    count/angstrom and its counting variance (n, q); work, free (n, q): fitted, held out; resolution: standard deviation along
    qz, 1/angstrom; from_bragg (q,): distance to the substrate's Bragg point, 1/angstrom, and hidden (q,): rows so near to it
    that order 0 is not fitted there; correlated: neighbouring rows that share pixels.
    """

    orders: NDArray[np.int64]
    qz: Array
    intensity: Array
    variance: Array
    work: Mask
    free: Mask
    resolution: float
    from_bragg: Array
    hidden: Mask
    correlated: float = 1.0
    orders_y: NDArray[np.int64] | None = None

    @property
    def central(self) -> Mask:
        """Which is the order that film and substrate scatter into, (n,)."""
        return central_order(self.orders, self.orders_y)

    @property
    def step(self) -> float:
        """Distance of two rows, 1/angstrom."""
        return float(self.qz[1] - self.qz[0])

    @property
    def usable(self) -> Mask:
        """Fitted or held out, (n, q)."""
        return self.work | self.free


def central_order(n: NDArray[np.int64], m: NDArray[np.int64] | None) -> Mask:
    """Whether orders n, or (n, m), are 0."""
    return n == 0 if m is None else (n == 0) & (m == 0)


def measured_rows(orders: Orders, r: int, film: FilmConfig) -> Rows:
    """All rows of one reflection."""
    one = orders.isel(reflection=r)
    rows = np.isfinite(one["qz"].values)
    qz, number = one["qz"].values[rows], one["order"].values
    intensity, variance = one["intensity"].values[:, rows], one["variance"].values[:, rows]
    from_bragg = np.full(len(qz), np.inf)
    if film.substrate is not None:
        from_bragg = np.abs(qz - nearest_bragg(qz=qz, c=film.substrate.c))
    hidden = from_bragg < SUBSTRATE_PEAK * qz
    across = one["order_y"].values.copy() if "order_y" in one else None
    central = central_order(number, across)
    use = np.isfinite(intensity) & np.isfinite(variance) & ~(central[:, None] & hidden[None])
    held = use & (one["held_out"].values[:, rows] != 0)
    # one instrument: a reflection whose order 0 the texture empties of fringes would by itself look badly resolved
    resolution = max(float(np.median(orders["resolution_qz"])), LEAST_RESOLUTION * float(qz[1] - qz[0]))
    return Rows(
        number.copy(),
        qz,
        np.nan_to_num(intensity),
        np.where(use, variance, 1.0),
        use & ~held,
        held,
        resolution,
        from_bragg,
        hidden,
        float(one["correlated_rows"]) if "correlated_rows" in one else 1.0,
        across,
    )


def useful_rows(rows: Rows, thickness: float) -> Rows:
    """The rows from MARGIN fringes below to MARGIN fringes above the satellites; farther out is the flat film alone."""
    clear = rows.intensity > 3 * np.sqrt(rows.variance)
    seen = np.flatnonzero((~rows.central[:, None] & rows.usable & clear).any(0))
    if len(seen) == 0:
        return rows
    margin = MARGIN * 2 * np.pi / thickness
    near = (rows.qz >= rows.qz[seen[0]] - margin) & (rows.qz <= rows.qz[seen[-1]] + margin)
    return replace(
        rows,
        qz=rows.qz[near],
        from_bragg=rows.from_bragg[near],
        hidden=rows.hidden[near],
        intensity=rows.intensity[:, near],
        variance=rows.variance[:, near],
        work=rows.work[:, near],
        free=rows.free[:, near],
    )


def fewer_rows(rows: Rows, thickness: float) -> Rows:
    """Neighbouring rows averaged, so that a fringe 2 pi / thickness keeps ROWS of them; their span becomes resolution.

    Of a texture that is periodic along y too, ROWS_OF_VOLUME.

    An intensity of a film holds nothing finer than half a fringe, and the solver's time grows with the rows. An average is
    held out where any of its rows is, fitted where all are; the first and the last are neither.
    """
    fringe = 2 * np.pi / thickness
    kept = ROWS if rows.orders_y is None else ROWS_OF_VOLUME
    many = max(int(fringe / rows.step / kept + 1e-6), 1)
    number = len(rows.qz) // many * many
    if many == 1:
        return rows

    def grouped(values: Any) -> Any:
        return values[..., :number].reshape(*values.shape[:-1], -1, many)

    # nearer than that a rod bends more within an average than its second moment tells
    hidden = grouped(rows.hidden | (rows.from_bragg < ROD * fringe)).any(-1)
    seen = ~(rows.central[:, None] & hidden[None])
    seen[:, [0, -1]] = False  # the resolution mixes them with rows beyond, which are not there
    return replace(
        rows,
        qz=grouped(rows.qz).mean(-1),
        intensity=grouped(rows.intensity).mean(-1),
        variance=grouped(rows.variance).sum(-1) / many**2 * min(rows.correlated, many),
        work=grouped(rows.work).all(-1) & seen,
        free=grouped(rows.free).any(-1) & grouped(rows.usable).all(-1) & seen,
        resolution=float(np.hypot(rows.resolution, np.sqrt((many**2 - 1.0) / 12.0) * rows.step)),
        from_bragg=grouped(rows.from_bragg).mean(-1),
        hidden=hidden,
    )


def centred_from_rows(rows: Rows) -> bool:
    """Whether no order whose n + m is odd is seen, while others are: then the cell is centred, as that of a checkerboard.

    Without it the waves that such orders are absent of would be bounded by the square of their amplitude only, which no
    curvature of the cost shows.
    """
    assert rows.orders_y is not None
    odd = (rows.orders + rows.orders_y) % 2 != 0
    seen = np.where(rows.usable, rows.intensity, 0.0).sum(1)
    error = np.sqrt(np.where(rows.usable, rows.variance, 0.0).sum(1))
    clear = (seen > CLEAR * error) & (seen > FAINT * seen[~rows.central].max())
    return bool(not clear[odd].any() and clear[~odd & ~rows.central].any())


def lean_from_rows(rows: Sequence[Rows], thickness: float) -> float:
    """Periods per angstrom by which the texture leans, from how far orders n and -n lie apart in qz; 0 below LEAST_LEAN.

    Displaced by lean z at height z, order n moves by -2 pi n lean along qz.
    """
    found, weights = [], []
    for one in rows:
        bright = np.where(one.usable & (one.intensity > 3 * np.sqrt(one.variance)), one.intensity, 0.0)
        total = bright.sum(1)
        centre = (bright @ one.qz) / np.maximum(total, 1e-30)
        middle = len(total) // 2
        for n in range(1, min(middle, 2) + 1):
            up, down = middle + n, middle - n
            if total[up] > 0 and total[down] > 0:
                found.append(-(centre[up] - centre[down]) / (4 * np.pi * n))
                weights.append(np.sqrt(total[up] * total[down]) * n**2)
    if not found:
        return 0.0
    lean = float(np.average(found, weights=weights))
    return lean if abs(lean) * thickness > LEAST_LEAN else 0.0
