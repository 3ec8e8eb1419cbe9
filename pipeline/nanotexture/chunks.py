"""Chunks of a Zarr store on disk: Zarr reads one that is lost as NaN, which is also what is not determined."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

from nanotexture.errors import InputError

ALL_WRITTEN = {
    "chunks": "all written"
}  # root attribute of stores in which every chunk has its file, empty ones too


def refuse_lost_chunks(folder: Path) -> None:
    """InputError that names the first chunk without a file; only of stores whose root says that all were written."""
    if _metadata(folder).get("attributes", {}).get("chunks") != ALL_WRITTEN["chunks"]:
        return
    for array in sorted(folder.rglob("zarr.json")):
        found = _metadata(array.parent)
        if found.get("node_type") != "array":
            continue
        for chunk in _chunks(found):
            if not (array.parent / chunk).is_file():
                raise InputError(
                    folder,
                    str((array.parent / chunk).relative_to(folder)),
                    "the chunk's file, as it was written",
                    "none: the store is damaged",
                )


def _chunks(array: dict[str, Any]) -> list[str]:
    """Files of an array's chunks below its folder; of a scalar the one file `c`."""
    length = array["chunk_grid"]["configuration"]["chunk_shape"]
    number = [-(-size // max(step, 1)) for size, step in zip(array["shape"], length, strict=True)]
    return ["/".join(["c", *map(str, place)]) for place in product(*map(range, number))]


def _metadata(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            folder, "zarr.json", "metadata of a Zarr group or array", type(error).__name__
        ) from error
    return found if isinstance(found, dict) else {}
