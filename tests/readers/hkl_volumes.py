"""Small volumes along h, k, l as NXRefine writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

AXES = {
    "Qh": np.linspace(0.0, 2.0, 21),
    "Qk": np.linspace(-0.5, 0.5, 11),
    "Ql": np.linspace(1.0, 5.0, 41),
}
CELL = {"a": 3.9, "b": 4.0, "c": 8.0, "alpha": 90.0, "beta": 90.0, "gamma": 90.0}


def counts_along(h: np.ndarray, k: np.ndarray, ell: np.ndarray) -> np.ndarray:
    """Counts (h, k, l) that tell their place: a bright spot at 1 0 3 on a slope."""
    spot = 500 * np.exp(-(((h - 1) / 0.1) ** 2) - (k / 0.1) ** 2 - ((ell - 3) / 0.1) ** 2)
    return np.round(10 + 5 * h + 20 * k + 3 * ell + spot)


def write_volume(path: Path, order: tuple[str, ...] = ("Ql", "Qk", "Qh"), **options: Any) -> Path:
    """A file as NXRefine writes it: axes in r.l.u. in this order, cell and wavelength; options replace or leave out (None)."""
    grid = np.meshgrid(*AXES.values(), indexing="ij")
    data = counts_along(*grid).transpose([list(AXES).index(name) for name in order])
    with h5py.File(path, "w") as file:
        for name, value in (CELL | options.get("cell", {})).items():
            if value is not None:
                file[f"entry/sample/unitcell_{name}"] = np.float32(value)
        file["entry/sample/name"] = "film"
        file["entry/instrument/monochromator/wavelength"] = options.get("wavelength", 0.5)
        file["entry/instrument/monochromator/wavelength"].attrs["units"] = "angstrom"
        group = file.create_group(options.get("group", "entry/transform"))
        group.attrs["NX_class"], group.attrs["signal"], group.attrs["axes"] = "NXdata", "data", list(order)
        group["data"] = options.get("data", data)
        for name in order:
            group[name] = options.get(name, AXES[name])
        if "change" in options:
            options["change"](file)
    return path
