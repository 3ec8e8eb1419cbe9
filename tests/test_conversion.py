"""Recipes without a film: instrument files to maps and a report, nothing inverted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture import schema

from .readers.spec_files import spec_file, spec_scan
from .recipes_pruned import nanotexture

RECIPE = """
name = "lab"
[input]
kind = "scans"
files = ["lab_maps/sto_013_area.xrdml", "lab_maps/layer_m420_mesh.xrdml"]
hkl = [[0, 1, 3], [-4, 2, 0]]
"""


def converted(tmp_path: Path, text: str = RECIPE, *more: str):
    recipe = tmp_path / "lab.toml"
    recipe.write_text(text)
    return nanotexture("run", recipe, "--out", tmp_path / "out", "--cluster", "none", "--json", *more)


def test_maps_come_without_a_film_and_without_an_inversion(mirror: Path, tmp_path: Path) -> None:
    ended = converted(tmp_path)
    assert ended.status == 0, ended.err
    result = xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()
    assert set(result.children) == {"maps"}
    one = schema.check(result["maps/013"].to_dataset(), schema.CONVERTED_MAP)
    assert one["source"].values.tolist() == ["sto_013_area.xrdml"]
    peak = one["intensity"].isel(temperature=0).where(one["mask"].isel(temperature=0) == 0)
    qx, qz = (float(peak.max(q).idxmax()) for q in ("qz", "qx"))
    assert 2 * np.pi / qx == pytest.approx(3.905, abs=0.03)  # strontium titanate, goniometer not aligned
    assert 6 * np.pi / qz == pytest.approx(3.905, abs=0.01)
    assert len(json.loads(result.attrs["inputs"])) == 2


def test_the_report_of_a_conversion_shows_each_map_and_says_that_nothing_was_inverted(
    mirror: Path, tmp_path: Path
) -> None:
    page = Path(converted(tmp_path).last_json["report"]).read_text(encoding="utf-8")
    assert page.count("data:image/png") == 2
    assert "not inverted" in page


MESHES = """
name = "manganite"
[input]
kind = "scans"
files = ["lmn40/lmn40.spe"]
scans = [[140, 141], [144, 145, 146]]
hkl = [[1, 0, 17], [1, 0, 18]]
"""


def test_meshes_of_a_spec_file_become_maps_and_those_across_the_normal_a_volume(
    mirror: Path, tmp_path: Path
) -> None:
    ended = converted(tmp_path, MESHES)
    assert ended.status == 0, ended.err
    result = xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()
    upright = schema.check(result["maps/1_0_17"].to_dataset(), schema.CONVERTED_MAP)
    assert upright["source"].values.tolist() == ["lmn40.spe scan 140, 141"]
    assert np.ptp(upright["qz"].values) == pytest.approx(2 * 2 * np.pi / 20.0772)
    across = schema.check(result["maps/1_0_18"].to_dataset(), schema.CONVERTED_VOLUME)
    assert dict(across.sizes) == {"temperature": 1, "qx": 18, "qy": 51, "qz": 3}


def test_points_that_an_aborted_mesh_lacks_are_told(mirror: Path, tmp_path: Path) -> None:
    ended = converted(tmp_path, MESHES, "--set", "input.scans=[149]", "--set", "input.hkl=[1, 0, 17]")
    assert ended.status == 2  # 3 points are no mesh
    assert "at least 2 lines" in ended.err
    small = tmp_path / "small.spec"
    rows = [[1 + 0.01 * (n % 3), 0, 17 + 0.1 * (n // 3), n, 1000, 1, 2, 5 + n] for n in range(8)]
    small.write_text(spec_file(spec_scan(rows, command="hklmesh  H 1 1.02 2  L 17 17.2 2  -1000")))
    told = ("--set", f"input.files=['{small}']", "--set", "input.scans=[]", "--set", "input.hkl=[1, 0, 17]")
    ended = converted(tmp_path, MESHES, *told)
    assert ended.status == 0, ended.err
    result = xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()
    assert json.loads(result.attrs["warnings"]) == ["small.spec scan 1: 1 of 9 points were not measured"]
    assert int(result["maps/1_0_17/mask"].sum()) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("input.scans=[140, 999]", ("lmn40.spe", "found no scan 999")),
        ("input.scans=[148, 141]", ("scan 148, ic2", "a monitor above 0")),
        ("input.scans=[140]", ("hkl", "1 scans", "found 2")),
        ("input.scans=[]", ("hkl", "1 files")),
        ("input.files=['lab_maps/rsm_111.rasx']", ("input.scans", "one SPEC file, found rsm_111.rasx")),
        ("input.files=['a.spec', 'b.spec']", ("scans", "one file", "2 files")),
    ],
)
def test_scans_that_cannot_be_maps_are_refused(
    mirror: Path, tmp_path: Path, change: str, words: tuple[str, ...]
) -> None:
    ended = converted(tmp_path, MESHES, "--set", change)
    assert ended.status == 2
    assert len(ended.err.strip().splitlines()) == 1
    assert all(word in ended.err for word in words), ended.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("convrt.energy='8 keV'", ("convrt", "unknown key")),
        ("film.in_plane='4 angstrom'", ("film", "material")),
        ("input.files=[]", ("0 files", "expected")),
        ("input.align={file='a.ras', hkl=[1, 0, 3]}", ("input.align", "film")),
        ("input.hkl=[[0, 1, 3], [1, 0, 3], [0, 0, 1]]", ("hkl", "found 3")),
    ],
)
def test_a_conversion_that_cannot_be_is_refused(
    mirror: Path, tmp_path: Path, change: str, words: tuple[str, ...]
) -> None:
    ended = converted(tmp_path, RECIPE, "--set", change)
    assert ended.status == 2
    assert len(ended.err.strip().splitlines()) == 1
    assert all(word in ended.err for word in words), ended.err
    assert not (tmp_path / "out" / "lab" / "result.zarr").exists()
