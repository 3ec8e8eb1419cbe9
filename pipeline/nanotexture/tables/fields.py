"""What the fields of a recipe's tables are: quantities with a unit, Miller indices, limits."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from nanotexture.units import in_unit


def _quantity(unit: str, *, positive: bool = True) -> BeforeValidator:
    def convert(value: Any) -> float:
        if isinstance(value, float) and not isinstance(value, bool):
            raise ValueError(f"expected text with a unit such as '{value:g} {unit}', found a bare number")
        number = in_unit(value, unit)
        if positive and number <= 0.0:
            raise ValueError(f"expected a quantity above 0 {unit}, found {value!r}")
        return number

    return BeforeValidator(convert)


Length = Annotated[float, _quantity("angstrom")]
Distance = Annotated[float, _quantity("angstrom", positive=False)]
Temperature = Annotated[float, _quantity("kelvin")]
TemperatureRange = Annotated[float, _quantity("kelvin", positive=False)]
Millimetres = Annotated[float, _quantity("mm")]
Angle = Annotated[float, _quantity("deg", positive=False)]
Energy = Annotated[float, _quantity("keV")]
Spacing = Annotated[float, _quantity("1/angstrom")]


def _nonzero(hkl: tuple[int, int, int]) -> tuple[int, int, int]:
    if hkl == (0, 0, 0):
        raise ValueError("expected Miller indices other than 0 0 0")
    return hkl


def _rising(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] >= limits[1]:
        raise ValueError(f"expected the lower limit first, found {list(limits)}")
    return limits


Hkl = Annotated[tuple[int, int, int], AfterValidator(_nonzero)]
Limits = Annotated[tuple[float, float], AfterValidator(_rising)]


class Table(BaseModel):
    """A table of a recipe: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
