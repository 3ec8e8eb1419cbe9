"""Domains, walls and cores of the answers at all temperatures: labels on what texture/ finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.quantities import Domains, Reference, Texture
from nanotexture.schema import DOMAINS, labelled
from nanotexture.stages.models import DomainsConfig
from nanotexture.stages.planar import left_out_of_volumes
from nanotexture.stages.strongest import (
    Quantity,
    elastic_quantities,
    is_seen,
    polar_fields,
    polar_quantities,
    strongest,
    temperatures_of,
)
from nanotexture.texture.domains import DRAWS, Reading, by_direction, by_value, domains_from_fields
from nanotexture.texture.domains import Domains as Found
from nanotexture.texture.grid import moved, moved_std
from nanotexture.texture.states import STATES, VARIANTS
from nanotexture.texture.topology import vorticity_from_polarization
from nanotexture.texture.vortices import CountedCores, counted_cores

Array = NDArray[np.float64]

FINE = 96  # points along the period that domains are counted on
PER_STATE = (("area_fraction", "fractions"), ("area_fraction_std", "fractions_std"))
PER_WALL = {
    "wall_rising": "rising",
    "wall_mean_position": "line.place",
    "wall_mean_position_std": "line_std.place",
    "wall_spread": "line.roughness",
    "wall_spread_std": "line_std.roughness",
    "wall_inclination": "line.inclination",
    "wall_inclination_std": "line_std.inclination",
    "wall_width": "typical_width",
    "wall_width_std": "typical_width_std",
    "wall_position": "position",
    "wall_position_std": "position_std",
    "wall_width_profile": "width",
    "wall_width_profile_std": "width_std",
}
PER_CORE = {
    "core_winding": "cores.winding",
    "core_circulation": "cores.circulation",
    "core_layer": "cores.layer",
}


@stage(version=1)
def domains(textures: list[Texture], reference: Reference, *, config: DomainsConfig) -> Domains:
    """Domains told by the direction of P where it is seen at any temperature, else by the strongest strain."""
    if (nothing := left_out_of_volumes(textures, "Domains, walls and cores")) is not None:
        return Domains(nothing)
    polar = strongest(polar_quantities(textures))
    is_polar = is_seen(polar)
    told = polar if is_polar else strongest(elastic_quantities(textures))
    every = range(len(textures))
    found = [_found(textures[t], told, t, is_polar, config.seed) for t in every]
    layers = layer_numbers(reference["layer"].values)
    values = {
        **_states(found, VARIANTS if is_polar else STATES, textures),
        **_walls(found, textures[0].sizes["z"]),
        **_turning(textures, layers, config.seed),
        **_layers(reference, layers),
        "x": textures[0]["x"].values,
        "z": textures[0]["z"].values,
        "temperature": temperatures_of(textures),
    }
    walls_of = "none" if told is None else told.name
    attrs = {"quantity": "polarization" if is_polar else walls_of, "walls": walls_of, "draws": DRAWS}
    return Domains(labelled(values, DOMAINS, attrs))


def layer_numbers(materials: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the layer of each plane (z,), from below: layers are runs of planes of one entry of the stack."""
    return np.concatenate([[0], np.cumsum(np.diff(materials) != 0)]).astype(np.int64)


def _found(texture: Texture, told: Quantity | None, t: int, is_polar: bool, seed: int) -> Found | None:
    """Domains at one temperature; None where the quantity is not determined there."""
    if told is None or not np.isfinite(told.values[t]).all():
        return None
    period, z = float(texture["period"]), texture["z"].values
    fields, std = told.values[t][None], told.std[t][None]
    if is_polar:
        fields, std = (part[0] for part in polar_fields([texture]))
    # shares of the area are counted in points, of which a motif of few harmonics has few
    finer = -(-FINE // texture.sizes["x"])
    fields, std = (put(part, finer * part.shape[1], 0.0) for put, part in ((moved, fields), (moved_std, std)))
    reading: Reading
    if is_polar:
        reading = by_direction(fields, std, "xz".index(told.name[-1]))
    else:
        strong = int(np.nanargmax(told.amplitudes[0]))  # the number of states is that of the clearest texture
        reading = by_value(fields[0], states=by_value(told.values[strong]).number)
    found = domains_from_fields(reading=reading, fields=fields, std=std, period=period, z=z, seed=seed)
    return replace(found, states=found.states[::finer])


def _states(found: list[Found | None], names: tuple[str, ...], textures: list[Texture]) -> dict[str, Any]:
    shape = (textures[0].sizes["x"], textures[0].sizes["z"])
    none = np.full(shape, np.nan)
    unknown = np.full(len(names), np.nan)
    return {
        "state": list(names),
        "domain": np.stack([none if one is None else one.states for one in found]),
        **{
            name: np.stack([unknown if one is None else getattr(one, key) for one in found])
            for name, key in PER_STATE
        },
        **{
            name: np.array([np.nan if one is None else getattr(one, name) for one in found])
            for name in ("duty", "duty_std")
        },
    }


def _walls(found: list[Found | None], planes: int) -> dict[str, Array]:
    most = max((len(one.rising) for one in found if one is not None), default=0)
    values = {}
    for name, path in PER_WALL.items():
        deep = name.removesuffix("_std") in ("wall_position", "wall_width_profile")
        rows = [_member(one, path) for one in found]
        values[name] = _padded(rows, (max(most, 1), planes) if deep else (max(most, 1),))
    return values


def _turning(textures: list[Texture], layers: NDArray[np.int64], seed: int) -> dict[str, Array]:
    """Vorticity, cores and their counts by layer; NaN where P_x or P_z is not determined."""
    found = [_cores(one, layers, seed) for one in textures]
    periods = [float(one["period"]) for one in textures]
    number, most = int(layers.max()) + 1, max((len(one.x_std) for one in found if one is not None), default=0)
    size = (max(most, 1),)
    lengths = {
        "core_x": [None if one is None else p * one.cores.x for one, p in zip(found, periods, strict=True)],
        "core_x_std": [None if one is None else p * one.x_std for one, p in zip(found, periods, strict=True)],
        "core_z": [_member(one, "cores.z") for one in found],
        "core_z_std": [_member(one, "z_std") for one in found],
        "core_circulation_std": [_member(one, "circulation_std") for one in found],
        **{name: [_member(one, path) for one in found] for name, path in PER_CORE.items()},
    }
    counts = [None if one is None else one.counts for one in found]
    return {
        "vorticity": np.stack([_vorticity(one) for one in textures]),
        **{name: _padded(rows, size) for name, rows in lengths.items()},
        "layer_vortices": _padded([None if c is None else c[0] for c in counts], (number,)),
        "layer_antivortices": _padded([None if c is None else c[1] for c in counts], (number,)),
        "layer_confidence": _padded([_member(one, "confidence") for one in found], (number,)),
    }


def _cores(texture: Texture, layers: NDArray[np.int64], seed: int) -> CountedCores | None:
    value, std = (part[0] for part in polar_fields([texture]))
    if not (np.isfinite(value).all() and np.isfinite(std).all()):
        return None
    period, z = float(texture["period"]), texture["z"].values
    return counted_cores(polarization=value, std=std, period=period, z=z, layers=layers, seed=seed)


def _vorticity(texture: Texture) -> Array:
    value = texture["polarization"].values
    return vorticity_from_polarization(
        polarization=value, period=float(texture["period"]), z=texture["z"].values
    )


def _layers(reference: Reference, layers: NDArray[np.int64]) -> dict[str, Array]:
    z, top = reference["z"].values, reference["z"].values + reference["spacing"].values
    each = [np.flatnonzero(layers == k) for k in range(int(layers.max()) + 1)]
    return {
        "layer_bottom": np.array([z[planes[0]] for planes in each]),
        "layer_top": np.array([top[planes[-1]] for planes in each]),
    }


def _member(one: Any, path: str) -> Array | None:
    for name in path.split("."):
        one = None if one is None else getattr(one, name)
    return one


def _padded(rows: list[Array | None], shape: tuple[int, ...]) -> Array:
    """Rows of one array per temperature, NaN where a temperature has fewer."""
    table = np.full((len(rows), *shape), np.nan)
    for filled, row in zip(table, rows, strict=True):
        if row is not None:
            filled[tuple(slice(n) for n in row.shape)] = row
    return table
