"""A simulated truth brought beside the answer, and the scores as rows."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nanotexture.phasing.alignment import align
from nanotexture.report.fields import Array, Field, displacement_fields, polarization_fields
from nanotexture.report.format import number
from nanotexture.report.result import Result

_NAMED = {2: "xz", 3: "xyz"}  # components by their number


def truth_pairs(result: Result, temperature: int = 0) -> list[tuple[Field, Field]]:
    """Result and truth, field by field, on the result's grid; the truth moved by what no intensity tells.

    Shift along x (and y) and constant always; the inversion only where the result says that it is unresolved.
    """
    texture = result.texture.isel(temperature=temperature)
    if result.truth is None:
        return []
    truth = _on_grid(_at_temperature(result.truth, temperature), texture)
    fields = displacement_fields(texture) + polarization_fields(texture)
    pairs = [(one, _true(truth, one, result.texture.attrs.get("q_direction"))) for one in fields]
    known = [(one, true) for one, true in pairs if true is not None and np.isfinite(true).all()]
    if not known:
        return []
    free = np.array([not one.key.startswith("polarization") for one, _ in known])
    moved = align(
        np.stack([true for _, true in known])[None],
        np.stack([one.value for one, _ in known]),
        allow_inversion=result.texture.attrs.get("inversion") == "unresolved",
        constant=free,
    ).fields[0]
    return [
        (one, Field(one.key, one.symbol, one.units, true))
        for (one, _), true in zip(known, moved, strict=True)
    ]


def score_rows(score: xr.Dataset | None) -> list[tuple[str, str]]:
    """Name and value of every score, from attributes and variables alike."""
    if score is None:
        return []
    rows = [(_words(str(key)), _shown(value)) for key, value in score.attrs.items()]
    for name, variable in sorted(score.data_vars.items()):
        percents = " (%)" if variable.attrs.get("units") == "percent" else ""
        for index in np.ndindex(variable.shape):
            value = variable.values[index]
            if variable.dtype.kind == "f" and not np.isfinite(value):
                continue
            where = [_label(variable, str(dim), i) for dim, i in zip(variable.dims, index, strict=True)]
            rows.append((" ".join([_words(str(name)), *filter(None, where)]) + percents, _shown(value)))
    return rows


def _label(variable: xr.DataArray, dim: str, index: int) -> str:
    """Name of an entry along a dimension: components are x and z in this order, a single temperature needs none."""
    if dim == "temperature":
        return f"{float(variable[dim][index]):g} K" if variable.sizes[dim] > 1 else ""
    if dim in variable.coords:
        return str(variable[dim].values[index])
    return _NAMED[variable.sizes[dim]][index] if dim == "component" else str(index)


def _true(truth: xr.Dataset, field: Field, q_direction: object) -> Array | None:
    """The truth's field of the same meaning."""
    name, _, component = field.key.rpartition("_")
    space = [dim for dim in ("x", "y", "z") if dim in truth.dims]
    if field.key == "displacement_along_q":
        if q_direction is None or "displacement" not in truth:
            return None
        along = np.asarray(q_direction, dtype=float)
        return np.tensordot(along, truth["displacement"].transpose("component", *space).values, axes=1)
    if name not in truth:
        return None
    at = _NAMED[truth.sizes["component"]].index(component)
    return np.asarray(truth[name].isel(component=at).transpose(*space).values)


def _at_temperature(truth: xr.Dataset, temperature: int) -> xr.Dataset:
    if "temperature" not in truth.dims:
        return truth
    return truth.isel(temperature=min(temperature, truth.sizes["temperature"] - 1))


def _on_grid(truth: xr.Dataset, texture: xr.Dataset) -> xr.Dataset:
    """Truth at the texture's x and y (periodic) and z (nearest value beyond its ends)."""
    if not {"x", "z"} <= set(truth.coords):
        return truth
    plane = [dim for dim in ("x", "y") if dim in truth.coords]
    periodic = truth
    for dim in plane:
        if truth[dim].max() < 1.0:
            wrapped = periodic.isel({dim: slice(0, 1)}).assign_coords({dim: truth[dim].values[:1] + 1.0})
            periodic = xr.concat([periodic, wrapped], dim, data_vars="minimal")
    z = texture["z"].clip(float(truth["z"].min()), float(truth["z"].max()))
    return periodic.interp({dim: texture[dim].values for dim in plane} | {"z": z.values})


def _words(name: str) -> str:
    return name.replace("_percent", " (%)").replace("_", " ")


def _shown(value: object) -> str:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return str(value)
    return number(float(value), 3)
