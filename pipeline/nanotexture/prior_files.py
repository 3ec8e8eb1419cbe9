"""The file of a prior's weights that a recipe names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nanotexture.inputs import resolve
from nanotexture.priors.film_weights import FILE as FILM_FILE
from nanotexture.priors.film_weights import load_film_prior
from nanotexture.priors.texture_weights import FILE as TEXTURE_FILE
from nanotexture.priors.texture_weights import load_texture_prior
from nanotexture.priors.weights import FILE as CRYSTAL_FILE
from nanotexture.priors.weights import load_prior

# what "auto" stands for in data_manifest/, and what verifies a file by reading it
_KINDS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "crystal": (f"crystal_prior/{CRYSTAL_FILE}", load_prior),
    "film": (f"film_prior/{FILM_FILE}", load_film_prior),
    "texture": (f"texture_prior/{TEXTURE_FILE}", load_texture_prior),
}


def prior_file(kind: str, told: str, path: Path, field: str) -> tuple[Path, ...]:
    """The file of "auto" or of another name, none for "none"; UserError names recipe and field where it is missing or damaged."""
    if told == "none":
        return ()
    shipped, load = _KINDS[kind]
    found = resolve([shipped if told == "auto" else told], path, field)[0]
    load(found)
    return (found,)
