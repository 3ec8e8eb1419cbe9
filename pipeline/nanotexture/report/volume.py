"""Textures that are periodic along x and y, as planes that figures can draw: slices of fields, sums of maps, rows of orders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from nanotexture.report.fields import Field, component_fields
from nanotexture.report.result import Result

PERIODS_Y = 2  # drawn of a slice at one height


def is_volume(group: xr.Dataset) -> bool:
    """Whether a texture has an axis y beside x and z."""
    return "y" in group.dims


def planar(result: Result) -> Result:
    """The same result with the orders (n, 0) alone, which is what tells of widths, ranges and edges along qx."""
    return replace(result, orders={key: orders_along(group, "x") for key, group in result.orders.items()})


def orders_along(orders: xr.Dataset, axis: str) -> xr.Dataset:
    """Orders (n, 0), or (0, m) along y, laid out as those of a texture that is uniform along the other direction."""
    if "order_y" not in orders.dims:
        return orders
    if axis == "x":
        return orders.sel(order_y=0, drop=True)
    row = orders.sel(order=0, drop=True).drop_vars(["line_position", "line_width"])
    names = {"order_y": "order", "line_position_y": "line_position", "line_width_y": "line_width"}
    return row.rename(names)


def summed_map(group: xr.Dataset, over: str) -> xr.Dataset:
    """A map qx, qy, qz summed over one direction of the plane, the other called qx; masked where nothing was measured."""
    if "qy" not in group.dims:
        return group
    kept = "qx" if over == "qy" else "qy"
    names = [name for name in ("intensity", "variance", "model") if name in group]
    measured = (group["mask"] == 0).any(over)
    sums = group[names].where(group["mask"] == 0).sum(over, skipna=True).where(measured)
    return sums.assign(mask=(~measured).astype("uint8")).rename({kept: "qx"})


def slice_upright(texture: xr.Dataset) -> xr.Dataset:
    """The plane x, z at y = 0."""
    return texture.isel(y=0, drop=True) if is_volume(texture) else texture


def slice_level(texture: xr.Dataset) -> xr.Dataset:
    """The plane x, y at mid height, y in angstrom in the place of z, over two periods."""
    cut = texture.isel(z=texture.sizes["z"] // 2, drop=True).rename(y="z")
    length = float(texture["period_y"])
    across = [
        cut.assign_coords(z=(cut["z"].values + k) * (length if np.isfinite(length) else 10.0))
        for k in range(PERIODS_Y)
    ]
    return xr.concat(across, "z", data_vars="minimal", coords="minimal", compat="override")


def cut_pairs(pairs: list[tuple[Field, Field]], *, level: bool) -> list[tuple[Field, Field]]:
    """Result and truth in the plane x, y at mid height over two periods of y (level), or in the plane x, z at y = 0."""
    return [(_cut(one, level), _cut(other, level)) for one, other in pairs]


def _cut(field: Field, level: bool) -> Field:
    value = field.value
    cut = np.tile(value[..., value.shape[-1] // 2], (1, PERIODS_Y)) if level else value[:, 0]
    return Field(field.key, field.symbol, field.units, cut)


def rotation_fields(texture: xr.Dataset) -> list[Field]:
    """The three components of the rotation of a slice."""
    return component_fields(texture, "rotation")


def mid_height(texture: xr.Dataset) -> float:
    """Height of the level slice in angstrom."""
    return float(texture["z"].values[texture.sizes["z"] // 2])
