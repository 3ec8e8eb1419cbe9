"""`train` from recipe to weights and card; a run that begins from them, and one that finds them not to be trusted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture.priors.weights import Trust, load_prior, save_prior
from nanotexture.simulate.crystal import (
    Counting,
    FacetedCrystal,
    counted,
    density_of_crystal,
    expected_counts,
    pattern_of_density,
)

from .recipes_pruned import RECIPES, Ended, changes, nanotexture

GRAIN = """
name = "grain"
[input]
kind = "crystal"
files = ["grain.npy"]
[crystal]
hkl = [1, 1, 1]
d_spacing = "2.355 angstrom"
voxel = "60 angstrom"
[invert]
starts = 2
batch = 1
threshold = 0.15
cycles = 2
iterations = 40
coherence = "full"
refine = 20
hops = 0
"""


@dataclass(frozen=True)
class Trained:
    folder: Path
    told: dict[str, object]
    weights: Path


def train(out: Path, *more: str) -> Ended:
    told = ["train", str(RECIPES / "train_crystal.toml"), "--out", str(out), "--cluster", "none", "--json"]
    return nanotexture(*told, *changes("train_crystal"), *more)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("train")
    ended = train(folder)
    assert ended.status == 0, ended.err
    return Trained(folder, ended.last_json, Path(ended.last_json["weights"]))


def grain(folder: Path, prior: str) -> Path:
    psi = density_of_crystal(FacetedCrystal((32, 32, 32), size=11.0, phase_range=2.0, seed=6))
    counts = counted(expected_counts(pattern_of_density(psi), Counting(peak_counts=1e6)), seed=0)
    np.save(folder / "grain.npy", counts)
    (folder / "recipe.toml").write_text(f'{GRAIN}prior = "{prior}"\n')
    return folder / "recipe.toml"


def run(path: Path, out: Path) -> Ended:
    return nanotexture("run", path, "--out", out, "--cluster", "none", "--json")


def costs(ended: Ended) -> tuple[xr.DataTree, np.ndarray]:
    assert ended.status == 0, ended.err
    tree = xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()
    return tree, tree["solutions"]["cost"].values


@pytest.fixture(scope="module")
def random(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Costs of the starts without a prior."""
    folder = tmp_path_factory.mktemp("random")
    return costs(run(grain(folder, "none"), folder / "out"))[1]


def with_limits(trained: Trained, folder: Path, free_chi2: float, spread: float) -> Path:
    path = folder / "prior.safetensors"
    save_prior(path, load_prior(trained.weights).network, Trust((6.0,), (free_chi2,), (spread,), (0.0,)))
    return path


def test_the_card_says_data_curves_scores_and_limits(trained: Trained) -> None:
    card = json.loads((trained.weights.parent / "card.json").read_text())
    assert card["data"]["learnt"] == 8
    assert card["data"]["validation"] == 4
    assert card["sha256"] == trained.told["sha256"]
    assert len(card["curves"]["validation"]) == trained.told["epochs"] == 1
    assert all(0 < one["median"] <= one["quantile"] for one in card["scores"])
    assert card["limits"]
    assert trained.told["sha256"] in (trained.weights.parent / "card.md").read_text()


def test_the_same_recipe_trains_the_same_weights(trained: Trained, tmp_path: Path) -> None:
    again = train(tmp_path)
    assert again.last_json["sha256"] == trained.told["sha256"]


def test_a_trusted_prior_changes_start_0_alone(trained: Trained, random: np.ndarray, tmp_path: Path) -> None:
    path = grain(tmp_path, str(with_limits(trained, tmp_path, 10.0, 1.0)))
    tree, learned = costs(run(path, tmp_path / "out"))
    assert tree["object"].attrs["prior"] == "used"
    assert learned[0] != random[0]
    assert learned[1] == random[1]


@pytest.mark.parametrize("limits", [(1e-9, 1.0), (10.0, 1e-9)])
def test_a_pattern_out_of_distribution_is_said_and_starts_are_random(
    trained: Trained, random: np.ndarray, tmp_path: Path, limits: tuple[float, float]
) -> None:
    path = grain(tmp_path, str(with_limits(trained, tmp_path, *limits)))
    ended = run(path, tmp_path / "out")
    tree, found = costs(ended)
    assert tree["object"].attrs["prior"] == "out of distribution"
    assert any("out of the distribution" in one for one in json.loads(tree.attrs["warnings"]))
    assert "out of distribution" in Path(ended.last_json["report"]).read_text()
    np.testing.assert_array_equal(found, random)


def test_damaged_or_missing_weights_end_with_status_2(trained: Trained, tmp_path: Path) -> None:
    bad = tmp_path / "prior.safetensors"
    bad.write_bytes(trained.weights.read_bytes()[:-5])
    for prior, words in (
        (str(bad), ("prior.safetensors", "nanotexture train")),
        ("no.safetensors", ("no.s",)),
    ):
        ended = run(grain(tmp_path, prior), tmp_path / "out")
        assert ended.status == 2
        assert all(word in ended.err for word in words)
        assert not (tmp_path / "out" / "grain" / "result.zarr").exists()


def test_the_founding_network_is_trained_by_its_own_loss_and_no_run_takes_its_weights(tmp_path: Path) -> None:
    ended = train(tmp_path, "--set", "train.network=founding")
    assert ended.status == 0, ended.err
    card = json.loads((tmp_path / "train_crystal" / "card.json").read_text())
    assert card["parameters"] == pytest.approx(3.46e6, rel=0.01)
    refused = run(grain(tmp_path, ended.last_json["weights"]), tmp_path / "out")
    assert (refused.status, "version" in refused.err) == (2, True)


def test_a_training_goes_on_from_weights_and_says_so(trained: Trained, tmp_path: Path) -> None:
    begun = train(tmp_path, "--set", f"train.begin={trained.weights}", "--set", "train.rate=1e-9")
    assert begun.status == 0, begun.err
    card = json.loads((tmp_path / "train_crystal" / "card.json").read_text())
    assert card["begun_from"] == trained.told["sha256"]
    assert card["curves"]["validation"] == pytest.approx([trained.told["loss"]], rel=1e-4)  # hardly a step
    for wrong, word in (
        ("no.safetensors", "train.begin"),
        (str(trained.weights.parent / "card.md"), "card.md"),
    ):
        refused = train(tmp_path, "--set", f"train.begin={wrong}")
        assert (refused.status, word in refused.err) == (2, True)
    refused = train(tmp_path, "--set", f"train.begin={trained.weights}", "--set", "train.network=founding")
    assert (refused.status, "begin" in refused.err) == (2, True)


def test_a_training_recipe_is_not_run_and_bad_numbers_are_refused(tmp_path: Path) -> None:
    ended = nanotexture("run", RECIPES / "train_crystal.toml", "--out", tmp_path, "--cluster", "none")
    assert (ended.status, "nanotexture train" in ended.err) == (2, True)
    ended = train(tmp_path, "--set", "particles.sampling=[1.5, 4.0]")
    assert (ended.status, "particles" in ended.err) == (2, True)
