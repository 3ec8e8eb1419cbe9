"""How many different motifs fit: each cluster's motif, and the cost of every start."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nanotexture.report.draw import (
    CLUSTERS,
    DIVERGING,
    GREY,
    INK,
    PALE,
    POLAR,
    SMALL,
    TEXT,
    WIDTH,
    color_bar,
    line_style,
    new_figure,
    style,
    symmetric,
)
from nanotexture.report.fields import Field, displacement_fields, polarization_fields
from nanotexture.report.figures_motif import Grid, grid_of, panel
from nanotexture.report.format import number, percent, unit_text

MOST = 6
_ACROSS = 3  # clusters side by side
_TALLEST = 3.2  # inches of one panel: eight rows of a tall film's would fill five screens


def clusters_figure(clusters: xr.Dataset, texture: xr.Dataset) -> Figure | None:
    """Motif of each cluster, up to MOST, in the colour scale of the best; None where there is no motif."""
    known = [int(k) for k in np.flatnonzero(np.isfinite(clusters["weight"].values))[:MOST]]
    members = {k: _fields(clusters.isel(cluster=k)) for k in known}
    each = max((len(fields) for fields in members.values()), default=0)
    if each == 0:
        return None
    grid = grid_of(texture)
    across = min(len(members), _ACROSS)
    blocks = -(-len(members) // across)
    rows = blocks * each
    height = min(2.55 * grid.panel_ratio, _TALLEST)
    width = min(WIDTH, across * (height / grid.panel_ratio + 0.35) + 2.0)
    figure = new_figure(rows * (height + 0.3) + 0.5 * blocks + 0.4, width)
    axes = figure.subplots(rows, across, sharex=True, sharey=True, squeeze=False)
    for ax in axes.ravel():
        ax.set_visible(False)
    best = members[known[0]]  # its colour scale for all: a wilder motif that fits worse would make it pale
    for index, (k, fields) in enumerate(members.items()):
        first, column = index // across * each, index % across
        own = axes[first : first + each]
        for row, one in enumerate(fields):
            _motif(figure, own[row], column, one, symmetric([best[row].value]), grid)
        title = cluster_title(clusters.isel(cluster=k), k)
        own[0, column].set_title(title, fontsize=SMALL, color=INK, loc="left")
        own[-1, column].set_xlabel("x (nm)", fontsize=TEXT, color=INK)
        own[-1, column].xaxis.set_tick_params(labelbottom=True)
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
    ended = solutions.isel(start=np.flatnonzero(np.isfinite(solutions["cost"].values)))
    ended = ended.isel(start=np.argsort(ended["cost"].values, kind="stable"))
    figure = new_figure(3.2)
    ax = line_style(figure.subplots(), "", "start, by cost", "χ² per point")
    if ended.sizes["start"] == 0:
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
    cost, free, cluster = (ended[name].values for name in ("cost", "free_cost", "cluster"))
    rank = np.arange(1, cost.size + 1)
    ax.vlines(rank, cost, free, color=GREY, linewidth=0.5, alpha=0.6)
    for label, color, own in _kinds(cluster):
        ax.plot(rank[own], cost[own], "o", color=color, markersize=5, label=label)
        ax.plot(rank[own], free[own], "o", color=color, markersize=5, fillstyle="none")
    ax.plot([], [], "o", color=INK, markersize=5, fillstyle="none", label="free χ²")
    _scale(ax, np.concatenate([cost, free]))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.legend(loc="outside right upper", fontsize=SMALL, frameon=False)
    return figure


def _kinds(cluster: Any) -> Iterator[tuple[str, str, Any]]:
    """Label, colour and membership; clusters beyond those drawn share one grey."""
    for k in range(min(MOST, cluster.max(initial=-1) + 1)):
        yield f"cluster {k}", CLUSTERS[k % len(CLUSTERS)], cluster == k
    if (cluster >= MOST).any():
        yield f"cluster {MOST} and on", GREY, cluster >= MOST
    if (cluster < 0).any():
        yield "failed", PALE, cluster < 0


def _fields(cluster: xr.Dataset) -> list[Field]:
    return displacement_fields(cluster) + polarization_fields(cluster)


def _motif(figure: Figure, row: Any, column: int, one: Field, norm: Normalize, grid: Grid) -> None:
    ax = row[column]
    ax.set_visible(True)
    cmap = POLAR if one.key.startswith("polarization") else DIVERGING
    shown = panel(ax, grid, one.value, cmap, norm)
    style(ax)
    if column == 0:
        ax.set_ylabel(f"{one.symbol}:  z (nm)", fontsize=TEXT, color=INK)
        color_bar(
            figure, shown, list(row), f"{one.symbol} ({unit_text(one.units)})", fraction=0.025, aspect=25
        )


def _scale(ax: Axes, values: Any) -> None:
    """Log where a few bad starts would flatten the others, else linear."""
    known = values[np.isfinite(values) & (values > 0)]
    if known.size and known.max() > 5 * known.min():
        ax.set_yscale("log")
    elif known.size:
        ax.set_ylim(0.0, 1.1 * known.max())
