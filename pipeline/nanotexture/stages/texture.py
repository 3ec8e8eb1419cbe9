"""The answer of one temperature: the best cluster as displacement, strain and rotation, NaN where not determined."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.phasing.outcome import DESCRIBED
from nanotexture.quantities import Clusters, Orders, Reference, Texture
from nanotexture.schema import TEXTURE, VOLUME_TEXTURE, labelled
from nanotexture.stages.consensus import is_resolved
from nanotexture.stages.determined import Told, mixed_components
from nanotexture.stages.models import TextureConfig
from nanotexture.texture.elastic import (
    components_from_fields,
    gradient_from_field,
    gradient_from_volume,
    rotation_from_gradient,
    strain_from_gradient,
    strain_std_from_gradient_std,
)
from nanotexture.texture.grid import best_shifts, moved, moved_std, resampled

Array = NDArray[np.float64]

CLEAR = (
    3.0  # standard deviations of a polarization in a volume; at 2 one was found that the film did not have
)
PER_ANGSTROM = 4.0  # C/m^2 of polarization that turn the phase about as much as 1 angstrom of displacement


@stage(version=3)
def texture(
    orders: Orders,
    clusters: Clusters,
    reference: Reference,
    every: list[Clusters] | None = None,
    *,
    config: TextureConfig,
) -> Texture:
    """Texture of the best cluster; with the clusters of every temperature, on the grid and origin of x that all share."""
    axes, z = clusters["axis"].values, clusters["z"].values
    put = _placed(clusters, every or [clusters])
    best = put.fields(best_of(clusters, "field"))
    std, slope_std = put.stds(clusters["field_std"].values), put.stds(clusters["slope_std"].values)
    slopes = _slopes(orders, best, z)
    volume = "period_y" in orders
    mixed = _mixed(orders, clusters, config)
    values = {
        "z": z,
        **put.grid("x", 0, float(orders["period"])),
        **(put.grid("y", 1, float(orders["period_y"])) if volume else {}),
        **_components(best, std, slopes, slope_std, axes, mixed),
        **_polarization(clusters, put, best.shape[1:]),
        **_scalars(orders, clusters),
        **_thickness(orders, reference),
    }
    if len(axes) == 1:
        values |= {
            "displacement_along_q": best[0],
            "displacement_along_q_std": std[0],
            "gradient_along_q": slopes[0],
            "gradient_along_q_std": slope_std[0],
        }
    entries = VOLUME_TEXTURE if volume else TEXTURE
    return Texture(labelled(values, entries, _attrs(clusters, axes, mixed)))


def _slopes(orders: Orders, best: Array, z: Array) -> Array:
    """Gradient of fields (f, x, z) or (f, x, y, z)."""
    period = float(orders["period"])
    if "period_y" not in orders:
        return gradient_from_field(field=best, period=period, z=z)
    return gradient_from_volume(field=best, periods=(period, float(orders["period_y"])), z=z)


def _mixed(orders: Orders, clusters: Clusters, config: TextureConfig) -> tuple[int, ...]:
    """Components of the displacement that may be a polarization which was asked for and is not told apart."""
    if config.polar_film is None:
        return ()
    pairs = zip(orders["hkl"].values.tolist(), orders["energy"].values.tolist(), strict=True)
    polar = clusters["polar_axis"].values if "polar_axis" in clusters else clusters["axis"].values[:0]
    told = [Told((h, k, n), energy) for (h, k, n), energy in pairs]
    return mixed_components(config.polar_film, told, polar)


def best_of(clusters: Clusters, name: str) -> Array:
    """Fields (f, x, z) of the best cluster, NaN where there is none."""
    fields = clusters[name].values
    return np.asarray(fields[0] if len(fields) else np.full(fields.shape[1:], np.nan))


@dataclass(frozen=True)
class _Placed:
    """Number of points and shift in periods, along every direction of the plane, that a temperature's motif is given."""

    points: tuple[int, ...]
    shift: tuple[float, ...]

    def fields(self, values: Array) -> Array:
        return moved(values, self.points, self.shift)

    def stds(self, values: Array) -> Array:
        return moved_std(values, self.points, self.shift)

    def grid(self, name: str, direction: int, period: float) -> dict[str, Any]:
        """Coordinate, positions and shift along one direction."""
        along = np.arange(self.points[direction]) / self.points[direction]
        return {name: along, f"{name}_position": along * period, f"{name}_shift": self.shift[direction]}


def _placed(clusters: Clusters, every: list[Clusters]) -> _Placed:
    """The finest grid of all temperatures; the shift that lays the motif on the strongest one, since no map fixes it."""
    points = tuple(max(one.sizes[name] for one in every) for name in ("x", "y") if name in clusters.dims)
    own = _motif(clusters, points)
    motifs = [_motif(one, points) for one in every if _directions(one) == _directions(clusters)]
    strongest = max(motifs, key=lambda motif: float(np.nan_to_num(motif).std()), default=own)
    if not (np.isfinite(own).all() and np.isfinite(strongest).all()) or np.array_equal(own, strongest):
        return _Placed(points, (0.0,) * len(points))
    return _Placed(points, best_shifts(own, strongest))


def _motif(clusters: Clusters, points: tuple[int, ...]) -> Array:
    """Displacement in angstrom of the best cluster, and its polarization in units of 4 C/m^2: of like weight in the phase."""
    parts = [best_of(clusters, "field")]
    if "polar" in clusters:
        parts.append(best_of(clusters, "polar") / PER_ANGSTROM)
    return resampled(np.concatenate(parts), points)


def _directions(clusters: Clusters) -> tuple[tuple[float, ...], ...]:
    """Directions of the fields: motifs of others cannot be laid on each other."""
    names = ("axis", "polar_axis") if "polar_axis" in clusters else ("axis",)
    return tuple(tuple(np.round(clusters[name].values, 2).ravel()) for name in names)


def _components(
    best: Array, std: Array, slopes: Array, slope_std: Array, axes: Array, mixed: tuple[int, ...]
) -> dict[str, Array]:
    displacement = components_from_fields(fields=best, axes=axes)
    gradient = components_from_fields(fields=slopes, axes=axes)
    deviation = np.abs(components_from_fields(fields=std, axes=axes))
    gradient_std = np.abs(components_from_fields(fields=slope_std, axes=axes))
    for values in (displacement, gradient, deviation, gradient_std):
        values[list(mixed)] = np.nan
    return {
        "displacement": displacement,
        "displacement_std": deviation,
        "strain": strain_from_gradient(gradient=gradient),
        "strain_std": strain_std_from_gradient_std(std=gradient_std),
        "rotation": rotation_from_gradient(gradient=gradient),
    }


def told(fields: Array, std: Array) -> Array:
    """Fields (f, x, z), NaN where what is left of one without its error (mean squares) is smaller than the error.

    Fields (f, x, y, z) must be CLEAR times their error: their waves are few, and what they leave out errs with a system.
    A displacement is given by the directions of Q, however large its error; a polarization only by small differences between
    reflections, and what is below its error there would be taken for one.
    """
    size, error = ((values**2).mean(axis=tuple(range(1, values.ndim))) for values in (fields, std))
    least = 2.0 if fields.ndim == 3 else CLEAR**2
    return np.where((size < least * error)[:, *(None,) * (fields.ndim - 1)], np.nan, fields)


def _polarization(clusters: Clusters, put: _Placed, grid: tuple[int, ...]) -> dict[str, Array]:
    """Polarization of the best cluster (2, x, z), NaN where it is not determined."""
    if "polar" not in clusters or len(clusters["polar"]) == 0:
        return {name: np.full((len(grid), *grid), np.nan) for name in ("polarization", "polarization_std")}
    axes, std = clusters["polar_axis"].values, put.stds(clusters["polar_std"].values)
    fields = told(put.fields(best_of(clusters, "polar")), std)
    return {
        "polarization": components_from_fields(fields=fields, axes=axes),
        "polarization_std": np.abs(components_from_fields(fields=std + 0.0 * fields, axes=axes)),
    }


def _scalars(orders: Orders, clusters: Clusters) -> dict[str, Any]:
    from_orders = (
        "period",
        "period_std",
        "correlation_length",
        "c",
        "c_std",
        "gap_std",
        *(("period_y", "period_y_std", "correlation_length_y") if "period_y" in orders else ()),
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


def _thickness(orders: Orders, reference: Reference) -> dict[str, float]:
    """Of the planes that were tried, else of the fringes; angstrom."""
    source = reference if "thickness_std" in reference else orders
    return {name: float(source[name]) for name in ("thickness", "thickness_std")}


def _attrs(clusters: Clusters, axes: Array, mixed: tuple[int, ...]) -> dict[str, Any]:
    named = "xz" if axes.shape[1] == 2 else "xyz"
    along = [(int(np.abs(axis).argmax()), np.sort(np.abs(axis))[-2]) for axis in axes]
    components = [named[at] for at, next_largest in along if next_largest < 1e-3 and at not in mixed]
    delta = float(clusters["inversion_delta_cost"])
    window = clusters.attrs["solver"] == "window"
    described = window or _described(clusters)
    attrs = {
        "solver": clusters.attrs["solver"],
        "inversion": "resolved" if described and not window and is_resolved(delta) else "unresolved",
        "inversion_delta_cost": delta if np.isfinite(delta) else "the inverse is the answer itself",
        "determined_components": json.dumps(components if len(axes) > 1 else components or ["along_q"]),
        "model_describes_data": "yes" if described else "no",
    }
    if window:
        attrs["inversion_delta_cost"] = "not tested by this solver"
    if len(axes) == 1:
        attrs["q_direction"] = [float(v) for v in axes[0]]
    return attrs


def _described(clusters: Clusters) -> bool:
    """Whether the best cluster is an answer at all: chi2 per point below DESCRIBED."""
    cost = clusters["cluster_cost"].values
    return bool(len(cost) and cost[0] <= DESCRIBED)
