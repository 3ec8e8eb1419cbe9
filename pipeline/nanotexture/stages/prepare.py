"""From maps of one temperature to satellites integrated over qx, with period, thickness, c and line widths."""

from __future__ import annotations

from typing import Any

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.preparation.holdout import block_rows, held_out_blocks
from nanotexture.preparation.line_shape import LineShape, lorentzian_width
from nanotexture.preparation.lines import LineFit
from nanotexture.preparation.period import mean_period_error
from nanotexture.preparation.rod_fit import CORRELATED_ROWS, RodFit, common_gap
from nanotexture.quantities import Combs, MapFit, Orders, ReciprocalMap
from nanotexture.schema import ORDERS, labelled
from nanotexture.stages.combs import combs as find_combs
from nanotexture.stages.combs import combs_of
from nanotexture.stages.contradict import period_warnings, refuse_thickness, scale_warnings
from nanotexture.stages.map_fit import lines_of, map_fit, rod_input, rod_of
from nanotexture.stages.models import CombsConfig, MapFitConfig, PrepareConfig
from nanotexture.stages.reflection import Reflection


@stage(version=1)
def prepare(maps: list[ReciprocalMap], combs: Combs, fits: list[MapFit], *, config: PrepareConfig) -> Orders:
    """Orders of all maps of one temperature, from what was fitted to each."""
    reflections = [Reflection.of(one, config.film) for one in maps]
    lines, rods = [lines_of(one) for one in fits], [rod_of(one) for one in fits]
    inputs = [rod_input(r, f) for r, f in zip(reflections, lines, strict=True)]
    refuse_thickness(config.film, inputs, rods)
    told = np.array([float(one["scale"]) for one in maps])
    warnings = scale_warnings([r.hkl for r in reflections], [r.file for r in reflections], rods, told)
    found = _labelled(reflections, lines, rods, config)
    if config.period is not None:
        warnings += period_warnings(config.period, float(found["period"]), combs_of(combs, "free_"))
    return Orders(found.assign_attrs(warnings=warnings))


def prepared(maps: list[ReciprocalMap], config: PrepareConfig) -> Orders:
    """The same from maps alone, one after the other."""
    found = Combs(find_combs(maps, config=CombsConfig(film=config.film, period=config.period)))
    fits = [MapFit(map_fit(one, found, config=MapFitConfig(film=config.film))) for one in maps]
    return Orders(prepare(maps, found, fits, config=config))


def weighted_mean(values: list[float], errors: list[float]) -> tuple[float, float]:
    """Weighted mean and its standard error, widened where the values disagree."""
    value, error = np.array(values), np.maximum(np.array(errors), 1e-9)
    weight = error**-2 / (error**-2).sum()
    mean = float(weight @ value)
    scatter = float(weight @ ((value - mean) / error) ** 2) if len(value) > 1 else 1.0
    return mean, float(np.sqrt(1.0 / (error**-2).sum() * max(scatter, 1.0)))


def _labelled(
    reflections: list[Reflection], fits: list[LineFit], rods: list[RodFit], config: PrepareConfig
) -> Orders:
    thickness = weighted_mean([rod.thickness for rod in rods], [rod.thickness_std for rod in rods])
    highest = max(int(fit.orders.max()) for fit in fits)
    shape = (
        2 * highest + 1,
        max(len(one.window.qx) for one in reflections),
        max(len(one.window.qz) for one in reflections),
    )
    parts = [
        _padded(one, fit, shape, block_rows(one.window.qz, thickness[0]), config.seed + r)
        for r, (one, fit) in enumerate(zip(reflections, fits, strict=True))
    ]
    values = {
        **{name: np.stack([part[name] for part in parts]) for name in parts[0]},
        "hkl": np.array([one.hkl for one in reflections]),
        "order": np.arange(-highest, highest + 1),
        "line_chi2": np.array([fit.chi2 for fit in fits]),
        "scale": np.array([float(one.map["scale"]) for one in reflections]),
        "energy": np.array([float(one.map["energy"]) for one in reflections]),
        "correlated_rows": np.array(
            [CORRELATED_ROWS if "contributions" in one.map else 1.0 for one in reflections]
        ),
        "resolution_qz": np.array([rod.resolution for rod in rods]),
        "temperature": float(reflections[0].map["temperature"]),
        **common_scalars(reflections, fits, rods, thickness),
    }
    return Orders(labelled(values, ORDERS, {"files": [one.file for one in reflections]}))


def _padded(
    one: Reflection, fit: LineFit, shape: tuple[int, int, int], block: int, seed: int
) -> dict[str, np.ndarray]:
    """Arrays of one reflection on the common sizes (orders, columns, rows), NaN or 0 beyond its own."""
    number, columns, rows = shape
    top = int(fit.orders.max())
    at = slice(number // 2 - top, number // 2 + top + 1)
    nx, nz = len(one.window.qx), len(one.window.qz)
    held = held_out_blocks(
        intensity=fit.intensity, variance=fit.variance, orders=fit.orders, block=block, seed=seed
    )
    distance = np.abs(fit.orders)
    found = {
        "qx": np.full(columns, np.nan),
        "qz": np.full(rows, np.nan),
        "intensity": np.full((number, rows), np.nan),
        "variance": np.full((number, rows), np.nan),
        "held_out": np.zeros((number, rows), np.uint8),
        "line": np.zeros((number, columns)),
        "background": np.zeros((columns, rows)),
        **{name: np.full(number, np.nan) for name in _PER_ORDER},
    }
    found["qx"][:nx], found["qz"][:nz] = one.window.qx, one.window.qz
    found["intensity"][at, :nz], found["variance"][at, :nz] = fit.intensity, fit.variance
    found["held_out"][at, :nz], found["line"][at, :nx] = held, fit.line
    found["background"][:nx, :nz] = fit.background
    found["line_position"][at] = fit.shape.centre + fit.orders * fit.shape.spacing
    found["line_width"][at] = np.array(fit.shape.width)[distance]
    found["line_width_std"][at] = np.array(fit.shape_std.width)[distance]
    found["line_lorentz"][at] = np.array(fit.shape.lorentz)[distance]
    return found


_PER_ORDER = ("line_position", "line_width", "line_width_std", "line_lorentz")


def common_scalars(
    reflections: list[Reflection], fits: list[LineFit], rods: list[RodFit], thickness: tuple[float, float]
) -> dict[str, Any]:
    """Period, lattice, thickness and gap that all maps of a temperature share, with their errors."""
    spacing = weighted_mean([f.shape.spacing for f in fits], [f.shape_std.spacing for f in fits])
    c = weighted_mean([rod.c for rod in rods], [rod.c_std for rod in rods])
    best = min(rods, key=lambda rod: rod.gap_std)
    bragg = np.array([2 * np.pi * one.hkl[2] / c[0] for one in reflections])
    gaps, errors = np.array([[rod.gap, rod.gap_std] for rod in rods]).T
    strongest = max(fits, key=lambda fit: float(np.nansum(fit.intensity[fit.orders != 0])))
    width = lorentzian_width(voigt=strongest.shape.width[1], gaussian=strongest.shape.width[0])
    width_std = strongest.shape_std.width[1]
    in_plane = _in_plane(reflections, fits)
    period = 2 * np.pi / spacing[0]
    sampled = mean_period_error(
        period=period,
        coherent=strongest.shape.width[0],
        disorder=float(np.mean([_disorder(fit.shape) for fit in fits])),
    )
    return {
        "period": period,
        "period_std": float(np.hypot(2 * np.pi / spacing[0] ** 2 * spacing[1], sampled)),
        "correlation_length": 2.0 / width,
        "correlation_length_std": 2.0 / width**2 * width_std,
        "in_plane": in_plane[0],
        "in_plane_std": in_plane[1],
        "c": c[0],
        "c_std": c[1],
        "thickness": thickness[0],
        # planes times c: certain planes do not make c certain
        "thickness_std": float(np.hypot(thickness[1], thickness[0] * c[1] / c[0])),
        "gap": common_gap(gaps, errors, bragg, 0.5 * c[0]),
        "gap_std": best.gap_std,
        "fringe_spacing": 2 * np.pi / thickness[0],
    }


def _disorder(shape: LineShape) -> float:
    """Lorentzian FWHM of order 1 in 1/angstrom, from order 2 where that is fitted: it is four times as wide, and order 1 hardly
    wider than the coherent width."""
    order = min(2, max(len(shape.width) - 2, 1))  # the last one is not fitted but continued
    return lorentzian_width(voigt=shape.width[order], gaussian=shape.width[0]) / order**2


def _in_plane(reflections: list[Reflection], fits: list[LineFit]) -> tuple[float, float]:
    """In-plane lattice parameter from order 0 of reflections that have one in-plane index; NaN where none has."""
    found = [
        (
            2 * np.pi * one.hkl[0] / fit.shape.centre,
            abs(2 * np.pi * one.hkl[0] / fit.shape.centre**2) * fit.shape_std.centre,
        )
        for one, fit in zip(reflections, fits, strict=True)
        if one.hkl[0] != 0 and one.hkl[1] == 0
    ]
    if not found:
        return float("nan"), float("nan")
    return weighted_mean([a for a, _ in found], [e for _, e in found])
