"""`train` of the prior for films from recipe to weights and card; a film that begins from them, and weights that are refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from nanotexture.priors.film_network import OrderNet
from nanotexture.priors.film_weights import load_film_prior, save_film_prior
from nanotexture.report.prior import LearnedStarts, learned_words
from nanotexture.stages.film_starts import learned_starts
from nanotexture.stages.film_trust import counted_film
from nanotexture.stages.motif_solve import ModeNumbers, solve_starts

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


def test_a_run_begins_half_of_its_starts_from_weights_that_it_may_follow_and_says_so(
    trained: Trained, tmp_path: Path
) -> None:
    followed = tmp_path / "followed.safetensors"
    save_film_prior(followed, load_film_prior(trained.weights).network, limit=1.0, vague=10.0)
    told = (*CHANGES, "invert.starts=4", "invert.batch=4", f"invert.prior={followed}")
    ended = run("quickstart", tmp_path / "out", *told)
    found = solutions(ended)
    assert found["learned"].values[0].tolist() == [1, 0, 0, 1]
    assert np.isfinite(found["prior_first_cost"].values).all()
    assert np.isfinite(found["prior_expected_error"].values).all()
    assert "starts of the learned prior" in Path(ended.last_json["report"]).read_text()


def test_random_starts_beside_learned_ones_end_as_they_do_without() -> None:
    data = counted_film(0, 4)
    modes, seeds = ModeNumbers(2, 3, 0.03), [(0, n) for n in range(4)]
    torch.manual_seed(0)
    learned = learned_starts(OrderNet().eval(), data, seed=0)
    costs = []
    for one in (None, learned):
        found = solve_starts(data, modes, seeds, one)
        joined = torch.cat([part.cost for part in found.solutions]).numpy()
        costs.append(joined[np.argsort(found.place)])
    # starts of one batch are solved together: a sum may be rounded otherwise, no more
    np.testing.assert_allclose(costs[0][[1, 2]], costs[1][[1, 2]], rtol=1e-6)
    assert not np.isclose(costs[0][0], costs[1][0], rtol=1e-9)


def test_what_came_from_the_prior_is_told() -> None:
    words = {
        "random": learned_words(LearnedStarts(0, 8, 0, 5, (nan, 1.0), (nan, 1.0), 0.4, 0.7, 0.8, 0.65)),
        "helped": learned_words(LearnedStarts(4, 4, 3, 0, (1.0, 2.0), (1.0, 2.0), 0.9, 0.7, 0.3, 0.65)),
    }
    assert "All starts are random" in words["random"]
    assert "3 of 4 starts of the learned prior and 0 of 4 random ones" in words["helped"]
    assert "rests on the prior's starts" in words["helped"]
    assert "unlike those that the prior learnt from" in words["helped"]


def test_missing_weights_and_those_of_another_kind_and_superlattices_end_with_status_2(
    trained: Trained, tmp_path: Path
) -> None:
    bad = tmp_path / "prior.safetensors"
    bad.write_bytes(trained.weights.read_bytes()[:-5])
    crystal = "crystal_prior/crystal_phases.safetensors"
    for recipe, prior, words in (
        ("quickstart", str(bad), "nanotexture train"),
        ("quickstart", "no.safetensors", "no.safetensors"),
        ("quickstart", crystal, "version: expected film 1, found 3"),
        ("sim_pto_sto_vortex", str(trained.weights), "the prior learnt from single films"),
    ):
        ended = run(recipe, tmp_path / "out", f"invert.prior={prior}")
        assert ended.status == 2, (recipe, prior)
        assert words in ended.err
    assert not list(tmp_path.rglob("result.zarr"))


def test_a_prior_that_there_is_not_ends_with_status_2(tmp_path: Path) -> None:
    ended = nanotexture("train", RECIPES / "train_film.toml", "--out", tmp_path, "--set", "train.prior=flim")
    assert ended.status == 2
    assert "train.prior: expected one of crystal, film, texture, found 'flim'" in ended.err
