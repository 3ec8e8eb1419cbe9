"""A result.zarr opened for reading: its groups by name, absent ones as None."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nanotexture.chunks import refuse_lost_chunks
from nanotexture.errors import InputError
from nanotexture.report.format import indices

Datasets = dict[str, xr.Dataset]


@dataclass(frozen=True)
class Result:
    """Groups of one result; maps, orders and thickness scans by their names."""

    attrs: dict[str, Any]
    texture: xr.Dataset
    solutions: xr.Dataset | None = None
    clusters: xr.Dataset | None = None
    alignment: xr.Dataset | None = None
    domains: xr.Dataset | None = None
    energy: xr.Dataset | None = None
    series: xr.Dataset | None = None
    truth: xr.Dataset | None = None
    score: xr.Dataset | None = None
    left_out: xr.Dataset | None = None
    prior: xr.Dataset | None = None
    modes: xr.Dataset | None = None
    maps: Datasets = field(default_factory=dict)
    orders: Datasets = field(default_factory=dict)
    thickness_scans: Datasets = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the recipe."""
        return str(self.attrs.get("name", "result"))

    @property
    def temperatures(self) -> list[float]:
        """Temperatures in K, NaN where unknown."""
        return [float(t) for t in np.atleast_1d(self.texture["temperature"].values)]

    @property
    def reflections(self) -> list[str]:
        """Names of the measured reflections."""
        return list(self.maps) or list(self.orders)

    @property
    def warnings(self) -> list[str]:
        """Sentences that the run wants read first."""
        return [str(text) for text in self.listed("warnings")]

    @property
    def recipe(self) -> dict[str, Any]:
        """Recipe as a table; empty where its text is absent or damaged."""
        try:
            return tomllib.loads(str(self.attrs.get("recipe", "")))
        except tomllib.TOMLDecodeError:
            return {}

    def listed(self, name: str) -> list[Any]:
        """List held by an attribute as JSON text, or as such."""
        return listed(self.attrs, name)


def listed(attrs: Mapping[str, Any], name: str) -> list[Any]:
    """List held by an attribute as JSON text, or as such."""
    found = decoded(attrs.get(name, []))
    return list(found) if isinstance(found, list | tuple | np.ndarray) else [found]


def open_result(path: str | Path) -> Result:
    """Result of a film, loaded into memory; InputError where the folder holds none."""
    return result_from_tree(open_tree(path), path)


def open_tree(path: str | Path) -> xr.DataTree:
    """All groups of a result, loaded into memory; InputError where the folder holds none."""
    folder = Path(path)
    if not (folder / "zarr.json").is_file():
        raise InputError(folder, "folder", "a result.zarr written by `nanotexture run`", "no zarr.json")
    refuse_lost_chunks(folder)
    with xr.open_datatree(folder, engine="zarr", consolidated=False) as tree:
        return tree.load()


def result_from_tree(tree: xr.DataTree, source: str | Path = "result") -> Result:
    """Result of a tree in memory."""
    texture = _group(tree, "texture")
    if texture is None:
        raise InputError(
            source, "group /texture", "the answer of an inversion", f"groups {sorted(tree.children)}"
        )
    return Result(
        attrs={str(key): value for key, value in tree.attrs.items()},
        texture=texture,
        solutions=_group(tree, "solutions"),
        clusters=_group(tree, "clusters"),
        alignment=_group(tree, "alignment"),
        domains=_group(tree, "domains"),
        energy=_group(tree, "energy"),
        series=_group(tree, "series"),
        truth=_group(tree, "truth"),
        score=_group(tree, "score"),
        left_out=_group(tree, "left_out"),
        prior=_group(tree, "prior"),
        modes=_group(tree, "modes"),
        maps=members(tree, "maps"),
        orders=members(tree, "orders"),
        thickness_scans=members(tree, "thickness_scan"),
    )


def decoded(value: Any) -> Any:
    """Value of an attribute, JSON text decoded."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _group(tree: xr.DataTree, name: str) -> xr.Dataset | None:
    return tree.children[name].to_dataset() if name in tree.children else None


def members(tree: xr.DataTree, name: str) -> Datasets:
    """Datasets below a group by name, reflections in order."""
    if name not in tree.children:
        return {}
    members = tree.children[name].children
    return {key: members[key].to_dataset() for key in sorted(map(str, members), key=_in_order)}


def _in_order(name: str) -> tuple[Any, ...]:
    """Reflections by |h|, k, l, positive h first; other names after them."""
    found = indices(name)
    return (0, abs(found[0]), *found[1:], -found[0]) if found else (1, name)
