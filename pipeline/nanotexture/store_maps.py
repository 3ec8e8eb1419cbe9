"""The result of a conversion: maps by reflection, along temperature and scan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nanotexture import schema
from nanotexture.chunks import ALL_WRITTEN
from nanotexture.grids import on_one_grid
from nanotexture.quantities import ReciprocalMap
from nanotexture.store import dressed, hkl_name


@dataclass(frozen=True)
class Converted:
    """A map and where it is from: file, and number of the scan in it."""

    map: ReciprocalMap
    source: str


def maps_tree(found: Sequence[Converted], attrs: Mapping[str, Any], warnings: Sequence[str]) -> xr.DataTree:
    """All groups of result.zarr of a conversion; maps of one reflection in the order given, which is that of the recipe."""
    names = dict.fromkeys(hkl_name(one.map["hkl"].values) for one in found)
    root = xr.Dataset(attrs=dict(attrs) | {"warnings": json.dumps(list(warnings))} | ALL_WRITTEN)
    groups = {"/": root} | {
        f"/maps/{name}": _one_reflection([one for one in found if hkl_name(one.map["hkl"].values) == name])
        for name in names
    }
    return xr.DataTree.from_dict(groups)


def _record(found: ReciprocalMap) -> str:
    """What the readers and the conversion noted of a map, as JSON, but for names that stand elsewhere and what was not noted."""
    kept = {str(name): value for name, value in found.attrs.items() if name != "sample" or value}
    return json.dumps(
        {name: _plain(value) for name, value in kept.items()}, sort_keys=True, ensure_ascii=False
    )


def _plain(value: Any) -> Any:
    """A number of numpy as one of JSON, a whole number without a fraction."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _one_reflection(found: Sequence[Converted]) -> xr.Dataset:
    maps = on_one_grid([one.map for one in found])
    intensity = [one.assign(intensity=one["intensity"].where(one["mask"] == 0)) for one in maps]
    joined = xr.concat(
        [one.drop_vars(["temperature", "hkl", "scale"]) for one in intensity], "temperature", join="exact"
    )
    joined = joined.assign_coords(temperature=[float(one["temperature"]) for one in maps])
    joined["record"] = ("temperature", np.array([_record(one.map) for one in found], dtype=object))
    joined["source"] = ("temperature", np.array([one.source for one in found], dtype=object))
    entries = schema.CONVERTED_VOLUME if "qy" in joined.dims else schema.CONVERTED_MAP
    made = dressed(joined, entries)
    made.attrs["hkl"] = [int(n) for n in found[0].map["hkl"].values]
    return made
