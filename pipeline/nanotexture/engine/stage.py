"""Declaration of stages: plain annotated functions of labelled inputs and a frozen config."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Generic, Literal, ParamSpec

import xarray as xr
from pydantic import BaseModel

P = ParamSpec("P")
Kind = Literal["dataset", "datasets", "file", "files"]
_KINDS: dict[Any, Kind] = {xr.Dataset: "dataset", Path: "file"}
_LISTS: dict[Kind, Kind] = {"dataset": "datasets", "file": "files"}


@dataclass(frozen=True)
class Stage(Generic[P]):
    """A declared function: callable as before, and importable by a worker from its location."""

    function: Callable[P, xr.Dataset]
    version: int
    gpu: bool
    config_model: type[BaseModel]
    kinds: tuple[Kind, ...]
    required: int

    @property
    def name(self) -> str:
        """Name of the function: first word of the stage's artefacts."""
        return self.function.__name__

    @property
    def module(self) -> str:
        """Module that a worker imports."""
        return self.function.__module__

    @property
    def location(self) -> str:
        """Where a worker finds the stage: module:qualname."""
        return f"{self.module}:{self.function.__qualname__}"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> xr.Dataset:
        """What the plain function returns: no engine, no store."""
        return self.function(*args, **kwargs)


def stage(version: int = 1, gpu: bool = False) -> Callable[[Callable[P, xr.Dataset]], Stage[P]]:
    """Declare a function as a stage; TypeError unless it is (inputs, *, config: frozen model) -> Dataset."""

    def declare(function: Callable[P, xr.Dataset]) -> Stage[P]:
        _refuse_unimportable(function)
        hints = typing.get_type_hints(function)
        parameters = _input_parameters(function)
        kinds = tuple(_kind(function, name, hints.get(name)) for name in parameters)
        required = sum(p.default is p.empty for p in parameters.values())
        if _plain(hints.get("return")) is not xr.Dataset:
            raise TypeError(f"stage {function.__name__}: must be annotated to return an xarray.Dataset")
        declared = Stage(function, version, gpu, _config_model(function, hints), kinds, required)
        vars(declared).update(__doc__=function.__doc__, __name__=function.__name__, __wrapped__=function)
        return declared

    return declare


def stage_at(location: str) -> Stage[Any]:
    """The stage declared at module:qualname; TypeError if something else is there."""
    module, _, qualname = location.partition(":")
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    if not isinstance(found, Stage):
        raise TypeError(f"{location}: expected a declared stage, found {type(found).__name__}")
    return found


def _refuse_unimportable(function: Callable[..., Any]) -> None:
    if function.__module__ == "__main__" or "<" in function.__qualname__:
        raise TypeError(
            f"stage {function.__name__}: must be at the top of an importable module, "
            f"found {function.__module__}:{function.__qualname__}"
        )


def _input_parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(function).parameters)
    config = parameters.pop("config", None)
    if config is None or config.kind is not config.KEYWORD_ONLY:
        raise TypeError(f"stage {function.__name__}: needs a keyword-only parameter 'config'")
    for name, parameter in parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise TypeError(f"stage {function.__name__}: input '{name}' must be positional")
    return parameters


def _config_model(function: Callable[..., Any], hints: dict[str, Any]) -> type[BaseModel]:
    model = hints.get("config")
    if not (isinstance(model, type) and issubclass(model, BaseModel) and model.model_config.get("frozen")):
        raise TypeError(
            f"stage {function.__name__}: 'config' must be of a frozen pydantic model, found {model}"
        )
    return model


def _kind(function: Callable[..., Any], name: str, hint: Any) -> Kind:
    hint = _plain(hint)
    many = typing.get_origin(hint) is list
    kind = _KINDS.get(_plain(typing.get_args(hint)[0]) if many else hint)
    if kind is None:
        raise TypeError(
            f"stage {function.__name__}: input '{name}' must be Dataset, Path or a list of one, found {hint}"
        )
    return _LISTS[kind] if many else kind


def _plain(hint: Any) -> Any:
    """Type below NewType names and `| None`."""
    arguments = [a for a in typing.get_args(hint) if a is not NoneType]
    if len(arguments) == 1 and NoneType in typing.get_args(hint):
        return _plain(arguments[0])
    return _plain(hint.__supertype__) if hasattr(hint, "__supertype__") else hint
