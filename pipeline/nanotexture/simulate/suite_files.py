"""A case of the benchmark suite as files: its maps, the truth as arrays, and the recipe that inverts them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nanotexture.film.materials import Material, built_in, built_in_names
from nanotexture.simulate.counting import Measured
from nanotexture.simulate.map_files import write_map
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.suite import Case, Film

RECIPE = """name = {name}
[input]
kind = "maps"
files = ["*.nxs"]
[film]
in_plane = "{in_plane!r} angstrom"
thickness = "{thickness!r} angstrom"
stack = [
{layers}
]
repeat = {repeat}
substrate = {{ material = {below}, c = "{c!r} angstrom" }}
[texture]
period = "auto"
polarization = {polar}
"""


@dataclass(frozen=True)
class CaseFiles:
    """Where a case was written: maps, truth (arrays displacement, polarization, periods, z, thickness), recipe."""

    maps: tuple[Path, ...]
    truth: Path
    recipe: Path


def write_case(case: Case, folder: Path, *, motif: Motif, measured: tuple[Measured, ...]) -> CaseFiles:
    """Files of one case in folder/<its name>; the truth is an .npz in the units of Motif."""
    place = folder / case.name
    place.mkdir(parents=True, exist_ok=True)
    maps = tuple(
        write_map(place / f"{''.join(map(str, one.hkl))}.nxs", one, name=case.film.name) for one in measured
    )
    truth, recipe = place / "truth.npz", place / "recipe.toml"
    unknown = np.full_like(motif.displacement, np.nan)
    np.savez(
        truth,
        displacement=motif.displacement,
        polarization=unknown if motif.polarization is None else motif.polarization,
        periods=np.array(motif.periods),
        z=case.film.stack.heights,
        thickness=case.film.stack.thickness,
    )
    recipe.write_text(recipe_text(case.film, name=case.name, polar=motif.polarization is not None))
    return CaseFiles(maps, truth, recipe)


def recipe_text(film: Film, *, name: str, polar: bool) -> str:
    """The contract's recipe of a film: what a user knows of it, which is neither its period nor its gap."""
    layers = [
        f'  {{ material = {_material(layer.material)}, cells = {layer.cells}, c = "{layer.c!r} angstrom" }},'
        for layer in film.stack.layers
    ]
    return RECIPE.format(
        name=json.dumps(name),
        in_plane=film.stack.in_plane,
        thickness=film.stack.thickness,
        layers="\n".join(layers),
        repeat=film.stack.repeat,
        below=_material(film.substrate.material),
        c=film.substrate.c,
        polar=json.dumps(polar),
    )


def _material(material: Material) -> str:
    """Name of a built-in material, else lattice and atoms written out."""
    if material.name in built_in_names() and material == built_in(material.name):
        return json.dumps(material.name)
    atoms = ", ".join(
        f"{{ element = {json.dumps(a.element)}, position = {list(a.position)}, occupancy = {a.occupancy}, "
        f"debye_waller = {a.debye_waller}, "
        f"displacement_per_polarization = {list(a.displacement_per_polarization)} }}"
        for a in material.atoms
    )
    return f"{{ lattice = {list(material.lattice)}, atoms = [{atoms}] }}"
