"""Map files with three axes: from recipe to result and report, and as plane maps where nothing is periodic along y."""

import h5py
import numpy as np
import pytest
import xarray as xr
from nanotexture import schema
from nanotexture.engine.cluster import ClusterSettings
from nanotexture.engine.progress import Silent
from nanotexture.readers import read_map
from nanotexture.runner import run_recipe
from nanotexture.stages.convert import load
from nanotexture.stages.directions import directions
from nanotexture.stages.models import DirectionsConfig, LoadConfig, PrepareConfig
from nanotexture.stages.prepare_volume import prepare_volume

from .map_files import FILM, simulated, write_map
from .stages.volumes import CELLS, POINTS, write_files


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """002, 103 and -103 of the film alone, few modes: result and report."""
    folder = tmp_path_factory.mktemp("run")
    recipe = write_files(folder, ((0, 0, 2), (1, 0, 3), (-1, 0, 3)))
    changes = ("invert.starts=2", "invert.polynomials=2")
    return run_recipe(recipe, folder / "runs", changes, ClusterSettings(cluster="none"), Silent())


@pytest.fixture(scope="module")
def tree(run):
    with xr.open_datatree(run.result, engine="zarr", consolidated=False) as opened:
        return opened.load()


def test_a_run_of_volumes_ends_in_a_result_with_a_second_direction(tree):
    found = tree["texture"].to_dataset()
    schema.check(found, schema.VOLUME_RESULT_TEXTURE)
    assert dict(found.sizes) == {
        "temperature": 1, "component": 3, "strain_component": 6, "x": POINTS, "y": POINTS, "z": CELLS,
    }  # fmt: skip
    assert found["component"].values.tolist() == ["x", "y", "z"]
    assert found["strain_component"].values.tolist() == ["xx", "yy", "zz", "xy", "yz", "xz"]
    for name, group in tree["maps"].children.items():
        schema.check(group.to_dataset(), schema.VOLUME_RESULT_MAP)
        schema.check(tree[f"orders/{name}"].to_dataset(), schema.VOLUME_RESULT_ORDERS)
    schema.check(tree["clusters"].to_dataset(), schema.VOLUME_RESULT_CLUSTERS)


def test_what_these_reflections_do_not_determine_is_nan(tree):
    found = tree["texture"].to_dataset()
    known = np.isfinite(found["displacement"].values).all(axis=(0, 2, 3, 4))
    assert known.tolist() == [True, False, True]
    assert np.isnan(found["displacement"].values[:, 1]).all()
    names = found["strain_component"].values[np.isfinite(found["strain"].values).all(axis=(0, 2, 3, 4))]
    assert names.tolist() == ["xx", "zz", "xz"]


def test_the_model_of_a_map_is_its_orders_on_their_lines_and_a_background(tree):
    """Along qz the sum over the plane follows the sum of all orders; the background is smooth."""
    model = tree["maps/103"].to_dataset().isel(temperature=0)["model"].sum(("qx", "qy")).values
    orders = tree["orders/103"].to_dataset().isel(temperature=0)["model"].sum(("order", "order_y")).values
    assert np.corrcoef(model, orders)[0, 1] > 0.999


def test_each_reflection_is_predicted_by_the_others(tree):
    found = tree["left_out"].to_dataset()
    assert found.sizes["reflection"] == 3
    assert np.isfinite(found["cost_left_out"].values).all()


def test_groups_of_plane_textures_are_absent_and_the_result_says_why(tree):
    assert not {"domains", "energy", "series"} & set(tree.children)
    assert tree.attrs["warnings"].count("left out") == 3


def test_the_report_shows_slices_and_sums(run):
    page = run.report.read_text(encoding="utf-8")
    for words in (
        "at y = 0",
        "at z = ",
        "map summed along qy",
        "map summed along qx",
        "orders (0, n)",
        "left out",
    ):
        assert words in page


def split(path, counts, rng):
    """The counts of a plane map shared out over a qy axis, at random: their sum is what it was."""
    profile = np.exp(-0.5 * np.linspace(-3, 3, 25) ** 2)
    with h5py.File(path, "r+") as file:
        data = file["entry/data"]
        shared = rng.multinomial(counts.astype(int), profile / profile.sum())
        mask = np.repeat(data["mask"][...][:, None], 25, axis=1)
        del data["intensity"], data["mask"]
        data["intensity"], data["mask"] = shared.transpose(0, 2, 1).astype(float), mask
        data["intensity"].attrs["units"] = "count"
        data["qy"] = np.linspace(-0.2, 0.2, 25)
        data["qy"].attrs["units"] = "1/angstrom"
        data.attrs["axes"] = ["qx", "qy", "qz"]


def test_a_texture_that_is_uniform_along_y_gives_the_answer_of_its_plane_maps(tmp_path, monkeypatch):
    """The same counts as plane map and as volume: no satellites along qy, the volume is summed, and goes the same way on."""
    found = simulated((1, 0, 3)).copy()
    found["intensity"] = np.floor(found["intensity"])
    plane, volume = (write_map(tmp_path / f"{name}.nxs", found) for name in ("plane", "volume"))
    split(volume, np.nan_to_num(found["intensity"].values), np.random.default_rng(0))
    both = directions([volume], config=DirectionsConfig(film=FILM))
    assert int(both["both"]) == 0
    told = LoadConfig(film=FILM)
    maps = [load(plane, config=told), load(volume, both, config=told)]
    assert "qy" in read_map(volume, volume=True).dims
    for name in ("intensity", "variance", "mask"):
        np.testing.assert_allclose(maps[1][name].values, maps[0][name].values, rtol=1e-12)
    monkeypatch.setattr("nanotexture.stages.prepare_volume.prepared", lambda maps, config: maps[0])
    assert prepare_volume([maps[1]], config=PrepareConfig(film=FILM, period=None, seed=0)) is maps[1]
