"""Quantities written as text with a unit, as recipes write them: "3.9885 angstrom"."""

from __future__ import annotations

import math
import re
from functools import lru_cache

import pint

_QUANTITY = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-zµÅ°/^*\d\s-]+?)\s*$")


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry:
    return pint.UnitRegistry(cache_folder=None)


def in_unit(text: str, unit: str) -> float:
    """Number that a quantity written as text has in `unit`; ValueError says what was expected."""
    match = _QUANTITY.match(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"expected a number and a unit such as '1 {unit}', found {text!r}")
    try:
        value = _registry().Quantity(float(match[1]), match[2]).to(unit).magnitude
    except (pint.errors.PintError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected a quantity in {unit} (or a unit that converts), found {text!r}"
        ) from error
    if not math.isfinite(value):
        raise ValueError(f"expected a finite quantity in {unit}, found {text!r}")
    return float(value)


def same_unit(found: str, expected: str) -> bool:
    """Whether two unit names mean the same unit ("1/angstrom", "angstrom^-1", "Å⁻¹" spelled plainly)."""
    try:
        one = _registry().Quantity(1.0, found).to(expected).magnitude
    except (pint.errors.PintError, AttributeError, TypeError, ValueError):
        return False
    return abs(float(one) - 1.0) < 1e-12
