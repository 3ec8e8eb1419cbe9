"""Every recipe of the folder runs in a small form and gives the physics that is known of its film."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture import schema
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from .conftest import Finished
from .recipes_pruned import HOW, PRUNED, RECIPES, arguments, files, nanotexture

TRAININGS = {
    "train_crystal",
    "train_film",
    "train_texture",
}  # run by tests/test_train.py and test_train_film.py
NAMES = sorted(path.stem for path in RECIPES.glob("*.toml"))
WITH_RESULT_TESTS = {"quickstart", "pto_kto"}
OF_FRAMES = {"staff54"}  # crystals, in test_crystal_frames.py
CONVERSIONS = {"lab_maps", "lmn40", "nno_6idb", "bfo_series", "staff54_frames"}
GROUPS = {
    "/texture": schema.RESULT_TEXTURE,
    "/domains": schema.DOMAINS,
    "/energy": schema.ENERGY,
    "/series": schema.SERIES,
    "/left_out": schema.RESULT_LEFT_OUT,
    "/solutions": schema.RESULT_SOLUTIONS,
    "/clusters": schema.RESULT_CLUSTERS,
    "/reference": schema.REFERENCE,
    "/modes": schema.RESULT_MODES,
    "/alignment": schema.ALIGNMENT,
    "/truth": schema.RESULT_TRUTH,
    "/score": schema.SCORE,
}
BELOW = {
    "/maps": schema.RESULT_MAP,
    "/orders": schema.RESULT_ORDERS,
    "/thickness_scan": schema.THICKNESS_SCAN,
}


def opened(result: Path) -> xr.DataTree:
    return xr.open_datatree(result, engine="zarr", consolidated=False).load()


@pytest.fixture(scope="module")
def pto_kto(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The measured film, in its small form."""
    out = tmp_path_factory.mktemp("pto_kto")
    ended = nanotexture(*arguments("pto_kto", out))
    assert ended.status == 0, ended.err
    return Finished(out, Path(ended.last_json["result"]), ended.last_json)


@pytest.fixture(scope="module")
def measured(pto_kto: Finished) -> xr.DataTree:
    return opened(pto_kto.result)


@pytest.fixture(scope="module")
def simulated(quickstart: Finished) -> xr.DataTree:
    return opened(quickstart.result)


@pytest.fixture(params=sorted(WITH_RESULT_TESTS))
def result(request: pytest.FixtureRequest) -> xr.DataTree:
    """The result of each recipe in turn."""
    found: xr.DataTree = request.getfixturevalue(
        {"quickstart": "simulated", "pto_kto": "measured"}[request.param]
    )
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_has_a_pruned_form(name: str) -> None:
    assert name in PRUNED, f"recipes/{name}.toml is run by no test: {HOW}"


def test_no_pruned_form_is_without_its_recipe() -> None:
    assert set(PRUNED) <= set(NAMES)


@pytest.mark.parametrize("name", sorted(set(NAMES) - WITH_RESULT_TESTS - CONVERSIONS - OF_FRAMES - TRAININGS))
def test_other_recipes_run(name: str, mirror: Path, tmp_path: Path) -> None:
    ended = nanotexture(*arguments(name, tmp_path))
    assert ended.status == 0, ended.err
    found = opened(Path(ended.last_json["result"])).groups
    assert {"/texture", "/object"} & set(found)


@pytest.fixture(scope="module")
def converted(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], xr.DataTree]:
    """The result of a conversion in its small form, run once."""

    @cache
    def run(name: str) -> xr.DataTree:
        ended = nanotexture(*arguments(name, tmp_path_factory.mktemp(name)))
        assert ended.status == 0, ended.err
        return opened(Path(ended.last_json["result"]))

    return run


@pytest.mark.parametrize("name", sorted(CONVERSIONS))
def test_conversions_run_and_hold_maps_only(name: str, converted: Callable[[str], xr.DataTree]) -> None:
    found = converted(name)
    assert set(found.children) == {"maps"}
    for one in found["maps"].children.values():
        entries = schema.CONVERTED_VOLUME if "qy" in one.dims else schema.CONVERTED_MAP
        schema.check(one.to_dataset(), entries)


def test_the_rod_of_the_membrane_has_its_fringes(converted: Callable[[str], xr.DataTree]) -> None:
    one = converted("nno_6idb")["maps/111"].to_dataset().isel(temperature=0)
    rod = one["intensity"].sel(qx=slice(2.24, 2.32)).mean("qx")
    smooth = gaussian_filter1d(rod.fillna(0).values, 4)
    peaks, _ = find_peaks(np.log(np.maximum(smooth, 1)), prominence=0.1)
    c_star = 1.63127  # 1/angstrom, of the UB in the SPEC file
    places = rod["qz"].values[peaks] / c_star
    np.testing.assert_allclose(places, [0.9786, 1.0159, 1.0549, 1.0933, 1.1323], atol=2e-3)


def test_the_rod_of_the_rocked_film_stands_upright_in_every_scan(
    converted: Callable[[str], xr.DataTree],
) -> None:
    """On the detector the peak moves by a column a frame; in Q it is a rod, whose place drifts by less than a pixel."""
    one = converted("bfo_series")["maps/002"].to_dataset()
    counts = one["intensity"].fillna(0).clip(0).rolling(qz=9, center=True, min_periods=1).mean()
    bright = counts.where(counts > 0.2 * counts.max("qx"), 0)
    centre = (bright * one["qx"]).sum("qx") / bright.sum("qx")
    rod = counts.sum("qx") > 0.1 * counts.sum("qx").max("qz")
    for t in range(3):
        along = centre.isel(temperature=t)[rod.isel(temperature=t).values]
        assert float(along["qz"].max() - along["qz"].min()) > 0.03
        assert float(along.std()) < 1.5e-3
    assert float(centre.where(rod).mean("qz").std()) < 5e-4
    assert one["source"].values.tolist() == [f"bfo_series.zip scan {n}" for n in (1, 6, 10)]


def test_the_gold_crystal_stands_at_its_spacing(converted: Callable[[str], xr.DataTree]) -> None:
    one = converted("staff54_frames")["maps/111"].to_dataset().isel(temperature=0)
    at = one["intensity"].where(one["mask"] == 0).argmax(["qx", "qy", "qz"])
    q = [float(one[axis][at[axis]]) for axis in ("qx", "qy", "qz")]
    assert 2 * np.pi / np.linalg.norm(q) == pytest.approx(2.355, rel=0.01)  # the direct beam is not given


# --- what every result is


def labelled_groups(result: xr.DataTree) -> Iterator[tuple[str, xr.Dataset, schema.Schema]]:
    for path in result.groups:
        entries = GROUPS.get(path) or BELOW.get(str(Path(path).parent))
        if entries is not None:
            yield path, result[path].to_dataset(), entries
        else:
            assert not result[path].data_vars, f"{path}: a group that no schema describes"


def test_every_group_is_as_its_schema_says(result: xr.DataTree) -> None:
    seen = {
        path
        for path, dataset, entries in labelled_groups(result)
        if schema.check(dataset, entries) is not None
    }
    found = {"/texture", "/domains", "/energy", "/series"}
    assert found | {"/solutions", "/clusters", "/reference", "/modes"} <= seen


def test_every_variable_has_units_a_name_and_a_sentence(result: xr.DataTree) -> None:
    for path, dataset, _ in labelled_groups(result):
        for name, variable in dataset.variables.items():
            if name in dataset.coords and name not in ("x", "z", "temperature", "qx", "qz", "order"):
                continue
            missing = [key for key in ("units", "long_name", "comment") if not variable.attrs.get(key)]
            assert missing == [], f"{path}/{name}"
            assert str(variable.attrs["comment"]).endswith("."), f"{path}/{name}"


def test_every_group_is_zarr_format_3(quickstart: Finished) -> None:
    roots = [path for path in quickstart.result.rglob("zarr.json")]
    assert {json.loads(path.read_text())["zarr_format"] for path in roots} == {3}


def test_the_root_says_where_the_result_is_from(result: xr.DataTree) -> None:
    assert result.attrs["contract"] == 1
    assert result.attrs["creator"] == "nanotexture"
    name = result.attrs["name"]
    assert result.attrs["recipe"] == (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    for one in json.loads(result.attrs["inputs"]):
        assert len(one["sha256"]) == 64
    assert len(json.loads(result.attrs["inputs"])) == {"quickstart": 0, "pto_kto": 3}[name]


def test_what_is_not_determined_is_nan_and_never_zero(result: xr.DataTree) -> None:
    texture = result["texture"].to_dataset()
    assert np.isnan(texture["polarization"]).all()
    assert np.isnan(texture["polarization_std"]).all()
    for name in ("displacement", "strain"):
        known = np.isfinite(texture[name]).values
        assert np.array_equal(known, np.isfinite(texture[f"{name}_std"]).values)
        assert (texture[f"{name}_std"].values[known] > 0).all()


def test_the_grid_is_a_fraction_of_a_period_and_heights_above_the_substrate(result: xr.DataTree) -> None:
    texture = result["texture"].to_dataset()
    x, z = texture["x"].values, texture["z"].values
    assert x[0] == 0
    assert (np.diff(x) > 0).all()
    assert x[-1] < 1
    assert (np.diff(z) > 0).all()
    assert z[0] >= 0
    assert z[-1] <= float(texture["thickness"][0]) * 1.02
    np.testing.assert_allclose(texture["x_position"][0], x * float(texture["period"][0]))


def test_weights_are_shares_and_starts_name_their_cluster(result: xr.DataTree) -> None:
    weight = result["clusters"]["weight"].values[0]
    label = result["solutions"]["cluster"].values[0]
    assert np.nansum(weight) == pytest.approx(1.0)
    counts = np.bincount(label[label >= 0], minlength=len(weight))
    np.testing.assert_allclose(weight, counts / counts.sum())
    assert len(label) == 4


def test_the_texture_is_the_representative_of_the_first_cluster(result: xr.DataTree) -> None:
    name = "displacement_along_q" if "displacement_along_q" in result["texture"] else "displacement"
    texture, cluster = result["texture"][name].values[0], result["clusters"][name].values[0, 0]
    np.testing.assert_allclose(texture, cluster, atol=1e-12)
    np.testing.assert_allclose(np.nanmean(texture, axis=(-2, -1)), 0.0, atol=1e-9)


# --- the simulated film: the truth is recovered


def test_the_simulated_displacement_is_recovered(simulated: xr.DataTree) -> None:
    score = simulated["score"]
    error_x, error_z = score["nrmse"].values[0]
    assert error_x < 0.35
    assert error_z < 0.20
    assert (score["correlation"].values[0] > 0.93).all()
    assert abs(float(score["period_error"][0])) < 0.5
    assert abs(float(score["thickness_error"][0])) < 5.0
    assert float(score["success_rate"][0]) >= 0.5


def test_the_simulated_film_resolves_its_inversion(simulated: xr.DataTree) -> None:
    attrs = simulated["texture"].attrs
    assert attrs["inversion"] == "resolved"
    assert json.loads(attrs["determined_components"]) == ["x", "z"]


def test_the_report_of_the_simulated_film_shows_the_score(quickstart: Finished) -> None:
    page = Path(quickstart.said["report"]).read_text(encoding="utf-8")
    assert "nrmse" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


# --- the measured film: PbTiO3 on KTaO3


def test_the_goniometer_was_off_by_what_the_substrate_says(measured: xr.DataTree) -> None:
    assert 0.0060 < float(measured["alignment/omega_offset"]) < 0.0085
    assert 0.0140 < float(measured["alignment/two_theta_offset"]) < 0.0210


def test_the_film_is_coherent_with_its_substrate_and_strained(measured: xr.DataTree) -> None:
    assert float(measured["texture/c"][0]) == pytest.approx(3.922, abs=0.001)
    orders = measured["orders/-103"].to_dataset()
    centre = float(orders["line_position"].sel(order=0)[0])
    assert 2 * np.pi / abs(centre) == pytest.approx(3.9885, abs=0.002)


def test_the_domains_have_their_period(measured: xr.DataTree) -> None:
    assert float(measured["texture/period"][0]) == pytest.approx(235.0, abs=3.0)
    assert 0 < float(measured["texture/period_std"][0]) < 2.0  # it keeps its phase over less than a period
    assert 100 < float(measured["texture/correlation_length"][0]) < 400


def test_map_and_symmetric_scan_agree_on_the_thickness(measured: xr.DataTree) -> None:
    texture, scan = measured["texture"], measured["thickness_scan/002"]
    fitted, other = float(texture["thickness"][0]), float(scan["thickness"])
    error = np.hypot(float(texture["thickness_std"][0]), float(scan["thickness_std"]))
    assert 310 < fitted < 330
    assert 310 < other < 330
    assert abs(fitted - other) < 2 * error
    assert error < 20
    assert float(scan["c"]) == pytest.approx(3.922, abs=0.003)


def test_one_reflection_gives_the_displacement_along_q_alone(measured: xr.DataTree) -> None:
    texture = measured["texture"].to_dataset()
    assert np.isnan(texture["displacement"]).all()
    assert np.isnan(texture["strain"]).all()
    assert np.isfinite(texture["displacement_along_q"]).all()
    assert (texture["displacement_along_q_std"] > 0).all()
    assert 0.05 < float(texture["displacement_along_q"].std()) < 1.0
    assert texture.attrs["inversion"] in ("resolved", "unresolved")
    direction = np.array([-2 * np.pi / 3.9885, 3 * 2 * np.pi / 3.922])
    np.testing.assert_allclose(texture.attrs["q_direction"], direction / np.linalg.norm(direction), atol=1e-3)


def test_the_model_describes_the_measured_map(measured: xr.DataTree) -> None:
    assert float(measured["texture/amplitude_correlation"][0]) > 0.95
    one = measured["maps/-103"].to_dataset()
    use = np.isfinite(one["intensity"]) & np.isfinite(one["model"])
    again = np.corrcoef(
        *(np.sqrt(np.clip(one[n].values[use.values], 0, None)) for n in ("intensity", "model"))
    )
    assert again[0, 1] == pytest.approx(float(measured["texture/amplitude_correlation"][0]))


# --- the same again


def test_a_second_run_reuses_every_task_and_leaves_the_same_bytes(
    quickstart: Finished, no_report: None
) -> None:
    before = files(quickstart.result)
    ended = nanotexture(*arguments("quickstart", quickstart.out))
    assert ended.last_json["tasks_reused"] == ended.last_json["tasks"]
    assert files(quickstart.result) == before


def test_workers_leave_the_same_bytes_as_none(quickstart: Finished, tmp_path: Path, no_report: None) -> None:
    told = ("--cluster", "local", "--workers", "2")
    ended = nanotexture(*arguments("quickstart", tmp_path, *told))
    assert ended.status == 0, ended.err
    assert ended.last_json["tasks_reused"] == 0
    assert files(Path(ended.last_json["result"])) == files(quickstart.result)
