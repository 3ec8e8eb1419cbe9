"""What follows from a series: order parameter, strain, walls and duty against temperature, with standard errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nanotexture.report.draw import CLUSTERS, GREY, INK, LINE, PALE, SECOND, SMALL, line_style, new_figure

_AXIS = "T (K)"
_CURVES = (
    ("period", "period (Å)"),
    ("wall_width", "wall width (Å)"),
    ("duty", "duty"),
    ("polarization_rms", "rms |P| (C m$^{-2}$)"),
)
_ORDERS = {  # values, curve, transition temperature, label, name of the curve
    "motif": ("order_parameter", "order_fit", "transition_temperature", "order parameter", "curve"),
    "satellites": (
        "satellite_amplitude",
        "satellite_fit",
        "satellite_transition_temperature",
        "satellite amplitude",
        "satellite_curve",
    ),
}
_STRAINS = (("xx", r"$\varepsilon_{xx}$"), ("zz", r"$\varepsilon_{zz}$"))


def trend_figure(series: xr.Dataset) -> Figure | None:
    """Order parameters with the curves chosen, then every length, share and strain that is known; bars: standard errors."""
    ordered = series.sortby("temperature")
    known = [(name, text) for name, text in _CURVES if np.isfinite(ordered[name].values).any()]
    strains = np.isfinite(ordered["mean_strain"].values[:, :2]).any()
    kinds = [kind for kind, entry in _ORDERS.items() if np.isfinite(ordered[entry[0]].values).any()]
    number = len(kinds) + len(known) + strains
    if not number:
        return None
    figure = new_figure(2.6 * -(-number // 3) + 0.2)
    axes = iter(figure.subplots(-(-number // 3), 3, squeeze=False).ravel())
    for kind in kinds:
        _order(next(axes), ordered, kind)
    for name, text in known:
        bars(line_style(next(axes), "", _AXIS, text), ordered, name, SECOND)
    if strains:
        _mean_strain(next(axes), ordered)
    for ax in axes:
        ax.set_visible(False)
    return figure


def bars(ax: Axes, series: xr.Dataset, name: str, color: str) -> None:
    """One variable (temperature) of a series with its standard errors."""
    error = np.nan_to_num(series[f"{name}_std"].values)
    _bars(ax, series["temperature"].values, series[name].values, error, color)


def _order(ax: Axes, series: xr.Dataset, kind: str) -> None:
    """An order parameter with the curve chosen for it, and its transition temperature as a band."""
    name, fit, transition, label, curve = _ORDERS[kind]
    line_style(ax, "", _AXIS, label)
    bars(ax, series, name, INK)
    values = series[fit].values
    if np.isfinite(values).any():
        ax.plot(
            series["temperature"].values,
            values,
            color=LINE,
            linewidth=1.0,
            linestyle="--",
            label=str(series.attrs.get(curve, "")),
        )
        ax.legend(fontsize=SMALL, frameon=False)
    at, error = (float(series[f"{transition}{end}"]) for end in ("", "_std"))
    if np.isfinite(at):
        ax.axvspan(at - error, at + error, color=PALE, zorder=0)
        ax.axvline(at, color=GREY, linewidth=0.9, zorder=0)
    top = 1.6 * float(
        np.nanmax(series[name].values)
    )  # a bar may reach far beyond: an answer that misses its data
    ax.set_ylim(0.0, top if top > 0 else 1.0)


def _mean_strain(ax: Axes, series: xr.Dataset) -> None:
    line_style(ax, "", _AXIS, "mean strain (10$^{-3}$)")
    for k, (_, label) in enumerate(_STRAINS):
        value, error = (1e3 * series[f"mean_strain{end}"].values[:, k] for end in ("", "_std"))
        _bars(ax, series["temperature"].values, value, np.nan_to_num(error), CLUSTERS[k], label)
    ax.legend(fontsize=SMALL, frameon=False)


def _bars(ax: Axes, kelvin: Any, values: Any, error: Any, color: str, label: str = "") -> None:
    ax.errorbar(
        kelvin, values, yerr=error, fmt="o", color=color, markersize=4, linewidth=1.0, capsize=3, label=label
    )
    ax.ticklabel_format(axis="y", useOffset=False)
