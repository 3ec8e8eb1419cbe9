"""A small film with a texture that is periodic along x and y, simulated atom by atom, and its files."""

from functools import cache

import numpy as np
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.simulate.axes import Axes, middle
from nanotexture.simulate.brightness import bright_map
from nanotexture.simulate.counting import measured_maps
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.map_files import write_map
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.places import Disorder

A, CELLS, C, GAP = 3.905, 10, 4.08, 0.2
PERIODS = (80.0, 70.0)
POINTS = 16
REFLECTIONS = ((0, 0, 2), (1, 0, 3), (0, 1, 3), (1, 1, 3))
STACK = Stack(A, (Layer(built_in("PbTiO3"), CELLS, C),))
FILM = FilmConfig(
    in_plane=A,
    layers=(LayerConfig(material=built_in("PbTiO3"), cells=CELLS, c=C),),
    substrate=SubstrateConfig(material=built_in("SrTiO3"), c=A),
)
INSTRUMENT = Instrument(energy_kev=10.0)
DISORDER = Disorder(cumulative=0.02, places=8, coherence=130.0)
RECIPE = f"""name = "volume"
[input]
kind = "maps"
files = ["*.nxs"]
[film]
in_plane = "{A} angstrom"
stack = [ {{ material = "PbTiO3", cells = {CELLS}, c = "{C} angstrom" }} ]
substrate = {{ material = "SrTiO3", c = "{A} angstrom" }}
[texture]
polarization = false
[invert]
starts = 6
harmonics = 1
polynomials = 3
"""


def planted():
    """Displacement (3, x, y, planes) in angstrom: waves along x, y and both diagonals that turn and grow with height."""
    rng = np.random.default_rng(4)
    x = 2 * np.pi * np.arange(POINTS) / POINTS
    z = (np.arange(CELLS) + 0.5) / CELLS
    u = np.zeros((3, POINTS, POINTS, CELLS))
    for component in range(3):
        for k, n in ((1, 0), (0, 1), (1, 1), (1, -1)):
            wave = k * x[:, None] + n * x[None, :] + rng.uniform(0, 2 * np.pi)
            u[component] += rng.normal() * np.cos(wave)[..., None] * z
            u[component] += rng.normal() * np.sin(wave)[..., None] * (z - z**2)
    return 0.2 * u / u.std((1, 2, 3), keepdims=True)


def axes(hkl, shape=(37, 37, 41), orders=2.4, fringes=4.0):
    """qx, qy, qz around the film's peak."""
    qx, qy = (
        middle(h, A) + np.linspace(-1, 1, n) * 2 * np.pi * orders / period
        for h, n, period in zip(hkl[:2], shape[:2], PERIODS, strict=True)
    )
    qz = middle(hkl[2], C) + np.linspace(-1, 1, shape[2]) * 2 * np.pi * fringes / STACK.thickness
    return Axes(qx, qz, qy)


@cache
def measured(reflections=REFLECTIONS, peak_counts=1e6):
    """Counts of the reflections."""
    told = {"stack": STACK, "substrate": Substrate(built_in("SrTiO3"), A), "disorder": DISORDER, "gap": GAP}
    brights = [
        bright_map(
            motif=Motif(PERIODS, planted()), hkl=hkl, axes=axes(hkl), instrument=INSTRUMENT, seed=1, **told
        )
        for hkl in reflections
    ]
    return measured_maps(brights, peak_counts=peak_counts, instrument=INSTRUMENT, seed=0)


def write_files(folder, reflections=REFLECTIONS):
    """Map files of the reflections, and a recipe beside them that knows nothing of the texture."""
    for one in measured(reflections):
        write_map(folder / f"{''.join(map(str, one.hkl))}.nxs", one, name="volume")
    path = folder / "recipe.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path
