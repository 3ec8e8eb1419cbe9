"""What a labelled variable is: dims, unit and meaning; datasets made and checked by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr


class SchemaError(Exception):
    """A stage handed on something other than what schema/ says: a defect of the program."""


@dataclass(frozen=True)
class Variable:
    """One labelled variable: its dims in order, unit, name for axes and one sentence of meaning."""

    dims: tuple[str, ...]
    units: str
    long_name: str
    comment: str
    kind: str = "f"  # numpy dtype kind: f float, i integer, u unsigned, U text
    optional: bool = False


Schema = Mapping[str, Variable]

PER_AREA = MappingProxyType(
    {"count/angstrom": "count/angstrom^2", "count^2/angstrom^2": "count^2/angstrom^4"}
)

DEGREE, PER_ANGSTROM, ANGSTROM, POLAR, COUNT = "deg", "1/angstrom", "angstrom", "C/m^2", "count"


def variable(
    dims: str, units: str, long_name: str, comment: str, kind: str = "f", optional: bool = False
) -> Variable:
    return Variable(tuple(dims.split()), units, long_name, comment, kind, optional)


TEMPERATURE = "temperature"


def one_temperature(schema: Schema, leave_out: tuple[str, ...] = ()) -> Schema:
    """The same variables without the dim temperature: what a stage of one temperature hands on."""
    return {
        name: Variable(
            tuple(d for d in v.dims if d != TEMPERATURE), v.units, v.long_name, v.comment, v.kind, v.optional
        )
        for name, v in schema.items()
        if name not in leave_out
    }


def labelled(values: Mapping[str, Any], schema: Schema, attrs: Mapping[str, Any] | None = None) -> xr.Dataset:
    """Dataset with dims, units, long_name and comment put on plain arrays; values may leave out optional variables."""
    unknown = set(values) - set(schema)
    if unknown:
        raise SchemaError(f"variables that schema/ does not list: {sorted(unknown)}")
    data = {}
    for name, value in values.items():
        entry = schema[name]
        array = np.asarray(value, dtype=object if entry.kind == "U" else None)
        data[name] = xr.Variable(entry.dims, array, _attrs(entry))
    coords = {name: v for name, v in data.items() if v.dims == (name,)}
    rest = {name: v for name, v in data.items() if name not in coords}
    return check(xr.Dataset(rest, coords, dict(attrs or {})), schema)


def check(dataset: xr.Dataset, schema: Schema) -> xr.Dataset:
    """The same dataset if every variable has the dims, kind and units that the schema says; SchemaError otherwise."""
    for name, entry in schema.items():
        if name not in dataset.variables:
            if entry.optional:
                continue
            raise SchemaError(f"{name}: required, not there")
        variable = dataset[name]
        if variable.dims != entry.dims:
            raise SchemaError(f"{name}: dims must be {entry.dims}, got {variable.dims}")
        if variable.attrs.get("units") != entry.units:
            raise SchemaError(f"{name}: units must be {entry.units!r}, got {variable.attrs.get('units')!r}")
        kind = "U" if variable.dtype.kind in "OUT" else variable.dtype.kind
        if kind != entry.kind:
            raise SchemaError(f"{name}: dtype kind must be {entry.kind!r}, got {variable.dtype}")
    return dataset


def _attrs(entry: Variable) -> dict[str, str]:
    return {"units": entry.units, "long_name": entry.long_name, "comment": entry.comment}
