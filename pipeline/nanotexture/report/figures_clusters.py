"""How many different motifs fit: each cluster's motif, and the cost of every start."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nanotexture.report.draw import (
    CLUSTERS,
    DIVERGING,
    GREY,
    INK,
    POLAR,
    SMALL,
    TEXT,
    color_bar,
    line_style,
    new_figure,
    style,
    symmetric,
)
from nanotexture.report.fields import Field, displacement_fields, polarization_fields
from nanotexture.report.figures_motif import grid_of, panel
from nanotexture.report.format import number, percent, unit_text

MOST = 6


def clusters_figure(clusters: xr.Dataset, texture: xr.Dataset) -> Figure | None:
    """Motif of each cluster, up to MOST, in one colour scale per unit; None where there is no motif."""
    known = np.flatnonzero(np.isfinite(clusters["weight"].values))[:MOST]
    members = {int(k): _fields(clusters.isel(cluster=k)) for k in known}
    rows = max((len(fields) for fields in members.values()), default=0)
    if rows == 0:
        return None
    grid = grid_of(texture)
    columns = max(len(members), 2)
    figure = new_figure(rows * (8.6 / max(columns, 3) * grid.panel_ratio + 0.2) + 0.9)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax in axes.ravel():
        ax.set_visible(False)
    for column, (k, fields) in enumerate(members.items()):
        for row, one in enumerate(fields):
            _motif(
                figure, axes[row], column, one, [own[row] for own in members.values() if row < len(own)], grid
            )
        axes[0, column].set_title(
            cluster_title(clusters.isel(cluster=k), k), fontsize=SMALL, color=INK, loc="left"
        )
        axes[-1, column].set_xlabel("x (nm)", fontsize=TEXT, color=INK)
    return figure


def cluster_title(one: xr.Dataset, k: int) -> str:
    """What is known of one cluster, in two lines."""
    spread = float(one["spread"])
    told = f"spread {number(spread, 2)}" if math.isfinite(spread) else "one member"
    return (
        f"cluster {k}: {percent(float(one['weight']))} of starts, {told}\n"
        f"χ² {number(float(one['cost']), 3)}, free χ² {number(float(one['free_cost']), 3)}"
    )


def costs_figure(solutions: xr.Dataset) -> Figure:
    """Cost of every start, best first, coloured by cluster; open marks are the free cost."""
    cost, free = solutions["cost"].values, solutions["free_cost"].values
    cluster = solutions["cluster"].values
    order = np.argsort(np.where(np.isfinite(cost), cost, np.inf), kind="stable")
    order = order[np.isfinite(cost[order])]
    figure = new_figure(2.9)
    ax = line_style(figure.subplots(), "", "start, by cost", "χ² per point")
    if order.size == 0:
        ax.text(
            0.5,
            0.5,
            "no start ended with a cost",
            transform=ax.transAxes,
            ha="center",
            color=INK,
            fontsize=TEXT,
        )
        return figure
    rank = np.arange(1, order.size + 1)
    ax.vlines(rank, cost[order], free[order], color=GREY, linewidth=0.5, alpha=0.6)
    for k in sorted(set(cluster[order].tolist())):
        _series(ax, rank, cost[order], free[order], cluster[order] == k, int(k))
    _scale(ax, np.concatenate([cost[order], free[order]]))
    ax.legend(fontsize=SMALL, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _fields(cluster: xr.Dataset) -> list[Field]:
    return displacement_fields(cluster) + polarization_fields(cluster)


def _motif(figure: Figure, row: Any, column: int, one: Field, alike: list[Field], grid: Any) -> None:
    ax = row[column]
    ax.set_visible(True)
    cmap = POLAR if one.key.startswith("polarization") else DIVERGING
    shown = panel(ax, grid, one.value, cmap, symmetric([other.value for other in alike]))
    style(ax)
    if column == 0:
        ax.set_ylabel(f"{one.symbol}:  z (nm)", fontsize=TEXT, color=INK)
        color_bar(figure, shown, list(row), unit_text(one.units), fraction=0.025, aspect=25)


def _series(ax: Axes, rank: Any, cost: Any, free: Any, own: Any, k: int) -> None:
    color = GREY if k < 0 else CLUSTERS[k % len(CLUSTERS)]
    label = "failed" if k < 0 else f"cluster {k}"
    ax.plot(rank[own], cost[own], "o", color=color, markersize=5, label=f"{label}, χ²")
    ax.plot(rank[own], free[own], "o", color=color, markersize=5, fillstyle="none", label=f"{label}, free χ²")


def _scale(ax: Axes, values: Any) -> None:
    """Log where a few bad starts would flatten the others, else linear."""
    known = values[np.isfinite(values) & (values > 0)]
    if known.size and known.max() > 5 * known.min():
        ax.set_yscale("log")
    elif known.size:
        ax.set_ylim(bottom=0.0)
