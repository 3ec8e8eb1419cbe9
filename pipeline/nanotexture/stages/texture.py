"""The answer of one temperature: the best cluster as displacement, strain and rotation, NaN where not determined."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.quantities import Clusters, Orders, Texture
from nanotexture.schema import TEXTURE, labelled
from nanotexture.stages.consensus import is_resolved
from nanotexture.stages.models import TextureConfig
from nanotexture.texture.elastic import (
    components_from_fields,
    gradient_from_field,
    rotation_from_gradient,
    strain_from_gradient,
    strain_std_from_gradient_std,
)

Array = NDArray[np.float64]


@stage(version=1)
def texture(orders: Orders, clusters: Clusters, *, config: TextureConfig) -> Texture:
    """Texture of the best cluster."""
    axes, period, z = clusters["axis"].values, float(orders["period"]), clusters["z"].values
    fields = clusters["field"].values
    best = fields[0] if len(fields) else np.full(fields.shape[1:], np.nan)
    slopes = gradient_from_field(field=best, period=period, z=z)
    values = {
        "x": clusters["x"].values,
        "z": z,
        "x_position": clusters["x"].values * period,
        **_components(best, clusters["field_std"].values, slopes, clusters["slope_std"].values, axes),
        **_polarization(clusters, best.shape[1:]),
        **_scalars(orders, clusters),
    }
    if len(axes) == 1:
        values |= {
            "displacement_along_q": best[0],
            "displacement_along_q_std": clusters["field_std"].values[0],
            "gradient_along_q": slopes[0],
            "gradient_along_q_std": clusters["slope_std"].values[0],
        }
    return Texture(labelled(values, TEXTURE, _attrs(clusters, axes)))


def _components(best: Array, std: Array, slopes: Array, slope_std: Array, axes: Array) -> dict[str, Array]:
    displacement = components_from_fields(fields=best, axes=axes)
    gradient = components_from_fields(fields=slopes, axes=axes)
    deviation = np.abs(components_from_fields(fields=std, axes=axes))
    gradient_std = np.abs(components_from_fields(fields=slope_std, axes=axes))
    return {
        "displacement": displacement,
        "displacement_std": deviation,
        "strain": strain_from_gradient(gradient=gradient),
        "strain_std": strain_std_from_gradient_std(std=gradient_std),
        "rotation": rotation_from_gradient(gradient=gradient),
    }


def _polarization(clusters: Clusters, grid: tuple[int, ...]) -> dict[str, Array]:
    """Polarization of the best cluster (2, x, z), NaN where it is not determined."""
    if "polar" not in clusters or len(clusters["polar"]) == 0:
        return {name: np.full((2, *grid), np.nan) for name in ("polarization", "polarization_std")}
    axes = clusters["polar_axis"].values
    return {
        "polarization": components_from_fields(fields=clusters["polar"].values[0], axes=axes),
        "polarization_std": np.abs(components_from_fields(fields=clusters["polar_std"].values, axes=axes)),
    }


def _scalars(orders: Orders, clusters: Clusters) -> dict[str, Any]:
    from_orders = (
        "period",
        "period_std",
        "thickness",
        "thickness_std",
        "correlation_length",
        "c",
        "c_std",
        "gap_std",
    )
    cost = clusters["cluster_cost"].values
    free = clusters["cluster_free_cost"].values
    return {
        **{name: float(orders[name]) for name in from_orders},
        "gap": float(clusters["gap"]),
        "cost": float(cost[0]) if len(cost) else float("nan"),
        "free_cost": float(free[0]) if len(free) else float("nan"),
        "determined": float(clusters["determined"]),
        "temperature": float(orders["temperature"]),
    }


def _attrs(clusters: Clusters, axes: Array) -> dict[str, Any]:
    named = {0: "x", 1: "z"}
    components = [named[int(np.argmax(np.abs(axis)))] for axis in axes if np.abs(axis).min() < 1e-3]
    delta = float(clusters["inversion_delta_cost"])
    window = clusters.attrs["solver"] == "window"
    attrs = {
        "solver": clusters.attrs["solver"],
        "inversion": "unresolved" if window or not is_resolved(delta) else "resolved",
        "inversion_delta_cost": delta if np.isfinite(delta) else "the inverse is the answer itself",
        "determined_components": json.dumps(components + ([] if components else ["along_q"])),
    }
    if window:
        attrs["inversion_delta_cost"] = "not tested by this solver"
    if len(axes) == 1:
        attrs["q_direction"] = [float(v) for v in axes[0]]
    return attrs
