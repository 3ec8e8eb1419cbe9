"""`train` of the denoiser of textures from recipe to weights and card; a film inverted under it; weights that are refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture.priors.texture_weights import TextureTrust, load_texture_prior, save_texture_prior

from .recipes_pruned import RECIPES, Ended, changes, nanotexture

CHANGES = (
    *("invert.harmonics=3", "invert.polynomials=4", "invert.starts=4", "invert.batch=4"),
    *("simulate.voxels=[121, 81]", "simulate.places=20", "simulate.hkl=[[0, 0, 2], [1, 0, 3]]"),
)


@dataclass(frozen=True)
class Trained:
    told: dict[str, object]
    weights: Path


def train(out: Path) -> Ended:
    told = ["train", str(RECIPES / "train_texture.toml"), "--out", str(out), "--cluster", "none", "--json"]
    return nanotexture(*told, *changes("train_texture"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    ended = train(tmp_path_factory.mktemp("train"))
    assert ended.status == 0, ended.err
    return Trained(ended.last_json, Path(ended.last_json["weights"]))


def run(recipe: str, out: Path, *more: str) -> Ended:
    told = [part for change in more for part in ("--set", change)]
    return nanotexture("run", RECIPES / f"{recipe}.toml", "--out", out, "--cluster", "none", "--json", *told)


def tree_of(ended: Ended) -> xr.DataTree:
    assert ended.status == 0, ended.err
    return xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()


def test_the_card_says_data_curves_scores_and_limits(trained: Trained) -> None:
    card = json.loads((trained.weights.parent / "texture_card.json").read_text())
    assert (card["data"]["learnt"], card["data"]["validation"]) == (36, 4)
    assert card["sha256"] == trained.told["sha256"]
    assert card["trust"]["inflation"] >= 1.0
    assert all(0 < one["left"] < 2.0 for one in card["scores"])
    assert "a/c domains" in (trained.weights.parent / "texture_card.md").read_text()


def test_the_same_recipe_trains_the_same_weights(trained: Trained, tmp_path: Path) -> None:
    assert train(tmp_path).last_json["sha256"] == trained.told["sha256"]


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, xr.DataTree]:
    out = tmp_path_factory.mktemp("film")
    return out, tree_of(run("quickstart", out, *CHANGES))


def test_the_result_holds_the_answer_with_and_without_the_prior(without: tuple[Path, xr.DataTree]) -> None:
    out, before = without
    ended = run("quickstart", out, *CHANGES, "invert.denoise=auto")
    tree = tree_of(ended)
    prior = tree["prior"].isel(temperature=0)
    assert "prior" not in before.children
    told = tree["texture"]["displacement"].values[0]
    kept = prior["displacement" if int(prior["used"]) else "displacement_without"].values
    np.testing.assert_allclose(told, kept, atol=1e-9)
    # a prior may make the answer better, never surer
    std, std_before = (one["texture"]["displacement_std"].values[0] for one in (tree, before))
    assert (std >= std_before * (1 - 1e-9)).all()
    np.testing.assert_allclose(
        prior["displacement_without"].values, before["texture"]["displacement"].values[0], atol=1e-9
    )
    change = prior["displacement"].values - prior["displacement_without"].values
    rms = np.sqrt((change**2).mean(axis=(1, 2)))
    np.testing.assert_allclose(prior["displacement_from_prior"].values, rms, rtol=1e-9)
    assert np.isfinite([prior["free_cost"], prior["free_cost_without"]]).all()
    assert "prior over textures" in Path(ended.last_json["report"]).read_text()


def test_a_texture_stranger_than_those_learnt_from_is_left_as_it_is(
    trained: Trained, without: tuple[Path, xr.DataTree], tmp_path: Path
) -> None:
    out, before = without
    never = tmp_path / "never.safetensors"
    save_texture_prior(never, load_texture_prior(trained.weights).network, TextureTrust(1.0, 0.0))
    tree = tree_of(run("quickstart", out, *CHANGES, f"invert.denoise={never}"))
    assert tree["prior"]["verdict"].values[0] == "unlike the textures learnt from"
    for name in ("displacement", "displacement_std"):
        np.testing.assert_array_equal(tree["texture"][name], before["texture"][name])


def test_missing_weights_and_those_of_another_kind_end_with_status_2(
    trained: Trained, tmp_path: Path
) -> None:
    bad = tmp_path / "prior.safetensors"
    bad.write_bytes(trained.weights.read_bytes()[:-5])
    for prior, words in (
        (str(bad), "nanotexture train"),
        ("no.safetensors", "no.safetensors"),
        ("crystal_prior/crystal_phases.safetensors", "version: expected texture 1, found 3"),
    ):
        ended = run("quickstart", tmp_path / "out", f"invert.denoise={prior}")
        assert ended.status == 2, prior
        assert words in ended.err
    assert not list(tmp_path.rglob("result.zarr"))
