"""Numbers, units and reflections as a reader of a paper expects them."""

from __future__ import annotations

import math
import re

MINUS, NARROW, NOT_DETERMINED = "\u2212", "\u202f", "not determined"
_UNITS = {
    "1": "",
    "angstrom": "Å",
    "1/angstrom": "Å⁻¹",
    "C/m^2": "C m⁻²",
    "deg": "°",
    "J/m^3": "J m⁻³",
    "count": "counts",
    "count/angstrom": "counts Å⁻¹",
}
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALLEST, _LARGEST = -3, 5  # decades written without a power of ten lie between


def unit_text(units: str) -> str:
    """Unit of schema as typeset: "1/angstrom" is Å⁻¹, "1" is nothing."""
    return _UNITS.get(units, units)


def with_error(value: float, error: float | None = None, units: str = "1") -> str:
    """Value and standard error to the error's second significant digit: 234.62 ± 0.10 Å."""
    if not math.isfinite(value):
        return NOT_DETERMINED
    if error is None or not math.isfinite(error) or error <= 0:
        return _joined(number(value), units)
    exponent = _exponent(max(abs(value), error))
    if _SMALLEST < exponent < _LARGEST:
        digits = _last_digit(error)
        return _joined(f"{_fixed(value, digits)} ± {_fixed(error, digits)}", units)
    digits = _last_digit(error / 10.0**exponent)
    pair = f"{_fixed(value / 10.0**exponent, digits)} ± {_fixed(error / 10.0**exponent, digits)}"
    return _joined(f"({pair}) × {_power(exponent)}", units)


def number(value: float, significant: int = 4) -> str:
    """Value to a few significant digits, trailing zeros dropped; a power of ten only where it helps."""
    if not math.isfinite(value):
        return NOT_DETERMINED
    if value == 0:
        return "0"
    exponent = _exponent(float(f"{value:.{significant - 1}e}"))
    if _SMALLEST < exponent < _LARGEST:
        return _trimmed(_fixed(value, significant - 1 - exponent))
    factor = _trimmed(_fixed(value / 10.0**exponent, significant - 1))
    return f"{factor} × {_power(exponent)}"


def percent(share: float) -> str:
    """Share as whole per cent; "< 1 %" where it would round to zero."""
    if not math.isfinite(share):
        return NOT_DETERMINED
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def temperature_text(kelvin: float) -> str:
    """Temperature with its unit; "one temperature" where the input names none."""
    return f"{number(kelvin)} K" if math.isfinite(kelvin) else "temperature not recorded"


def indices(hkl: str) -> tuple[int, ...] | None:
    """Miller indices of a group name, "-103" or "-1_0_12"; None where it is not three integers."""
    parts = re.findall(r"-?\d+", hkl) if re.search(r"[ ,_]", hkl) else re.findall(r"-?\d", hkl)
    rest = re.sub(r"[-\d ,_]", "", hkl)
    return tuple(int(part) for part in parts) if len(parts) == 3 and not rest else None


def reflection_text(hkl: str) -> str:
    """Reflection in plain text: (−1 0 3)."""
    found = indices(hkl)
    return f"({NARROW.join(str(i) for i in found)})".replace("-", MINUS) if found else hkl


def formula_text(name: str) -> str:
    """Chemical formula with its numbers lowered, PbTiO₃; any other name as it is."""
    plain = re.fullmatch(r"(?:[A-Z][a-z]?\d*)+", name)
    return name.translate(_SUBSCRIPT) if plain else name


def counted(count: int, noun: str) -> str:
    """Number and noun: 1 cluster, 3 clusters."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(items: list[str] | tuple[str, ...], last: str = "and") -> str:
    """a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def _last_digit(error: float) -> int:
    """Decimal place of the second significant digit, after rounding (0.0996 is 0.10)."""
    return 1 - _exponent(float(f"{error:.1e}"))


def _fixed(value: float, digits: int) -> str:
    text = f"{round(value, digits):.{max(digits, 0)}f}"
    return text.replace("-", MINUS if float(text) else "")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _power(exponent: int) -> str:
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def _joined(text: str, units: str) -> str:
    unit = unit_text(units)
    if not unit:
        return text
    text = f"({text})" if "±" in text and not text.startswith("(") and unit == "°" else text
    return f"{text}{'' if unit == '°' else ' '}{unit}"
