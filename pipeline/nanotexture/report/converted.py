"""The page of a run that converted and inverted nothing: what was measured, and where."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nanotexture.report.draw import (
    INK,
    INTENSITY,
    Array,
    color_bar,
    data_uri,
    hatched,
    image,
    line_style,
    math_reflection,
    new_figure,
    style,
)
from nanotexture.report.figures_maps import common_norm, lifted
from nanotexture.report.format import counted, indices, listed, number, reflection_text, temperature_text
from nanotexture.report.html import provenance, rendered
from nanotexture.report.picture import Picture
from nanotexture.report.result import listed as listed_attribute
from nanotexture.report.result import members

MOST_MAPS = 12  # of one reflection that are drawn
PEAK = 0.2  # of the brightest voxel: what counts as the peak
COUNTED = {  # words for what is noted of a map
    "frames": "frames",
    "growing": "growing",
    "unfinished_points": "points without frame",
    "surplus_frames": "frames without point",
    "lines_dropped": "lines left out",
    "points_missing": "points not measured",
    "empty_frames": "empty frames",
    "masked_pixels": "masked pixels",
    "excluded_pixels": "excluded by the file",
    "dead_pixels": "dead",
    "hot_pixels": "hot",
    "dropped_outside": "pixels outside the grid",
    "dropped_masked": "pixels masked",
    "dropped_saturated": "pixels saturated",
    "pedestal": "pedestal (counts)",
    "monitor_from": "monitor",
    "attenuation_from": "attenuation",
    "energy_from": "energy",
    "ub_from": "UB",
}
_DIMS = ("qx", "qy", "qz")


def converted_html(tree: xr.DataTree) -> str:
    """Text of the page."""
    attrs = {str(key): value for key, value in tree.attrs.items()}
    maps = members(tree, "maps")
    number_of = sum(one.sizes["temperature"] for one in maps.values())
    names = [reflection_text(hkl) for hkl in maps]
    values: dict[str, Any] = {
        "what": "maps",
        "name": attrs.get("name", "maps"),
        "film": "",
        "measured": f"{counted(number_of, 'map')} of {listed(names)}",
        "verdict": "Converted, not inverted: the recipe describes no film.",
        "warnings": listed_attribute(attrs, "warnings"),
        "rows": [row for hkl, one in maps.items() for row in _rows(hkl, one)],
        "records": _records(maps),
        "sections": [(reflection_text(hkl), list(_pictures(hkl, one))) for hkl, one in maps.items()],
    }
    return rendered("sections.html", values | provenance(attrs))


def _rows(hkl: str, one: xr.Dataset) -> Iterator[tuple[str, str, str]]:
    """Extent, voxels and counts of each map."""
    axes = [q for q in _DIMS if q in one.dims]
    extent = ", ".join(f"{q} {number(float(one[q][0]))} to {number(float(one[q][-1]))}" for q in axes)
    shape = " × ".join(str(one.sizes[q]) for q in axes)
    for t in range(one.sizes["temperature"]):
        this = one.isel(temperature=t)
        measured = float((this["mask"] == 0).mean())
        yield (
            f"{reflection_text(hkl)}{_at(this)}",
            f"{shape} voxels, {100 * measured:.3g} % measured, brightest {number(float(this['intensity'].max()))} counts",
            f"{extent} 1/Å; {number(float(this['energy']))} keV; {this['source'].item()}",
        )


def _records(maps: Mapping[str, xr.Dataset]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """What readers and conversion counted: words for what there is of it, and of each map its name and the numbers."""
    labels, noted = [], []
    for hkl, one in maps.items():
        for t in range(one.sizes["temperature"]):
            this = one.isel(temperature=t)
            labels.append(f"{reflection_text(hkl)}{_at(this)}, {this['source'].item()}")
            noted.append(json.loads(this["record"].item()) if "record" in this else {})
    seen = [name for name in COUNTED if any(str(one.get(name, 0)) not in ("", "0") for one in noted)]
    rows = [[_shown(one.get(name, "")) for name in seen] for one in noted]
    return [COUNTED[name] for name in seen], list(zip(labels, rows, strict=True)) if seen else []


def _shown(value: Any) -> str:
    return f"{value:,}".replace(",", "\N{THIN SPACE}") if isinstance(value, int) else str(value)


def _at(this: xr.Dataset) -> str:
    kelvin = float(this["temperature"])
    return f" at {temperature_text(kelvin)}" if math.isfinite(kelvin) else ""


def _pictures(hkl: str, one: xr.Dataset) -> Iterator[Picture]:
    every = one.sizes["temperature"]
    if every > 1:
        caption = (
            "Centre of gravity of the voxels above a fifth of the brightest, in each map, against the first; the voxels are "
            f"{_steps(one)} wide."
        )
        yield Picture(f"{reflection_text(hkl)}: the peak along the series", caption, data_uri(_trend(one)))
    for t in np.unique(np.linspace(0, every - 1, min(every, MOST_MAPS)).astype(int)):
        this = one.isel(temperature=int(t))
        caption = (
            "Mean counts of the pixels that fell into each voxel, logarithmic; hatched: not measured. "
            + ("Mean over the third axis. " if "qy" in this.dims else "")
            + "Right: mean of the measured voxels at each qz."
        )
        heading = f"{reflection_text(hkl)}{_at(this)}: {this['source'].item()}"
        yield Picture(heading, caption, data_uri(_figure(hkl, this)))


def _trend(one: xr.Dataset) -> Figure:
    """Shift of the peak along each axis, against temperature where it is known, else from map to map."""
    kelvin = one["temperature"].values.astype(float)
    known = bool(np.isfinite(kelvin).all()) and len(set(kelvin)) > 1
    x, label = (kelvin, "temperature (K)") if known else (np.arange(kelvin.size) + 1.0, "map")
    axes = [q for q in _DIMS if q in one.dims]
    figure = new_figure(2.6)
    for ax, q in zip(np.atleast_1d(figure.subplots(1, len(axes))), axes, strict=True):
        centre = peak_along(one, q)
        line_style(ax, "", label, f"shift of {_label(q)}")
        ax.plot(x, centre - centre[0], "o-", color=INK, markersize=4, linewidth=0.9)
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=not known))
    return figure


def peak_along(one: xr.Dataset, q: str) -> Array:
    """Centre of gravity (temperature,) along an axis of the voxels above a fifth of the brightest, 1/angstrom."""
    counts = one["intensity"].where(one["mask"] == 0).fillna(0.0).clip(0.0)
    dims = [axis for axis in _DIMS if axis in one.dims]
    bright = counts.where(counts > PEAK * counts.max(dims), 0.0)
    return np.asarray(((bright * one[q]).sum(dims) / bright.sum(dims)).values, dtype=float)


def _steps(one: xr.Dataset) -> str:
    steps = [f"{number(float(one[q][1] - one[q][0]))} ({q})" for q in _DIMS if q in one.dims]
    return f"{listed(steps)} 1/Å"


def _figure(hkl: str, this: xr.Dataset) -> Figure:
    """Every pair of axes of the map as an image, and the mean along qz beside them."""
    axes = [q for q in _DIMS if q in this.dims]
    pairs = [(a, b) for i, a in enumerate(axes) for b in axes[i + 1 :]]
    figure = new_figure(4.0)
    panels = figure.subplots(1, len(pairs) + 1, width_ratios=[1.6] * len(pairs) + [1.0])
    intensity = this["intensity"].where(this["mask"] == 0)
    for ax, (a, b) in zip(panels, pairs, strict=False):
        flat = intensity.mean([q for q in axes if q not in (a, b)], skipna=True).transpose(a, b).values
        norm = common_norm(flat)
        drawn = image(ax, this[a].values, this[b].values, lifted(flat, norm), INTENSITY, norm)
        style(ax, math_reflection(indices(hkl), hkl), _label(a), _label(b))
        hatched(ax)
        ax.xaxis.set_major_locator(MaxNLocator(5 if len(pairs) == 1 else 3))
        color_bar(figure, drawn, ax, "counts")
    _profile(panels[-1], this["qz"].values, intensity.mean([q for q in axes if q != "qz"]).values)
    return figure


def _profile(ax: Any, qz: Array, mean: Array) -> None:
    line_style(ax, "mean at $q_z$", "counts", _label("qz"))
    positive = mean > 0
    ax.plot(mean[positive], qz[positive], color=INK, linewidth=0.9)
    ax.set_xscale("log")


def _label(q: str) -> str:
    return f"${q[0]}_{q[1]}$ (Å$^{{-1}}$)"
