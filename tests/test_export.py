"""Results written for other programs, and read back by them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
import xarray as xr
from nanotexture.export import FORMATS
from nanotexture.readers import read_map
from nexusformat.nexus import nxload
from silx.io.nxdata import get_default as silx_default

from .conftest import Finished
from .recipes_pruned import nanotexture


@pytest.fixture(scope="module")
def opened(quickstart: Finished) -> xr.DataTree:
    return xr.open_datatree(quickstart.result, engine="zarr", consolidated=False).load()


def exported(quickstart: Finished, to: str, out: Path) -> list[Path]:
    ended = nanotexture("export", quickstart.result, "--to", to, "--out", out, "--json")
    assert ended.status == 0, ended.err
    return [Path(one) for one in ended.last_json["files"]]


def test_nexus_is_opened_by_nexusformat_and_silx(
    quickstart: Finished, opened: xr.DataTree, tmp_path: Path
) -> None:
    (path,) = exported(quickstart, "nexus", tmp_path)
    entry = nxload(path)["entry"]
    assert entry["maps/103"].nxsignal.nxname == "intensity"
    np.testing.assert_array_equal(entry["maps/103/intensity"].nxdata, opened["maps/103/intensity"].values)
    assert entry["texture/displacement"].attrs["units"] == "angstrom"
    assert [axis.nxname for axis in entry["maps/103"].nxaxes] == ["temperature", "qx", "qz"]
    with h5py.File(path) as file:
        shown = silx_default(file)
        assert shown is not None
        assert shown.is_valid
        assert shown.signal.shape == opened["texture/displacement"].shape
        assert json.loads(file["entry/process"].attrs["inputs"]) == []


def test_map_files_are_taken_back_with_every_count(
    quickstart: Finished, opened: xr.DataTree, tmp_path: Path
) -> None:
    paths = exported(quickstart, "maps", tmp_path)
    assert len(paths) == len(opened["maps"].children)
    for path in paths:
        found = read_map(path)
        name = "".join(str(int(n)) for n in found["hkl"].values)
        one = opened[f"maps/{name}"].to_dataset().isel(temperature=0)
        measured = one["mask"].values == 0
        np.testing.assert_array_equal(found["mask"], one["mask"])
        np.testing.assert_array_equal(found["intensity"].values[measured], one["intensity"].values[measured])
        np.testing.assert_array_equal(found["variance"].values[measured], one["variance"].values[measured])
        assert float(found["energy"]) == float(one["energy"])


def decoded(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays of a .vti by name, (z, y, x, component), and the attributes of the image: read by the format's definition."""
    image = ElementTree.parse(path).getroot().find("ImageData")
    assert image is not None
    extent = [int(n) for n in image.attrib["WholeExtent"].split()]
    shape = [extent[2 * i + 1] - extent[2 * i] + 1 for i in (2, 1, 0)]
    found = {}
    for array in image.iter("DataArray"):
        raw = base64.b64decode(array.text or "")
        assert int(np.frombuffer(raw[:8], "<u8")[0]) == len(raw) - 8
        found[array.attrib["Name"]] = np.frombuffer(raw[8:], "<f8").reshape(*shape, -1)
    return found, dict(image.attrib)


def test_vti_holds_the_fields_with_x_fastest(
    quickstart: Finished, opened: xr.DataTree, tmp_path: Path
) -> None:
    (path,) = exported(quickstart, "vti", tmp_path)
    fields, image = decoded(path)
    texture = opened["texture"].to_dataset().isel(temperature=0)
    u = fields["displacement (angstrom)"]
    assert u.shape == (texture.sizes["z"], 1, texture.sizes["x"], 3)
    middle = texture["displacement"].values[:, :, texture.sizes["z"] // 2]
    np.testing.assert_allclose(u[texture.sizes["z"] // 2, 0, :, 0], middle[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(u[texture.sizes["z"] // 2, 0, :, 2], middle[1], rtol=1e-9, atol=1e-12)
    assert (u[..., 1] == 0).all()
    spacing = [float(n) for n in image["Spacing"].split()]
    assert spacing[0] == pytest.approx(float(texture["x_position"][1] - texture["x_position"][0]))
    assert np.isnan(fields["polarization (C/m^2)"][..., [0, 2]]).all()  # not determined stays NaN


@pytest.mark.parametrize("to", ["vtk", "", "CXI"])
def test_an_unknown_format_is_refused_with_those_that_are_known(quickstart: Finished, to: str) -> None:
    ended = nanotexture("export", quickstart.result, "--to", to)
    assert ended.status == 2
    assert all(name in ended.err for name in FORMATS)


def test_a_folder_without_a_result_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    ended = nanotexture("export", tmp_path / "no.zarr", "--to", "nexus", "--out", tmp_path / "out")
    assert ended.status == 2
    assert "no.zarr" in ended.err
    assert not (tmp_path / "out").exists()
