"""Quantities written as text with a unit, as recipes write them: "3.9885 angstrom"."""

from __future__ import annotations

import math
import re
from functools import lru_cache

import pint

# Only names with powers, multiplied or divided, reach pint: its parser would also compute "2 * angstrom" and 9^9^9^9.
_FACTOR = r"[A-Za-zµμÅ°]+(?:(?:\^|\*\*)-?[1-9])?"
_UNIT = rf"(?:1\s*/\s*)?{_FACTOR}(?:(?:\s*[*/]\s*|\s+){_FACTOR})*"
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(?<![0-9.](?=[0-9]))({_UNIT})\s*")


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry:
    return pint.UnitRegistry(cache_folder=None)


def in_unit(text: str, unit: str) -> float:
    """Number that a quantity written as text has in `unit`; ValueError says what was expected."""
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"expected a number and a unit such as '1 {unit}', found {text!r}")
    try:
        registry = _registry()
        value = registry.Quantity(float(match[1]), registry.parse_units(match[2])).to(unit).magnitude
    except (pint.errors.PintError, AttributeError, TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(
            f"expected a quantity in {unit} (or a unit that converts), found {text!r}"
        ) from error
    if not math.isfinite(value):
        raise ValueError(f"expected a finite quantity in {unit}, found {text!r}")
    return float(value)
