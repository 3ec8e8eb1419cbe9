"""A series of temperatures, and a simulated truth beside the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from nanotexture.report.draw import (
    CLUSTERS,
    DIVERGING,
    INK,
    POLAR,
    SECOND,
    SMALL,
    TEXT,
    color_bar,
    line_style,
    new_figure,
    style,
    symmetric,
)
from nanotexture.report.fields import Field, derivative_fields, displacement_fields
from nanotexture.report.figures_motif import Grid, grid_of, panel
from nanotexture.report.format import temperature_text, unit_text

_ACROSS = 4  # temperatures side by side
_LENGTHS = (("period", "period (Å)"), ("thickness", "thickness (Å)"), ("c", "film c (Å)"))


def series_figure(texture: xr.Dataset) -> Figure:
    """Lengths and amplitudes of /texture against temperature, with standard errors."""
    ordered = texture.sortby("temperature")
    each = [ordered.isel(temperature=i) for i in range(ordered.sizes["temperature"])]
    lengths = [entry for entry in _LENGTHS if np.isfinite(ordered.get(entry[0], np.nan)).any()]
    amplitudes = [
        found for found in (displacement_fields, derivative_fields) if any(found(one) for one in each)
    ]
    figure = new_figure(2.5 * -(-(len(lengths) + len(amplitudes)) // 3) + 0.2)
    axes = iter(figure.subplots(-(-(len(lengths) + len(amplitudes)) // 3), 3, squeeze=False).ravel())
    kelvin = ordered["temperature"].values
    for name, label in lengths:
        error = ordered[f"{name}_std"].values if f"{name}_std" in ordered else None
        _curve(line_style(next(axes), "", "T (K)", label), kelvin, ordered[name].values, error, SECOND)
    for found in amplitudes:
        _amplitudes(next(axes), kelvin, [found(one) for one in each])
    for ax in axes:
        ax.set_visible(False)
    return figure


def motifs_figure(texture: xr.Dataset) -> Figure | None:
    """Displacement of every temperature in one colour scale, coldest first; None where none is determined."""
    ordered = texture.sortby("temperature")
    each = [ordered.isel(temperature=i) for i in range(ordered.sizes["temperature"])]
    fields = [displacement_fields(one) for one in each]
    deep = max(len(found) for found in fields)
    if deep == 0:
        return None
    across = min(max(len(each), 2), _ACROSS)
    rows = deep * -(-len(each) // across)
    ratio = max(grid_of(one).panel_ratio for one in each)
    figure = new_figure(rows * (8.0 / max(across, 3) * ratio + 0.5) + 0.4)
    axes = figure.subplots(rows, across, sharey=True, squeeze=False)
    for ax in axes.ravel():
        ax.set_visible(False)
    norm = symmetric([field.value for found in fields for field in found])
    for index, (one, found) in enumerate(zip(each, fields, strict=True)):
        first, column = index // across * deep, index % across
        title = temperature_text(float(one["temperature"]))
        for row, field in enumerate(found):
            _small(figure, axes[first + row], column, field, title, grid_of(one), norm)
        axes[first + deep - 1, column].set_xlabel("x (nm)", fontsize=TEXT, color=INK)
    return figure


def truth_figure(texture: xr.Dataset, pairs: list[tuple[Field, Field]], *, up: str = "z") -> Figure:
    """Truth | result | difference, one row per field; pairs: result and truth on one grid; up: name of its second axis."""
    grid = grid_of(texture)
    figure = new_figure(len(pairs) * (2.75 * grid.panel_ratio + 0.55) + 0.3)
    axes = figure.subplots(len(pairs), 3, sharex=True, sharey=True, squeeze=False)
    for row, (one, true) in zip(axes, pairs, strict=True):
        norm = symmetric([one.value, true.value])
        cmap = POLAR if one.key.startswith("polarization") else DIVERGING
        shown = [("truth", true.value), ("result", one.value), ("result − truth", one.value - true.value)]
        for ax, (title, values) in zip(row, shown, strict=True):
            drawn = panel(ax, grid, values, cmap, norm)
            style(ax, f"{one.symbol} {title}")
        row[0].set_ylabel(f"{up} (nm)", fontsize=TEXT, color=INK)
        color_bar(figure, drawn, list(row), unit_text(one.units), fraction=0.025, aspect=22)
    for ax in axes[-1]:
        ax.set_xlabel("x (nm)", fontsize=TEXT, color=INK)
    return figure


def thickness_figure(scan: xr.Dataset) -> Figure:
    """Symmetric scan with its rod model."""
    figure = new_figure(2.8)
    ax = line_style(figure.subplots(), "", "$q_z$ (Å$^{-1}$)", "counts")
    order = np.argsort(scan["qz"].values)
    qz = scan["qz"].values[order]
    for name, color, label in (("intensity", INK, "measured"), ("model", CLUSTERS[3], "film and rod")):
        values = scan[name].values[order]
        ax.semilogy(qz, np.where(values > 0, values, np.nan), color=color, linewidth=0.9, label=label)
    ax.legend(fontsize=SMALL, frameon=False)
    return figure


def _curve(ax: Axes, kelvin: Any, values: Any, error: Any, color: str, label: str = "") -> None:
    ax.errorbar(
        kelvin, values, yerr=error, fmt="o-", color=color, markersize=4, linewidth=1.0, capsize=3, label=label
    )
    ax.ticklabel_format(axis="y", useOffset=False)


def _amplitudes(ax: Axes, kelvin: Any, fields: list[list[Field]]) -> None:
    keys = {one.key: one for found in fields for one in found}
    factor, unit = (1.0, unit_text("angstrom")) if "displacement" in next(iter(keys)) else (1e3, "10$^{-3}$")
    line_style(ax, "", "T (K)", f"rms ({unit})")
    for color, (key, example) in zip(CLUSTERS, keys.items(), strict=False):
        own = [next((one for one in found if one.key == key), None) for found in fields]
        values = [factor * one.rms if one else np.nan for one in own]
        errors = [factor * one.rms_error if one else np.nan for one in own]
        _curve(ax, kelvin, values, np.nan_to_num(errors), color, example.symbol)
    ax.set_ylim(bottom=0.0)
    ax.legend(fontsize=SMALL, frameon=False)


def _small(
    figure: Figure, row: Any, column: int, field: Field, title: str, grid: Grid, norm: Normalize
) -> None:
    ax = row[column]
    ax.set_visible(True)
    shown = panel(ax, grid, field.value, DIVERGING, norm)
    style(ax, f"{field.symbol}, {title}")
    if column == 0:
        ax.set_ylabel("z (nm)", fontsize=TEXT, color=INK)
        color_bar(figure, shown, list(row), unit_text(field.units), fraction=0.025, aspect=25)
