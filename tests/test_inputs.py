"""Map files of the contract, from recipe to result: reflections, temperatures, a qy axis."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture.errors import UserError
from nanotexture.inputs import resolve

from .map_files import RECIPE, simulated, write_map, write_recipe
from .recipes_pruned import nanotexture

pytestmark = pytest.mark.usefixtures("no_report")
PAIR = ((0, 0, 2), (1, 0, 3))


def result_of(recipe: Path) -> xr.DataTree:
    ended = nanotexture("run", recipe, "--out", recipe.parent / "out", "--cluster", "none", "--json")
    assert ended.status == 0, ended.err
    return xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> xr.DataTree:
    """One reflection at two temperatures whose periods differ; the file of the higher one comes first."""
    folder = tmp_path_factory.mktemp("series")
    write_map(folder / "a.nxs", simulated((1, 0, 3), period=96.0), temperature=500.0)
    write_map(folder / "b.nxs", simulated((1, 0, 3), period=90.0), temperature=300.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nanotexture.report.page.write_report", lambda result, page: None)
        return result_of(write_recipe(folder))


def test_temperatures_make_a_rising_series(series: xr.DataTree) -> None:
    for group in ("texture", "clusters", "solutions", "maps/103"):
        assert series[group]["temperature"].values.tolist() == [300.0, 500.0]
    assert series["texture"].sizes["temperature"] == 2


def test_each_temperature_has_its_own_answer(series: xr.DataTree) -> None:
    np.testing.assert_allclose(series["texture/period"], [90.0, 96.0], rtol=0.01)
    first, second = series["texture/displacement_along_q"].values
    assert not np.allclose(first, second, atol=1e-3)


def test_the_result_names_its_files_with_their_digests(series: xr.DataTree) -> None:
    found = json.loads(series.attrs["inputs"])
    assert [one["file"] for one in found] == ["a.nxs", "b.nxs"]
    assert len({one["sha256"] for one in found}) == 2


def test_two_reflections_and_a_qy_axis_determine_both_components(tmp_path: Path) -> None:
    for hkl in PAIR:
        found = simulated(hkl, reflections=PAIR)
        write_map(tmp_path / f"{hkl[0]}.nxs", found, qy=7 if hkl == (1, 0, 3) else 0)
    result = result_of(write_recipe(tmp_path))
    texture = result["texture"]
    assert set(result["maps"].children) == {"002", "103"}
    assert np.isfinite(texture["displacement"]).all()
    assert np.isfinite(texture["strain"]).all()
    assert "displacement_along_q" not in texture
    assert float(texture["period"][0]) == pytest.approx(90.0, rel=0.01)
    assert np.isnan(texture["temperature"]).all()


def test_a_file_is_taken_once_however_often_it_is_named(tmp_path: Path) -> None:
    for name in ("b.nxs", "a.nxs"):
        (tmp_path / name).write_text("")
    found = resolve(["b.nxs", "*.nxs"], write_recipe(tmp_path, RECIPE), "input.files")
    assert [path.name for path in found] == ["b.nxs", "a.nxs"]


def test_a_glob_may_be_absolute(tmp_path: Path) -> None:
    (tmp_path / "a.nxs").write_text("")
    assert resolve([f"{tmp_path}/*.nxs"], Path("elsewhere.toml"), "f") == [tmp_path / "a.nxs"]


def test_a_dataset_is_all_its_files_or_the_one_named(mirror: Path) -> None:
    every = resolve(["pto_kto"], Path("r.toml"), "input.files")
    one = resolve(["pto_kto/e16014_09_t2t_002.ras"], Path("r.toml"), "input.files")
    assert len(every) > 1
    assert one == [mirror / "pto_kto" / "e16014_09_t2t_002.ras"]


def test_a_file_that_a_dataset_lacks_names_the_nearest(mirror: Path) -> None:
    with pytest.raises(UserError, match=r"did you mean 'e16014_09_t2t_002.ras'"):
        resolve(["pto_kto/e16014_09_t2t_003.ras"], Path("r.toml"), "input.files")
