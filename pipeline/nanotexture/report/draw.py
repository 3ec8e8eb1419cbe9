"""What all figures share: sizes, colours, image panels and PNG bytes; no pyplot, no global state."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage, imsave
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

INTENSITY, SEQUENTIAL, DIVERGING, POLAR = cm.lipari, cm.devon_r, cm.vik, cm.bam
INK, GREY, PALE = "#26282c", "#8a8f98", "#d9dbe0"
LINE, HELD, SECOND = "#c1442e", "#e08a00", "#2c6fb3"
CLUSTERS = ("#2c6fb3", "#e08a00", "#3a9a5b", "#c1442e", "#8659a8", "#3aa6b9")
WIDTH = 10.0  # inches, of every figure: text has one size throughout the report
TEXT, SMALL = 9.0, 8.0
_DPI = 144


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Empty figure on white, laid out by constraints."""
    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained", facecolor="white")


def style(ax: Axes, title: str = "", x: str = "", y: str = "") -> Axes:
    """Sizes and colours of one axes."""
    ax.tick_params(labelsize=SMALL, color=GREY, labelcolor=INK, width=0.7)
    for spine in ax.spines.values():
        spine.set(color=GREY, linewidth=0.7)
    ax.set_title(title, fontsize=TEXT, color=INK, loc="left")
    ax.set_xlabel(x, fontsize=TEXT, color=INK)
    ax.set_ylabel(y, fontsize=TEXT, color=INK)
    return ax


def line_style(ax: Axes, title: str = "", x: str = "", y: str = "") -> Axes:
    """Axes of a line plot: no frame above and to the right, faint grid."""
    style(ax, title, x, y)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color=PALE, linewidth=0.5)
    ax.set_axisbelow(True)
    return ax


def image(ax: Axes, x: Array, z: Array, values: Array, cmap: Any, norm: Normalize) -> AxesImage:
    """Values (x, z) on uniform axes, voxel centres at x and z."""
    return ax.imshow(
        values.T,
        origin="lower",
        extent=(*_edges(x), *_edges(z)),
        aspect="auto",
        interpolation="nearest",
        cmap=cmap,
        norm=norm,
    )


def color_bar(figure: Figure, shown: AxesImage, axes: Axes | list[Axes], label: str, **where: Any) -> None:
    """Colour bar beside the axes; as tall as they are beside one that its aspect makes smaller than its place."""
    if isinstance(axes, Axes):
        bar = figure.colorbar(shown, cax=axes.inset_axes((1.025, 0.0, 0.045, 1.0)), **where)
    else:
        bar = figure.colorbar(shown, ax=axes, pad=0.015, **where)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, color=GREY, labelcolor=INK, width=0.7)
    bar.set_label(label, fontsize=TEXT, color=INK)


def hatched(ax: Axes) -> None:
    """Grey hatching below the image: what is NaN shows as not measured."""
    ax.patch.set(facecolor="#e9eaec", edgecolor="#b9bcc2", hatch="////", linewidth=0.0)


def symmetric(values: list[Array]) -> Normalize:
    """Norm centred at zero that holds 99.5 % of all values."""
    known = [np.abs(value[np.isfinite(value)]) for value in values if np.isfinite(value).any()]
    limit = max((float(np.quantile(one, 0.995)) for one in known), default=0.0) or 1.0
    return Normalize(-limit, limit)


def from_zero(values: list[Array]) -> Normalize:
    """Norm from zero that holds 99.5 % of all values."""
    return Normalize(0.0, symmetric(values).vmax)


def math_reflection(indices: tuple[int, ...] | None, raw: str) -> str:
    """Reflection in mathtext, negative indices with a bar."""
    if indices is None:
        return raw
    gap = r"\," if any(abs(i) > 9 for i in indices) else ""
    return "$" + gap.join(rf"\bar{{{-i}}}" if i < 0 else str(i) for i in indices) + "$"


def png(figure: Figure) -> bytes:
    """Figure as PNG; the same figure gives the same bytes."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # savefig would lay the figure out twice, the slowest part of a report
    buffer = io.BytesIO()
    unnamed: Any = {"Software": None}  # bytes that do not change with the version of matplotlib's name
    imsave(buffer, np.asarray(canvas.buffer_rgba()), format="png", metadata=unnamed)
    return buffer.getvalue()


def data_uri(figure: Figure) -> str:
    """Figure as a data: URI."""
    return "data:image/png;base64," + base64.b64encode(png(figure)).decode("ascii")


def _edges(centres: Array) -> tuple[float, float]:
    half = (centres[-1] - centres[0]) / max(len(centres) - 1, 1) / 2
    return float(centres[0] - half), float(centres[-1] + half)
