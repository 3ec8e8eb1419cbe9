"""The result: all temperatures put together as an xarray DataTree in the contract's layout, and written as one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nanotexture import schema
from nanotexture.chunks import ALL_WRITTEN
from nanotexture.grids import on_grid_of, q_axes, same_grid
from nanotexture.quantities import (
    Alignment,
    Clusters,
    DenoisedMotif,
    Domains,
    Energy,
    FilmGuess,
    LeftOut,
    ModeChoice,
    Orders,
    ReciprocalMap,
    Reference,
    Series,
    Texture,
    Truth,
)
from nanotexture.scoring import Scored, score_answer, truth_of_series, vector_labels
from nanotexture.store_prior import prior_of
from nanotexture.texture.elastic import components_from_fields
from nanotexture.texture.grid import moved

Array = NDArray[np.float64]

CONTRACT = 1


@dataclass(frozen=True)
class OneTemperature:
    """What the stages found at one temperature."""

    maps: tuple[ReciprocalMap, ...]
    orders: Orders
    clusters: Clusters
    choice: ModeChoice
    texture: Texture
    left_out: tuple[LeftOut, ...] = ()
    truth: Truth | None = None  # of a simulated film
    guess: FilmGuess | None = None  # of a learned prior
    denoised: DenoisedMotif | None = None


@dataclass(frozen=True)
class Extras:
    """What a run adds: reference lattice, what follows from all answers, alignment, thickness scans by file, warnings."""

    reference: Reference
    domains: Domains
    energy: Energy
    series: Series
    alignment: Alignment | None = None
    thickness_scans: Mapping[str, xr.Dataset] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def result_tree(series: list[OneTemperature], extras: Extras, attrs: Mapping[str, Any]) -> xr.DataTree:
    """All groups of result.zarr; temperatures in rising order."""
    series = sorted(series, key=lambda one: float(one.orders["temperature"]))
    followed = {"/domains": extras.domains, "/energy": extras.energy, "/series": extras.series}
    left = [str(one.attrs["left_out"]) for one in followed.values() if "left_out" in one.attrs]
    groups: dict[str, xr.Dataset] = {
        "/": xr.Dataset(attrs=dict(attrs) | {"warnings": json.dumps([*extras.warnings, *left])} | ALL_WRITTEN)
    }
    pairs = [
        _one_reflection(series, name) for name in dict.fromkeys(n for one in series for n in _names(one))
    ]
    for name, found, orders in pairs:
        groups[f"/maps/{name}"], groups[f"/orders/{name}"] = found, orders
    groups["/solutions"] = _solutions(series)
    groups["/clusters"] = _clusters(series)
    groups["/texture"] = _texture(series, {name: found for name, found, _ in pairs})
    groups |= {
        name: _with_axes(one, one) if name == "/series" else one
        for name, one in followed.items()
        if "left_out" not in one.attrs
    }
    groups["/reference"] = extras.reference
    groups["/modes"] = _modes(series)
    if all(one.left_out for one in series):
        groups["/left_out"] = _left_out(series)
    if all(one.denoised is not None for one in series):
        groups["/prior"] = _prior(series)
    if extras.alignment is not None:
        groups["/alignment"] = extras.alignment
    for name, scan in extras.thickness_scans.items():
        groups[f"/thickness_scan/{name}"] = scan
    truths = [one.truth for one in series if one.truth is not None]
    if truths:
        groups["/truth"] = truth_of_series(truths)
        answer = Scored(groups["/texture"], groups["/clusters"], groups["/solutions"])
        groups["/score"] = score_answer(answer, Scored(groups["/truth"]))
    return xr.DataTree.from_dict(groups)


def hkl_name(hkl: NDArray[np.int64]) -> str:
    """Group name of a reflection: "-103", with "_" between indices where one has two digits."""
    return ("" if max(abs(int(n)) for n in hkl) < 10 else "_").join(str(int(n)) for n in hkl)


def _names(one: OneTemperature) -> list[str]:
    return [hkl_name(hkl) for hkl in one.orders["hkl"].values]


def _one_reflection(series: list[OneTemperature], name: str) -> tuple[str, xr.Dataset, xr.Dataset]:
    maps, orders = [], []
    first: ReciprocalMap | None = None
    for one in series:
        if name not in _names(one):
            continue
        r = _names(one).index(name)
        found = one.maps[r] if first is None else on_grid_of(one.maps[r], first)
        first = first if first is not None else found
        rows = np.isfinite(one.orders["qz"].values[r])
        maps.append(_map_with_model(one, r, found, one.maps[r]))
        own = one.orders["qz"].values[r][rows]
        same = same_grid(
            one.maps[r], first
        )  # but for rounding, which would double the rows of the joined axis
        orders.append(_orders_of(one, r, rows, first["qz"].values if same else own))
    temperatures = np.array([float(one.orders["temperature"]) for one in series if name in _names(one)])
    stacked = [
        xr.concat(part, "temperature", join="outer").assign_coords(temperature=temperatures)
        for part in (maps, orders)
    ]
    entries = (schema.RESULT_MAP, schema.RESULT_ORDERS)
    if "qy" in stacked[0].dims:
        entries = (schema.VOLUME_RESULT_MAP, schema.VOLUME_RESULT_ORDERS)
    found_map = dressed(stacked[0], entries[0])
    found_map.attrs["hkl"] = [int(n) for n in first["hkl"].values] if first is not None else []
    return name, found_map, dressed(stacked[1], entries[1])


def _map_with_model(one: OneTemperature, r: int, found: ReciprocalMap, own: ReciprocalMap) -> xr.Dataset:
    """Measured map with the model's: orders of the answer times their lines, plus background."""
    model = _calculated(one, r, own)
    if not np.isfinite(one.clusters["model"].values[r][:, : own.sizes["qz"]]).any():
        model = np.full_like(model, np.nan)
    same = same_grid(own, found)
    calculated = xr.DataArray(model, {q: (found if same else own)[q] for q in q_axes(own)}, q_axes(own))
    if not same:
        calculated = calculated.interp({q: found[q] for q in q_axes(found)})
    names = [name for name in ("intensity", "variance", "mask", "contributions", "energy") if name in found]
    intensity = found["intensity"].where(found["mask"] == 0)
    return (
        found[names].assign(intensity=intensity, model=calculated).drop_vars("temperature", errors="ignore")
    )


def _calculated(one: OneTemperature, r: int, own: ReciprocalMap) -> Array:
    """Counts of the answer on the map's own voxels."""
    nx, nz = own.sizes["qx"], own.sizes["qz"]
    line, background = one.orders["line"].values[r][:, :nx], one.orders["background"].values[r]
    bright = np.nan_to_num(one.clusters["model"].values[r][:, :nz])
    if "qy" not in own.dims:
        return np.asarray(line.T @ bright + background[:nx, :nz])
    ny = own.sizes["qy"]
    across, band = one.orders["line_y"].values[r][:, :ny], one.orders["band"].values[r][:ny]
    model = np.einsum("px,py,pz->xyz", line, across, bright, optimize=True)
    return np.asarray(model + background[band, :nx, :nz].swapaxes(0, 1))


def _orders_of(one: OneTemperature, r: int, rows: NDArray[np.bool_], qz: Array) -> xr.Dataset:
    picked = one.orders.isel(reflection=r)
    if "order_y" in picked:
        return _orders_of_volume(picked, one.clusters["model"].values[r][:, rows], rows, qz)
    along = {"qz": ("qz", qz)}
    data = {
        name: (("order", "qz"), picked[name].values[:, rows])
        for name in ("intensity", "variance", "held_out")
    } | {"model": (("order", "qz"), one.clusters["model"].values[r][:, rows])}
    lines = {
        name: ("order", picked[name].values)
        for name in ("line_position", "line_width", "line_width_std", "line_lorentz")
    }
    return xr.Dataset(data | lines, along | {"order": ("order", picked["order"].values)})


def _orders_of_volume(picked: xr.Dataset, model: Array, rows: NDArray[np.bool_], qz: Array) -> xr.Dataset:
    """The same with the orders (n, m) on two axes."""
    n, m = np.unique(picked["order"].values), np.unique(picked["order_y"].values)
    names = ("intensity", "variance", "held_out")
    data = {name: picked[name].values[:, rows] for name in names} | {"model": model}
    lines = (
        "line_position",
        "line_width",
        "line_width_std",
        "line_lorentz",
        "line_position_y",
        "line_width_y",
    )
    along = {"order": n, "order_y": m}
    return xr.Dataset(
        {k: (("order", "order_y", "qz"), v.reshape(len(n), len(m), -1)) for k, v in data.items()}
        | {k: (("order", "order_y"), picked[k].values.reshape(len(n), len(m))) for k in lines},
        along | {"qz": qz},
    )


def dressed(dataset: xr.Dataset, entries: schema.Schema) -> xr.Dataset:
    """The dataset with dims in the schema's order, its dtypes and its labels."""
    values = {}
    for name, entry in entries.items():
        if name not in dataset.variables:
            continue
        found = dataset[name].transpose(*entry.dims)
        values[name] = (
            found.fillna(1 if name == "mask" else 0).astype("uint8").values
            if entry.kind == "u"
            else found.values
        )
    made = schema.labelled(values, entries)
    if "temperature" in dataset.coords and "temperature" not in made:
        made = made.assign_coords(
            temperature=("temperature", dataset["temperature"].values, _temperature_attrs())
        )
    return made


def _temperature_attrs() -> dict[str, str]:
    entry = schema.RESULT_TEXTURE["temperature"]
    return {"units": entry.units, "long_name": entry.long_name, "comment": entry.comment}


def _with_temperature(series: list[OneTemperature], parts: list[xr.Dataset]) -> xr.Dataset:
    temperatures = np.array([float(one.orders["temperature"]) for one in series])
    return xr.concat(parts, "temperature", join="outer").assign_coords(temperature=temperatures)


def _modes(series: list[OneTemperature]) -> xr.Dataset:
    scales = [one.clusters["width_scale"].values for one in series if "width_scale" in one.clusters]
    parts: list[xr.Dataset] = [one.choice for one in series]
    if scales:
        shape = tuple(np.max([scale.shape for scale in scales], axis=0))
        parts = [one.choice.assign(width_scale=_scale_of(one, shape)) for one in series]
    return dressed(_with_temperature(series, parts), schema.RESULT_MODES)


def _scale_of(one: OneTemperature, shape: tuple[int, ...]) -> xr.DataArray:
    """Factors (unknown, wave) of the prior widths of one temperature, ones where it has no such unknown or wave."""
    table = np.ones(shape)
    if "width_scale" in one.clusters:
        own = one.clusters["width_scale"].values
        table[: own.shape[0], : own.shape[1]] = own
    return xr.DataArray(table, dims=("unknown", "wave"))


def _solutions(series: list[OneTemperature]) -> xr.Dataset:
    parts = []
    for one in series:
        c = one.clusters
        told = ("cost", "free_cost", "iterations", "learned")
        per_start = {name: ("start", c[name].values) for name in told if name in c}
        harmonics = np.full(c.sizes["start"], int(one.choice["harmonics"]))
        texts = {
            "outcome": ("start", c["outcome"].values.astype(object)),
            "cluster": ("start", c["label"].values),
        }
        parts.append(xr.Dataset(per_start | texts | {"harmonics": ("start", harmonics)}))
    joined = _with_temperature(series, parts)
    joined["seed"] = ("start", series[0].clusters["start"].values)
    guesses = [one.guess for one in series if one.guess is not None]
    if guesses:
        first = [one["first_cost"].values.min(initial=np.inf) for one in guesses]
        joined["prior_first_cost"] = ("temperature", np.array(first))
        for name in ("expected_error", "vague", "limit"):
            joined[f"prior_{name}"] = ("temperature", np.array([float(one[name]) for one in guesses]))
    return dressed(joined, schema.RESULT_SOLUTIONS)


def _clusters(series: list[OneTemperature]) -> xr.Dataset:
    most = max(max(one.clusters.sizes["cluster"] for one in series), 1)
    parts = []
    for one in series:
        c = one.clusters
        plane = [name for name in ("x", "y") if name in one.texture.dims]
        points = [one.texture.sizes[name] for name in plane]
        shift = [float(one.texture.get(f"{name}_shift", 0.0)) for name in plane]
        field, axes = moved(c["field"].values, points, shift), c["axis"].values
        polar = moved(c["polar"].values, points, shift) if "polar" in c else None
        grid = (*plane, "z")
        shape = (axes.shape[1], *field.shape[2:])
        displacement, polarization = (np.full((most, *shape), np.nan) for _ in range(2))
        along = np.full((most, *field.shape[2:]), np.nan)
        for i, motif in enumerate(field):
            displacement[i] = components_from_fields(fields=motif, axes=axes)
            along[i] = motif[0]
            # as in /texture: what may be a polarization that was not told apart is no displacement
            unknown = np.isnan(one.texture["displacement"].values)
            displacement[i][unknown.all(axis=tuple(range(1, unknown.ndim)))] = np.nan
            if polar is not None:
                polarization[i] = components_from_fields(fields=polar[i], axes=c["polar_axis"].values)
        data: dict[str, Any] = {
            "displacement": (("cluster", "component", *grid), displacement),
            "polarization": (("cluster", "component", *grid), polarization),
        }
        if len(axes) == 1:
            data["displacement_along_q"] = (("cluster", *grid), along)
        for name, source in (
            ("weight", "weight"),
            ("cost", "cluster_cost"),
            ("free_cost", "cluster_free_cost"),
            ("spread", "spread"),
        ):
            data[name] = ("cluster", np.append(c[source].values, np.full(most - len(field), np.nan)))
        parts.append(xr.Dataset(data, {name: (name, one.texture[name].values) for name in grid}))
    joined = _with_temperature(series, parts)
    made = dressed(joined, schema.VOLUME_RESULT_CLUSTERS if "y" in joined.dims else schema.RESULT_CLUSTERS)
    return _with_axes(made, joined)


def _prior(series: list[OneTemperature]) -> xr.Dataset:
    """The best motif with and without the prior over textures, and what says which of them is the answer."""
    parts = [prior_of(one.denoised, one.texture) for one in series if one.denoised is not None]
    joined = _with_temperature(series, parts)
    return _with_axes(dressed(joined, schema.RESULT_PRIOR), joined)


def _left_out(series: list[OneTemperature]) -> xr.Dataset:
    """How well the others predict each reflection, at all temperatures."""
    parts = [xr.concat([part.reset_coords() for part in one.left_out], "reflection") for one in series]
    costs = {
        name: np.stack([part[name].values for part in parts])
        for name in ("cost_fitted", "cost_left_out", "worst_order")
    }
    made = schema.labelled({"hkl": parts[0]["hkl"].values, **costs}, schema.RESULT_LEFT_OUT)
    temperatures = np.array([float(one.orders["temperature"]) for one in series])
    return made.assign_coords(temperature=("temperature", temperatures, _temperature_attrs()))


def _with_axes(made: xr.Dataset, joined: xr.Dataset) -> xr.Dataset:
    """Coordinates x, (y,) z and component put back with their labels."""
    axes = {
        name: (name, joined[name].values, _labels(schema.VOLUME_RESULT_TEXTURE[name]))
        for name in ("x", "y", "z")
        if name in joined.coords
    }
    named = {name: label for name, label in vector_labels(volume="y" in axes).items() if name in made.dims}
    return made.assign_coords(axes | named)


def _labels(entry: schema.Variable) -> dict[str, str]:
    return {"units": entry.units, "long_name": entry.long_name, "comment": entry.comment}


def _texture(series: list[OneTemperature], maps: Mapping[str, xr.Dataset]) -> xr.Dataset:
    parts: list[xr.Dataset] = [one.texture.drop_vars("temperature") for one in series]
    parts = [part.assign_coords({q: part[q] for q in ("x", "y", "z") if q in part.dims}) for part in parts]
    joined = _with_temperature(series, parts)
    joined["amplitude_correlation"] = ("temperature", _amplitude_correlation(series, maps))
    made = dressed(joined, schema.VOLUME_RESULT_TEXTURE if "y" in joined.dims else schema.RESULT_TEXTURE)
    made = _with_axes(made, joined)
    made.attrs.update(_common_attrs(series))
    return made


def _common_attrs(series: list[OneTemperature]) -> dict[str, Any]:
    """Attributes of the first temperature; the inversion is resolved, the data described, only if at every temperature."""
    attrs = dict(series[0].texture.attrs)
    if any(one.texture.attrs["inversion"] != "resolved" for one in series):
        attrs["inversion"] = "unresolved"
    if any(one.texture.attrs["model_describes_data"] != "yes" for one in series):
        attrs["model_describes_data"] = "no"
    return attrs


def _amplitude_correlation(series: list[OneTemperature], maps: Mapping[str, xr.Dataset]) -> Array:
    """Correlation of sqrt(intensity), measured and calculated, over all measured voxels of a temperature."""
    seen = dict.fromkeys(maps, 0)  # temperatures of a reflection gone through: one may lack some
    found = np.full(len(series), np.nan)
    for t, one in enumerate(series):
        pairs = []
        for name in _names(one):
            measured, model, mask = (
                maps[name][key].values[seen[name]] for key in ("intensity", "model", "mask")
            )
            seen[name] += 1
            use = np.isfinite(measured) & np.isfinite(model) & (mask == 0)
            pairs.append(np.sqrt(np.clip(np.stack([measured[use], model[use]]), 0.0, None)))
        both = np.concatenate(pairs, axis=1)
        if both.shape[1] > 2:
            found[t] = np.corrcoef(both)[0, 1]
    return found
