"""`simulate`: a measurement in the input format, its truth, and a recipe that inverts it; whole or not at all."""

from __future__ import annotations

import tomllib
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from nanotexture import schema
from nanotexture.plan import plan_recipe
from nanotexture.readers import read_map_header
from nanotexture.recipe import Recipe, read_recipe
from nanotexture.simulation import toml_from_tables

from .conftest import Finished
from .recipes_pruned import RECIPES, Ended, changes, files, nanotexture

SERIES = """
name = "series"
[input]
kind = "maps"
[simulate]
hkl = [[0, 0, 6], [2, 0, 6]]
temperatures = ["300 K", "10 K"]
voxels = [61, 41]
places = 4
[simulate.texture]
kind = "laminate"
period = "100 angstrom"
order = 0.2
[film]
in_plane = "5.36 angstrom"
material = "Ca2RuO4"
c = "12.1 angstrom"
thickness = "121 angstrom"
[invert]
starts = 3
"""


def simulated(recipe: Path, out: Path, *more: object) -> Ended:
    return nanotexture("simulate", recipe, "--out", out, "--json", *more)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("series")
    (folder / "series.toml").write_text(SERIES, encoding="utf-8")
    ended = simulated(folder / "series.toml", folder)
    assert ended.status == 0, ended.err
    return ended


def test_json_names_the_files_and_progress_goes_to_stderr(series: Ended) -> None:
    found = series.last_json
    assert series.out.count("\n") == 1
    assert "tasks" in series.err
    assert found["tasks"] == 2 + 4 + 4 + 2
    assert found["tasks_reused"] == 0
    assert len(found["maps"]) == 4
    for path in (*found["maps"], found["truth"], found["recipe"]):
        assert Path(path).exists()


def test_each_map_is_one_reflection_at_one_temperature(series: Ended) -> None:
    headers = [read_map_header(Path(path)) for path in series.last_json["maps"]]
    assert {(h.hkl, h.temperature) for h in headers} == {
        (hkl, t) for hkl in ((0, 0, 6), (2, 0, 6)) for t in (10.0, 300.0)
    }
    with h5py.File(series.last_json["maps"][0]) as file:
        assert file["entry/data/intensity"].attrs["units"] == "count"
        assert file["entry/data/intensity"].shape == (61, 41)


def test_the_truth_is_laid_out_as_a_result(series: Ended) -> None:
    tree = xr.open_datatree(series.last_json["truth"], engine="zarr", consolidated=False)
    assert tree.attrs["contract"] == 1
    assert tree.attrs["recipe"] == SERIES
    texture = tree["texture"].to_dataset()
    schema.check(texture, schema.RESULT_TRUTH)
    assert texture["temperature"].values.tolist() == [10.0, 300.0]
    assert texture["component"].values.tolist() == ["x", "z"]
    assert texture["displacement"].shape == (2, 2, 96, 10)
    np.testing.assert_allclose(texture["displacement"].mean(("x", "z")), 0.0, atol=1e-12)
    cold, warm = np.abs(texture["displacement"]).max(("component", "x", "z")).values
    assert cold > 0.05
    assert warm < 0.01 * cold
    assert np.isnan(texture["polarization"]).all()
    np.testing.assert_array_equal(texture["displacement_std"], 0.0)


def test_the_recipe_beside_the_maps_reads_them(series: Ended) -> None:
    path = Path(series.last_json["recipe"])
    recipe = read_recipe(path)
    assert recipe.simulate is None
    assert recipe.invert.starts == 3
    plan = plan_recipe(recipe, path)
    assert [one.temperature for one in plan.series] == [10.0, 300.0]
    assert {str(file) for file in plan.files} == set(series.last_json["maps"])


def test_the_same_again_is_reused_and_leaves_the_same_bytes(series: Ended) -> None:
    folder = Path(series.last_json["recipe"]).parent
    before = files(folder)
    again = simulated(folder.parent / "series.toml", folder.parent)
    assert again.last_json["tasks_reused"] == again.last_json["tasks"]
    assert files(folder) == before


def test_a_written_quickstart_is_the_one_that_run_simulates(quickstart: Finished, tmp_path: Path) -> None:
    """Counts in the files are those of the run's /maps, and its /truth is the truth."""
    ended = simulated(RECIPES / "quickstart.toml", tmp_path, *changes("quickstart"))
    result = xr.open_datatree(quickstart.result, engine="zarr", consolidated=False)
    with h5py.File(next(path for path in ended.last_json["maps"] if path.endswith("map_-103.nxs"))) as file:
        there, mask = file["entry/data/intensity"][()], file["entry/data/mask"][()]
    shown = result["maps/-103/intensity"].values[0]
    np.testing.assert_array_equal(there[mask == 0], shown[mask == 0])
    truth = xr.open_datatree(ended.last_json["truth"], engine="zarr", consolidated=False)
    np.testing.assert_array_equal(truth["texture/displacement"], result["truth/displacement"])


def test_what_simulates_nothing_is_refused(tmp_path: Path) -> None:
    ended = simulated(RECIPES / "pto_kto.toml", tmp_path)
    assert ended.status == 2
    assert "pto_kto.toml: simulate: expected a table" in ended.err


REFUSED = [
    ("simulate.texture.duty=0.95", "simulate.texture.duty: expected 0.3 to 0.7, found 0.95"),
    ("simulate.texture.points=4", "texture.points: expected 8 or more"),
    ("simulate.texture.points=100000000", "or fewer work"),
    ("simulate.coherence='9 m'", "simulate.coherence: expected"),
    ("simulate.energy='8048 keV'", "energy_kev: expected 0 to 200 keV"),
    ("simulate.texture.kind=closure", "Ca2RuO4"),
    ("simulate.texture.period='10 angstrom'", "period"),
    ("film.thickness='1e9 angstrom'", "film.thickness: expected 3 to 10000 planes of cells"),
    ("film.in_plane='0 angstrom'", "film.in_plane: expected a quantity above 0 angstrom"),
    ("simulate.texture.points=5", "series.toml: simulate: texture.points"),
    ("simulate.texture.period='20 angstrom'", "simulate.texture.period: expected 21.44 angstrom or more"),
    ("simulate.temperatures=['500 K']", "simulate.texture.temperature: expected 0 to 400 K"),
    ("simulate.temperatures=['10 K', '10 K']", "simulate.temperatures: expected each once"),
    ("simulate.temperatures=[10]", "simulate.temperatures[0]: expected a number and a unit"),
    ("simulate.hkl=[[2, 0, 0]]", "simulate.hkl: expected l other than 0"),
    ("simulate.hkl=[[0, 0, 40]]", "it needs"),
    ("simulate.seed=-1", "simulate.seed"),
    (
        "simulate={orders = 12, voxels = [40, 41], hkl = [[0, 0, 6]], texture = {kind = 'laminate', period = '9 nm'}}",
        "expected 49 or more along qx",
    ),
    ("simulate.gap=30", "simulate.gap: expected at most 20 voxels"),
    ("simulate.film_gap='900 angstrom'", "simulate.film_gap: expected less than or equal to 10"),
    ("simulate.background=1e40", "simulate.background: expected less"),
    ("simulate.peak_counts=1e30", "simulate.peak_counts: expected less"),
    ("simulate.places=0", "simulate.places: expected greater than 0"),
    ("simulate.texture.kind=laminat", "nearest known is 'laminate'"),
    ("simulate.texture.perid='9 nm'", "nearest known is 'period'"),
    ("film.thickness='24 angstrom'", "film.thickness: expected 3 to 10000 planes of cells, 36.3"),
    ("film.in_plane='3.8 angstrom'", "film.in_plane: expected 4."),
    ("film.c='4 angstrom'", "c of Ca2RuO4: expected"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED, ids=[change for change, _ in REFUSED])
def test_what_cannot_be_simulated_ends_with_2_and_leaves_nothing(
    tmp_path: Path, change: str, words: str
) -> None:
    path = tmp_path / "series.toml"
    text = SERIES.replace(
        'kind = "laminate"\nperiod = "100 angstrom"\norder = 0.2', 'kind = "closure"\nperiod = "100 angstrom"'
    )
    path.write_text(text if "closure" in change else SERIES, encoding="utf-8")
    ended = simulated(path, tmp_path / "out", "--set", change)
    assert ended.status == 2
    assert words in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err
    assert not [
        p for p in (tmp_path / "out").rglob("*") if p.suffix in (".nxs", ".toml") or p.name == "truth.zarr"
    ]


def test_tables_written_as_toml_are_read_back_alike() -> None:
    tables = {
        "name": 'a "quoted" \\ name\u00e9\n',
        "film": {
            "stack": [{"material": {"name": "x", "lattice": [3.9, 3.9, 4.0]}, "cells": 16, "c": "4 angstrom"}]
        },
        "invert": {"starts": 4, "strain": 1e-05, "odd key!": True},
        "texture": {"polarization": False, "none": []},
    }
    assert tomllib.loads(toml_from_tables(tables)) == tables
    for path in RECIPES.glob("*.toml"):
        whole = tomllib.loads(path.read_text(encoding="utf-8"))
        assert tomllib.loads(toml_from_tables(whole)) == whole
        if "film" in whole:
            assert Recipe.model_validate(tomllib.loads(toml_from_tables(whole)))


VOLUME = """
name = "board"
[input]
kind = "maps"
[simulate]
hkl = [[0, 0, 2], [1, 1, 3]]
energy = "12 keV"
voxels = [31, 33, 41]
places = 4
coherence = "200 angstrom"
orders = 2.2
[simulate.texture]
kind = "checkerboard"
period = "90 angstrom"
period_y = "70 angstrom"
polarization = 0.4
points = 16
[film]
in_plane = "3.905 angstrom"
stack = [ { material = "PbTiO3", cells = 12, c = "4.08 angstrom" } ]
substrate = { material = "SrTiO3", c = "3.905 angstrom" }
[invert]
starts = 1
"""


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("volume")
    (folder / "board.toml").write_text(VOLUME, encoding="utf-8")
    ended = simulated(folder / "board.toml", folder)
    assert ended.status == 0, ended.err
    return ended


def test_a_texture_with_two_directions_gives_maps_of_three_axes_that_a_run_takes(volume: Ended) -> None:
    with h5py.File(volume.last_json["maps"][0]) as file:
        assert file["entry/data"].attrs["axes"].tolist() == ["qx", "qy", "qz"]
        assert file["entry/data/intensity"].shape == (31, 33, 41)
        qy = file["entry/data/qy"][:]
    np.testing.assert_allclose(qy[[0, -1]], [-2.2 * 2 * np.pi / 70, 2.2 * 2 * np.pi / 70])
    headers = [read_map_header(Path(path)) for path in volume.last_json["maps"]]
    assert [header.axes for header in headers] == [("qx", "qy", "qz")] * 2
    written = Path(volume.last_json["recipe"])
    assert "simulate" not in tomllib.loads(written.read_text(encoding="utf-8"))
    assert nanotexture("check", written).status == 0


def test_satellites_of_a_checkerboard_stand_on_its_diagonals_alone(volume: Ended) -> None:
    """Orders (1, 1) and (1, -1) are bright and (1, 0) and (0, 1) dark: its cell is centred."""
    with h5py.File(volume.last_json["maps"][0]) as file:
        counts = file["entry/data/intensity"][:].sum(axis=2)
        qx, qy = (file[f"entry/data/{name}"][:] for name in ("qx", "qy"))

    def at(n: int, m: int) -> float:
        near = np.ix_(np.abs(qx - n * 2 * np.pi / 90) < 0.02, np.abs(qy - m * 2 * np.pi / 70) < 0.02)
        return float(counts[near].max())

    assert min(at(1, 1), at(1, -1), at(-1, 1)) > 20 * max(at(1, 0), at(0, 1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("simulate.voxels=[31, 41]", "voxels: expected numbers along qx, qy, qz"),
        ("simulate.voxels=[31, 8, 41]", "simulate.voxels"),
        ("simulate.texture.period_y='9 angstrom'", "simulate.texture.period_y: expected 15.62"),
        ("simulate.voxels=[400, 400, 41]", "of at most 2000000 in all"),
    ],
)
def test_a_volume_that_cannot_be_simulated_is_refused_by_its_field(
    change: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "board.toml").write_text(VOLUME, encoding="utf-8")
    ended = simulated(tmp_path / "board.toml", tmp_path, "--set", change)
    assert ended.status == 2
    assert words in ended.err
