"""A crystal as a CXI file (Maia, Nat. Methods 9, 854 (2012); cxidb.org, version 1.6), opened by any HDF5 program.

/entry_1/image_1 holds the complex density, image_2 the counts; data_1 and data_2 link to their arrays; process_1 says what
made them. CXI arrays run z, y, x with x fastest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from nanotexture.errors import UserError
from nanotexture.simulate.nexus import add_group, nexus_file

VERSION = 160
INVALID = 0x00000001  # CXI_PIXEL_INVALID
METRE = 1e-10  # an angstrom


def write_cxi(tree: xr.DataTree, folder: Path, stem: str) -> tuple[Path, ...]:
    """One file <stem>.cxi of a crystal's /object and /diffraction; the path comes back."""
    if "object" not in tree.children:
        raise UserError(
            "result: expected a group /object, since CXI holds images of particles (nexus and vti take films), "
            f"found {', '.join(sorted(tree.children))}"
        )
    path = folder / f"{stem}.cxi"
    found, pattern = tree["object"].to_dataset(), tree["diffraction"].to_dataset()
    with nexus_file(path) as file:
        file["cxi_version"] = VERSION
        file.attrs["default"] = "entry_1"
        entry = add_group(file, "entry_1", "NXentry")
        entry["title"] = str(tree.attrs.get("name", ""))
        entry["program_name"] = "nanotexture"
        _process(entry, tree.attrs, found)
        _density(entry, found)
        _counts(entry, pattern)
        _displacement(entry, found)
    return (path,)


def _process(entry: h5py.Group, attrs: Mapping[Any, Any], found: xr.Dataset) -> None:
    """Who made the images, from what, and how well they describe it."""
    process = add_group(entry, "process_1", "NXprocess")
    process["program"] = "nanotexture"
    process["version"] = str(attrs.get("version", ""))
    process["command"] = "nanotexture run RECIPE, the recipe being the configuration"
    process["configuration"] = str(attrs.get("recipe", ""))
    process["changes"] = str(attrs.get("changes", "[]"))
    process["inputs"] = str(attrs.get("inputs", "[]"))
    process["comment"] = str(found.attrs["inversion_comment"])
    quality = add_group(process, "quality", "NXcollection")
    for name in ("chi2", "free_chi2", "deviance", "background", "q", "d_spacing", "weight"):
        quality[name] = float(found.attrs[name])
    for name in ("coherence_width", "q_direction", "hkl"):
        value = json.loads(found.attrs[name])
        if value is not None:
            quality[name] = np.array(value)


def _image(
    entry: h5py.Group, number: int, data: np.ndarray, mask: np.ndarray, space: str, what: str
) -> h5py.Group:
    image = add_group(entry, f"image_{number}", "NXdata")
    image.attrs["signal"] = "data"
    image.create_dataset("data", data=_zyx(data), compression="gzip", shuffle=True)
    image.create_dataset("mask", data=_zyx(mask).astype(np.uint32) * INVALID, compression="gzip")
    image["data_space"], image["data_type"] = space, what
    image["dimensionality"], image["is_fft_shifted"] = 3, 0
    # x, y, z of the middle of the array, in voxels
    image["image_center"] = np.array([n // 2 for n in data.shape], dtype=float)
    image["process_1"] = h5py.SoftLink("/entry_1/process_1")
    link = add_group(entry, f"data_{number}", "NXdata")
    link["data"] = h5py.SoftLink(f"/entry_1/image_{number}/data")
    return image


def _zyx(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values.transpose(2, 1, 0))


def _density(entry: h5py.Group, found: xr.Dataset) -> None:
    density = (found["density_real"].values + 1j * found["density_imag"].values).astype(np.complex64)
    outside = found["amplitude"].values == 0
    image = _image(entry, 1, density, outside, "real", "electron density")
    voxel = np.array(json.loads(found.attrs["voxel"])) * METRE
    image["image_size"] = voxel * np.array(density.shape)
    image["image_size"].attrs["units"] = "m"
    image["voxel_size"] = voxel
    image["voxel_size"].attrs["units"] = "m"
    image["support"] = _zyx(found["support"].values)


def _counts(entry: h5py.Group, pattern: xr.Dataset) -> None:
    counts = np.nan_to_num(pattern["intensity"].values).astype(np.float32)
    image = _image(entry, 2, counts, pattern["mask"].values != 0, "diffraction", "intensity")
    image.create_dataset("model", data=_zyx(pattern["model"].values.astype(np.float32)), compression="gzip")
    steps = np.array([float(pattern[q][1] - pattern[q][0]) for q in ("qx", "qy", "qz")])
    image["q_step"] = steps / METRE
    image["q_step"].attrs["units"] = "1/m"


def _displacement(entry: h5py.Group, found: xr.Dataset) -> None:
    """Displacement and strain along Q, NaN outside the crystal, for programs that want no complex numbers."""
    for name, unit, scale in (("displacement_along_q", "m", METRE), ("strain_along_q", "1", 1.0)):
        values = (found[name].values * scale).astype(np.float32)
        data = entry["image_1"].create_dataset(name, data=_zyx(values), compression="gzip")
        data.attrs["units"] = unit
