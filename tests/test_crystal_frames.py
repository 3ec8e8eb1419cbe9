"""A crystal from the frames of a rocking scan: the gold crystal of 34-ID-C, and recipes that are neither frames nor array."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture import schema

from .recipes_pruned import RECIPES, arguments, nanotexture

GOLD = 2 * np.pi / 2.355  # 1/angstrom, 111
RECORDED = 46155653  # photons in all frames, their column ImageTot in the SPEC file


@pytest.fixture(scope="module")
def gold(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> xr.DataTree:
    """The small form of the recipe: few projections on a small box."""
    ended = nanotexture(*arguments("staff54", tmp_path_factory.mktemp("staff54")))
    assert ended.status == 0, ended.err
    return xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()


def test_the_peak_stands_at_the_spacing_of_gold_to_a_hundredth(gold: xr.DataTree) -> None:
    """The direct beam's pixel is not in the files, and the result says what that costs."""
    peak = np.linalg.norm(json.loads(gold["object"].attrs["peak"]))
    assert peak == pytest.approx(GOLD, rel=0.01)
    assert "|Q|" in gold.attrs["warnings"]
    direction = json.loads(gold["object"].attrs["q_direction"])
    np.testing.assert_allclose(np.linalg.norm(direction), 1.0)


def test_the_crystal_is_as_large_as_its_fringes_say(gold: xr.DataTree) -> None:
    one = gold["object"].to_dataset()
    inside = one["support"].values != 0
    places = np.nonzero(inside)
    for place, name in zip(places, "xyz", strict=True):
        assert 1000 < np.sqrt(12) * one[name].values[place].std() < 4000, name  # of a slab: its thickness
    volume = inside.sum() * np.prod(json.loads(one.attrs["voxel"]))
    assert 2000 < (6 * volume / np.pi) ** (1 / 3) < 3500
    assert min(json.loads(one.attrs["sampling"])) > 2


def test_the_measured_voxels_are_described_and_the_held_out_ones_predicted(gold: xr.DataTree) -> None:
    attrs = gold["object"].attrs
    assert attrs["chi2"] < 0.03
    assert np.isfinite(attrs["free_chi2"])
    assert attrs["free_chi2"] < 0.3


def test_voxels_without_a_pixel_are_not_measured_and_the_photons_are_kept(gold: xr.DataTree) -> None:
    pattern = schema.check(gold["diffraction"].to_dataset(), schema.RESULT_DIFFRACTION)
    masked = pattern["mask"].values != 0
    counts, variance = pattern["intensity"].values, pattern["variance"].values
    assert np.array_equal(np.isnan(counts), masked)
    assert masked.mean() < 0.01
    exposure = counts[counts > 2] / variance[counts > 2]  # N / e over N / e^2
    assert 0.9 < np.median(exposure) < 1.1
    assert 0.1 < np.std(exposure) < 0.5  # number of pixels, white field
    photons = np.sum(counts[counts > 2] * exposure)
    assert 0.85 * RECORDED < photons < RECORDED  # the rest lies in the dark, and outside the box


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("crystal.voxel=100 angstrom", "crystal.voxel: expected only with an array"),
        ("crystal.q=[0, 0, 1]", "crystal.q: expected only with an array"),
        ("crystal.unmeasured=none", "crystal.unmeasured: expected only with an array"),
        ("input.mask=a.npy", "input.mask: expected only with an array"),
        ("convert.growing=true", "convert.growing: expected only with maps"),
        ("crystal.size=[8, 64, 64]", "crystal.size[0]"),
    ],
)
def test_what_frames_cannot_be_told_is_refused(tmp_path: Path, change: str, words: str) -> None:
    ended = nanotexture("check", RECIPES / "staff54.toml", "--out", tmp_path, "--set", change)
    assert ended.status == 2
    assert words in ended.err


@pytest.mark.parametrize("key", ["step", "size"])
def test_frames_need_steps_and_a_box(tmp_path: Path, key: str) -> None:
    lines = (RECIPES / "staff54.toml").read_text(encoding="utf-8").splitlines()
    (tmp_path / "r.toml").write_text("\n".join(line for line in lines if not line.startswith(f"{key} =")))
    ended = nanotexture("check", tmp_path / "r.toml", "--out", tmp_path / "out")
    assert ended.status == 2
    assert f"crystal.{key}: expected with frames, found nothing" in ended.err


@pytest.mark.parametrize("change", ["crystal.size=[32, 32, 32]", "input.scan=54"])
def test_an_array_has_neither_scan_nor_box(tmp_path: Path, change: str) -> None:
    ended = nanotexture("check", RECIPES / "gold64.toml", "--out", tmp_path, "--set", change)
    assert ended.status == 2
    assert "expected only with a table [convert]" in ended.err
