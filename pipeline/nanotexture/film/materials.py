"""Materials: lattice, atoms and how far each atom moves with the polarization; a built-in table and inline ones."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from nanotexture.errors import UserError
from nanotexture.film.checks import is_number, refuse_unknown
from nanotexture.film.energetics import (
    Elastic,
    Electrostriction,
    Gradient,
    Landau,
    elastic_from_table,
    electrostriction_from_table,
    gradient_from_table,
    landau_from_table,
)
from nanotexture.geometry import atomic_form_factor

Triple = tuple[float, float, float]

_ENERGY_KEYS = ("elastic", "electrostriction", "landau", "gradient")
_MATERIAL_KEYS = ("lattice", "atoms", "displacement_per_polarization", "name", "source", *_ENERGY_KEYS)
_ATOM_KEYS = ("element", "position", "occupancy", "debye_waller", "displacement_per_polarization")


@dataclass(frozen=True)
class Atom:
    """One atom of a cell.

    Fractional position, occupancy, Debye-Waller B (angstrom^2), displacement per polarization (angstrom per C/m^2).
    """

    element: str
    position: Triple
    occupancy: float = 1.0
    debye_waller: float = 0.0
    displacement_per_polarization: Triple = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Material:
    """A crystal: name, lattice a, b, c in angstrom, atoms, and the coefficients of its energy where they are known."""

    name: str
    lattice: Triple
    atoms: tuple[Atom, ...]
    elastic: Elastic | None = None
    electrostriction: Electrostriction | None = None
    landau: Landau | None = None
    gradient: Gradient | None = None

    @property
    def polar(self) -> bool:
        """Whether its atoms are known to move with the polarization."""
        return any(any(atom.displacement_per_polarization) for atom in self.atoms)


def built_in_names() -> tuple[str, ...]:
    """Names of the built-in materials, sorted."""
    folder = files("nanotexture.film") / "materials"
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    )


@cache
def built_in(name: str) -> Material:
    """Material of the built-in table, read once; UserError names the nearest one."""
    known = built_in_names()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1, 0.0)
        raise UserError(
            f"material: unknown {name!r}; nearest known is {near[0]!r} (known: {', '.join(known)})"
        )
    return from_mapping(
        name, tomllib.loads((files("nanotexture.film") / "materials" / f"{name}.toml").read_text())
    )


def from_mapping(name: str, table: Mapping[str, Any]) -> Material:
    """Material from a table { lattice, atoms, displacement_per_polarization }; UserError says which field is wrong.

    lattice: three lengths in angstrom; atoms: tables with element and fractional position, or [element, x, y, z];
    displacement_per_polarization: one number or triple per atom (angstrom per C/m^2), here or in each atom;
    elastic, electrostriction, landau, gradient: optional tables with the fields of those classes.
    """
    refuse_unknown(f"material {name}", table, _MATERIAL_KEYS)
    lattice = _triple(f"material {name}: lattice", table.get("lattice"))
    if min(lattice) <= 0.0:
        raise UserError(f"material {name}: lattice: expected lengths above 0, found {lattice}")
    entries = table.get("atoms")
    if not isinstance(entries, list) or not entries:
        raise UserError(f"material {name}: atoms: expected a list with at least one atom, found {entries!r}")
    moves = table.get("displacement_per_polarization", [None] * len(entries))
    if not isinstance(moves, list) or len(moves) != len(entries):
        raise UserError(
            f"material {name}: displacement_per_polarization: expected one entry for each of {len(entries)} atoms"
        )
    atoms = tuple(_atom(name, i, *pair) for i, pair in enumerate(zip(entries, moves, strict=True)))
    return Material(name, lattice, atoms, *_energies(name, table))


def equilibrium_known(materials: Iterable[Material]) -> bool:
    """Whether the polar ones among the materials say which displacement a polarization causes."""
    polar = [one for one in materials if one.polar]
    return bool(polar) and all(one.elastic is not None and one.electrostriction is not None for one in polar)


def _energies(
    name: str, table: Mapping[str, Any]
) -> tuple[Elastic | None, Electrostriction | None, Landau | None, Gradient | None]:
    elastic, electrostriction, landau, gradient = (table.get(key) for key in _ENERGY_KEYS)
    where = f"material {name}"
    return (
        None if elastic is None else elastic_from_table(f"{where}: elastic", elastic),
        None
        if electrostriction is None
        else electrostriction_from_table(f"{where}: electrostriction", electrostriction),
        None if landau is None else landau_from_table(f"{where}: landau", landau),
        None if gradient is None else gradient_from_table(f"{where}: gradient", gradient),
    )


def _atom(name: str, index: int, entry: Any, move: Any) -> Atom:
    where = f"material {name}: atoms[{index}]"
    if isinstance(entry, list) and len(entry) == 4:
        entry = {"element": entry[0], "position": entry[1:]}
    if not isinstance(entry, Mapping) or not isinstance(entry.get("element"), str):
        raise UserError(f"{where}: expected element and position, found {entry!r}")
    move = entry.get("displacement_per_polarization", move)
    refuse_unknown(where, entry, _ATOM_KEYS)
    return Atom(
        _element(where, entry["element"]),
        _triple(f"{where}: position", entry.get("position")),
        _not_negative(f"{where}: occupancy", entry.get("occupancy", 1.0)),
        _not_negative(f"{where}: debye_waller", entry.get("debye_waller", 0.0)),
        (0.0, 0.0, 0.0) if move is None else _triple(f"{where}: displacement_per_polarization", move),
    )


def _element(where: str, element: str) -> str:
    try:
        atomic_form_factor(element, np.zeros(1), 8.0)
    except UserError as error:
        raise UserError(f"{where}: element: {error}") from error
    return element


def _not_negative(where: str, value: Any) -> float:
    if not is_number(value) or value < 0:
        raise UserError(f"{where}: expected a number of 0 or more, found {value!r}")
    return float(value)


def _triple(where: str, value: Any) -> Triple:
    if is_number(value):
        value = [value] * 3
    if not isinstance(value, list | tuple) or len(value) != 3 or not all(is_number(v) for v in value):
        raise UserError(f"{where}: expected three numbers, found {value!r}")
    return float(value[0]), float(value[1]), float(value[2])
