"""The motif in real space: each determined field beside its standard deviation, two periods wide."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke

from nanotexture.report.draw import (
    DIVERGING,
    INK,
    POLAR,
    SEQUENTIAL,
    TEXT,
    WIDTH,
    Array,
    color_bar,
    from_zero,
    hatched,
    image,
    new_figure,
    style,
    symmetric,
)
from nanotexture.report.fields import Field, polarization_fields
from nanotexture.report.format import number, unit_text

NM = 0.1  # per angstrom
PERIODS = 2
_TALLEST, _FLATTEST = 2.2, 0.35  # height over width of a panel beyond which the aspect is not equal
_ARROWS = 22  # across the panel
_ARROW = 26.0  # points
FAINT = 0.5  # of the strongest component: a weaker one beside it in one colour scale shows hardly half the colours


@dataclass(frozen=True)
class Grid:
    """Positions of the motif in nm: x over PERIODS periods, z above the substrate."""

    x: Array
    z: Array

    @property
    def equal(self) -> bool:
        """Whether x and z can have one scale without a sliver of a panel."""
        return _FLATTEST <= self.ratio <= _TALLEST

    @property
    def ratio(self) -> float:
        """Height over width in nm."""
        return float(np.ptp(self.z) / np.ptp(self.x))

    @property
    def aspect_text(self) -> str:
        """What the reader must know about the scales."""
        if self.equal:
            return "x and z to one scale"
        stretch = 1.0 / self.ratio if self.ratio < _FLATTEST else _TALLEST / self.ratio
        return f"z drawn {number(stretch, 2)} times the scale of x"

    @property
    def panel_ratio(self) -> float:
        """Height over width as drawn."""
        return self.ratio if self.equal else 1.0 if self.ratio < _FLATTEST else _TALLEST


def grid_of(texture: xr.Dataset) -> Grid:
    """Grid of a texture without the temperature dimension."""
    x = np.asarray(texture["x"].values, dtype=float)
    period = float(texture["period"])
    period = period if math.isfinite(period) else 10.0  # then x is in periods, ten angstrom each
    tiled = np.concatenate([x + k for k in range(PERIODS)]) * period * NM
    return Grid(tiled, np.asarray(texture["z"].values, dtype=float) * NM)


def fields_figure(
    texture: xr.Dataset, fields: list[Field], q_direction: Any = None, *, up: str = "z"
) -> Figure:
    """One row per field: the value, and its standard deviation beside it; texture gives the grid.

    q_direction: unit vector (x, z), drawn as an arrow where the field is known along it only; up: name of the second axis.
    """
    grid = grid_of(texture)
    each = WIDTH / 2 - 1.5
    figure = new_figure(len(fields) * (each * grid.panel_ratio + 0.4) + 0.4)
    axes = figure.subplots(len(fields), 2, sharex=True, sharey=True, squeeze=False)
    for row, one in zip(axes, fields, strict=True):
        _value_panel(figure, row[0], grid, one, _same_scale(fields, one))
        _std_panel(figure, row[1], grid, one, _same_scale(fields, one))
    _outer_labels(axes, up)
    if q_direction is not None:
        draw_direction(axes[0, 0], q_direction, grid)
    return figure


def polarization_figure(texture: xr.Dataset) -> Figure | None:
    """Arrows of (Px, Pz) on the colour of Pz; None where the two are not determined."""
    fields = {one.key: one for one in polarization_fields(texture)}
    if not {"polarization_x", "polarization_z"} <= set(fields):
        return None
    grid = grid_of(texture)
    p_x, p_z = fields["polarization_x"], fields["polarization_z"]
    figure = new_figure(min(5.6 * grid.panel_ratio, 9.0) + 0.7, 7.4)
    ax = style(figure.subplots(), "polarization", "x (nm)", "z (nm)")
    shown = panel(ax, grid, p_z.value, POLAR, symmetric([p_x.value, p_z.value]))
    color_bar(figure, shown, ax, f"{p_z.symbol} ({unit_text(p_z.units)})")
    _arrows(ax, grid, p_x.value, p_z.value)
    return figure


def panel(ax: Axes, grid: Grid, values: Array, cmap: Any, norm: Any) -> AxesImage:
    """Values (x, z) of one period, drawn over all."""
    shown = image(ax, grid.x, grid.z, np.tile(values, (PERIODS, 1)), cmap, norm)
    hatched(ax)
    if grid.equal:
        ax.set_aspect("equal")
    return shown


def uncertain(ax: Axes, grid: Grid, field: Field) -> None:
    """Dots where the standard deviation exceeds the value, with their outline."""
    if field.std is None or not np.isfinite(field.std).any():
        return
    excess = np.tile(field.std - np.abs(field.value), (PERIODS, 1)).T
    if not (excess > 0).any():
        return
    marked = ax.contourf(grid.x, grid.z, excess, levels=[0.0, np.inf], colors="none", hatches=["...."])
    marked.set(edgecolor="#00000070", linewidth=0.0)
    if (excess < 0).any():
        ax.contour(grid.x, grid.z, excess, levels=[0.0], colors=INK, linewidths=0.5)


def draw_direction(ax: Axes, direction: Any, grid: Grid) -> None:
    """Arrow along Q in the upper left corner; its slope follows the scales of the axes."""
    x, z = (float(v) for v in np.asarray(direction).ravel()[:2])
    z_drawn = z if grid.equal else z * grid.panel_ratio / grid.ratio
    norm = math.hypot(x, z_drawn) or 1.0
    back = (-_ARROW * x / norm, -_ARROW * z_drawn / norm)
    where: dict[str, Any] = {"xy": (0.14, 0.9), "xycoords": "axes fraction", "textcoords": "offset points"}
    halo = [withStroke(linewidth=3.5, foreground="white")]
    arrow = {
        "arrowstyle": "-|>",
        "color": INK,
        "linewidth": 1.4,
        "shrinkA": 0,
        "shrinkB": 0,
        "path_effects": halo,
    }
    ax.annotate("", xytext=back, arrowprops=arrow, **where)
    label = (back[0] * 1.35, back[1] * 1.35)
    ax.annotate(
        "Q", xytext=label, fontsize=TEXT, ha="center", va="center", color=INK, path_effects=halo, **where
    )


def _value_panel(figure: Figure, ax: Axes, grid: Grid, field: Field, alike: list[Field]) -> None:
    cmap = POLAR if field.key.startswith("polarization") else DIVERGING
    values, unit = _scaled(field.value, field.units)
    shown = panel(ax, grid, values, cmap, symmetric([_scaled(one.value, one.units)[0] for one in alike]))
    uncertain(ax, grid, field)
    style(ax, field.symbol)
    color_bar(figure, shown, ax, unit)


def _std_panel(figure: Figure, ax: Axes, grid: Grid, field: Field, alike: list[Field]) -> None:
    if field.std is None or not np.isfinite(field.std).any():
        ax.set_axis_off()
        ax.text(
            0.5, 0.5, "no standard deviation", transform=ax.transAxes, ha="center", fontsize=TEXT, color=INK
        )
        return
    values, unit = _scaled(field.std, field.units)
    # a quarter of the value's scale at least: an even and small deviation should look small
    every = [
        _scaled(part, one.units)[0] for one in alike for part in (one.std, one.value / 4) if part is not None
    ]
    shown = panel(ax, grid, values, SEQUENTIAL, from_zero(every))
    style(ax, f"standard deviation of {field.symbol}")
    color_bar(figure, shown, ax, unit)


def _same_scale(fields: list[Field], field: Field) -> list[Field]:
    """Fields that share a colour scale, so that components can be compared; one that would look flat in it has its own."""
    alike = [one for one in fields if one.units == field.units]
    sizes = [float(np.nanquantile(np.abs(one.value), 0.995)) for one in alike]
    return alike if min(sizes) > FAINT * max(sizes) else [field]


def _scaled(values: Array, units: str) -> tuple[Array, str]:
    """Values in the unit of the colour bar: strain and rotation in thousandths."""
    thousandths = {"1": "10$^{-3}$", "rad": "mrad"}
    return (values * 1e3, thousandths[units]) if units in thousandths else (values, unit_text(units))


def _outer_labels(axes: Any, up: str) -> None:
    for ax in axes[-1]:
        ax.set_xlabel("x (nm)", fontsize=TEXT, color=INK)
        ax.xaxis.set_tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel(f"{up} (nm)", fontsize=TEXT, color=INK)


def _arrows(ax: Axes, grid: Grid, p_x: Array, p_z: Array) -> None:
    step_x = max(1, len(grid.x) // _ARROWS)
    step_z = max(1, round(step_x * (grid.x[1] - grid.x[0]) / (grid.z[1] - grid.z[0])))
    every = (slice(step_x // 2, None, step_x), slice(step_z // 2, None, step_z))
    u, w = (np.tile(p, (PERIODS, 1))[every].T for p in (p_x, p_z))
    longest = float(np.nanmax(np.hypot(u, w))) or 1.0
    spacing = step_x * (grid.x[1] - grid.x[0])
    ax.quiver(
        grid.x[every[0]],
        grid.z[every[1]],
        u,
        w,
        color=INK,
        pivot="mid",
        angles="xy" if grid.equal else "uv",
        scale_units="x",
        scale=longest / (0.95 * spacing),
        width=0.0032,
        headwidth=4.5,
    )
