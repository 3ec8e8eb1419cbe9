"""What a user can mend ends with exit status 2, one message that names file, field, expected and found, and no result."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from nanotexture.data import MANIFEST
from nanotexture.engine import cluster
from nanotexture.readers import hdf5_safety

from .map_files import RECIPE, simulated, write_map, write_recipe
from .recipes_pruned import RECIPES, Ended, nanotexture

HKL = (1, 0, 3)
Damage = Callable[[h5py.File], None]


def run(recipe: Path, out: Path, *more: str) -> Ended:
    return nanotexture("run", recipe, "--out", out, "--cluster", "none", "--json", *more)


def assert_refused(ended: Ended, folder: Path, *words: str) -> None:
    """Exit 2, nothing on stdout, one line with all the words, and nothing that looks like a result."""
    assert ended.status == 2, (ended.out, ended.err)
    assert ended.out == ""
    lines = [line for line in ended.err.splitlines() if line.startswith("nanotexture: ")]
    assert len(lines) == 1
    assert ended.err.splitlines()[-1] == lines[0], "the message comes last, on one line"
    assert "Traceback" not in ended.err
    for word in words:
        assert word in lines[0]
    assert any(word in lines[0] for word in ("expected", "unknown", "work"))
    assert [p for p in folder.rglob("*") if p.name.endswith(("result.zarr", "report.html"))] == []


# --- map files whose bytes are wrong


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (cut, ("complete HDF5", "truncated")),
        (lambda content: b"", ("HDF5 file", "an empty file")),
        (lambda content: b"hello, " * 400, ("HDF5",)),
        (lambda content: content[:8] + b"\xff" * 90 + content[98:], ("HDF5",)),
    ],
    ids=["truncated", "empty", "text", "broken header"],
)
def test_a_file_that_is_not_whole_is_refused(
    tmp_path: Path, change: Callable[[bytes], bytes], words: tuple[str, ...]
) -> None:
    path = write_map(tmp_path / "a.nxs", simulated(HKL))
    path.write_bytes(change(path.read_bytes()))
    assert_refused(run(write_recipe(tmp_path), tmp_path / "out"), tmp_path, "a.nxs", *words)


# --- map files whose content is wrong


def units(field: str, text: str | None) -> Damage:
    def change(file: h5py.File) -> None:
        if text is None:
            del file[field].attrs["units"]
        else:
            file[field].attrs["units"] = text

    return change


def edited(field: str, edit: Callable[[np.ndarray], Any]) -> Damage:
    """The dataset replaced by what the edit of its values gives, attributes kept."""

    def change(file: h5py.File) -> None:
        values, attrs = file[field][()], dict(file[field].attrs)
        del file[field]
        file[field] = edit(values)
        file[field].attrs.update(attrs)

    return change


def put(where: Any, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def edit(values: np.ndarray) -> np.ndarray:
        values = values.copy()
        values[where] = value
        return values

    return edit


def without(field: str) -> Damage:
    def change(file: h5py.File) -> None:
        del file[field]

    return change


COUNTS, QX, QZ = "entry/data/intensity", "entry/data/qx", "entry/data/qz"
REFLECTION, ENERGY, MASK = "entry/reflection/hkl", "entry/instrument/beam/incident_energy", "entry/data/mask"


def one_peak(values: np.ndarray) -> np.ndarray:
    """No texture: the column of order 0 alone, on a flat background."""
    middle = int(values.sum(axis=1).argmax())
    flat = np.full_like(values, 2.0)
    flat[middle - 1 : middle + 2] = values[middle - 1 : middle + 2]
    return np.random.default_rng(0).poisson(flat).astype(float)


CONTENT: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "rate": (units(COUNTS, "count/s"), ("intensity", "'count'", "'count/s'")),
    "no unit": (units(COUNTS, None), ("intensity", "'count'", "no units")),
    "q in nm": (units(QX, "1/nm"), ("qx", "1/angstrom", "1/nm")),
    "q without unit": (units(QZ, None), ("qz", "no units")),
    "energy in eV": (edited(ENERGY, lambda e: 8048.0), ("incident_energy", "keV", "8048")),
    "energy unit": (units(ENERGY, "eV"), ("incident_energy", "keV", "'eV'")),
    "NaN in axis": (edited(QX, put(3, np.nan)), ("qx", "finite")),
    "axis not uniform": (edited(QZ, lambda q: q[0] + np.linspace(0, 1, q.size) ** 2), ("qz", "uniform")),
    "axis too short": (edited(QX, lambda q: q[:-2]), ("qx", "shape")),
    "NaN counts": (edited(COUNTS, put((2, 2), np.nan)), ("intensity", "finite", "1 of NaN")),
    "negative counts": (edited(COUNTS, put((2, 2), -4.0)), ("intensity", "negative", "-4")),
    "all masked": (edited(MASK, np.ones_like), ("mask", "measured")),
    "zero everywhere": (edited(COUNTS, np.zeros_like), ("intensity", "zero")),
    "mask of another shape": (edited(MASK, lambda m: m[:-1]), ("mask", "shape")),
    "intensity transposed": (edited(COUNTS, lambda i: i.T), ("shape",)),
    "no hkl": (without(REFLECTION), ("/entry/reflection", "hkl")),
    "hkl 000": (edited(REFLECTION, lambda h: h * 0), ("hkl", "not all 0")),
    "hkl of two": (edited(REFLECTION, lambda h: h[:2]), ("hkl", "3 integers")),
    "hkl not whole": (edited(REFLECTION, lambda h: h + 0.5), ("hkl", "3 integers")),
    "l = 0": (edited(REFLECTION, lambda h: np.array([1, 0, 0])), ("1 0 0",)),
    "another reflection": (edited(REFLECTION, lambda h: np.array([2, 0, 4])), ("2 0 4", "qx")),
    "no intensity": (without(COUNTS), ("intensity",)),
    "no energy": (without("entry/instrument"), ("incident_energy",)),
    "no satellites": (edited(COUNTS, one_peak), ("intensity", "satellites")),
}


@pytest.mark.parametrize("name", CONTENT)
def test_a_map_that_makes_no_sense_is_refused(tmp_path: Path, name: str) -> None:
    change, words = CONTENT[name]
    write_map(tmp_path / "a.nxs", simulated(HKL), change=change)
    assert_refused(run(write_recipe(tmp_path), tmp_path / "out"), tmp_path, "a.nxs", *words)


TOLD: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # the maps: period 90, thickness 120 angstrom
    "period without satellites": (
        ("texture.period='150 angstrom'",),
        ("film.toml", "texture.period", "150 angstrom", "9"),
    ),
    "twice the thickness": (("film.thickness='240 angstrom'",), ("film.thickness", "about 1", "found 240")),
    "stack and thickness apart": (
        ("film={in_plane='3.905 angstrom', thickness='200 angstrom', "
         "stack=[{material='PbTiO3', cells=30, c='4.08 angstrom'}]}",),
        ("film.toml", "film.thickness", "122.4", "found 200"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_a_recipe_that_contradicts_its_maps_is_refused_with_both_numbers(tmp_path: Path, name: str) -> None:
    changes, words = TOLD[name]
    write_map(tmp_path / "a.nxs", simulated(HKL))
    sets = [part for one in changes for part in ("--set", one)]
    assert_refused(run(write_recipe(tmp_path), tmp_path / "out", *sets), tmp_path, *words)


def test_a_scale_that_contradicts_the_intensities_is_refused_with_both_numbers(tmp_path: Path) -> None:
    def scale(file: h5py.File) -> None:
        file["entry/reflection/scale"] = 20.0

    every = ((0, 0, 2), (1, 0, 3))
    write_map(tmp_path / "a.nxs", simulated((0, 0, 2), reflections=every), change=scale)
    write_map(tmp_path / "b.nxs", simulated((1, 0, 3), reflections=every))
    ended = run(write_recipe(tmp_path), tmp_path / "out")
    assert_refused(ended, tmp_path, "a.nxs", "/entry/reflection/scale", "found 20")


def test_a_reflection_in_the_plane_of_the_film_is_refused(tmp_path: Path) -> None:
    def flat(file: h5py.File) -> None:
        file[REFLECTION][...] = [1, 0, 0]
        file[QZ][...] -= file[QZ][...].mean()

    write_map(tmp_path / "a.nxs", simulated(HKL), change=flat)
    assert_refused(run(write_recipe(tmp_path), tmp_path / "out"), tmp_path, "a.nxs", "hkl", "l other than 0")


# --- which files there are


def test_a_reflection_twice_is_refused(tmp_path: Path) -> None:
    for name in ("a.nxs", "b.nxs"):
        write_map(tmp_path / name, simulated(HKL))
    assert_refused(run(write_recipe(tmp_path), tmp_path / "out"), tmp_path, "b.nxs", "(1, 0, 3)", "again")


def test_a_reflection_missing_at_one_temperature_is_refused(tmp_path: Path) -> None:
    write_map(tmp_path / "a.nxs", simulated(HKL), temperature=300.0)
    write_map(tmp_path / "b.nxs", simulated(HKL), temperature=400.0)
    write_map(tmp_path / "c.nxs", simulated((0, 0, 2)), temperature=300.0)
    ended = run(write_recipe(tmp_path), tmp_path / "out")
    assert_refused(ended, tmp_path, "input.files", "(0, 0, 2)", "400 K")


FILES: dict[str, tuple[str, tuple[str, ...]]] = {
    "no match": ('["none/*.nxs"]', ("input.files", "none/*.nxs")),
    "no such file": ('["nothing.nxs"]', ("input.files", "nothing.nxs")),
    "misspelt dataset": ('["pto_ktoo"]', ("input.files", "pto_kto")),
    "a folder": ('["."]', ("input.files",)),
    "not a map": ('["film.toml"]', ("film.toml", "file type", ".nxs")),
    "nothing": ("[]", ("input.files",)),
    "no list": ("3", ("input.files",)),
}


@pytest.mark.parametrize("name", FILES)
def test_input_files_that_are_not_there_are_refused(tmp_path: Path, name: str) -> None:
    entry, words = FILES[name]
    recipe = write_recipe(tmp_path, RECIPE.replace('["*.nxs"]', entry))
    assert_refused(run(recipe, tmp_path / "out"), tmp_path, "film.toml", *words)


# --- the recipe

SET: dict[str, tuple[str, tuple[str, ...]]] = {
    "unknown key": ("invert.startz=3", ("invert.startz", "'starts'")),
    "unknown table": ("inverse.starts=3", ("inverse", "'invert'")),
    "unknown unit": ('film.in_plane="3.9 parsnips"', ("film.in_plane", "parsnips")),
    "wrong unit": ('film.in_plane="3.9 kelvin"', ("film.in_plane", "angstrom")),
    "bare number": ("film.in_plane=3.9", ("film.in_plane", "3.9")),
    "bare integer": ("film.in_plane=4", ("film.in_plane", "4")),
    "no number": ('film.in_plane="angstrom"', ("film.in_plane",)),
    "not a number": ('film.in_plane="nan angstrom"', ("film.in_plane",)),
    "infinite": ('film.thickness="inf angstrom"', ("film.thickness",)),
    "unknown material": ("film.material=PbTiO4", ("film", "PbTiO4", "PbTiO3")),
    "thickness zero": ('film.thickness="0 angstrom"', ("film.thickness", "above 0")),
    "thickness negative": ('film.thickness="-3 nm"', ("film.thickness", "above 0")),
    "thickness without unit": ("film.thickness=120", ("film.thickness",)),
    "starts zero": ("invert.starts=0", ("invert.starts", "greater than 0", "found 0")),
    "starts text": ("invert.starts=many", ("invert.starts", "'many'")),
    "starts half": ("invert.starts=2.5", ("invert.starts", "2.5")),
    "unknown solver": ("invert.solver=guess", ("invert.solver", "'guess'")),
    "unknown kind": ("input.kind=photo", ("input.kind", "'photo'")),
    "name with a slash": ("name=../up", ("name",)),
    "stack and material": ('film.stack=[{material="PbTiO3",cells=3,c="4 angstrom"}]', ("film", "both")),
    "no period": ('texture.period="maybe"', ("texture.period",)),
    "table as number": ("film=3", ("film",)),
    "no equals sign": ("nonsense", ("--set nonsense", "table.key=value")),
    "empty key": ("invert..starts=3", ("--set", "table.key=value")),
    "below a number": ("name.starts=3", ("--set name.starts=3", "table")),
}


@pytest.mark.parametrize("name", SET)
def test_a_recipe_that_makes_no_sense_is_refused(tmp_path: Path, name: str) -> None:
    change, words = SET[name]
    write_map(tmp_path / "a.nxs", simulated(HKL))
    assert_refused(run(write_recipe(tmp_path), tmp_path / "out", "--set", change), tmp_path, *words)


TEXT: dict[str, tuple[Callable[[str], str], tuple[str, ...]]] = {
    "broken TOML": (lambda text: text + "\n[other\nkey = 1", ("film.toml", "TOML", "line")),
    "a key twice": (lambda text: text + "\nstarts = 3", ("film.toml", "TOML")),
    "empty": (lambda text: "", ("film.toml",)),
    "no film": (lambda text: text[: text.index("[film]")], ("film.toml", "film")),
    "cells zero": (
        lambda text: text.replace(
            'material = "PbTiO3"\nc = "4.08 angstrom"',
            'stack = [{ material = "PbTiO3", cells = 0, c = "4.08 angstrom" }]',
        ),
        ("film.stack[0].cells", "found 0"),
    ),
    "cells negative": (
        lambda text: text.replace(
            'material = "PbTiO3"\nc = "4.08 angstrom"',
            'stack = [{ material = "PbTiO3", cells = -4, c = "4.08 angstrom" }]',
        ),
        ("film.stack[0].cells", "found -4"),
    ),
    "inline material without atoms": (
        lambda text: text.replace('material = "PbTiO3"', "material = { lattice = [3.9, 3.9, 4.1] }"),
        ("film.toml", "atoms"),
    ),
    "inline material with an unknown element": (
        lambda text: text.replace(
            'material = "PbTiO3"',
            'material = { lattice = [3.9, 3.9, 4.1], atoms = [{ element = "Zz", position = [0, 0, 0] }] }',
        ),
        ("film.toml", "Zz"),
    ),
}


@pytest.mark.parametrize("name", TEXT)
def test_a_recipe_file_that_is_broken_is_refused(tmp_path: Path, name: str) -> None:
    change, words = TEXT[name]
    write_map(tmp_path / "a.nxs", simulated(HKL))
    assert_refused(run(write_recipe(tmp_path, change(RECIPE)), tmp_path / "out"), tmp_path, *words)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00name", b"\x00"], ids=["absent", "no UTF-8", "NUL"])
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_recipe_that_cannot_be_read_is_refused(tmp_path: Path, command: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.toml").write_bytes(content)
    assert_refused(nanotexture(command, tmp_path / "a.toml", "--out", tmp_path), tmp_path, "a.toml", "recipe")


def test_a_folder_in_the_place_of_a_recipe_is_refused(tmp_path: Path) -> None:
    assert_refused(nanotexture("check", tmp_path), tmp_path, tmp_path.name, "recipe")


# --- scans

SCANS = """
name = "scan"
[input]
kind = "scans"
files = ["a.asc"]
hkl = [1, 0, 3]
[film]
in_plane = "3.905 angstrom"
material = "PbTiO3"
"""


def test_a_scan_of_an_unknown_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("1 2 3\n")
    recipe = write_recipe(tmp_path, SCANS.replace("a.asc", "a.xyz"))
    assert_refused(run(recipe, tmp_path / "out"), tmp_path, "a.xyz", "file type", ".xrdml")


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01", b"*TYPE = Raw\n*BEGIN\n"], ids=["empty", "bytes", "cut"]
)
def test_a_scan_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.asc").write_bytes(content)
    assert_refused(run(write_recipe(tmp_path, SCANS), tmp_path / "out"), tmp_path, "a.asc")


def test_an_alignment_without_a_substrate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.asc").write_bytes(b"*TYPE = Raw\n")
    told = 'hkl = [1, 0, 3]\nalign = { file = "a.asc", hkl = [1, 0, 3] }'
    recipe = write_recipe(tmp_path, SCANS.replace("hkl = [1, 0, 3]", told))
    assert_refused(run(recipe, tmp_path / "out"), tmp_path, "film.substrate", "input.align")


def test_scans_without_a_reflection_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.asc").write_bytes(b"*TYPE = Raw\n")
    recipe = write_recipe(tmp_path, SCANS.replace("hkl = [1, 0, 3]\n", ""))
    assert_refused(run(recipe, tmp_path / "out"), tmp_path, "hkl", "one reflection")


def test_a_dataset_with_a_changed_byte_is_refused(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(mirror / "pto_kto", tmp_path / "data" / "pto_kto")
    changed = tmp_path / "data" / "pto_kto" / "e16014_02_-103_PTO_RSM_2-Theta.asc"
    changed.write_bytes(changed.read_bytes().replace(b"1", b"2", 1))
    monkeypatch.setenv("NANOTEXTURE_MIRROR", str(tmp_path / "data"))
    ended = run(RECIPES / "pto_kto.toml", tmp_path / "out")
    assert_refused(ended, tmp_path, changed.name, "sha256")


def test_a_dataset_that_no_mirror_has_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "manifest").mkdir()
    (tmp_path / "manifest" / "tiny.toml").write_text(
        'name = "tiny"\ndescription = "d"\ninstrument = "i"\nlicence = "CC0"\nredistribute = true\n'
        '[[files]]\nname = "a.nxs"\norigin = "here"\nbytes = 4\nsha256 = "00"\n'
    )
    monkeypatch.setenv(MANIFEST, str(tmp_path / "manifest"))
    monkeypatch.setenv("NANOTEXTURE_MIRROR", str(tmp_path / "nowhere"))
    ended = run(write_recipe(tmp_path, RECIPE.replace("*.nxs", "tiny/a.nxs")), tmp_path / "out")
    assert ended.status == 2
    assert "tiny/a.nxs: not in NANOTEXTURE_MIRROR=" in ended.err


# --- what is simulated in the place of files

CLOSURE = RECIPES / "sim_closure_domains.toml"
TOO_MUCH = ["simulate.places=10000", "simulate.coherence=5e4 angstrom", "simulate.hkl=[[0, 0, 2]]"]
SIMULATED = {  # a command, its changes, and words of the message
    "no plane": ("check", ["film.thickness=0.5 angstrom"], ("film.thickness", "3 to 10000 planes", "12.18")),
    "a plane too few": ("check", ["film.thickness=8 angstrom"], ("film.thickness", "found 2")),
    "a huge film": ("check", ["film.thickness=1 cm"], ("film.thickness", "3 to 10000 planes")),
    "another lattice": ("check", ["film.in_plane=5 angstrom"], ("film.in_plane", "PbTiO3 has 3.905", "3.12 to 4.88")),
    "another height": ("check", ["film.c=400 angstrom"], ("film: c of PbTiO3", "3.32 to 5.19")),
    "too polar": ("check", ["simulate.texture.polarization=1.6"], ("simulate.texture.polarization", "0 to 1.5 C/m^2")),
    "in the plane": ("check", ["simulate.hkl=[[1, 0, 0]]"], ("simulate.hkl", "l other than 0")),
    "out of reach": ("check", ["simulate.hkl=[[0, 0, 6]]"], ("hkl", "up to 8.157", "9.161 keV")),
    "coarse voxels": ("check", ["simulate.voxels=[40, 121]", "simulate.orders=12"], ("voxels", "expected 49 or more along qx")),
    "coarse texture": ("run", ["simulate.texture.points=11"], (CLOSURE.name, "texture.points", "12 or more work")),
    "memory": ("run", TOO_MUCH, (CLOSURE.name, "2 GB is the limit", "coherence = 1.89e+04")),
}  # fmt: skip


@pytest.mark.parametrize("name", SIMULATED)
def test_what_cannot_be_simulated_is_refused(tmp_path: Path, name: str) -> None:
    command, told, words = SIMULATED[name]
    sets = [part for one in told for part in ("--set", one)]
    how = ("--cluster", "none") if command == "run" else ()
    assert_refused(
        nanotexture(command, CLOSURE, "--out", tmp_path, *how, *sets), tmp_path, CLOSURE.name, *words
    )


def test_a_film_whose_own_line_is_behind_the_stop_is_refused(tmp_path: Path) -> None:
    stop = "simulate.beam_stop=['0.02 1/angstrom', '0.5 1/angstrom']"
    sets = [
        part for one in (stop, "simulate.hkl=[[0, 0, 2]]", "simulate.places=2") for part in ("--set", one)
    ]
    ended = nanotexture("run", CLOSURE, "--out", tmp_path, "--cluster", "none", *sets)
    assert_refused(ended, tmp_path, "002: /entry/data/mask", "expected 12 rows or more", "found 0")


def test_one_layer_with_its_cells_needs_no_thickness(tmp_path: Path) -> None:
    layers = (
        "film={in_plane = '3.905 angstrom', stack = [{material = 'PbTiO3', cells = 50, c = '4.06 angstrom'}]}"
    )
    assert nanotexture("check", CLOSURE, "--out", tmp_path, "--set", layers).status == 0


# --- where it runs


@pytest.mark.parametrize("place", ["a file", "below a file", "no place for folders"])
def test_an_out_folder_that_cannot_be_made_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "taken").write_text("")
    out = {"a file": tmp_path / "taken", "below a file": tmp_path / "taken" / "runs"}.get(place)
    ended = run(RECIPES / "quickstart.toml", out or Path("/proc/nanotexture"))
    assert_refused(ended, tmp_path, "--out", "folder")


@pytest.mark.parametrize("place", ["a file", "no place for folders"])
def test_a_simulation_without_a_folder_to_go_to_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "taken").write_text("")
    out = tmp_path / "taken" if place == "a file" else Path("/proc/nanotexture")
    ended = nanotexture("simulate", RECIPES / "quickstart.toml", "--out", out)
    assert_refused(ended, tmp_path, f"--out {out}", "folder")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that gives up after a second, not after half a minute."""
    client = cluster.Client
    monkeypatch.setattr(
        cluster, "Client", lambda address, timeout, **more: client(address, timeout=1, **more)
    )


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"tcp://127.0.0.1:{taken.getsockname()[1]}"


def test_a_scheduler_that_does_not_answer_is_refused(tmp_path: Path, impatient: None, nobody: str) -> None:
    ended = nanotexture("run", RECIPES / "quickstart.toml", "--out", tmp_path, "--scheduler", nobody)
    assert_refused(ended, tmp_path, "--scheduler", nobody)


@pytest.mark.parametrize("address", ["nonsense", "ftp://a:1", "tcp://127.0.0.1:99999999"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, impatient: None, address: str) -> None:
    ended = nanotexture("run", RECIPES / "quickstart.toml", "--out", tmp_path, "--scheduler", address)
    assert_refused(ended, tmp_path, "--scheduler", address)


def test_a_scheduler_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("{}")
    told = ("--scheduler-file", tmp_path / "s.json")
    ended = nanotexture("run", RECIPES / "quickstart.toml", "--out", tmp_path, *told)
    assert_refused(ended, tmp_path, "--scheduler-file", "s.json")


# --- many files at once

FIELDS = (
    COUNTS,
    QX,
    QZ,
    MASK,
    REFLECTION,
    ENERGY,
    "entry/sample/temperature",
    "entry/data",
    "entry/sample/name",
)
VALUES = (
    np.nan,
    np.inf,
    -1.0,
    0,
    1e300,
    b"text",
    np.zeros(0),
    np.zeros((2, 3, 4)),
    np.array([1, 0, 3]),
    True,
)
ATTRIBUTES = ("units", "axes", "signal")
TEXTS = ("", "K", "count", "1/nm", "\u00e9", b"\xff\xfe", 3.5, np.arange(4), ["qx", "qx"], ["qz", "qx"])


def mutated(file: h5py.File, rng: np.random.Generator) -> None:
    """One to three changes of a map file, each of a field's value, type, attribute or being there."""
    for _ in range(int(rng.integers(1, 4))):
        field = FIELDS[rng.integers(len(FIELDS))]
        kind = int(rng.integers(4))
        if file.get(field, getlink=True) is None or not isinstance(file.get(field), h5py.HLObject):
            continue  # an earlier change took it away
        if kind == 0:
            del file[field]
        elif kind == 1:
            name = ATTRIBUTES[rng.integers(len(ATTRIBUTES))]
            file[field].attrs[name] = TEXTS[rng.integers(len(TEXTS))]
        elif kind == 2:
            attrs = dict(file[field].attrs)
            del file[field]
            file[field] = VALUES[rng.integers(len(VALUES))]
            file[field].attrs.update(attrs)
        else:
            del file[field]
            file[field] = h5py.SoftLink("/nowhere") if rng.integers(2) else h5py.ExternalLink("no.h5", "/a")


def test_no_mutated_map_is_a_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Structure stays whole, so that no child process need try each file first: that would take minutes."""
    monkeypatch.setattr(hdf5_safety, "_probed", lambda *_: "")
    recipe, rng, ends = write_recipe(tmp_path), np.random.default_rng(11), []
    good = write_map(tmp_path / "good", simulated(HKL), temperature=300.0)
    for _ in range(250):
        shutil.copy(good, tmp_path / "a.nxs")
        with h5py.File(tmp_path / "a.nxs", "r+") as file:
            mutated(file, rng)
        ended = nanotexture("check", recipe, "--out", tmp_path / "out")
        if ended.status != 0:
            assert_refused(ended, tmp_path, "a.nxs")
        ends.append(ended.status)
    assert set(ends) == {0, 2}


def test_no_map_with_flipped_bytes_is_a_defect(tmp_path: Path) -> None:
    recipe, rng = write_recipe(tmp_path), np.random.default_rng(12)
    content = write_map(tmp_path / "good", simulated(HKL)).read_bytes()
    places = np.flatnonzero(np.frombuffer(content[:20000], np.uint8))
    for _ in range(8):
        changed = bytearray(content)
        for place in rng.choice(places, rng.integers(1, 5)):
            changed[place] = int(rng.integers(0, 256))
        (tmp_path / "a.nxs").write_bytes(changed)
        assert nanotexture("check", recipe, "--out", tmp_path / "out").status in (0, 2)
