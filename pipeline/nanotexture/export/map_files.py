"""Maps of a result as files of the contract's input format: `run` takes them back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from nanotexture.errors import UserError
from nanotexture.simulate.axes import Axes
from nanotexture.simulate.counting import Measured
from nanotexture.simulate.map_files import write_map


def write_map_files(tree: xr.DataTree, folder: Path, stem: str) -> tuple[Path, ...]:
    """One file for each reflection and temperature; the paths come back."""
    if "maps" not in tree.children:
        raise UserError("result: expected a group /maps, found none")
    name = str(tree.attrs.get("name", stem))
    return tuple(
        write_map(folder / f"{stem}_{label}.nxs", measured, name=name, temperature=kelvin)
        for label, measured, kelvin in _maps(tree.children["maps"])
    )


def _maps(maps: xr.DataTree) -> Iterator[tuple[str, Measured, float | None]]:
    for name, node in maps.children.items():
        dataset = node.to_dataset()
        for t in range(dataset.sizes["temperature"]):
            kelvin = float(dataset["temperature"][t])
            known = math.isfinite(kelvin)
            at = f"_{kelvin:g}K" if known else f"_{t}" if dataset.sizes["temperature"] > 1 else ""
            yield f"{name}{at}", _measured(dataset.isel(temperature=t)), kelvin if known else None


def _measured(one: xr.Dataset) -> Measured:
    if "energy" not in one:
        raise UserError("result: /maps: expected a variable energy, found none; run the recipe again")
    hkl = one.attrs["hkl"]
    qy = one["qy"].values if "qy" in one.dims else None
    return Measured(
        hkl=(int(hkl[0]), int(hkl[1]), int(hkl[2])),
        axes=Axes(qx=one["qx"].values, qz=one["qz"].values, qy=qy),
        energy_kev=float(one["energy"]),
        intensity=np.nan_to_num(one["intensity"].values),
        variance=np.nan_to_num(one["variance"].values),
        mask=one["mask"].values,
    )
