"""What a recipe's reflections cannot determine, said before anything is computed, with a reflection that would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from nanotexture.film.config import FilmConfig
from nanotexture.inputs import resolve
from nanotexture.lacking import lacking_sentences
from nanotexture.map_task import MapTask
from nanotexture.readers import read_map_header
from nanotexture.recipe import Recipe
from nanotexture.stages.determined import Told

ENERGY = 8.048  # keV, where only the scan itself says it: which component is told hardly depends on it


def reflections_of(recipe: Recipe, path: Path, frames: Sequence[MapTask] = ()) -> tuple[Told, ...]:
    """Reflections that a recipe measures, each once, from headers alone; frames: those maps, headers read already."""
    if recipe.simulate is not None:
        found = [Told(hkl, recipe.simulate.energy) for hkl in recipe.simulate.hkl]
    elif recipe.input.kind == "maps":
        headers = [read_map_header(file) for file in resolve(recipe.input.files, path, "input.files")]
        found = [Told(header.hkl, header.energy) for header in headers]
    elif frames:
        found = [Told(one.hkl, one.energy) for one in frames]
    else:
        found = [Told(hkl, ENERGY) for hkl in recipe.input.hkl]
    return tuple({one.hkl: one for one in found}.values())


def some_volumes(recipe: Recipe, path: Path) -> tuple[str, ...]:
    """A sentence where some files have an axis qy and others have none: the texture is then taken for uniform along y."""
    if recipe.simulate is not None or recipe.input.kind != "maps":
        return ()
    files = resolve(recipe.input.files, path, "input.files")
    flat = [file.name for file in files if "qy" not in read_map_header(file).axes]
    if not flat or len(flat) == len(files):
        return ()
    return (
        f"input.files: {len(files) - len(flat)} of {len(files)} maps have an axis qy and are summed over it, since "
        f"{flat[0]} has none: the texture is taken for uniform along y.",
    )


def not_told(recipe: Recipe, film: FilmConfig, reflections: Sequence[Told]) -> tuple[str, ...]:
    """One sentence for each thing that was asked and that these reflections, or the solver, cannot give."""
    if recipe.invert.solver == "window":
        return tuple(_of_window(recipe))
    return lacking_sentences(film, reflections, recipe.texture.polarization)


def _of_window(recipe: Recipe) -> Iterator[str]:
    if recipe.texture.polarization:
        yield (
            "texture.polarization = true, but invert.solver = window gives a displacement along Q alone: "
            "polarization will be NaN; solver motif gives it."
        )
