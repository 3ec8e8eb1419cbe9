"""How well the answer, relaxed onto the other reflections, predicts each one: a figure and what it says."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from nanotexture.report.draw import GREY, INK, LINE, SECOND, SMALL, TEXT, line_style, new_figure
from nanotexture.report.format import MINUS, listed, number, reflection_text

FORETOLD = (
    3.0  # of the larger of 1 and its own fit: chi2 up to which a reflection counts as foretold by the others
)


def left_out_figure(left_out: xr.Dataset) -> Figure | None:
    """chi2 per point of every reflection (reflection,), fitted and predicted, worst order named; None where none is known."""
    known = left_out.isel(reflection=_known(left_out))
    if known.sizes["reflection"] == 0:
        return None
    fitted, told = known["cost_fitted"].values, known["cost_left_out"].values
    place = np.arange(len(fitted))
    figure = new_figure(0.9 + 0.38 * len(fitted), width=7.0)
    ax = line_style(figure.subplots(), "", "χ² per point")
    ax.set_xscale("log")
    ax.hlines(place, fitted, told, color=GREY, linewidth=1.0, zorder=1)
    ax.plot(fitted, place, "o", color=SECOND, markersize=6, label="fitted")
    ax.plot(told, place, "D", color=LINE, markersize=6, label="predicted by the others")
    for at, value, order in zip(place, np.maximum(fitted, told), known["worst_order"].values, strict=True):
        words = f"worst: n = {_order_text(order)}"
        ax.annotate(words, (value, at), (9, 0), textcoords="offset points", va="center", fontsize=SMALL)
    ax.axvline(1.0, color=INK, linewidth=0.8, linestyle="--", zorder=0)
    everything = np.array([*fitted, *told, 1.0])
    ax.set_xlim(0.6 * everything.min(), 4.0 * everything.max())  # room for the words
    ax.xaxis.set_major_locator(
        LogLocator(subs=(1.0, 2.0, 5.0) if everything.max() < 50 * everything.min() else (1.0,))
    )
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 1)))
    ax.set_yticks(place, [reflection_text(name) for name in _names(known)], fontsize=TEXT)
    ax.set_ylim(len(place) - 0.5, -0.5)
    figure.legend(loc="outside upper right", ncols=2, fontsize=SMALL, frameon=False)
    return figure


def prediction_text(left_out: xr.Dataset) -> str:
    """What the predictions say of the answer, in words."""
    known = left_out.isel(reflection=_known(left_out))
    fitted, told = known["cost_fitted"].values, known["cost_left_out"].values
    bad = np.flatnonzero(told > FORETOLD * np.maximum(fitted, 1.0))
    how = (
        "The answer is relaxed onto all reflections but one; the one left out is then calculated, its scale alone fitted. "
        "χ² near 1 (dashed): the others foretell it to within its errors."
    )
    if len(bad) == 0:
        return f"{how} Every reflection here is foretold about as well as it is fitted: the reflections agree on one motif."
    names, orders = _names(known), known["worst_order"].values
    each = [
        f"{reflection_text(names[i])} (χ² {number(told[i], 2)} predicted, {number(fitted[i], 2)} fitted; "
        f"worst in order {_order_text(orders[i])})"
        for i in bad
    ]
    return (
        f"{how} Not foretold: {listed(each)}. What the answer says there rests on that reflection alone, or the model does not "
        "hold for it."
    )


def _known(left_out: xr.Dataset) -> np.ndarray:
    return np.flatnonzero(np.isfinite(left_out["cost_fitted"].values + left_out["cost_left_out"].values))


def _names(left_out: xr.Dataset) -> list[str]:
    return ["_".join(str(int(n)) for n in hkl) for hkl in left_out["hkl"].values]


def _order_text(order: float) -> str:
    return f"{order:+.0f}".replace("-", MINUS) if order else "0"
