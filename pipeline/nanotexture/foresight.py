"""What a recipe's reflections cannot determine, said before anything is computed, with a reflection that would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nanotexture.film.config import FilmConfig
from nanotexture.inputs import resolve
from nanotexture.lacking import lacking_sentences
from nanotexture.map_task import MapTask
from nanotexture.readers import MapHeader, read_map_header
from nanotexture.recipe import Recipe
from nanotexture.stages.determined import Told

ENERGY = 8.048  # keV, where only the scan itself says it: which component is told hardly depends on it


def map_headers(recipe: Recipe, path: Path) -> dict[str, MapHeader]:
    """Headers of a recipe's map files by name, none where it has other input."""
    if recipe.simulate is not None or recipe.input.kind != "maps":
        return {}
    return {str(file): read_map_header(file) for file in resolve(recipe.input.files, path, "input.files")}


def reflections_of(
    recipe: Recipe, headers: Mapping[str, MapHeader], frames: Sequence[MapTask] = ()
) -> tuple[Told, ...]:
    """Reflections that a recipe measures, each once; headers: those of its map files; frames: maps made of frames."""
    if recipe.simulate is not None:
        found = [Told(hkl, recipe.simulate.energy) for hkl in recipe.simulate.hkl]
    elif recipe.input.kind == "maps":
        found = [Told(header.hkl, header.energy) for header in headers.values()]
    elif frames:
        found = [Told(one.hkl, one.energy) for one in frames]
    else:
        found = [Told(hkl, ENERGY) for hkl in recipe.input.hkl]
    return tuple({one.hkl: one for one in found}.values())


def some_volumes(headers: Mapping[str, MapHeader]) -> tuple[str, ...]:
    """A sentence where some files have an axis qy and others have none: the texture is then taken for uniform along y."""
    flat = [Path(file).name for file, header in headers.items() if "qy" not in header.axes]
    if not flat or len(flat) == len(headers):
        return ()
    return (
        f"input.files: {len(headers) - len(flat)} of {len(headers)} maps have an axis qy and are summed over it, since "
        f"{flat[0]} has none: the texture is taken for uniform along y.",
    )


def not_told(
    recipe: Recipe,
    film: FilmConfig,
    reflections: Sequence[Told],
    headers: Mapping[str, MapHeader] | None = None,
) -> tuple[str, ...]:
    """One sentence for each thing that was asked and that these reflections, or the solver, cannot give.

    Whether maps qx, qy, qz show satellites along qy is seen in the run: what only such a texture would lack has that proviso.
    """
    if recipe.invert.solver == "window":
        return tuple(_of_window(recipe))
    polar = recipe.texture.polarization
    if recipe.simulates_volumes:
        return lacking_sentences(film, reflections, polar, volume=True)
    plane = lacking_sentences(film, reflections, polar)
    if not headers or not all("qy" in one.axes for one in headers.values()):
        return plane
    both = lacking_sentences(film, reflections, polar, volume=True)
    return (*plane, *(f"If there are satellites along qy too: {one}" for one in both if one not in plane))


def _of_window(recipe: Recipe) -> Iterator[str]:
    if recipe.texture.polarization:
        yield (
            "texture.polarization = true, but invert.solver = window gives a displacement along Q alone: "
            "polarization will be NaN; solver motif gives it."
        )
