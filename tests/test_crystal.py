"""A crystal from file to result, report and CXI; what the user can mend ends with status 2."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from nanotexture import schema
from nanotexture.phasing.crystal_alignment import moved, overlap
from nanotexture.simulate.crystal import (
    Counting,
    FacetedCrystal,
    counted,
    density_of_crystal,
    expected_counts,
    pattern_of_density,
)
from nanotexture.texture.crystal import without_ramp

from .recipes_pruned import RECIPES, Ended, files, nanotexture

SHAPE = (32, 30, 36)
VOXEL = (60.0, 50.0, 40.0)
D = 2.355
RECIPE = """
name = "grain"
[input]
kind = "crystal"
files = ["grain.npy"]
[crystal]
hkl = [1, 1, 1]
d_spacing = "2.355 angstrom"
voxel = ["60 angstrom", "50 angstrom", "40 angstrom"]
q = [0, 3, 4]
[invert]
starts = 4
batch = 2
threshold = 0.15
cycles = 3
iterations = 60
coherence = "full"
refine = 60
hops = 1
"""
GROUPS = {
    "/object": schema.OBJECT,
    "/diffraction": schema.RESULT_DIFFRACTION,
    "/solutions": schema.RESULT_CRYSTAL_SOLUTIONS,
    "/clusters": schema.RESULT_CRYSTAL_CLUSTERS,
    "/choice": schema.CRYSTAL_CHOICE,
}


def grain(**crystal: object) -> tuple[np.ndarray, np.ndarray]:
    """Density and counts of a small crystal."""
    told = {"shape": SHAPE, "size": 11.0, "phase_range": 2.0, "seed": 6} | crystal
    psi = density_of_crystal(FacetedCrystal(**told))  # type: ignore[arg-type]
    return psi, counted(expected_counts(pattern_of_density(psi), Counting(peak_counts=1e6)), seed=0)


def recipe(folder: Path, text: str = RECIPE, counts: np.ndarray | None = None) -> Path:
    np.save(folder / "grain.npy", grain()[1] if counts is None else counts)
    (folder / "recipe.toml").write_text(text)
    return folder / "recipe.toml"


def run(path: Path, out: Path, *more: str) -> Ended:
    return nanotexture("run", path, "--out", out, "--cluster", "none", "--json", *more)


@dataclass(frozen=True)
class Grain:
    out: Path
    recipe: Path
    result: Path
    tree: xr.DataTree
    truth: np.ndarray


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Grain:
    folder = tmp_path_factory.mktemp("grain")
    path = recipe(folder)
    ended = run(path, folder / "out")
    assert ended.status == 0, ended.err
    result = Path(ended.last_json["result"])
    tree = xr.open_datatree(result, engine="zarr", consolidated=False).load()
    return Grain(folder / "out", path, result, tree, grain()[0])


def density(tree: xr.DataTree) -> np.ndarray:
    one = tree["object"]
    return one["density_real"].values + 1j * one["density_imag"].values


def test_every_group_is_as_its_schema_says_and_every_variable_speaks(found: Grain) -> None:
    assert set(GROUPS) == {path for path in found.tree.groups if path != "/"}
    for path, entries in GROUPS.items():
        dataset = schema.check(found.tree[path].to_dataset(), entries)
        for name in dataset.data_vars:
            assert dataset[name].attrs["comment"].endswith("."), f"{path}/{name}"
    assert found.tree.attrs["contract"] == 1


def test_axes_are_in_angstrom_from_the_middle(found: Grain) -> None:
    for name, n, step in zip("xyz", SHAPE, VOXEL, strict=True):
        np.testing.assert_allclose(found.tree["object"][name], (np.arange(n) - n // 2) * step)
        q = found.tree["diffraction"][f"q{name}"].values
        np.testing.assert_allclose(np.diff(q), 2 * np.pi / (n * step))


def test_the_crystal_is_recovered_up_to_its_twin(found: Grain) -> None:
    flat, _ = without_ramp(found.truth, np.abs(found.truth) > 0.5)  # as the answer's mean slope was
    by = overlap(density(found.tree), flat)
    assert by.similarity > 0.99
    one = found.tree["object"].to_dataset()
    inside = moved(one["support"].values.astype(complex), by).real > 0.5
    true = np.abs(found.truth) > 0.5
    assert np.sum(inside & true) / np.sum(inside | true) > 0.9
    phase = np.angle(moved(density(found.tree), by) * flat.conj())[true]
    assert np.std(phase) < 0.15


def test_chi2_and_what_is_unresolved_are_said(found: Grain) -> None:
    attrs = found.tree["object"].attrs
    assert 0 < attrs["chi2"] < 5e-3
    assert attrs["chi2"] < attrs["free_chi2"] < 5e-2
    assert attrs["inversion"] == "unresolved"
    assert "twin" in attrs["inversion_comment"]
    pattern = found.tree["diffraction"].to_dataset()
    m, a = np.sqrt(pattern["model"].values), np.sqrt(pattern["intensity"].values)
    for held, said in ((0, attrs["chi2"]), (1, attrs["free_chi2"])):
        use = (pattern["held_out"].values == held) & (pattern["mask"].values == 0)
        work = (pattern["held_out"].values == 0) & (pattern["mask"].values == 0)
        scale = np.sum(m[work] * a[work]) / np.sum(m[work] ** 2)
        assert np.sum((scale * m[use] - a[use]) ** 2) / np.sum(a[use] ** 2) == pytest.approx(said, rel=1e-3)


def test_the_density_gives_the_model(found: Grain) -> None:
    counts = pattern_of_density(density(found.tree).astype(np.complex64))
    # the mean slope of the phase was taken off: the pattern is moved by part of a voxel, its sum is not
    expected = found.tree["diffraction"]["model"].values.sum()
    background = found.tree["object"].attrs["background"] * counts.size
    assert counts.sum() == pytest.approx(expected - background, rel=1e-3)


def test_outside_the_crystal_there_is_nan_and_never_zero(found: Grain) -> None:
    one = found.tree["object"].to_dataset()
    inside = one["support"].values != 0
    for name in ("phase", "displacement_along_q", "phase_std"):
        assert np.array_equal(np.isfinite(one[name].values), inside), name
    assert np.isnan(one["strain_along_q"].values[~inside]).all()
    assert not one["amplitude"].values[~inside].all()


def test_displacement_is_the_phase_over_q_and_strain_its_derivative_along_q(found: Grain) -> None:
    one = found.tree["object"].to_dataset()
    q = 2 * np.pi / D
    assert one.attrs["q"] == pytest.approx(q)
    off = one["displacement_along_q"] - one["phase"] / q
    assert float(np.ptp(off.values[np.isfinite(off.values)])) < 1e-9
    u = one["displacement_along_q"].values
    slope = 0.6 * np.gradient(u, VOXEL[1], axis=1) + 0.8 * np.gradient(u, VOXEL[2], axis=2)
    both = np.isfinite(slope) & np.isfinite(one["strain_along_q"].values)
    assert both.sum() > 200
    calm = both & (np.abs(np.nan_to_num(slope)) < 1e-3)
    np.testing.assert_allclose(one["strain_along_q"].values[calm], slope[calm], atol=1e-9)


def test_starts_and_clusters_agree(found: Grain) -> None:
    solutions, clusters = found.tree["solutions"].to_dataset(), found.tree["clusters"].to_dataset()
    labels = solutions["cluster"].values
    weight = clusters["weight"].values
    np.testing.assert_allclose(weight.sum(), 1.0)
    np.testing.assert_allclose(np.bincount(labels[labels >= 0], minlength=len(weight)) / 4, weight)
    best = int(clusters["representative"][0])
    assert found.tree["object"].attrs["chi2"] == float(solutions["cost"][best])
    inside = found.tree["object"]["support"].values != 0
    strain = clusters["strain_along_q"].values[0]
    whole = found.tree["object"]["strain_along_q"].values[inside]
    np.testing.assert_array_equal(np.sort(strain[np.isfinite(strain)]), np.sort(whole[np.isfinite(whole)]))


def test_the_report_shows_surface_slices_and_pattern(found: Grain) -> None:
    page = (found.result.parent / "report.html").read_text(encoding="utf-8")
    for heading in ("Surface", "Slices through the middle", "Planes through the peak", "Cost of the starts"):
        assert f"<h3>{heading}" in page
    assert "twin" in page
    assert page.count("data:image/png") >= 4


def test_a_second_run_reuses_all_and_workers_leave_the_same_bytes(
    found: Grain, tmp_path: Path, no_report: None
) -> None:
    before = files(found.result)
    ended = run(found.recipe, found.out)
    assert ended.last_json["tasks_reused"] == ended.last_json["tasks"]
    assert files(found.result) == before
    told = ("run", found.recipe, "--out", tmp_path, "--json", "--cluster", "local", "--workers", "2")
    ended = nanotexture(*told)
    assert ended.status == 0, ended.err
    assert files(Path(ended.last_json["result"])) == before


def test_check_prints_the_plan_and_computes_nothing(tmp_path: Path) -> None:
    ended = nanotexture("check", recipe(tmp_path), "--out", tmp_path / "out")
    assert ended.status == 0
    assert "phase_crystal" in ended.out
    assert "estimated memory" in ended.out
    assert not (tmp_path / "out").exists()


def test_a_cxi_file_is_opened_by_plain_h5py(found: Grain, tmp_path: Path) -> None:
    ended = nanotexture("export", found.result, "--to", "cxi", "--out", tmp_path, "--json")
    assert ended.status == 0, ended.err
    with h5py.File(ended.last_json["files"][0]) as file:
        assert file["cxi_version"][()] == 160
        image = file["entry_1/image_1"]
        np.testing.assert_array_equal(
            image["data"][()], density(found.tree).astype(np.complex64).transpose(2, 1, 0)
        )
        assert image["data_space"].asstr()[()] == "real"
        np.testing.assert_array_equal(file["entry_1/data_1/data"][()], image["data"][()])
        np.testing.assert_allclose(image["voxel_size"][()], np.array(VOXEL) * 1e-10)
        counts = file["entry_1/data_2/data"][()].transpose(2, 1, 0)
        np.testing.assert_array_equal(counts, grain()[1])
        process = image["process_1"]
        assert process["program"].asstr()[()] == "nanotexture"
        assert process["configuration"].asstr()[()] == RECIPE
        assert json.loads(process["inputs"].asstr()[()])[0]["file"] == "grain.npy"
        assert process["quality/chi2"][()] == found.tree["object"].attrs["chi2"]


def test_the_exported_counts_are_taken_back(found: Grain, tmp_path: Path, no_report: None) -> None:
    nanotexture("export", found.result, "--to", "cxi", "--out", tmp_path)
    (cxi,) = tmp_path.glob("*.cxi")
    text = RECIPE.replace("grain.npy", cxi.name).replace(
        "q = [0, 3, 4]", 'array = "/entry_1/image_2/data"\nmask = "/entry_1/image_2/mask"'
    )
    text = text.replace("starts = 4", "starts = 1").replace("iterations = 60", "iterations = 5")
    (tmp_path / "recipe.toml").write_text(text)
    ended = run(tmp_path / "recipe.toml", tmp_path / "out")
    assert ended.status == 0, ended.err
    tree = xr.open_datatree(Path(ended.last_json["result"]), engine="zarr", consolidated=False).load()
    np.testing.assert_array_equal(tree["diffraction"]["intensity"].values.transpose(2, 1, 0), grain()[1])
    assert np.isnan(tree["object"]["strain_along_q"]).all()  # q was not told
    assert "strain_along_q stays NaN" in tree.attrs["warnings"]


def test_a_film_is_no_particle(quickstart: object, tmp_path: Path) -> None:
    ended = nanotexture("export", quickstart.result, "--to", "cxi", "--out", tmp_path)  # type: ignore[attr-defined]
    assert ended.status == 2
    assert "/object" in ended.err


# --- what the user can mend


def refused(ended: Ended, folder: Path, *words: str) -> None:
    assert ended.status == 2, (ended.out, ended.err)
    assert ended.out == ""
    assert "Traceback" not in ended.err
    last = ended.err.splitlines()[-1]
    assert last.startswith("nanotexture: ")
    for word in words:
        assert word in last
    assert not list(folder.rglob("result.zarr")) + list(folder.rglob("report.html"))


def at(place: tuple[int, int, int], value: float) -> np.ndarray:
    counts = grain()[1]
    counts[place] = value
    return counts


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (np.ones((20, 20)), ("three dimensions", "(20, 20)")),
        (np.ones((8, 20, 20)), ("16 to 512 voxels", "(8, 20, 20)")),
        (at((3, 3, 3), np.nan), ("finite", "1 of NaN")),
        (at((3, 3, 3), -1.0), ("no negative", "-1")),
        (grain()[1] / grain()[1].max(), ("counts", "normalised")),
        (np.roll(grain()[1], 14, 2), ("peak inside the window", "axis 2")),
        (grain(size=24.0, phase_range=0.2)[1], ("sampling", "autocorrelation")),
        (grain()[1] * 1j, ("numbers", "complex")),
        (np.array([{}], dtype=object), ("numbers", "pickled")),
    ],
    ids=["2D", "small", "NaN", "negative", "normalised", "edge", "sampling", "complex", "pickle"],
)
def test_arrays_that_cannot_be_phased_are_refused(
    tmp_path: Path, counts: np.ndarray, words: tuple[str, ...]
) -> None:
    refused(run(recipe(tmp_path, counts=counts), tmp_path / "out"), tmp_path, "grain.npy", *words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[invert]", "[film]\nin_plane = '4 angstrom'\n[invert]", ("film: unknown key",)),
        ('d_spacing = "2.355 angstrom"', "", ("crystal", "either d_spacing or lattice")),
        ("hkl = [1, 1, 1]", "hkl = [0, 0, 0]", ("crystal.hkl", "0 0 0")),
        ("voxel = [", "voxle = [", ("voxle: unknown key", "'voxel'")),
        ('"60 angstrom", ', "", ("crystal.voxel",)),
        ('files = ["grain.npy"]', 'files = ["grain.npy", "other.npy"]', ("input.files", "one array")),
        ("q = [0, 3, 4]", "q = [0, 0, 0]", ("crystal.q", "direction")),
        ("threshold = 0.15", "threshold = 1.5", ("invert.threshold",)),
        ("[invert]", '[invert]\nsolver = "er"', ("invert.solver", "'hio'")),
        ('files = ["grain.npy"]', 'files = ["gran.npy"]', ("input.files", "gran.npy")),
        ('files = ["grain.npy"]', 'files = ["grain.npy"]\nmask = "m.npy"', ("input.mask", "m.npy")),
        ("q = [0, 3, 4]", 'values = "amplitude"', ("crystal.peak_counts",)),
    ],
)
def test_recipes_that_say_something_impossible_are_refused(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    assert old in RECIPE
    counts = grain()[1] + 0.5 * np.random.default_rng(0).random(SHAPE) if "amplitude" in new else None
    path = recipe(tmp_path, RECIPE.replace(old, new), counts)
    refused(run(path, tmp_path / "out"), tmp_path, *words)


# --- the measured crystal


def test_the_gold_crystal_is_found_with_its_blank_masked(mirror: Path, tmp_path: Path) -> None:
    more = ("starts=2", "threshold=0.1", "coherence=partial", "cycles=3", "refine=60", "hops=0")
    ended = run(
        RECIPES / "gold64.toml", tmp_path, *(part for one in more for part in ("--set", f"invert.{one}"))
    )
    assert ended.status == 0, ended.err
    tree = xr.open_datatree(Path(ended.last_json["result"]), engine="zarr", consolidated=False).load()
    pattern, attrs = tree["diffraction"].to_dataset(), tree["object"].attrs
    assert float(pattern["intensity"].max()) == 6377258
    assert 570 <= int(pattern["mask"].sum()) < 1000
    assert attrs["chi2"] < 1.2e-3
    assert attrs["free_chi2"] < 3e-3
    assert "assumed" in tree.attrs["warnings"]
    extents = [np.ptp(np.nonzero(tree["object"]["support"].values)[axis]) + 1 for axis in range(3)]
    np.testing.assert_allclose(extents, [20, 15, 21], atol=3)
