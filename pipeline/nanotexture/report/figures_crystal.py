"""Figures of one crystal: surface, slices, pattern measured and calculated, starts, transfer of phases."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LightSource, LogNorm, Normalize
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from skimage.measure import marching_cubes

from nanotexture.report.draw import (
    CLUSTERS,
    DIVERGING,
    HELD,
    INTENSITY,
    LINE,
    SEQUENTIAL,
    color_bar,
    from_zero,
    hatched,
    image,
    line_style,
    new_figure,
    style,
    symmetric,
)

Array = NDArray[np.floating[Any]]
NM = 0.1  # nm per angstrom
PLANES = (("x", "y"), ("x", "z"), ("y", "z"))
MARGIN = 3  # voxels about the crystal
LEVEL = 0.3  # of the largest modulus: where the surface is drawn
VIEWS = ((20.0, -60.0), (20.0, 30.0), (20.0, 120.0))


def cropped(found: xr.Dataset) -> xr.Dataset:
    """The part of an object about its crystal."""
    support = found["support"].values != 0
    cuts = {}
    for axis, name in enumerate("xyz"):
        seen = np.flatnonzero(support.any(axis=tuple(a for a in range(3) if a != axis)))
        last = support.shape[axis]
        cuts[name] = slice(max(0, int(seen.min()) - MARGIN), min(last, int(seen.max()) + MARGIN + 1))
    return found.isel(cuts)


def surface_figure(found: xr.Dataset) -> Figure:
    """Surface of constant modulus from three sides, coloured by the displacement along Q just below it."""
    part = cropped(found)
    corners, faces, _, _ = marching_cubes(part["amplitude"].values.astype(float), LEVEL)
    colour, norm = _surface_colours(part, corners)
    scaled = np.stack(
        [
            np.interp(corners[:, i], np.arange(part.sizes[n]), NM * part[n].values)
            for i, n in enumerate("xyz")
        ],
        1,
    )
    figure = new_figure(3.6)
    for number, (height, turn) in enumerate(VIEWS):
        ax: Any = figure.add_subplot(1, 3, number + 1, projection="3d")
        _draw_surface(ax, scaled, faces, colour[faces].mean(axis=1), norm)
        ax.view_init(height, turn)
    bar = figure.colorbar(ScalarMappable(norm, DIVERGING), ax=figure.axes, shrink=0.7, pad=0.06)
    bar.set_label("u along Q (Å)")
    bar.outline.set_visible(False)
    return figure


def _surface_colours(part: xr.Dataset, corners: Array) -> tuple[Array, Normalize]:
    """Displacement at the corners of the surface, taken from the nearest voxel inside the crystal."""
    u = part["displacement_along_q"].values
    known = np.isfinite(u)
    centre = np.array([axis.mean() for axis in np.nonzero(known)])
    value = np.full(len(corners), np.nan)
    for inward in (0.0, 1.0, 1.7, 2.5):  # voxels towards the middle, until one is inside
        away = corners - centre
        points = corners - inward * away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
        seen = map_coordinates(np.nan_to_num(u), points.T, order=0)
        inside = map_coordinates(known.astype(float), points.T, order=0) > 0.5
        value = np.where(np.isnan(value) & inside, seen, value)
    return np.nan_to_num(value), symmetric([u])


def _draw_surface(
    ax: Any, corners: Array, faces: NDArray[np.integer[Any]], value: Array, norm: Normalize
) -> None:
    mesh = Poly3DCollection(corners[faces], linewidths=0, antialiased=False)
    normal = np.cross(
        corners[faces[:, 1]] - corners[faces[:, 0]], corners[faces[:, 2]] - corners[faces[:, 0]]
    )
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    light = LightSource(azdeg=300, altdeg=50).direction
    shade = 0.62 + 0.38 * np.abs(normal @ light)
    colours = DIVERGING(norm(value))
    colours[:, :3] *= shade[:, None]
    mesh.set_facecolor(colours)
    ax.add_collection3d(mesh)
    low, high = corners.min(axis=0), corners.max(axis=0)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    ax.set_box_aspect(high - low)
    for name, setter in zip("xyz", (ax.set_xlabel, ax.set_ylabel, ax.set_zlabel), strict=True):
        setter(f"{name} (nm)", fontsize=8)
    ax.tick_params(labelsize=7)
    ax.locator_params(nbins=4)


def slices_figure(found: xr.Dataset) -> Figure:
    """Amplitude, displacement, strain and spread of the phase in three planes through the middle of the crystal."""
    part = cropped(found)
    rows = [
        ("amplitude", "amplitude", 1.0, SEQUENTIAL, False),
        ("displacement_along_q", "u along Q (Å)", 1.0, DIVERGING, True),
        ("strain_along_q", "strain along Q (10⁻³)", 1e3, DIVERGING, True),
        ("phase_std", "spread of phase (rad)", 1.0, cm.bilbao_r, False),
    ]
    rows = [row for row in rows if np.isfinite(part[row[0]].values).any()]
    figure = new_figure(2.9 * len(rows))
    axes = figure.subplots(len(rows), 3, squeeze=False)
    for line, (name, label, scale, colours, both) in zip(axes, rows, strict=True):
        values = scale * part[name].values
        norm = symmetric([values]) if both else from_zero([values])
        for ax, plane in zip(line, PLANES, strict=True):
            shown = _slice(ax, part, values, plane, colours, norm)
        color_bar(figure, shown, list(line), label)
    return figure


def _slice(
    ax: Axes, part: xr.Dataset, values: Array, plane: tuple[str, str], colours: Any, norm: Normalize
) -> Any:
    (across,) = {"x", "y", "z"} - set(plane)
    middle = _middle(part, across)
    cut = np.take(values, [middle], "xyz".index(across)).squeeze("xyz".index(across))
    hatched(ax)
    place = NM * float(part[across][middle])
    style(ax, f"{across} = {place:.0f} nm", f"{plane[0]} (nm)", f"{plane[1]} (nm)")
    shown = image(ax, NM * part[plane[0]].values, NM * part[plane[1]].values, cut, colours, norm)
    ax.set_aspect("equal")
    return shown


def _middle(part: xr.Dataset, axis: str) -> int:
    inside = part["support"].values.sum(axis=tuple(i for i, n in enumerate("xyz") if n != axis))
    return int(np.rint(np.average(np.arange(inside.size), weights=inside)))


def pattern_figure(pattern: xr.Dataset) -> Figure:
    """Counts measured and calculated in three planes through the peak, and their difference over the noise."""
    peak = np.unravel_index(int(np.nanargmax(pattern["intensity"].values)), pattern["intensity"].shape)
    figure = new_figure(8.8)
    axes = figure.subplots(3, 3)
    measured, model = pattern["intensity"].values, pattern["model"].values
    off = (model - measured) / np.sqrt(pattern["variance"].values)
    top = float(np.nanmax(measured))
    counts = LogNorm(0.5, top)
    for line, (name, across) in zip(
        axes, ((("qx", "qy"), 2), (("qx", "qz"), 1), (("qy", "qz"), 0)), strict=True
    ):
        cuts = [values.take(peak[across], across) for values in (measured, model, off)]
        x, y = (100 * pattern[n].values for n in name)
        for ax, cut, title in zip(line, cuts, ("measured", "calculated", "difference / σ"), strict=True):
            hatched(ax)
            style(ax, title, f"{name[0]} (10⁻² Å⁻¹)", f"{name[1]} (10⁻² Å⁻¹)")
            if title.startswith("difference"):
                last = image(ax, x, y, cut, DIVERGING, Normalize(-10, 10))
            else:
                shown = image(
                    ax,
                    x,
                    y,
                    np.where(cut > 0, cut, np.where(np.isfinite(cut), 0.5, np.nan)),
                    INTENSITY,
                    counts,
                )
    color_bar(figure, shown, list(axes[:, :2].ravel()), "counts", shrink=0.5)
    color_bar(figure, last, list(axes[:, 2]), "difference over counting noise", shrink=0.5)
    return figure


def starts_figure(solutions: xr.Dataset) -> Figure:
    """chi2 and free chi2 of every start, by free chi2, coloured by cluster."""
    figure = new_figure(2.8)
    ax = line_style(figure.subplots(), "", "start, by free χ²", "χ²")
    order = np.argsort(solutions["free_cost"].values)
    colours = [
        CLUSTERS[int(k) % len(CLUSTERS)] if k >= 0 else "black" for k in solutions["cluster"].values[order]
    ]
    place = np.arange(len(order))
    ax.scatter(place, solutions["cost"].values[order], c=colours, s=30, label="fitted")
    ax.scatter(
        place,
        solutions["free_cost"].values[order],
        facecolors="none",
        edgecolors=colours,
        s=30,
        label="held out",
    )
    ax.set_yscale("log")
    ax.legend(frameon=False, fontsize=8)
    return figure


def transfer_figure(pattern: xr.Dataset) -> Figure | None:
    """PRTF, and chi2, in shells of |q|; None where the best cluster has one member."""
    prtf = pattern["prtf"].values
    if not np.isfinite(prtf).any():
        return None
    axes = np.meshgrid(*(pattern[n].values for n in ("qx", "qy", "qz")), indexing="ij")
    q = np.sqrt(np.sum(np.square(axes), axis=0))
    edges = np.linspace(0.0, min(float(np.abs(pattern[n]).max()) for n in ("qx", "qy", "qz")), 24)
    shell = np.digitize(q, edges)
    measured, model, use = pattern["intensity"].values, pattern["model"].values, pattern["mask"].values == 0
    middles, transfer, misfit = [], [], []
    for k in range(1, len(edges)):
        chosen = use & (shell == k)
        if chosen.sum() > 8:
            a, m = np.sqrt(measured[chosen]), np.sqrt(np.maximum(model[chosen], 0.0))
            middles.append(100 * (edges[k - 1] + edges[k]) / 2)
            transfer.append(float(np.nanmean(prtf[chosen])))
            misfit.append(float(np.sum((m - a) ** 2) / max(np.sum(a**2), 1e-30)))
    figure = new_figure(2.8)
    ax, other = figure.subplots(1, 2)
    line_style(ax, "", "|q| (10⁻² Å⁻¹)", "PRTF").plot(middles, transfer, color=LINE)
    ax.set_ylim(0, 1.02)
    line_style(other, "", "|q| (10⁻² Å⁻¹)", "χ² of the shell").semilogy(middles, misfit, color=HELD)
    return figure
