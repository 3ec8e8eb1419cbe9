"""The files behind a recipe's names: paths beside the recipe, globs, datasets of data_manifest."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from nanotexture.data import list_datasets, locate
from nanotexture.errors import UserError

_GLOB = frozenset("*?[")


def resolve(entries: Iterable[str], recipe: Path, field: str) -> list[Path]:
    """All files that the entries name, in order, each once; UserError names recipe, field and entry."""
    found: list[Path] = []
    for entry in entries:
        found += [path for path in _resolve_one(entry, recipe, field) if path not in found]
    return found


def _resolve_one(entry: str, recipe: Path, field: str) -> list[Path]:
    beside = recipe.parent / entry
    if beside.is_file():
        return [beside]
    if _GLOB & set(entry):
        return _matches(entry, recipe, field)
    name, _, file = entry.partition("/")
    known = [dataset.name for dataset in list_datasets()]
    if name in known:
        return locate(name, file or None)
    near = difflib.get_close_matches(name, known, 1, 0.6)
    hint = f"; nearest dataset is {near[0]!r}" if near else ""
    raise UserError(
        f"{recipe}: {field}: expected an existing file, a glob or a dataset, found {entry!r}{hint}"
    )


def _matches(entry: str, recipe: Path, field: str) -> list[Path]:
    pattern = Path(entry)
    folder = Path(pattern.anchor) if pattern.is_absolute() else recipe.parent
    found = sorted(path for path in folder.glob(str(pattern.relative_to(pattern.anchor))) if path.is_file())
    if not found:
        raise UserError(f"{recipe}: {field}: expected a glob that matches files, found none for {entry!r}")
    return found
