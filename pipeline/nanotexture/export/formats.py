"""Which format is written by what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import xarray as xr

from nanotexture.errors import UserError
from nanotexture.export.cxi import write_cxi
from nanotexture.export.map_files import write_map_files
from nanotexture.export.nexus import write_nexus
from nanotexture.export.vti import write_vti

Writer = Callable[[xr.DataTree, Path, str], tuple[Path, ...]]

# A writer is given a result, a folder and the stem of its files, and says what it wrote.
FORMATS: Mapping[str, Writer] = MappingProxyType(
    {"cxi": write_cxi, "nexus": write_nexus, "vti": write_vti, "maps": write_map_files}
)


def export_result(tree: xr.DataTree, to: str, folder: Path, stem: str) -> tuple[Path, ...]:
    """Files of a result in a format, written whole; UserError where there is no such format or the result has nothing for it."""
    if to not in FORMATS:
        raise UserError(f"--to: expected one of {', '.join(FORMATS)}, found {to!r}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"--out {folder}: expected a folder to write in, found {error.strerror or error}"
        ) from error
    return FORMATS[to](tree, folder, stem)
