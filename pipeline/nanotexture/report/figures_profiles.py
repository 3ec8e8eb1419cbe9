"""Satellite intensity along qz, order by order: measured with error bars, calculated as a line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from nanotexture.report.draw import (
    GREY,
    HELD,
    INK,
    LINE,
    SMALL,
    TEXT,
    line_style,
    math_reflection,
    new_figure,
)
from nanotexture.report.format import indices, number

_ROW = 1.25  # inches
_HEAD = 1.0
_LEAST_DECADES, _MOST_DECADES = 2.0, 5.0


def profiles_figure(orders: xr.Dataset, hkl: str) -> Figure:
    """Small multiples: order 0 on top, -n left and +n right; orders: /orders/<hkl> without temperature."""
    numbers = [int(n) for n in orders["order"].values if np.isfinite(orders["intensity"].sel(order=n)).any()]
    rows = sorted({abs(n) for n in numbers})
    figure = new_figure(_HEAD + _ROW * max(len(rows), 1))
    if not rows:
        figure.text(0.5, 0.5, "no order was measured", ha="center", fontsize=TEXT, color=INK)
        return figure
    mosaic: list[Any] = [["0", "0"] if n == 0 else [str(-n), str(n)] for n in rows]
    axes = figure.subplot_mosaic(mosaic, sharex=True)
    axes[mosaic[0][0]].xaxis.set_tick_params(
        labelbottom=True
    )  # wider than the others: its ticks lie elsewhere
    for key, ax in axes.items():
        _panel(ax, orders, int(key), int(key) in numbers)
    for key in mosaic[-1]:
        axes[key].set_xlabel("$q_z$ (Å$^{-1}$)", fontsize=TEXT)
    _legend(figure, axes[mosaic[0][0]])
    figure.supylabel("order intensity (counts Å$^{-1}$)", fontsize=TEXT, color=INK)
    figure.suptitle(math_reflection(indices(hkl), hkl), fontsize=TEXT + 1, color=INK, x=0.02, ha="left")
    return figure


def _panel(ax: Axes, orders: xr.Dataset, order: int, there: bool) -> None:
    line_style(ax)
    label = f"n = {order:+d}".replace("-", "−") if order else "n = 0"
    if not there:
        ax.text(
            0.5, 0.5, f"{label} not measured", transform=ax.transAxes, ha="center", fontsize=SMALL, color=INK
        )
        ax.set_yticks([])
        return
    one = orders.sel(order=order)
    qz, value, model = one["qz"].values, one["intensity"].values, one["model"].values
    sigma, held = np.sqrt(one["variance"].values), one["held_out"].values != 0
    known = np.isfinite(value)
    _points(ax, qz, value, sigma, known & ~held, color=INK, label="measured, fitted")
    _points(ax, qz, value, sigma, known & held, color=HELD, label="measured, held out")
    ax.plot(qz, np.where(model > 0, model, np.nan), color=LINE, linewidth=1.3, label="calculated", zorder=5)
    ax.set_yscale("log", nonpositive="mask")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(LogLocator(numticks=4))
    ax.set_ylim(*_limits(value, model))
    _below(ax, qz[known & (value <= 0)])
    ax.text(0.008, 0.93, f"{label}{_chi2(value, model, sigma)}", **_corner(ax))


def _corner(ax: Axes) -> dict[str, Any]:
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
    return {"transform": ax.transAxes, "va": "top", "fontsize": SMALL, "color": INK, "bbox": box, "zorder": 6}


def _points(
    ax: Axes, qz: np.ndarray, value: np.ndarray, sigma: np.ndarray, use: np.ndarray, *, color: str, label: str
) -> None:
    """Points with error bars; the lower bar ends just above zero, which a log axis cannot show."""
    lower = np.minimum(sigma[use], np.maximum(value[use], 0.0) * 0.999)
    face = "white" if color == HELD else color
    ax.errorbar(
        qz[use],
        value[use],
        yerr=(lower, sigma[use]),
        fmt="D" if color == HELD else "o",
        markersize=3.0 if color == HELD else 2.2,
        markerfacecolor=face,
        markeredgewidth=0.8,
        color=color,
        elinewidth=0.6,
        label=label,
        zorder=4 if color == HELD else 3,
    )


def _below(ax: Axes, qz: np.ndarray) -> None:
    """Triangles at the lower edge for values at or below zero, which a log axis cannot show."""
    edge = np.full(qz.shape, 0.04)
    ax.plot(qz, edge, "v", color=GREY, markersize=2.5, transform=ax.get_xaxis_transform(), zorder=2)


def _limits(value: np.ndarray, model: np.ndarray) -> tuple[float, float]:
    known = np.concatenate([one[np.isfinite(one) & (one > 0)] for one in (value, model)])
    if known.size == 0:
        return 1.0, 10.0
    top = 15.0 * float(known.max())  # room for the label
    bottom = float(np.quantile(known, 0.02)) / 2
    return float(np.clip(bottom, top / 10**_MOST_DECADES, top / 10**_LEAST_DECADES)), top


def _chi2(value: np.ndarray, model: np.ndarray, sigma: np.ndarray) -> str:
    known = np.isfinite(value) & np.isfinite(model) & (sigma > 0)
    if not known.any():
        return ""
    chi2 = float(np.mean(((value - model) / np.where(known, sigma, 1.0))[known] ** 2))
    return f"   χ² {number(chi2, 2)}" if math.isfinite(chi2) else ""


def _legend(figure: Figure, ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=3, fontsize=SMALL, frameon=False)
