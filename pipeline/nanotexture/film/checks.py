"""Checks of the tables in which materials are written; every message names the field."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any

from nanotexture.errors import UserError


def refuse_unknown(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuse keys that are not known, naming the nearest known one."""
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1, 0.0)[0]
            raise UserError(
                f"{where}: unknown key {key!r}; nearest known is {near!r} (known: {', '.join(known)})"
            )


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, truth values excluded."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
