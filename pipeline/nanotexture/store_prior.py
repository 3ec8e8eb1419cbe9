"""The motif under a prior over textures as a group of the result, on the grid of the texture of its temperature."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nanotexture.quantities import DenoisedMotif, Texture
from nanotexture.texture.elastic import components_from_fields
from nanotexture.texture.grid import moved

Array = NDArray[np.float64]

NUMBERS = (
    "cost",
    "cost_without",
    "free_cost",
    "free_cost_without",
    "free_cost_error",
    "strangeness",
    "strangeness_limit",
    "used",
)
FIELDS = (
    ("displacement", "field", "axis"),
    ("displacement_without", "field_without", "axis"),
    ("polarization", "polar", "polar_axis"),
    ("polarization_without", "polar_without", "polar_axis"),
)


def prior_of(found: DenoisedMotif, texture: Texture) -> xr.Dataset:
    """Components of the fields with and without the prior, what it changed (rms), and the numbers that were compared."""
    plane = [name for name in ("x", "y") if name in texture.dims]
    grid = (*plane, "z")
    data = {
        name: (("component", *grid), _components(found, texture, plane, field, axis))
        for name, field, axis in FIELDS
    }
    values = xr.Dataset(data, {name: (name, texture[name].values) for name in grid})
    for kind in ("displacement", "polarization"):
        change = values[kind] - values[f"{kind}_without"]
        values[f"{kind}_from_prior"] = np.sqrt((change**2).mean(grid, skipna=False))
    for name in NUMBERS:
        values[name] = found[name].variable
    values["verdict"] = ((), np.array(str(found.attrs["verdict"]), dtype=object))
    return values


def _components(found: DenoisedMotif, texture: Texture, plane: list[str], field: str, axis: str) -> Array:
    """Components (component, x, z) of fields along axes, NaN where there are none or they were not told apart."""
    shape = texture["displacement"].shape
    if field not in found or len(found[axis]) == 0:
        return np.full(shape, np.nan)
    points = [texture.sizes[name] for name in plane]
    shift = [float(texture.get(f"{name}_shift", 0.0)) for name in plane]
    values = components_from_fields(fields=moved(found[field].values, points, shift), axes=found[axis].values)
    unknown = np.isnan(texture["displacement" if axis == "axis" else "polarization"].values)
    values[unknown.all(axis=tuple(range(1, unknown.ndim)))] = np.nan
    return np.asarray(values)
