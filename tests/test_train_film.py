"""`train` of the prior for films from recipe to weights and card; a film that begins from them, and weights that are refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture.priors.film_weights import load_film_prior, save_film_prior

from .recipes_pruned import PRUNED, RECIPES, Ended, changes, nanotexture

CHANGES = (
    *PRUNED["quickstart"],
    "invert.harmonics=2",
    "invert.polynomials=3",
    "simulate.voxels=[121, 81]",
    "simulate.places=20",
    "simulate.hkl=[[0, 0, 2], [1, 0, 3]]",
)


@dataclass(frozen=True)
class Trained:
    told: dict[str, object]
    weights: Path


def train(out: Path) -> Ended:
    told = ["train", str(RECIPES / "train_film.toml"), "--out", str(out), "--cluster", "none", "--json"]
    return nanotexture(*told, *changes("train_film"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    ended = train(tmp_path_factory.mktemp("train"))
    assert ended.status == 0, ended.err
    return Trained(ended.last_json, Path(ended.last_json["weights"]))


def run(recipe: str, out: Path, *more: str) -> Ended:
    told = [part for change in more for part in ("--set", change)]
    return nanotexture("run", RECIPES / f"{recipe}.toml", "--out", out, "--cluster", "none", "--json", *told)


def solutions(ended: Ended) -> xr.Dataset:
    assert ended.status == 0, ended.err
    tree = xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()
    return tree["solutions"].to_dataset()


def test_the_card_says_data_curves_errors_and_what_was_held_out(trained: Trained) -> None:
    card = json.loads((trained.weights.parent / "film_card.json").read_text())
    assert (card["data"]["learnt"], card["data"]["validation"]) == (8, 4)
    assert "a_c_domains" in card["data"]["held_out"]
    assert card["sha256"] == trained.told["sha256"]
    assert all(0 < near <= first for first, near in card["errors"].values())
    assert card["limits"]
    assert str(trained.told["sha256"]) in (trained.weights.parent / "film_card.md").read_text()


def test_the_same_recipe_trains_the_same_weights(trained: Trained, tmp_path: Path) -> None:
    assert train(tmp_path).last_json["sha256"] == trained.told["sha256"]


def test_half_of_the_starts_are_learned_the_others_are_those_without_a_prior(
    trained: Trained, tmp_path: Path
) -> None:
    told = (*CHANGES, "invert.starts=4", "invert.batch=4")
    without = solutions(run("quickstart", tmp_path / "a", *told))
    # a network after one epoch knows no film
    vague = solutions(run("quickstart", tmp_path / "b", *told, f"invert.prior={trained.weights}"))
    assert not vague["learned"].values.any()
    followed = tmp_path / "followed.safetensors"
    save_film_prior(followed, load_film_prior(trained.weights).network, limit=1.0, vague=10.0)
    ended = run("quickstart", tmp_path / "b", *told, f"invert.prior={followed}")
    found = solutions(ended)
    assert "learned" not in without
    assert found["learned"].values[0].tolist() == [1, 0, 0, 1]
    random = found["learned"].values[0] == 0
    # starts of one batch are solved together: a sum may be rounded otherwise, no more
    np.testing.assert_allclose(found["cost"].values[0, random], without["cost"].values[0, random], rtol=1e-6)
    assert np.isfinite(found["prior_first_cost"].values).all()
    page = Path(ended.last_json["report"]).read_text()
    assert "starts of the learned prior" in page


def test_missing_weights_and_those_of_another_kind_and_superlattices_end_with_status_2(
    trained: Trained, tmp_path: Path
) -> None:
    bad = tmp_path / "prior.safetensors"
    bad.write_bytes(trained.weights.read_bytes()[:-5])
    crystal = "crystal_prior/crystal_phases.safetensors"
    for recipe, prior, words in (
        ("quickstart", str(bad), "nanotexture train"),
        ("quickstart", "no.safetensors", "no.safetensors"),
        ("quickstart", crystal, "version: expected film 1, found 1"),
        ("sim_pto_sto_vortex", str(trained.weights), "the prior learnt from single films"),
    ):
        ended = run(recipe, tmp_path / "out", f"invert.prior={prior}")
        assert ended.status == 2, (recipe, prior)
        assert words in ended.err
    assert not list(tmp_path.rglob("result.zarr"))


def test_a_prior_that_there_is_not_ends_with_status_2(tmp_path: Path) -> None:
    ended = nanotexture("train", RECIPES / "train_film.toml", "--out", tmp_path, "--set", "train.prior=flim")
    assert ended.status == 2
    assert "train.prior: expected one of crystal, film, found 'flim'" in ended.err
