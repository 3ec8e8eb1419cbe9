"""Measured map, calculated map and their difference over the noise, for one reflection."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from nanotexture.report.draw import (
    DIVERGING,
    INK,
    INTENSITY,
    SMALL,
    Array,
    color_bar,
    hatched,
    image,
    math_reflection,
    new_figure,
    style,
)
from nanotexture.report.format import indices

RESIDUAL_LIMIT = 5.0  # standard deviations
DECADES = 6.0  # most that one colour scale spans
_MARGIN = 0.75  # orders shown beyond the last one


def maps_figure(
    measured: xr.Dataset,
    orders: xr.Dataset | None,
    hkl: str,
    in_plane: float | None = None,
    c: float | None = None,
    *,
    along: str = "x",
) -> Figure:
    """Measured | calculated | (measured - calculated) / sigma of one reflection at one temperature.

    measured: /maps/<hkl> and orders: /orders/<hkl> without the temperature dimension; in_plane, c: angstrom,
    for the axes in reciprocal lattice units; along: direction of the plane that the map's qx is of.
    """
    shown = _zoomed(measured, orders)
    qx, qz = shown["qx"].values, shown["qz"].values
    counts, model = _measured(shown), shown["model"].transpose("qx", "qz").values
    figure = new_figure(4.3)
    axes = figure.subplots(1, 3, sharex=True, sharey=True)
    norm = common_norm(counts, model)
    name = math_reflection(indices(hkl), hkl)
    titles = (f"{name} measured", f"{name} calculated", "(measured − calculated) / σ")
    for ax, values, title in zip(axes, (counts, model), titles, strict=False):
        drawn = image(ax, qx, qz, lifted(values, norm), INTENSITY, norm)
        style(ax, title, f"$q_{along}$ (Å$^{{-1}}$)")
    color_bar(figure, drawn, list(axes[:2]), "counts", location="bottom", aspect=45, shrink=0.8)
    residual = image(axes[2], qx, qz, _residual(shown), DIVERGING, Normalize(-RESIDUAL_LIMIT, RESIDUAL_LIMIT))
    color_bar(figure, residual, [axes[2]], "σ", location="bottom", extend="both", aspect=22, shrink=0.8)
    style(axes[2], titles[2], f"$q_{along}$ (Å$^{{-1}}$)")
    axes[0].set_ylabel("$q_z$ (Å$^{-1}$)")
    for ax in axes:
        hatched(ax)
        _lattice_axes(ax, orders, in_plane, c if ax is axes[2] else None, along)
    _mark_orders(axes, orders)
    return figure


def _zoomed(measured: xr.Dataset, orders: xr.Dataset | None) -> xr.Dataset:
    """The part of the map around the satellites; all of it where no orders are known."""
    if orders is None or np.isfinite(orders["line_position"].values).sum() < 2:
        return measured
    position = np.sort(orders["line_position"].values[np.isfinite(orders["line_position"].values)])
    edge = _MARGIN * float(np.median(np.diff(position)))
    seen = orders["intensity"].notnull().any("order")
    qz = orders["qz"].values[seen.values] if seen.any() else measured["qz"].values
    inside_x = (measured["qx"] >= position[0] - edge) & (measured["qx"] <= position[-1] + edge)
    inside_z = (measured["qz"] >= qz.min()) & (measured["qz"] <= qz.max())
    cut = measured.isel(qx=np.flatnonzero(inside_x.values), qz=np.flatnonzero(inside_z.values))
    return cut if min(cut.sizes["qx"], cut.sizes["qz"]) > 3 else measured


def _measured(group: xr.Dataset) -> Array:
    known = group["intensity"].where(group["mask"] == 0) if "mask" in group else group["intensity"]
    return np.asarray(known.transpose("qx", "qz").values, dtype=float)


def _residual(group: xr.Dataset) -> Array:
    variance = group["variance"].transpose("qx", "qz").values
    positive = variance[variance > 0]
    floor = float(positive.min()) if positive.size else 1.0  # empty voxels: the noise of the faintest one
    sigma = np.sqrt(np.maximum(variance, floor))
    return np.asarray((_measured(group) - group["model"].transpose("qx", "qz").values) / sigma)


def common_norm(*values: Array) -> LogNorm:
    """Logarithmic scale of all positive values, but for the faintest percent."""
    known = np.concatenate([one[np.isfinite(one) & (one > 0)] for one in values])
    if known.size == 0:
        return LogNorm(1.0, 10.0)
    top = float(np.quantile(known, 0.9995))
    bottom = max(float(np.quantile(known, 0.01)), top / 10.0**DECADES)
    return LogNorm(bottom, max(top, 10.0 * bottom))


def lifted(values: Array, norm: LogNorm) -> Array:
    """Zero counts in the lowest colour; only what was not measured stays NaN."""
    return np.where(np.isfinite(values), np.maximum(values, norm.vmin or 0.0), np.nan)


def _lattice_axes(
    ax: Axes, orders: xr.Dataset | None, in_plane: float | None, c: float | None, along: str
) -> None:
    """H or K along the top, from the peak; L on the right."""
    if in_plane and orders is not None:
        centre = _centre(orders)
        unit = 2 * math.pi / in_plane
        if math.isfinite(centre):
            top = ax.secondary_xaxis("top", functions=_ratio(unit, centre))
            index = "H" if along == "x" else "K"
            _secondary(top).set_xlabel(f"${index} - {index}_0$ (r.l.u.)", fontsize=SMALL, color=INK)
    if c and math.isfinite(c):
        right = ax.secondary_yaxis("right", functions=_ratio(2 * math.pi / c, 0.0))
        _secondary(right).set_ylabel("$L$ (r.l.u. of the film)", fontsize=SMALL, color=INK)


def _ratio(unit: float, origin: float) -> Any:
    return (lambda q: (q - origin) / unit, lambda r: r * unit + origin)


def _secondary(ax: Any) -> Any:
    ax.tick_params(labelsize=SMALL - 1, labelcolor=INK, width=0.6)
    return ax


def _centre(orders: xr.Dataset) -> float:
    found = orders["line_position"].values[orders["order"].values == 0]
    return float(found[0]) if found.size else float("nan")


def _mark_orders(axes: Any, orders: xr.Dataset | None) -> None:
    if orders is None:
        return
    for order, place in zip(orders["order"].values, orders["line_position"].values, strict=True):
        if not math.isfinite(place):
            continue
        for ax in axes:
            low, high = ax.get_xlim()
            if low < place < high:
                _mark(ax, int(order), float(place), on_dark=ax is not axes[2])


def _mark(ax: Axes, order: int, place: float, *, on_dark: bool) -> None:
    """Ticks at the lower and upper edge; numbers only where they can be read."""
    color = "white" if on_dark else INK
    across = ax.get_xaxis_transform()
    for span in ((0.0, 0.035), (0.965, 1.0)):
        ax.plot([place, place], span, color=color, linewidth=1.0, transform=across)
    if on_dark:
        text = f"{order:+d}".replace("-", "−") if order else "0"
        ax.text(
            place,
            0.045,
            text,
            color=color,
            fontsize=SMALL - 1,
            ha="center",
            va="bottom",
            transform=across,
            path_effects=[withStroke(linewidth=2.0, foreground=INK)],  # over hatching too
        )
