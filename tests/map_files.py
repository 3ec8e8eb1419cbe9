"""Map files of kind "maps" made from the simulation, whole or damaged, and recipes that read them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import h5py
import numpy as np
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.materials import built_in
from nanotexture.quantities import BrightMap, ReciprocalMap
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.places import Disorder
from nanotexture.simulate.stripes import Stripes
from nanotexture.stages.models import BrightConfig, CountsConfig, SimulateConfig
from nanotexture.stages.simulate import simulate_bright, simulate_map, simulate_texture

Change = Callable[[h5py.File], None]
Hkl = tuple[int, int, int]

C, IN_PLANE = 4.08, 3.905
FILM = FilmConfig(
    in_plane=IN_PLANE,
    layers=(LayerConfig(material=built_in("PbTiO3"), cells=None, c=C),),
    repeat=1,
    thickness=120.0,
    substrate=SubstrateConfig(material=built_in("SrTiO3"), c=3.905),
)
INSTRUMENT = Instrument(background=2.0)
DISORDER = Disorder(cumulative=0.02, coherence=600.0, places=30)
RECIPE = """
name = "film"
[input]
kind = "maps"
files = ["*.nxs"]
[film]
in_plane = "3.905 angstrom"
material = "PbTiO3"
c = "4.08 angstrom"
thickness = "120 angstrom"
substrate = { material = "SrTiO3", c = "3.905 angstrom" }
[texture]
period = "auto"
polarization = false
[invert]
starts = 2
batch = 1
harmonics = 2
polynomials = 3
"""


@cache
def simulated(
    hkl: Hkl, period: float = 90.0, reflections: tuple[Hkl, ...] = (), seed: int = 3
) -> ReciprocalMap:
    """Counts of one reflection of a striped film of 120 A."""
    brights = [_bright(one, period) for one in reflections or (hkl,)]
    told = CountsConfig(hkl=hkl, peak_counts=1e6, instrument=INSTRUMENT, temperature=None, seed=seed)
    return simulate_map(brights, config=told)


@cache
def _bright(hkl: Hkl, period: float) -> BrightMap:
    stripes = Stripes(period=period, amplitude=0.3, tilt=20.0, wall=18.0)
    told = BrightConfig(
        film=FILM,
        hkl=hkl,
        axis_period=period,
        orders=3.5,
        voxels=(241, 81),
        disorder=DISORDER,
        instrument=INSTRUMENT,
        film_gap=0.0,
        seed=1,
    )
    return simulate_bright(simulate_texture(config=SimulateConfig(film=FILM, texture=stripes)), config=told)


def write_map(
    path: Path,
    found: ReciprocalMap,
    *,
    temperature: float | None = None,
    qy: int = 0,
    change: Change | None = None,
) -> Path:
    """A map file as the contract says, with counts spread over a qy axis of so many voxels if asked, then changed."""
    counts, mask = np.nan_to_num(found["intensity"].values), found["mask"].values
    axes = {"qx": found["qx"].values, "qz": found["qz"].values}
    if qy:
        profile = np.exp(-0.5 * np.linspace(-3, 3, qy) ** 2)
        counts = np.round(counts[:, None, :] * (profile / profile.sum())[:, None])
        mask = np.repeat(mask[:, None, :], qy, axis=1)
        axes = {"qx": axes["qx"], "qy": np.linspace(-0.02, 0.02, qy), "qz": axes["qz"]}
    with h5py.File(path, "w") as file:
        file["entry/sample/name"] = "film"
        file["entry/reflection/hkl"] = found["hkl"].values
        file["entry/instrument/beam/incident_energy"] = float(found["energy"])
        file["entry/instrument/beam/incident_energy"].attrs["units"] = "keV"
        if temperature is not None:
            file["entry/sample/temperature"] = temperature
            file["entry/sample/temperature"].attrs["units"] = "K"
        data = file.create_group("entry/data")
        data.attrs["signal"], data.attrs["axes"] = "intensity", list(axes)
        data["intensity"], data["mask"] = counts, mask
        data["intensity"].attrs["units"] = "count"
        for name, axis in axes.items():
            data[name] = axis
            data[name].attrs["units"] = "1/angstrom"
        if change is not None:
            change(file)
    return path


def write_recipe(folder: Path, text: str = RECIPE, name: str = "film.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
