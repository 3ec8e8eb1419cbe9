"""Frames of two reflections of a film to its texture, through the command line; what a film asks of them beyond maps."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack
from nanotexture.simulate.axes import sensible_axes
from nanotexture.simulate.brightness import bright_map
from nanotexture.simulate.frame_files import write_frames
from nanotexture.simulate.frames import frames_from_map
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.places import Disorder
from nanotexture.simulate.six_circle import AreaDetector, rocking_angles

from .recipes_pruned import Ended, nanotexture

A, C, PLANES, PERIOD, AMPLITUDE = 3.905, 4.08, 24, 20 * 3.905, 0.15
INSTRUMENT = Instrument(energy_kev=10.0, resolution=(3e-3, 3e-3), qy_width=0.012, background=0.3)
DETECTOR = AreaDetector((96, 48), 0.25, 500.0, (48.0, 24.0))
ROCKED = {(0, 0, 2): 6.8, (1, 0, 3): 3.4}  # degrees
RECIPE = """
name = "film"
[input]
kind = "frames"
files = ["002.nxs", "103.nxs"]
[film]
in_plane = "3.905 angstrom"
stack = [{ material = "PbTiO3", cells = 24, c = "4.08 angstrom" }]
[texture]
polarization = false
[invert]
starts = 2
harmonics = 2
polynomials = 3
"""


def displaced() -> np.ndarray:
    """u (component, x, y, plane) in angstrom: one wave of u_z, alike on all planes."""
    u = np.zeros((3, 48, 1, PLANES))
    u[2] = AMPLITUDE * np.sin(2 * np.pi * np.arange(48) / 48)[:, None, None]
    return u


def write(folder: Path, hkl: tuple[int, int, int]) -> None:
    stack = Stack(A, (Layer(built_in("PbTiO3"), PLANES, C),))
    bright = bright_map(
        motif=Motif((PERIOD, A), displaced(), None), stack=stack, substrate=None, hkl=hkl,
        axes=sensible_axes(period=PERIOD, stack=stack, hkl=hkl, orders=2.5, shape=(121, 121)),
        disorder=Disorder(coherence=400.0, places=6, cumulative=0.04), instrument=INSTRUMENT, seed=1,
    )  # fmt: skip
    q = 2 * np.pi * hkl[0] / A, 2 * np.pi * hkl[2] / C
    frames = frames_from_map(
        bright, stack=stack, angles=rocking_angles(q=q, energy_kev=10.0, width=ROCKED[hkl], frames=60),
        detector=DETECTOR, instrument=INSTRUMENT, peak_counts=1e4, seed=3,
    )  # fmt: skip
    write_frames(folder / f"{''.join(map(str, hkl))}.nxs", frames, name="film", temperature=300.0)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    for hkl in ROCKED:
        write(folder, hkl)
    shutil.copy(folder / "103.nxs", folder / "again.nxs")
    (folder / "film.toml").write_text(RECIPE)
    return folder


def command(name: str, folder: Path, *changes: str) -> Ended:
    sets = [part for one in changes for part in ("--set", one)]
    more = ("--cluster", "none", "--json") if name == "run" else ()
    return nanotexture(name, folder / "film.toml", "--out", folder / "out", *more, *sets)


def test_frames_of_a_film_end_in_its_texture(measured: Path) -> None:
    ended = command("run", measured)
    assert ended.status == 0, ended.err
    tree = xr.open_datatree(ended.last_json["result"], engine="zarr", consolidated=False).load()
    texture = tree["texture"].to_dataset().isel(temperature=0)
    assert float(texture["period"]) == pytest.approx(PERIOD, rel=5e-3)
    found = texture["displacement"].sel(component="z")
    wave = (found - found.mean("x")).transpose("x", "z")
    assert float(wave.std()) == pytest.approx(AMPLITUDE / np.sqrt(2), rel=0.1)
    first = np.fft.rfft(wave.values, axis=0)[1]
    assert abs(first.sum()) == pytest.approx(np.abs(first).sum(), rel=0.02)  # planes in step with each other


def test_the_check_takes_reflections_and_voxels_from_the_headers_of_the_frames(measured: Path) -> None:
    ended = command("check", measured, "texture.polarization=true")
    assert ended.status == 0, ended.err
    assert "0 0 2 and 1 0 3 cannot tell the polarization along x" in ended.out
    assert "frame_map              2" in ended.out


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("run", "input.hkl=[[0, 0, 2], [1, 0, 2]]", ("103.nxs", "qz", "1 0 2")),
        ("check", "convert.volume=true", ("convert.volume", "film")),
        ("check", 'input.files=["002.nxs", "103.nxs", "again.nxs"]', ("again.nxs", "(1, 0, 3) at 300 K again")),
        ("check", 'input.temperatures=["300 K", "100 K"]', ("input.files", "(1, 0, 3) at 300 K")),
        ("check", "input.align={file='103.nxs', hkl=[1, 0, 3]}", ("input.align", "scans")),
    ],
)  # fmt: skip
def test_frames_that_do_not_fit_the_film_are_refused(
    measured: Path, tmp_path: Path, name: str, change: str, words: tuple[str, ...]
) -> None:
    folder = shutil.copytree(measured, tmp_path / "film", ignore=shutil.ignore_patterns("out"))
    ended = command(name, folder, change)
    assert ended.status == 2, ended.out
    said = [line for line in ended.err.splitlines() if line.startswith("nanotexture: ")]
    assert len(said) == 1
    assert all(word in said[0] for word in words), said
    assert not (folder / "out" / "film" / "result.zarr").exists()
