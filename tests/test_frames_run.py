"""Frames of an area detector to maps through the command line: conserved counts, blocks, growing scans, series, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from nanotexture import schema
from nanotexture.engine.store import ArtefactStore
from nanotexture.jobs import job_of

from . import frame_films
from .frame_films import RECIPE, frames, write
from .recipes_pruned import Ended, nanotexture

FIXED = (
    'input.voxel=["0.004 1/angstrom", "0.004 1/angstrom"]',
    "input.qx_range=[1.55, 1.67]",
    "input.qz_range=[4.56, 4.68]",
)


def run(folder: Path, *changes: str, out: str = "out") -> Ended:
    recipe = folder / "rocked.toml"
    recipe.write_text(RECIPE)
    sets = [part for one in changes for part in ("--set", one)]
    return nanotexture("run", recipe, "--out", folder / out, "--cluster", "none", "--json", *sets)


def maps(ended: Ended) -> xr.Dataset:
    assert ended.status == 0, ended.err
    tree = xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()
    return schema.check(tree["maps/103"].to_dataset(), schema.CONVERTED_MAP)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    write(tmp_path / "a.nxs", temperature=300.0)
    return tmp_path


def sums(folder: Path, *changes: str) -> tuple[xr.Dataset, xr.Dataset]:
    """Merged sums of the one scan, and its survey, from the artefacts of a finished run."""
    job = job_of(folder / "rocked.toml", changes)
    (task,) = job.wanted
    store = ArtefactStore(folder / "out" / "rocked" / "artefacts")
    found = {before.stage.name: store.get(before.name) for before in task.upstream}
    return found.get("merge_sums", found.get("block_sums")), found["survey"]


def test_every_count_is_in_a_voxel_or_among_the_dropped(scan: Path) -> None:
    changes = ("convert.corrections=[]", "convert.block=7", *FIXED)
    assert run(scan, *changes).status == 0
    found, _ = sums(scan, *changes)
    dropped = found["dropped"].values.sum(axis=0)
    counts = frames().counts
    assert float(found["counts"].sum()) + dropped[0] == counts.sum()
    assert float(found["pixels"].sum()) + dropped[2] == counts.size
    assert 0.05 < found["pixels"].sum() / counts.size < 0.9


def test_the_peak_stands_where_the_film_has_it(scan: Path) -> None:
    one = maps(run(scan)).isel(temperature=0)
    assert float(one["temperature"]) == 300.0
    peak = one["intensity"].fillna(0)
    for axis, expected in (("qx", 2 * np.pi / frame_films.A), ("qz", 6 * np.pi / 4.08)):
        along = peak.sum([q for q in ("qx", "qz") if q != axis])
        above = along.where(along > 0.3 * along.max(), 0)
        assert float((above * one[axis]).sum() / above.sum()) == pytest.approx(expected, abs=4e-3)


@pytest.mark.parametrize("block", [3, 16, 64])
def test_the_map_does_not_depend_on_the_blocks(scan: Path, block: int) -> None:
    whole = maps(run(scan, *FIXED, "convert.block=40", out="whole"))
    parts = maps(run(scan, *FIXED, f"convert.block={block}", out="parts"))
    np.testing.assert_array_equal(parts["contributions"], whole["contributions"])
    np.testing.assert_array_equal(parts["mask"], whole["mask"])
    np.testing.assert_allclose(parts["intensity"], whole["intensity"], rtol=1e-11)
    np.testing.assert_allclose(parts["variance"], whole["variance"], rtol=1e-11)


def test_a_volume_summed_over_qy_holds_the_counts_of_the_flat_map(scan: Path) -> None:
    flat = maps(run(scan, *FIXED, "convert.corrections=[]", out="flat")).isel(temperature=0)
    steps = ("input.voxel=['0.004 1/angstrom', '0.004 1/angstrom', '0.004 1/angstrom']", *FIXED[1:])
    ended = run(scan, *steps, "convert.volume=true", "convert.corrections=[]", out="volume")
    tree = xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()
    volume = schema.check(tree["maps/103"].to_dataset(), schema.CONVERTED_VOLUME).isel(temperature=0)
    counts = (volume["intensity"] * volume["contributions"]).sum("qy")
    same = (flat["intensity"] * flat["contributions"]).fillna(0)
    np.testing.assert_allclose(volume["contributions"].sum("qy"), flat["contributions"])
    np.testing.assert_allclose(counts, same, atol=1e-6)


def test_a_scan_that_grows_is_topped_up_and_ends_as_if_read_at_once(tmp_path: Path) -> None:
    changes = (*FIXED, "convert.growing=true", "convert.block=8")
    write(tmp_path / "a.nxs", first=20)
    first = run(tmp_path, *changes)
    assert first.last_json["tasks_reused"] == 0
    before = maps(first)
    write(tmp_path / "a.nxs")
    again = run(tmp_path, *changes)
    grown = maps(again)
    # survey, grid and the two whole blocks of the first 16 frames stand; frames 16 to 19 were an unfinished block
    assert again.last_json["tasks_reused"] == 4
    once = maps(run(tmp_path, *changes, out="once"))
    xr.testing.assert_identical(grown, once)
    assert grown["contributions"].sum() > 1.8 * before["contributions"].sum()


def test_a_series_has_one_grid_and_shows_the_thermal_expansion(tmp_path: Path) -> None:
    expansion = 4e-5
    kelvin = np.array([100.0, 200.0, 300.0])
    for t in kelvin:
        write(tmp_path / f"{t:g}.nxs", c=4.08 * (1 + expansion * (t - 200)), temperature=t)
    found = maps(run(tmp_path, "input.qx_range=[1.58, 1.64]", "input.qz_range=[4.52, 4.72]"))
    np.testing.assert_array_equal(found["temperature"], kelvin)
    assert set(found["source"].values) == {"100.nxs", "200.nxs", "300.nxs"}
    rod = (found["intensity"] - 0.5).clip(0).sum("qx")
    centre = (rod * found["qz"]).sum("qz") / rod.sum("qz")
    slope = np.polyfit(kelvin, np.log(centre), 1)[0]
    assert slope == pytest.approx(-expansion, rel=0.2)


def test_monitor_and_attenuator_put_all_frames_to_one_exposure(tmp_path: Path) -> None:
    write(tmp_path / "a.nxs")
    plain = maps(run(tmp_path, *FIXED, out="plain"))
    with h5py.File(tmp_path / "a.nxs", "r+") as file:
        file["entry/monitor/data"][...] *= 2.0
    doubled = maps(run(tmp_path, *FIXED, out="doubled"))
    np.testing.assert_allclose(doubled["intensity"], plain["intensity"], rtol=1e-12)


def test_corrections_weigh_pixels_by_their_angles(scan: Path) -> None:
    """Solid angle and polarization lower what a pixel away from the direct beam would count: intensities rise."""
    plain = maps(run(scan, *FIXED, out="plain"))
    told = ("convert.corrections=['monitor', 'solid_angle', 'polarization']",)
    across = maps(run(scan, *FIXED, *told, "convert.polarization={axis='x+'}", out="across"))
    along = maps(run(scan, *FIXED, *told, "convert.polarization={axis='y+'}", out="along"))
    ratio = (across["intensity"] / plain["intensity"]).mean()
    assert 1.0 < float(ratio) < 1.02  # the scattering plane is vertical: a field across it loses nothing
    delta = frames().angles.delta.mean()
    lost = float((along["intensity"] / across["intensity"]).mean())
    assert lost == pytest.approx(1 / np.cos(np.radians(delta)) ** 2, rel=0.02)


def test_a_geometry_that_misses_the_peak_is_refused_with_both_places(scan: Path) -> None:
    right = ("convert.check=[[1, 0, 3], [1, 0, 2]]", "convert.tolerance=0.02 1/angstrom")
    assert run(scan, *right).status == 0
    ended = run(scan, *right, "convert.energy=9.2 keV", out="wrong")
    assert ended.status == 2
    assert "geometry" in ended.err
    assert "1 0 3" in ended.err
    assert not (scan / "wrong" / "rocked" / "result.zarr").exists()


def test_the_check_tries_geometry_and_grid_before_anything_is_computed(scan: Path) -> None:
    (scan / "rocked.toml").write_text(RECIPE)
    for change, words in (
        ("convert.goniometer=34idc", ("a.nxs", "theta")),
        ("input.qx_range=[7.0, 8.0]", ("rocked.toml", "input.qx_range", "1.4972 to 1.7146")),
    ):
        ended = nanotexture("check", scan / "rocked.toml", "--out", scan / "out", "--set", change)
        assert ended.status == 2
        assert all(word in ended.err for word in words), ended.err
    assert not (scan / "out").exists()


def test_every_reflection_is_put_to_one_exposure(tmp_path: Path) -> None:
    """The same frames called two reflections: the one of twice the monitor is half as bright beside the other."""
    for name, monitor in (("a", 1.0), ("b", 2.0)):
        with h5py.File(write(tmp_path / f"{name}.nxs"), "r+") as file:
            file["entry/monitor/data"][...] *= monitor
    ended = run(tmp_path, *FIXED, "input.hkl=[[1, 0, 3], [1, 0, 4]]")
    assert ended.status == 0, ended.err
    tree = xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()
    np.testing.assert_allclose(2 * tree["maps/104/intensity"], tree["maps/103/intensity"], rtol=1e-12)


def test_what_was_counted_on_the_way_is_kept_with_each_map_and_shown(scan: Path) -> None:
    with h5py.File(scan / "a.nxs", "r+") as file:
        file["entry/instrument/detector/pixel_mask"][:2] = 1
    ended = run(scan, *FIXED)
    record = json.loads(maps(ended)["record"].item())
    assert record["frames"] == frame_films.FRAMES
    assert record["masked_pixels"] == 2 * frame_films.DETECTOR.shape[1]
    assert record["dropped_masked"] == frame_films.FRAMES * record["masked_pixels"]
    page = Path(ended.last_json["report"]).read_text()
    assert "Counted on the way" in page
    assert f"{record['dropped_outside']:,}".replace(",", "\N{THIN SPACE}") in page


def test_a_file_that_grows_is_named_though_not_hashed(tmp_path: Path) -> None:
    write(tmp_path / "a.nxs", first=20)
    ended = run(tmp_path, *FIXED, "convert.growing=true", "convert.block=8")
    record = json.loads(maps(ended)["record"].item())
    assert (record["file"], record["frames"], record["growing"][:3]) == ("a.nxs", 20, "yes")
    assert "20 frames are converted and the file is not hashed" in ended.err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("convert.goniometer=psic",), ("goniometer", "6idb_psic", "psic")),
        (("input.scans=[2]",), ("a.nxs", "scan", "1")),
        (("input.hkl=[[1, 0, 3], [0, 0, 2]]",), ("input.hkl", "1 scans", "2")),
        (("convert.energy=9 eV",), ("energy", "keV")),
        (("input.qx_range=[7.0, 8.0]",), ("qx", "7")),
        (("convert.growing=true",), ("qx_range", "growing")),
        (("convert.motors=['kappa']",), ("kappa", "motor")),
        (("input.kind=scans", "input.hkl=[1, 0, 3]"), ("a.nxs", "file type")),
        (("convert.corrections=['flat_field']",), ("flat_field", "array")),
        (("convert.corrections=['polarization']",), ("polarization_axis", "direction")),
        (("convert.normal=[0, 0, 0]",), ("normal", "0")),
        (("convert.corrections=['monitr']",), ("corrections", "monitor")),
        (("input.scans=[1, 1]",), ("input.scans", "1 again")),
        (("convert.distance=500 mm",), ("convert.distance", "goniometer")),
        (("convert.polarization={axis='x+'}",), ("convert.polarization", "corrections")),
        (("convert.images=S{scan}*.tif",), ("a.nxs", "images", "SPEC")),
        (("convert.pedestal=-5",), ("convert.pedestal", "-5")),
        (("convert.pedestal=1e9",), ("a.nxs", "intensity above 0")),
        (("input.voxel=['5 1/angstrom', '0.004 1/angstrom']",), ("voxel", "qx", "at most 0.2175")),
        (("input.voxel=['1e-300 1/angstrom', '0.004 1/angstrom']",), ("voxel", "qx", "1e-300")),
        (("convert.goniometer={sample=[{motor='eta', axis='q+'}], beam='y+', rows='z-', columns='x+'}",),
         ("convert.goniometer.sample[0].axis", "q+")),
    ],
)  # fmt: skip
def test_frames_that_cannot_become_a_map_are_refused(
    scan: Path, changes: tuple[str, ...], words: tuple[str, ...]
) -> None:
    ended = run(scan, *changes)
    assert ended.status == 2, ended.out
    said = [line for line in ended.err.splitlines() if line.startswith("nanotexture: ")]
    assert len(said) == 1
    assert all(word in said[0] for word in words), said
    assert "Traceback" not in ended.err
    assert not (scan / "out" / "rocked" / "result.zarr").exists()
