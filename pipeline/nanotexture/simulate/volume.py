"""Maps qx, qy, qz of a texture that is periodic in both directions of the plane: order by order, no cross terms.

I(Q) = sum over n, m of |A_nm(qz)|^2 line_n(qx) line_m(qy), A_nm atom by atom at the order's own qx and qy; the lines are
the means over places of |B_n|^2 and |B_m|^2, the texture's phase wandering in x and in y independently. Cross terms of
orders, which brightness.py has and which vanish where lines do not overlap, would cost (orders)^2 more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.simulate.axes import Hkl, Refined, middle
from nanotexture.simulate.places import Disorder, place_products
from nanotexture.simulate.texture_factor import (
    Specimen,
    chebyshev_nodes,
    check_sampled,
    column_sums,
    farthest_atom,
    lagrange,
    substrate_rod,
)

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

BEYOND = 2  # orders outside the map whose tails reach into it


@dataclass(frozen=True)
class Orders:
    """Harmonics (H,) of one direction and the Q (H,) at which each one's line stands, 1/angstrom."""

    harmonics: NDArray[np.int64]
    q: Array


def orders_in(*, axis: Array, bragg: float, period: float, samples: int) -> Orders:
    """Harmonics exp(2 pi i h x / period) whose line, at bragg - h 2 pi / period, lies on or near the axis."""
    spacing, half = 2 * np.pi / period, (samples - 1) // 2
    low, high = (axis[0] - bragg) / spacing, (axis[-1] - bragg) / spacing
    first, last = max(int(np.ceil(-high)) - BEYOND, -half), min(int(np.floor(-low)) + BEYOND, half)
    harmonics = np.arange(min(first, 0), max(last, 0) + 1)
    return Orders(harmonics, np.asarray(bragg - spacing * harmonics, np.float64))


def order_amplitudes(*, specimen: Specimen, x: Orders, y: Orders, qz: Array) -> Complex:
    """A_nm(qz) (n, m, nz) in electrons, each at its own qx and qy; the substrate's rod is in n = m = 0."""
    largest = (float(np.abs(x.q).max()), float(np.abs(y.q).max()), float(np.abs(qz).max()))
    check_sampled(specimen.motif, largest)
    nodes_x, nodes_y = (
        chebyshev_nodes(float(o.q.min()), float(o.q.max()), farthest_atom(specimen, axis))
        for axis, o in enumerate((x, y))
    )
    along_x, along_y = lagrange(nodes_x, x.q), lagrange(nodes_y, y.q)
    found = np.zeros((len(x.q), len(y.q), len(qz)), np.complex128)
    for j, qy in enumerate(nodes_y):
        sums = column_sums(specimen=specimen, qx=nodes_x, qy=float(qy), qz=qz)
        sums[:, 0, 0] += substrate_rod(specimen=specimen, qx=nodes_x, qy=float(qy), qz=qz)
        part = sums[:, x.harmonics][:, :, y.harmonics]
        found += np.einsum("nk,m,knmq->nmq", along_x, along_y[:, j], part, optimize=True)
    return found


def lines_of_orders(
    *,
    axis: Refined,
    bragg: float,
    orders: Orders,
    period: float,
    in_plane: float,
    disorder: Disorder,
    seed: int,
) -> Array:
    """Lines (voxels, H) of unit area in 1/angstrom, means over places, under the resolution."""
    products = place_products(
        dq=axis.points - bragg,
        harmonics=orders.harmonics,
        period=period,
        in_plane=in_plane,
        disorder=disorder,
        seed=seed,
    )
    return axis.voxels(np.einsum("qhh->qh", products).real, axis=0)


def volume_intensity(
    *, specimen: Specimen, hkl: Hkl, axes: tuple[Refined, Refined, Refined], disorder: Disorder, seed: int
) -> Array:
    """I (nx, ny, nz) on the voxels of the axes at unit flux; the seeds of x and y differ."""
    motif, in_plane = specimen.motif, specimen.stack.in_plane
    orders, lines = [], []
    for i in (0, 1):
        bragg, period = middle(hkl[i], in_plane), motif.periods[i]
        found = orders_in(
            axis=axes[i].points, bragg=bragg, period=period, samples=motif.displacement.shape[1 + i]
        )
        orders.append(found)
        lines.append(
            lines_of_orders(
                axis=axes[i],
                bragg=bragg,
                orders=found,
                period=period,
                in_plane=in_plane,
                disorder=disorder,
                seed=seed + i,
            )
        )
    amplitudes = order_amplitudes(specimen=specimen, x=orders[0], y=orders[1], qz=axes[2].points)
    bright = axes[2].voxels(np.abs(amplitudes) ** 2, axis=2)
    return np.asarray(np.einsum("xn,ym,nmq->xyq", lines[0], lines[1], bright, optimize=True))
