"""Domains, walls and cores of a motif, its vorticity and its energy densities."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from nanotexture.report.draw import (
    CLUSTERS,
    DIVERGING,
    INK,
    LINE,
    PALE,
    SECOND,
    SEQUENTIAL,
    SMALL,
    TEXT,
    WIDTH,
    Array,
    color_bar,
    new_figure,
    style,
    symmetric,
)
from nanotexture.report.figures_motif import NM, PERIODS, Grid, grid_of, panel
from nanotexture.report.format import MINUS

_COLORS = {
    "+x": CLUSTERS[1],
    "-x": CLUSTERS[2],
    "+z": "#d98880",
    "-z": "#7fa8d1",
    "not polar": PALE,
    "low": "#7fa8d1",
    "middle": PALE,
    "high": "#d98880",
}
_QUANTITIES = {
    "strain_xx": r"$\varepsilon_{xx}$",
    "strain_zz": r"$\varepsilon_{zz}$",
    "strain_xz": r"$\varepsilon_{xz}$",
    "rotation": r"$\omega$",
    "gradient_along_q_x": r"$\partial u_Q / \partial x$",
    "gradient_along_q_z": r"$\partial u_Q / \partial z$",
}
_ENERGIES = (("elastic", "elastic"), ("landau", "Landau"), ("gradient", "gradient"))


def domains_figure(domains: xr.Dataset, texture: xr.Dataset) -> Figure | None:
    """Domains with walls and cores, and the vorticity beside them where it is known; groups without temperature."""
    if not np.isfinite(domains["domain"].values).any():
        return None
    grid, turning = grid_of(texture), bool(np.isfinite(domains["vorticity"].values).any())
    each = WIDTH / 2 - 1.2
    figure = new_figure(min(each * grid.panel_ratio, 9.0) + 1.0, WIDTH if turning else WIDTH / 2 + 1.0)
    axes = figure.subplots(1, 2 if turning else 1, sharey=True, squeeze=False)[0]
    _domain_panel(axes[0], domains, texture, grid)
    if turning:
        values = domains["vorticity"].values * 1e-8
        shown = panel(axes[1], grid, values, DIVERGING, symmetric([values]))
        style(axes[1], "vorticity of P", "x (nm)")
        _cores(axes[1], domains, texture, grid)
        color_bar(figure, shown, axes[1], "10$^{8}$ C m$^{-3}$")
    return figure


def energy_figure(energy: xr.Dataset, texture: xr.Dataset) -> Figure | None:
    """Energy densities side by side, each in its own scale; None where none is known."""
    known = [(name, text) for name, text in _ENERGIES if np.isfinite(energy[name].values).any()]
    if not known:
        return None
    grid = grid_of(texture)
    across = WIDTH / max(len(known), 2) - 1.0
    figure = new_figure(min(across * grid.panel_ratio, 7.0) + 0.8, WIDTH if len(known) > 1 else WIDTH / 2)
    axes = figure.subplots(1, len(known), sharey=True, squeeze=False)[0]
    for ax, (name, text) in zip(axes, known, strict=True):
        values = energy[name].values * 1e-6
        signed = np.nanmin(values) < 0
        norm = symmetric([values])
        if not signed:
            norm.vmin = 0.0
        shown = panel(ax, grid, values, DIVERGING if signed else SEQUENTIAL, norm)
        style(ax, f"{text} energy", "x (nm)")
        color_bar(figure, shown, ax, "MJ m$^{-3}$")
    axes[0].set_ylabel("z (nm)", fontsize=TEXT, color=INK)
    return figure


def _domain_panel(ax: Axes, domains: xr.Dataset, texture: xr.Dataset, grid: Grid) -> None:
    names = [str(name) for name in domains["state"].values]
    colors = ListedColormap([_COLORS.get(name, PALE) for name in names])
    norm = BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names))
    panel(ax, grid, domains["domain"].values, colors, norm)
    style(ax, "domains and walls", "x (nm)", "z (nm)")
    limits: Any = ax.get_xlim(), ax.get_ylim()
    for position, std in zip(
        domains["wall_position"].values, domains["wall_position_std"].values, strict=True
    ):
        _wall(ax, grid, position * NM, std * NM, float(texture["period"]) * NM)
    _cores(ax, domains, texture, grid)
    ax.set(xlim=limits[0], ylim=limits[1])
    share = domains["area_fraction"].values
    drawn: list[Any] = [
        Patch(color=_COLORS.get(name, PALE), label=_label(name, str(domains.attrs.get("quantity", ""))))
        for name, a in zip(names, share, strict=True)
        if a > 0
    ]
    drawn += [Line2D([], [], color=INK, linewidth=1.2, label="wall")]
    ax.legend(
        handles=drawn,
        fontsize=SMALL,
        frameon=False,
        ncols=4,
        loc="upper left",
        bbox_to_anchor=(0.0, -0.14),
        borderaxespad=0.0,
    )


def _label(state: str, quantity: str) -> str:
    """Name of a state as it is read: the component of P, or of what is low or high."""
    if quantity == "polarization":
        return f"P along {state.replace('-', MINUS)}" if state[0] in "+-" else state
    return f"{state} {_QUANTITIES.get(quantity, quantity)}"


def _wall(ax: Axes, grid: Grid, position: Array, std: Array, period: float) -> None:
    """One wall in every period, its standard deviation as a band."""
    known = np.isfinite(position)
    if not known.any():
        return
    line = np.full(position.shape, np.nan)
    line[known] = np.unwrap(position[known], period=period)
    wide = int(np.ptp(line[known]) // period) + 2
    for k in range(-wide, PERIODS + wide):
        ax.plot(line + k * period, grid.z, color=INK, linewidth=1.2)
        ax.fill_betweenx(
            grid.z, line + k * period - std, line + k * period + std, color=INK, alpha=0.25, linewidth=0
        )


def _cores(ax: Axes, domains: xr.Dataset, texture: xr.Dataset, grid: Grid) -> None:
    """Vortices as circles, antivortices as squares; red turns z towards x, blue the other way."""
    period = float(texture["period"])
    names = ("core_x", "core_z", "core_winding", "core_circulation")
    for x, z, winding, turn in zip(*(domains[name].values for name in names), strict=True):
        for k in range(PERIODS if np.isfinite(x) else 0):
            ax.plot(
                (x + k * period) * NM,
                z * NM,
                marker="o" if winding > 0 else "s",
                markersize=6,
                color=LINE if turn > 0 else SECOND,
                markeredgecolor="white",
                markeredgewidth=0.8,
            )
