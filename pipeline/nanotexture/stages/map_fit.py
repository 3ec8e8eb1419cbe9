"""The part of the preparation that each map has for itself: lines along qx, thickness, c and gap from order 0."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.errors import InputError
from nanotexture.preparation.contradictions import RodInput
from nanotexture.preparation.line_shape import LineShape
from nanotexture.preparation.lines import LineFit, fit_lines
from nanotexture.preparation.period import Comb, highest_order
from nanotexture.preparation.rod_fit import RodFit
from nanotexture.quantities import Combs, MapFit, ReciprocalMap
from nanotexture.schema import MAP_FIT, labelled
from nanotexture.stages.combs import combs_of, strongest_of
from nanotexture.stages.convert import C_TOLERANCE
from nanotexture.stages.models import MapFitConfig
from nanotexture.stages.reflection import Reflection

FEWEST_ROWS = 12  # of order 0: thickness, c and gap come from its fringes


@stage(version=1)
def map_fit(one: ReciprocalMap, combs: Combs, *, config: MapFitConfig) -> MapFit:
    """Lines and rod of one map, with the spacing that all maps of its temperature share."""
    reflection = Reflection.of(one, config.film)
    strongest, own = strongest_of(combs), dict(combs_of(combs))[reflection.hkl]
    if strongest is None:
        raise InputError(
            reflection.file,
            "/entry/data/intensity",
            "satellites beside the film peak",
            "none above the noise",
        )
    lines = _lines(reflection, own or strongest, strongest)
    return fitted(lines, rod_input(reflection, lines).fitted(config.film))


def _lines(one: Reflection, comb: Comb, strongest: Comb) -> LineFit:
    """Line fit with the spacing of the strongest comb; a reflection whose own comb is weak keeps its own centre."""
    centre = comb.centre if abs(comb.centre - one.gx) < 0.3 * strongest.spacing else one.gx
    highest = highest_order(one.window, centre=centre, spacing=strongest.spacing)
    widths = (comb.width0, *(strongest.width1 * np.sqrt(n) for n in range(1, highest + 1)))
    return fit_lines(one.window, LineShape(centre, strongest.spacing, widths, (0.5,) * len(widths)))


def rod_input(one: Reflection, fit: LineFit) -> RodInput:
    """What the fit of order 0 takes; InputError where too few of its rows were measured."""
    rows = int(np.isfinite(fit.intensity[fit.orders == 0]).sum())
    if rows < FEWEST_ROWS:
        raise InputError(
            one.file,
            "/entry/data/mask",
            f"{FEWEST_ROWS} rows or more with the film's own line at Gx measured",
            str(rows),
        )
    return RodInput(one.window.qz, fit, one.hkl, float(one.map["energy"]), C_TOLERANCE)


_SHAPE = ("centre", "spacing", "width", "lorentz", "tail")
_LINES = ("intensity", "variance", "line", "background", "chi2")


def fitted(lines: LineFit, rod: RodFit) -> MapFit:
    """Line and rod fit as a labelled dataset."""
    values: dict[str, Any] = {"order": lines.orders}
    values |= {name: getattr(lines, name) for name in _LINES}
    for suffix, shape in (("", lines.shape), ("_std", lines.shape_std)):
        values |= {f"line_{name}{suffix}": np.array(getattr(shape, name)) for name in _SHAPE}
    values |= {f"rod_{name}": value for name, value in asdict(rod).items()}
    return MapFit(labelled(values, MAP_FIT))


def lines_of(one: MapFit) -> LineFit:
    """The line fit of a labelled dataset."""
    intensity, variance, line, background = (one[name].values for name in _LINES[:4])
    return LineFit(
        _shape(one, ""),
        _shape(one, "_std"),
        one["order"].values,
        intensity,
        variance,
        line,
        background,
        float(one["chi2"]),
    )


def _shape(one: MapFit, suffix: str) -> LineShape:
    centre, spacing, width, lorentz, tail = (one[f"line_{name}{suffix}"].values for name in _SHAPE)
    return LineShape(
        float(centre), float(spacing), tuple(width.tolist()), tuple(lorentz.tolist()), float(tail)
    )


def rod_of(one: MapFit) -> RodFit:
    """The rod fit of a labelled dataset."""
    number = {
        name: float(one[name])
        for name in one.variables
        if str(name).startswith("rod_") and name != "rod_model"
    }
    return RodFit(
        thickness=number["rod_thickness"],
        thickness_std=number["rod_thickness_std"],
        c=number["rod_c"],
        c_std=number["rod_c_std"],
        gap=number["rod_gap"],
        gap_std=number["rod_gap_std"],
        scale=number["rod_scale"],
        coherent=number["rod_coherent"],
        resolution=number["rod_resolution"],
        model=one["rod_model"].values,
        chi2=number["rod_chi2"],
        summed=number["rod_summed"],
    )
