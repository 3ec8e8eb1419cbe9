"""What a recipe's reflections cannot determine, said before anything is computed, with a reflection that would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanotexture.caveats import NO_POLAR_MATERIAL
from nanotexture.film.config import FilmConfig
from nanotexture.inputs import resolve
from nanotexture.readers import read_map_header
from nanotexture.recipe import Recipe
from nanotexture.stages.determined import Axes, Told, axes_told, reflections_that

Array = NDArray[np.float64]

ENERGY = 8.048  # keV, where only the scan itself says it: which component is told hardly depends on it


def reflections_of(recipe: Recipe, path: Path) -> tuple[Told, ...]:
    """Reflections that a recipe measures, each once, from headers alone."""
    if recipe.simulate is not None:
        found = [Told(hkl, recipe.simulate.energy) for hkl in recipe.simulate.hkl]
    elif recipe.input.kind == "maps":
        headers = [read_map_header(file) for file in resolve(recipe.input.files, path, "input.files")]
        found = [Told(header.hkl, header.energy) for header in headers]
    else:
        found = [Told(hkl, ENERGY) for hkl in recipe.input.hkl]
    return tuple({one.hkl: one for one in found}.values())


def not_told(recipe: Recipe, film: FilmConfig, reflections: Sequence[Told]) -> tuple[str, ...]:
    """One sentence for each thing that was asked and that these reflections, or the solver, cannot give."""
    if recipe.invert.solver == "window":
        return tuple(_of_window(recipe))
    displacement, polar = axes_told(film, reflections)
    found = [] if len(displacement) == 2 else [_of_displacement(film, reflections)]
    return (*found, *(_of_polarization(film, reflections, polar) if recipe.texture.polarization else ()))


def _of_window(recipe: Recipe) -> Iterator[str]:
    if recipe.texture.polarization:
        yield (
            "texture.polarization = true, but invert.solver = window gives a displacement along Q alone: "
            "polarization will be NaN; solver motif gives it."
        )


def _of_displacement(film: FilmConfig, reflections: Sequence[Told]) -> str:
    more = _help(film, reflections, lambda axes: len(axes[0]) == 2)
    return (
        f"{_listed(one.hkl for one in reflections)}: one direction of Q gives the displacement along it; its components, "
        f"strain and rotation will be NaN{more}."
    )


def _of_polarization(film: FilmConfig, reflections: Sequence[Told], polar: Array) -> Iterator[str]:
    if not film.polar:
        yield NO_POLAR_MATERIAL
        return
    for index, name in enumerate("xz"):
        if not _holds(polar, index):
            more = _help(film, reflections, partial(_polar_told, index))
            yield (
                f"texture.polarization = true, but {_listed(one.hkl for one in reflections)} cannot tell the polarization "
                f"along {name} from a displacement: it will be NaN{more}."
            )


def _help(film: FilmConfig, reflections: Sequence[Told], wanted: Callable[[Axes], bool]) -> str:
    more = reflections_that(film, reflections, wanted)
    return f"; {_listed(more)} beside {'it' if len(reflections) == 1 else 'them'} would tell" if more else ""


def _listed(reflections: Iterable[tuple[int, int, int]]) -> str:
    words = [" ".join(map(str, hkl)) for hkl in reflections]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _polar_told(index: int, axes: Axes) -> bool:
    return _holds(axes[1], index)


def _holds(axes: Array, index: int) -> bool:
    """Whether component x (0) or z (1) is among axes (p, 2)."""
    return bool((np.abs(axes[:, index]) > 1 - 1e-6).any()) if len(axes) else False
