"""Who, what and from which data: the head of a report in words."""

from __future__ import annotations

import math
from typing import Any

from nanotexture.errors import UserError
from nanotexture.film.materials import built_in, from_mapping
from nanotexture.report.format import counted, formula_text, listed, number, reflection_text
from nanotexture.report.result import Result
from nanotexture.units import in_unit


def film_text(result: Result) -> str:
    """Film as the recipe describes it: "(8 SrTiO3 / 8 PbTiO3) × 5 on KTaO3"."""
    film = result.recipe.get("film", {})
    layers = [_layer(entry) for entry in _stack(result) if isinstance(entry, dict)]
    if not layers:
        return ""
    repeat = film.get("repeat", 1)
    body = f"({' / '.join(layers)}) × {repeat}" if repeat != 1 else " / ".join(layers)
    substrate = film.get("substrate", {})
    below = _material(substrate) if isinstance(substrate, dict) else str(substrate)
    return f"{body} on {below}" if below else body


def measured_text(result: Result) -> str:
    """Reflections and temperatures in one phrase."""
    names = [reflection_text(one) for one in result.reflections]
    kelvin = sorted(t for t in result.temperatures if math.isfinite(t))
    what = f"{counted(len(names), 'reflection')}: {listed(names)}" if names else "no maps"
    if len(kelvin) > 1:
        return f"{what}; {len(kelvin)} temperatures, {number(kelvin[0])} to {number(kelvin[-1])} K"
    return f"{what}; {number(kelvin[0])} K" if kelvin else what


def polar(result: Result) -> bool:
    """Whether a layer of the recipe's film has atoms known to move with the polarization."""
    return any(_polar(entry.get("material")) for entry in _stack(result) if isinstance(entry, dict))


def in_plane(result: Result) -> float | None:
    """In-plane parameter of the reference lattice in angstrom, from the recipe; None where it names none."""
    try:
        return in_unit(result.recipe["film"]["in_plane"], "angstrom")
    except (KeyError, TypeError, ValueError):
        return None


def _stack(result: Result) -> list[Any]:
    """Layers of the recipe's film, one layer where it names a single material."""
    film = result.recipe.get("film", {})
    return film.get("stack") or ([film] if film.get("material") else [])


def _polar(material: object) -> bool:
    try:
        known = (
            from_mapping("own material", material) if isinstance(material, dict) else built_in(str(material))
        )
    except UserError:
        return False
    return known.polar


def _layer(entry: dict[str, Any]) -> str:
    cells = entry.get("cells")
    return f"{cells} {_material(entry)}" if cells else _material(entry)


def _material(entry: dict[str, Any]) -> str:
    name = entry.get("material", "")
    return formula_text(name) if isinstance(name, str) else "own material"
