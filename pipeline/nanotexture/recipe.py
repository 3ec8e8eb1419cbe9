"""Recipes: TOML to frozen models; every wrong key, unit or value is one message that names the field."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from nanotexture.errors import UserError
from nanotexture.tables.convert import Convert, refuse_convert
from nanotexture.tables.fields import Hkl, Length, Table
from nanotexture.tables.input import Input
from nanotexture.tables.simulate import Simulate


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
    widths: Literal["data", "told"] = (
        "data"  # of the prior: harmonic by harmonic by the evidence, or as `strain` says
    )
    reflection: Hkl | None = None  # that solver window is given; None: the one of the strongest satellites
    batch: Annotated[int, Field(gt=0)] = 8
    # "auto": half of the starts begin where a network says, with the weights of data_manifest/, or those of a file
    prior: str = "none"
    # "auto": the answer is taken again under a prior over textures, with the weights of data_manifest/, or those of a file
    denoise: str = "none"


class Recipe(Table):
    """A whole recipe."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    input: Input
    film: Film
    texture: Texture = Texture()
    invert: Invert = Invert()
    simulate: Simulate | None = None
    convert: Convert = Convert()

    @property
    def simulates_volumes(self) -> bool:
        """Whether maps are simulated of a texture that is periodic along x and y; whether files show one, the run finds."""
        return self.simulate is not None and self.simulate.period_y is not None

    @model_validator(mode="after")
    def _something_measured(self) -> Recipe:
        refuse_convert(self.input, "convert" in self.model_fields_set)
        if self.convert.volume:
            raise ValueError(
                "convert.volume: expected only without a table film, which is inverted from maps of qx and qz"
            )
        if bool(self.input.files) == (self.simulate is not None):
            raise ValueError(
                "input.files: expected files, or a table [simulate] in their place, found both or neither"
            )
        return self


def read_recipe(path: Path, changes: tuple[str, ...] = ()) -> Recipe:
    """Recipe of a film with `table.key=value` changes applied; UserError names file, key and what was expected."""
    return model_of(Recipe, read_tables(path, changes), path)


Model = TypeVar("Model", bound=BaseModel)


def model_of(model: type[Model], data: dict[str, Any], path: Path) -> Model:
    """A recipe's tables as a model; UserError names file, key and what was expected."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise UserError(f"{path}: {_explain(error, data, model)}") from error


def read_tables(path: Path, changes: tuple[str, ...] = ()) -> dict[str, Any]:
    """The tables of a recipe as they are written, with changes applied; UserError where it is no TOML."""
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
    return data


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


def _explain(error: ValidationError, data: dict[str, Any], root: type[BaseModel]) -> str:
    """First problem of a recipe in one line; unknown keys first, with the nearest known key."""
    problems = sorted(error.errors(), key=_likely)
    first = problems[0]
    where = _place(first["loc"], data)
    if first["type"] == "extra_forbidden":
        known = sorted(_known_tables(first["loc"][:-1], root)[0].model_fields)
        near = difflib.get_close_matches(str(first["loc"][-1]), known, 1, 0.0)
        return f"{where}: unknown key; nearest known is {near[0]!r} (known: {', '.join(known)})"
    if first["type"] == "missing":
        return f"{where}: expected, found nothing"
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return f"{where}.{_wrong_kind(first, root)}"
    # one problem for each alternative of a field, such as "auto" or a number
    messages = [_message(problem["msg"]) for problem in problems if _place(problem["loc"], data) == where]
    message = " or ".join(dict.fromkeys(messages))
    inner = _FIELD_FIRST.fullmatch(message)
    if inner is not None:
        where, message = ".".join([*([where] if where != "recipe" else []), inner[1]]), inner[2]
    found = first.get("input")
    shown = "" if "found" in message or isinstance(found, dict) else f", found {found!r}"
    return f"{where}: {message}{shown}"


def _likely(problem: Any) -> tuple[bool, bool]:
    """Unknown keys first; where a table was written, last that it is no text or number, as an alternative would be."""
    other = problem["type"].endswith("_type") and isinstance(problem["input"], dict)
    return problem["type"] != "extra_forbidden", other


_CLASS = re.compile(
    r"a table [A-Z]\w*"
)  # the name of a class of this package says nothing to who writes TOML
_WORDS = {  # pydantic's words for the types of Python, in those of somebody who writes TOML
    "Value error, ": "",
    "Input should be": "expected",
    "String should match pattern": "expected text that matches",
    "a valid dictionary or instance of": "a table",
    "a valid dictionary or object to extract fields from": "a table",
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
    text = _CLASS.sub("a table", text)
    return text[0].lower() + text[1:]


def _wrong_kind(problem: Any, root: type[BaseModel]) -> str:
    """Message of a table whose kind is none or unknown, with the nearest known one."""
    found = problem["input"].get("kind") if isinstance(problem["input"], dict) else None
    known = _kinds(_known_tables(problem["loc"], root))
    if not isinstance(found, str):
        return (
            f"kind: expected one of {', '.join(known)}, found {'nothing' if found is None else repr(found)}"
        )
    near = difflib.get_close_matches(found, known, 1, 0.0)[0]
    return f"kind: expected one of {', '.join(known)}, found {found!r}; nearest known is {near!r}"


def _place(location: tuple[int | str, ...], data: Any) -> str:
    """Keys and indices that lead to a field, as `film.stack[0].c`; pydantic's names of alternatives left out."""
    text = ""
    for number, part in enumerate(location):
        if isinstance(part, int):
            text += f"[{part}]"
            data = data[part] if isinstance(data, list) and part < len(data) else None
        elif isinstance(data, dict) and (part in data or number == len(location) - 1):
            text += f".{part}"
            data = data.get(part)
    return text.removeprefix(".") or "recipe"


def _known_tables(location: tuple[int | str, ...], root: type[BaseModel]) -> list[type[BaseModel]]:
    """Tables that may stand at a place: one, or the alternatives where no kind has chosen yet."""
    models: list[type[BaseModel]] = [root]
    for part in location:
        chosen = [model for model in models if part in _kinds([model])]
        if chosen:
            models = chosen
        elif isinstance(part, str) and part in models[0].model_fields:
            models = _tables_in(models[0].model_fields[part].annotation) or models
    return models


def _kinds(models: list[type[BaseModel]]) -> list[str]:
    """Values of `kind` that name tables."""
    fields = [model.model_fields.get("kind") for model in models]
    return [str(name) for field in fields if field is not None for name in get_args(field.annotation)]


def _tables_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [table for inner in get_args(annotation) for table in _tables_in(inner)]
