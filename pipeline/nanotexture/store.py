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
from nanotexture.quantities import (
    Alignment,
    Clusters,
    Domains,
    Energy,
    LeftOut,
    ModeChoice,
    Orders,
    ReciprocalMap,
    Reference,
    Series,
    Texture,
    Truth,
)
from nanotexture.scoring import Scored, score_answer, truth_of_series
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
    groups: dict[str, xr.Dataset] = {
        "/": xr.Dataset(attrs=dict(attrs) | {"warnings": json.dumps(extras.warnings)} | ALL_WRITTEN)
    }
    pairs = [
        _one_reflection(series, name) for name in dict.fromkeys(n for one in series for n in _names(one))
    ]
    for name, found, orders in pairs:
        groups[f"/maps/{name}"], groups[f"/orders/{name}"] = found, orders
    groups["/solutions"] = _solutions(series)
    groups["/clusters"] = _clusters(series)
    groups["/texture"] = _texture(series, {name: found for name, found, _ in pairs})
    groups |= {"/domains": extras.domains, "/energy": extras.energy, "/series": _series(extras.series)}
    groups["/reference"] = extras.reference
    groups["/modes"] = series[0].choice
    if all(one.left_out for one in series):
        groups["/left_out"] = _left_out(series)
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
        found = one.maps[r] if first is None else _on_grid_of(one.maps[r], first)
        first = first if first is not None else found
        rows = np.isfinite(one.orders["qz"].values[r])
        maps.append(_map_with_model(one, r, found, one.maps[r]))
        own = one.orders["qz"].values[r][rows]
        same = _same_grid(
            one.maps[r], first
        )  # but for rounding, which would double the rows of the joined axis
        orders.append(_orders_of(one, r, rows, first["qz"].values if same else own))
    temperatures = np.array([float(one.orders["temperature"]) for one in series if name in _names(one)])
    stacked = [
        xr.concat(part, "temperature", join="outer").assign_coords(temperature=temperatures)
        for part in (maps, orders)
    ]
    return name, _dressed(stacked[0], schema.RESULT_MAP), _dressed(stacked[1], schema.RESULT_ORDERS)


def _same_grid(one: xr.Dataset, other: xr.Dataset) -> bool:
    return one.sizes == other.sizes and all(
        np.allclose(one[q], other[q], rtol=0, atol=1e-9) for q in ("qx", "qz")
    )


def _on_grid_of(found: ReciprocalMap, first: ReciprocalMap) -> ReciprocalMap:
    """A map on the grid of another; its numbers untouched where the grids agree."""
    if _same_grid(found, first):
        return ReciprocalMap(found.assign_coords(qx=first["qx"], qz=first["qz"]))
    numbers = found.drop_vars("mask").interp(qx=first["qx"], qz=first["qz"])
    mask = (
        found["mask"]
        .astype(float)
        .interp(qx=first["qx"], qz=first["qz"], method="nearest", kwargs={"fill_value": 1.0})
    )
    mask = mask.where(np.isfinite(numbers["intensity"]), 1.0)  # a neighbour of a gap has no value either
    return ReciprocalMap(numbers.assign(mask=mask.astype("uint8")))


def _map_with_model(one: OneTemperature, r: int, found: ReciprocalMap, own: ReciprocalMap) -> xr.Dataset:
    """Measured map with the model's: orders of the answer times their lines, plus background."""
    nx, nz = own.sizes["qx"], own.sizes["qz"]
    line = one.orders["line"].values[r][:, :nx]
    bright = np.nan_to_num(one.clusters["model"].values[r][:, :nz])
    model = line.T @ bright + one.orders["background"].values[r][:nx, :nz]
    if not np.isfinite(one.clusters["model"].values[r][:, :nz]).any():
        model = np.full_like(model, np.nan)
    if _same_grid(own, found):
        calculated = xr.DataArray(model, {"qx": found["qx"], "qz": found["qz"]}, ("qx", "qz"))
    else:
        calculated = xr.DataArray(model, {"qx": own["qx"], "qz": own["qz"]}, ("qx", "qz"))
        calculated = calculated.interp(qx=found["qx"], qz=found["qz"])
    names = [name for name in ("intensity", "variance", "mask", "contributions") if name in found]
    intensity = found["intensity"].where(found["mask"] == 0)
    return (
        found[names].assign(intensity=intensity, model=calculated).drop_vars("temperature", errors="ignore")
    )


def _orders_of(one: OneTemperature, r: int, rows: NDArray[np.bool_], qz: Array) -> xr.Dataset:
    picked = one.orders.isel(reflection=r)
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


def _dressed(dataset: xr.Dataset, entries: schema.Schema) -> xr.Dataset:
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


def _solutions(series: list[OneTemperature]) -> xr.Dataset:
    parts = []
    for one in series:
        c = one.clusters
        per_start = {name: ("start", c[name].values) for name in ("cost", "free_cost", "iterations")}
        harmonics = np.full(c.sizes["start"], int(one.choice["harmonics"]))
        texts = {
            "outcome": ("start", c["outcome"].values.astype(object)),
            "cluster": ("start", c["label"].values),
        }
        parts.append(xr.Dataset(per_start | texts | {"harmonics": ("start", harmonics)}))
    joined = _with_temperature(series, parts)
    joined["seed"] = ("start", series[0].clusters["start"].values)
    return _dressed(joined, schema.RESULT_SOLUTIONS)


def _clusters(series: list[OneTemperature]) -> xr.Dataset:
    most = max(max(one.clusters.sizes["cluster"] for one in series), 1)
    parts = []
    for one in series:
        c = one.clusters
        points, shift = one.texture.sizes["x"], float(one.texture.get("x_shift", 0.0))
        field, axes = moved(c["field"].values, points, shift), c["axis"].values
        polar = moved(c["polar"].values, points, shift) if "polar" in c else None
        shape = (2, *field.shape[2:])
        displacement, polarization = (np.full((most, *shape), np.nan) for _ in range(2))
        along = np.full((most, *field.shape[2:]), np.nan)
        for i, motif in enumerate(field):
            displacement[i] = components_from_fields(fields=motif, axes=axes)
            along[i] = motif[0]
            # as in /texture: what may be a polarization that was not told apart is no displacement
            displacement[i][np.isnan(one.texture["displacement"].values).all(axis=(1, 2))] = np.nan
            if polar is not None:
                polarization[i] = components_from_fields(fields=polar[i], axes=c["polar_axis"].values)
        data: dict[str, Any] = {
            "displacement": (("cluster", "component", "x", "z"), displacement),
            "polarization": (("cluster", "component", "x", "z"), polarization),
        }
        if len(axes) == 1:
            data["displacement_along_q"] = (("cluster", "x", "z"), along)
        for name, source in (
            ("weight", "weight"),
            ("cost", "cluster_cost"),
            ("free_cost", "cluster_free_cost"),
            ("spread", "spread"),
        ):
            data[name] = ("cluster", np.append(c[source].values, np.full(most - len(field), np.nan)))
        parts.append(xr.Dataset(data, {name: (name, one.texture[name].values) for name in ("x", "z")}))
    joined = _with_temperature(series, parts)
    made = _dressed(joined, schema.RESULT_CLUSTERS)
    return _with_axes(made, joined)


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


def _series(found: Series) -> xr.Dataset:
    return _with_axes(found, found)


def _with_axes(made: xr.Dataset, joined: xr.Dataset) -> xr.Dataset:
    """Coordinates x, z and component put back with their labels."""
    axes = {
        name: (name, joined[name].values, _labels(schema.RESULT_TEXTURE[name]))
        for name in ("x", "z")
        if name in joined.coords
    }
    if "component" in made.dims:
        axes["component"] = (
            "component",
            np.array(["x", "z"], dtype=object),
            _text_labels("component", "Direction of the vector's component."),
        )
    if "strain_component" in made.dims:
        text = _text_labels("strain component", "Indices of the strain tensor.")
        axes["strain_component"] = ("strain_component", np.array(["xx", "zz", "xz"], dtype=object), text)
    return made.assign_coords(axes)


def _labels(entry: schema.Variable) -> dict[str, str]:
    return {"units": entry.units, "long_name": entry.long_name, "comment": entry.comment}


def _text_labels(name: str, comment: str) -> dict[str, str]:
    return {"units": "1", "long_name": name, "comment": comment}


def _texture(series: list[OneTemperature], maps: Mapping[str, xr.Dataset]) -> xr.Dataset:
    parts = [one.texture.drop_vars("temperature") for one in series]
    joined = _with_temperature(series, [part.assign_coords(x=part["x"], z=part["z"]) for part in parts])
    joined["amplitude_correlation"] = ("temperature", _amplitude_correlation(series, maps))
    made = _dressed(joined, schema.RESULT_TEXTURE)
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
