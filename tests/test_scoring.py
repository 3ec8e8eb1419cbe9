"""`score`: zero for the truth and what cannot be told from it, the size of noise, refusals that name the place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture.engine.store import write_tree_atomically
from nanotexture.film.config import FilmConfig, LayerConfig
from nanotexture.film.materials import built_in
from nanotexture.phasing.alignment import inverted, shifted
from nanotexture.quantities import Truth
from nanotexture.scoring import Scored, open_scored, score_along, score_answer, truth_tree
from nanotexture.simulate.random_texture import RandomTexture
from nanotexture.stages.models import SimulateConfig, TruthConfig
from nanotexture.stages.simulate import simulate_texture, simulate_truth

from .conftest import Finished
from .recipes_pruned import Ended, nanotexture

FILM = FilmConfig(
    in_plane=3.905, layers=(LayerConfig(material=built_in("PbTiO3"), cells=None, c=4.0),), thickness=160.0
)
Change = Callable[[xr.Dataset], xr.Dataset]


def truth_at(temperature: float | None, seed: int) -> Truth:
    texture = RandomTexture(120.0, amplitude=0.2, polarization=0.5, seed=seed)
    told = TruthConfig(film=FILM, film_gap=0.0, disorder=0.06, temperature=temperature)
    return simulate_truth(simulate_texture(config=SimulateConfig(film=FILM, texture=texture)), config=told)


def written(
    path: Path, change: Change | None = None, temperatures: tuple[float | None, ...] = (10.0, 300.0)
) -> Path:
    """A truth with one random polar texture at each temperature, changed."""
    tree = truth_tree([truth_at(t, seed) for seed, t in enumerate(temperatures)], {"contract": 1})
    texture = tree["texture"].to_dataset()
    write_tree_atomically(
        xr.DataTree.from_dict(
            {"/": xr.Dataset(), "/texture": texture if change is None else change(texture)}
        ),
        path,
    )
    return path


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("truth") / "truth.zarr")


def scored(result: Path, truth: Path) -> list[dict[str, object]]:
    ended = nanotexture("score", result, truth, "--json")
    assert ended.status == 0, ended.err
    found: list[dict[str, object]] = ended.last_json["temperatures"]
    return found


def numbers(found: list[dict[str, object]], name: str) -> np.ndarray:
    return np.array(
        [
            [one[field][axis][name] for field in ("displacement", "polarization") for axis in "xz"]
            for one in found
        ],
        dtype=float,
    )


def turned(texture: xr.Dataset) -> xr.Dataset:
    """Shifted by a third of a period, inverted, the displacement off by a constant."""
    made = texture.copy(deep=True)
    for name, constant in (("displacement", 0.7), ("polarization", 0.0)):
        made[name].values = inverted(shifted(texture[name].values, 1 / 3)) + constant
    return made


def test_a_truth_against_itself_is_0(truth: Path) -> None:
    found = scored(truth, truth)
    assert [one["temperature"] for one in found] == [10.0, 300.0]
    np.testing.assert_allclose(numbers(found, "nrmse"), 0.0, atol=1e-6)
    np.testing.assert_allclose(numbers(found, "correlation"), 1.0)
    np.testing.assert_allclose(numbers(found, "coverage"), 1.0)
    for one in found:
        assert one["period_error"] == one["thickness_error"] == 0.0
        assert one["wall_error"] == pytest.approx(0.0, abs=1e-4)
        assert one["walls"] == "sign changes of P_z"
        assert one["success_rate"] is None


def test_its_shifted_inverted_copy_is_0_where_the_inversion_is_open(truth: Path, tmp_path: Path) -> None:
    open_ = written(tmp_path / "open.zarr", lambda one: turned(one).assign_attrs(inversion="unresolved"))
    np.testing.assert_allclose(numbers(scored(open_, truth), "nrmse"), 0.0, atol=1e-6)
    told = written(tmp_path / "told.zarr", turned)
    assert numbers(scored(told, truth), "nrmse").min() > 0.3


@pytest.mark.parametrize("size", [0.05, 0.3])
def test_noise_of_known_size_is_that_size(truth: Path, tmp_path: Path, size: float) -> None:
    rng = np.random.default_rng(0)

    def noisy(texture: xr.Dataset) -> xr.Dataset:
        made = texture.copy(deep=True)
        for name in ("displacement", "polarization"):
            spread = size * texture[name].values.std(axis=(2, 3), keepdims=True)
            made[name].values = texture[name].values + spread * rng.normal(size=texture[name].shape)
            made[f"{name}_std"].values = np.broadcast_to(spread, texture[name].shape)
        return made

    found = scored(written(tmp_path / "noisy.zarr", noisy), truth)
    np.testing.assert_allclose(numbers(found, "nrmse"), size, rtol=0.06)
    np.testing.assert_allclose(numbers(found, "coverage"), 0.683, atol=0.03)


DIRECTION = np.array([0.6, 0.8])


def along_q(texture: xr.Dataset) -> xr.Dataset:
    """An answer of one direction of Q: the displacement along it, shifted, inverted and off by a constant; no components."""
    made = turned(texture).assign_attrs(inversion="unresolved", q_direction=DIRECTION.tolist())
    field = np.einsum("c,tcxz->txz", DIRECTION, made["displacement"].values)
    spread = 0.1 * field.std(axis=(1, 2), keepdims=True)
    noise = spread * np.random.default_rng(0).normal(size=field.shape)
    dims = ("temperature", "x", "z")
    made["displacement_along_q"] = dims, field + noise
    made["displacement_along_q_std"] = dims, np.broadcast_to(spread, field.shape)
    for name in ("displacement", "polarization"):
        made[name].values = np.full_like(texture[name].values, np.nan)
    return made


def test_one_direction_of_q_is_scored_along_it(truth: Path, tmp_path: Path) -> None:
    answer = written(tmp_path / "along.zarr", along_q)
    found = scored(answer, truth)[0]
    assert found["displacement"]["x"]["nrmse"] is None
    assert found["along_q"]["nrmse"] == pytest.approx(0.1, rel=0.1)
    assert found["along_q"]["coverage"] == pytest.approx(0.683, abs=0.05)
    assert "along Q" in nanotexture("score", answer, truth).out


def test_components_are_projected_onto_any_direction(truth: Path) -> None:
    one = open_scored(truth).texture.isel(temperature=0)
    score = score_along(one, one, DIRECTION)
    assert score.nrmse[0] == pytest.approx(0.0, abs=1e-6)
    expected = np.einsum("c,cxz->xz", DIRECTION, one["displacement"].values)
    np.testing.assert_allclose(score.truth[0], expected - expected.mean(), atol=1e-9)


def test_a_longer_period_and_a_thinner_film_are_errors_in_percent(truth: Path, tmp_path: Path) -> None:
    def scaled(texture: xr.Dataset) -> xr.Dataset:
        made = texture.copy(deep=True)
        made["period"] *= 1.01
        made["thickness"] *= 0.98
        for name in ("period", "thickness"):
            made[name].attrs = texture[name].attrs
        return made

    found = scored(written(tmp_path / "scaled.zarr", scaled), truth)[0]
    assert found["period_error"] == pytest.approx(1.0)
    assert found["thickness_error"] == pytest.approx(-2.0)


def test_only_temperatures_that_both_have_are_scored(truth: Path, tmp_path: Path) -> None:
    assert [
        one["temperature"] for one in scored(written(tmp_path / "a.zarr", temperatures=(10.2,)), truth)
    ] == [10.2]
    ended = nanotexture("score", written(tmp_path / "b.zarr", temperatures=(77.0,)), truth)
    assert ended.status == 2
    assert (
        "temperatures: expected one that result and truth share, found [77.0] and [10.0, 300.0] K"
        in ended.err
    )


def test_a_finished_run_scores_against_its_own_truth_as_in_its_own_group(quickstart: Finished) -> None:
    """As RESULT with starts, and against itself as TRUTH."""
    with xr.open_datatree(quickstart.result, engine="zarr", consolidated=False) as tree:
        own = tree["score"].to_dataset().load()
    own_truth = quickstart.result.parent / "truth.zarr"
    with xr.open_datatree(quickstart.result, engine="zarr", consolidated=False) as tree:
        texture = tree["truth"].to_dataset().load()
    write_tree_atomically(xr.DataTree.from_dict({"/texture": texture}), own_truth)
    found = scored(quickstart.result, own_truth)[0]
    shutil.rmtree(own_truth)
    assert found["displacement"]["z"]["nrmse"] == pytest.approx(float(own["nrmse"][0, 1]))
    assert found["success_rate"] == pytest.approx(float(own["success_rate"][0]))
    same = scored(quickstart.result, quickstart.result)[0]
    assert same["displacement"]["x"]["nrmse"] == pytest.approx(0.0, abs=1e-6)
    assert same["success_rate"] >= 0.25


def test_starts_are_judged_by_the_components_that_the_answer_tells(truth: Path) -> None:
    """A component below its error is NaN in the answer; whatever clusters hold of it makes no start a failure."""
    whole = open_scored(truth)
    clusters = whole.texture[["displacement", "polarization"]].expand_dims(cluster=[0]).copy(deep=True)
    clusters["polarization"].loc[{"component": "x"}] *= -3.0
    solutions = xr.Dataset({"cluster": (("temperature", "start"), np.array([[0, 0, -1, 0]] * 2))})
    told = whole.texture.copy(deep=True)
    told["polarization"].loc[{"component": "x"}] = np.nan
    for texture, share in ((whole.texture, 0.0), (told, 0.75)):
        found = score_answer(Scored(texture, clusters, solutions), whole)
        np.testing.assert_allclose(found["success_rate"], share)


def test_the_table_shows_every_field_and_temperature(truth: Path) -> None:
    ended = nanotexture("score", truth, truth)
    assert ended.status == 0
    assert len(ended.out.splitlines()) == 1 + 2 * (4 + 1)
    assert "polarization z" in ended.out
    with pytest.raises(json.JSONDecodeError):
        json.loads(ended.out.splitlines()[-1])


def without(name: str) -> Change:
    return lambda texture: texture.drop_vars(name)


def in_unit(name: str, unit: str) -> Change:
    def change(texture: xr.Dataset) -> xr.Dataset:
        texture[name].attrs["units"] = unit
        return texture

    return change


def flat(texture: xr.Dataset) -> xr.Dataset:
    return texture.assign(
        polarization=texture["polarization"].isel(temperature=0).assign_attrs(units="C/m^2")
    )


def negative(texture: xr.Dataset) -> xr.Dataset:
    return texture.assign(period=(-texture["period"]).assign_attrs(texture["period"].attrs))


DAMAGED: list[tuple[Change, str]] = [
    (without("displacement"), "/texture/displacement: expected a variable"),
    (without("period"), "/texture/period: expected a variable"),
    (in_unit("displacement", "nm"), "/texture/displacement: expected units 'angstrom', found 'nm'"),
    (flat, "/texture/polarization: expected dims"),
    (lambda texture: texture.isel(component=[0]), "expected components x and z, found 1 components"),
    (lambda texture: texture.isel(x=slice(None, None, -1)), "/texture/x: expected 4 or more rising values"),
    (lambda texture: texture.isel(z=[0]), "/texture/z: expected 2 or more rising values"),
    (negative, "/texture/period: expected lengths above 0"),
]


@pytest.mark.parametrize(("change", "words"), DAMAGED, ids=[words for _, words in DAMAGED])
def test_a_malformed_store_is_refused_by_store_group_and_variable(
    truth: Path, tmp_path: Path, change: Change, words: str
) -> None:
    path = written(tmp_path / "bad.zarr", change)
    for sides in ((path, truth), (truth, path)):
        refused(nanotexture("score", *sides), f"{path}: ", words)


def test_what_is_no_store_is_refused(truth: Path, tmp_path: Path) -> None:
    refused(
        nanotexture("score", tmp_path / "none.zarr", truth), f"{tmp_path / 'none.zarr'}: store: expected", ""
    )
    write_tree_atomically(xr.DataTree.from_dict({"/maps": xr.Dataset()}), tmp_path / "maps.zarr")
    refused(
        nanotexture("score", truth, tmp_path / "maps.zarr"),
        "group /texture: expected",
        "found groups ['maps']",
    )
    broken = tmp_path / "broken.zarr"
    shutil.copytree(truth, broken)
    (broken / "texture" / "displacement" / "zarr.json").write_text("{", encoding="utf-8")
    refused(nanotexture("score", broken, truth), f"{broken}: ", "expected")
    chunk = tmp_path / "chunk.zarr"
    shutil.copytree(truth, chunk)
    inside = next(
        p for p in (chunk / "texture" / "displacement").rglob("*") if p.is_file() and p.name != "zarr.json"
    )
    inside.write_bytes(b"not a chunk")
    refused(nanotexture("score", chunk, truth), f"{chunk}: ", "expected a readable Zarr store")


def refused(ended: Ended, *words: str) -> None:
    assert ended.status == 2, ended.err
    assert ended.err.startswith("nanotexture: ")
    assert "Traceback" not in ended.err
    for one in words:
        assert one in ended.err
