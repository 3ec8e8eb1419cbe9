"""Recipes: TOML to frozen models; every wrong key, unit or value is one message that names the field."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from nanotexture.errors import UserError
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
Temperature = Annotated[float, _quantity("kelvin")]
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


class Align(Table):
    """Map of the substrate peak that fixes the goniometer offsets."""

    file: str
    hkl: Hkl


class LineScan(Table):
    """Symmetric two-theta-omega scan that checks the thickness."""

    file: str
    hkl: Hkl


class Input(Table):
    """What was measured."""

    kind: Literal["maps", "scans"]
    files: tuple[str, ...] = ()
    hkl: tuple[Hkl, ...] = ()
    temperatures: tuple[Temperature, ...] = ()
    align: Align | None = None
    thickness_scan: LineScan | None = None
    qx_range: Limits | None = None
    qz_range: Limits | None = None
    voxel: tuple[Spacing, Spacing] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_is_many(cls, value: Any) -> Any:
        if isinstance(value, dict):
            value = dict(value)
            if isinstance(value.get("files"), str):
                value["files"] = [value["files"]]
            hkl = value.get("hkl")
            if isinstance(hkl, list) and hkl and all(isinstance(n, int) for n in hkl):
                value["hkl"] = [hkl]
        return value

    @model_validator(mode="after")
    def _complete(self) -> Input:
        if self.kind == "scans" and len(self.hkl) not in (1, len(self.files)):
            raise ValueError(
                f"hkl: expected one reflection, or one for each of {len(self.files)} files, found {len(self.hkl)}"
            )
        if self.temperatures and len(self.temperatures) != len(self.files):
            raise ValueError(
                f"temperatures: expected one for each of {len(self.files)} files, found {len(self.temperatures)}"
            )
        return self


class FilmLayer(Table):
    """One layer of the stack."""

    material: str | dict[str, Any]
    cells: Annotated[int, Field(gt=0)]
    c: Length


class Below(Table):
    """The substrate."""

    material: str | dict[str, Any]
    c: Length


class Film(Table):
    """Reference lattice of the film."""

    in_plane: Length
    thickness: Length | None = None
    material: str | dict[str, Any] | None = None
    c: Length | None = None
    stack: tuple[FilmLayer, ...] = ()
    repeat: Annotated[int, Field(gt=0)] = 1
    substrate: Below | None = None

    @model_validator(mode="after")
    def _one_description(self) -> Film:
        if (self.material is None) == (not self.stack):
            raise ValueError("expected either material (one layer) or stack (layers), found both or neither")
        if self.stack and self.c is not None:
            raise ValueError("c: belongs to a single material; each layer of a stack has its own")
        if self.material is not None and self.repeat != 1:
            raise ValueError("repeat: belongs to a stack; a single material has a thickness")
        return self


class Texture(Table):
    """What is asked of the texture."""

    period: Literal["auto"] | Length = "auto"
    polarization: bool = True


class Invert(Table):
    """How the maps are inverted."""

    solver: Literal["motif", "window"] = "motif"
    starts: Annotated[int, Field(gt=0, le=100_000)] = 64
    seed: Annotated[int, Field(ge=0)] = 0
    harmonics: Literal["auto"] | Annotated[int, Field(gt=0, le=16)] = "auto"
    polynomials: Literal["auto"] | Annotated[int, Field(gt=0, le=24)] = "auto"
    strain: Annotated[float, Field(gt=0, le=0.5)] = 0.03
    batch: Annotated[int, Field(gt=0)] = 8


class Simulate(Table):
    """A film simulated on the spot in place of files: a striped ferroelastic texture of known displacement."""

    hkl: tuple[Hkl, ...]
    period: Length
    amplitude: Length
    tilt: Annotated[float, Field(gt=-90, lt=90)] = 15.0
    duty: Annotated[float, Field(gt=0.1, lt=0.9)] = 0.5
    wall: Length = 20.0
    correlation_length: Length = 1000.0
    peak_counts: Annotated[float, Field(gt=0)] = 1e6
    background: Annotated[float, Field(ge=0)] = 5.0
    energy: Energy = 8.048
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _reflections(self) -> Simulate:
        if not self.hkl:
            raise ValueError("hkl: expected at least one reflection")
        return self


class Recipe(Table):
    """A whole recipe."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    input: Input
    film: Film
    texture: Texture = Texture()
    invert: Invert = Invert()
    simulate: Simulate | None = None

    @model_validator(mode="after")
    def _something_measured(self) -> Recipe:
        if bool(self.input.files) == (self.simulate is not None):
            raise ValueError(
                "input.files: expected files, or a table [simulate] in their place, found both or neither"
            )
        return self


def read_recipe(path: Path, changes: tuple[str, ...] = ()) -> Recipe:
    """Recipe of a file with `table.key=value` changes applied; UserError names file, key and what was expected."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{path}: recipe: expected a readable file, found {error.strerror or error}"
        ) from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # tomllib: also integers of thousands of digits, deep nesting
        raise UserError(f"{path}: recipe: expected TOML, found {error}") from error
    for change in changes:
        _apply(data, change)
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise UserError(f"{path}: {_explain(error, data)}") from error


def _apply(data: dict[str, Any], change: str) -> None:
    where, sign, text = change.partition("=")
    keys = where.strip().split(".")
    if not sign or not all(keys):
        raise UserError(f"--set {change}: expected table.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text.strip()
    table = data
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise UserError(f"--set {change}: expected {key} to be a table")
    table[keys[-1]] = value


_FIELD_FIRST = re.compile(r"([a-z_]+(?:\.[a-z_]+)*): (.*)", re.DOTALL)


def _explain(error: ValidationError, data: dict[str, Any]) -> str:
    """First problem of a recipe in one line; unknown keys first, with the nearest known key."""
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    first = problems[0]
    where = _place(first["loc"], data)
    if first["type"] == "extra_forbidden":
        known = _known_keys(first["loc"][:-1])
        near = difflib.get_close_matches(str(first["loc"][-1]), known, 1, 0.0)
        return f"{where}: unknown key; nearest known is {near[0]!r} (known: {', '.join(known)})"
    if first["type"] == "missing":
        return f"{where}: expected, found nothing"
    # one problem for each alternative of a field, such as "auto" or a number
    messages = [_message(problem["msg"]) for problem in problems if _place(problem["loc"], data) == where]
    message = " or ".join(dict.fromkeys(messages))
    inner = _FIELD_FIRST.fullmatch(message)
    if inner is not None:
        where, message = ".".join([*([where] if where != "recipe" else []), inner[1]]), inner[2]
    found = first.get("input")
    shown = "" if "found" in message or isinstance(found, dict) else f", found {found!r}"
    return f"{where}: {message}{shown}"


_WORDS = {  # pydantic's words for the types of Python, in those of somebody who writes TOML
    "Value error, ": "",
    "Input should be": "expected",
    "String should match pattern": "expected text that matches",
    "a valid dictionary or instance of": "a table",
    "a valid tuple": "a list",
    "a valid string": "text",
    "a valid integer": "a whole number",
    ", unable to parse string as an integer": "",
    ", got a number with a fractional part": "",
    "a valid number": "a number",
    ", unable to parse string as a number": "",
}


def _message(text: str) -> str:
    for words, ours in _WORDS.items():
        text = text.replace(words, ours, 1)
    return text[0].lower() + text[1:]


def _place(location: tuple[int | str, ...], data: Any) -> str:
    """Keys and indices that lead to a field, as `film.stack[0].c`; pydantic's names of alternatives left out."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
            data = data[part] if isinstance(data, list) and part < len(data) else None
        elif isinstance(data, dict):
            text += f".{part}"
            data = data.get(part)
    return text.removeprefix(".") or "recipe"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Recipe
    for part in location:
        if isinstance(part, int) or part not in model.model_fields:
            continue
        model = _table_in(model.model_fields[str(part)].annotation) or model
    return sorted(model.model_fields)


def _table_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _table_in(inner)
        if found is not None:
            return found
    return None
