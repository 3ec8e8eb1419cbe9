from __future__ import annotations

from pathlib import Path
from typing import NewType

import pytest
import xarray as xr
from nanotexture.engine.selftest import Nothing, Number, empty, numbers_of_file, total, waves
from nanotexture.engine.stage import Stage, stage, stage_at
from pydantic import BaseModel

Noun = NewType("Noun", xr.Dataset)


class Mutable(BaseModel):
    value: float = 0.0


@stage(version=3, gpu=True)
def of_nouns(
    first: Noun, parts: list[Noun], file: Path, hint: Noun | None = None, *, config: Nothing
) -> Noun:
    """A sentence."""
    return first


def without_config(first: xr.Dataset) -> xr.Dataset:
    return first


def with_mutable_config(*, config: Mutable) -> xr.Dataset:
    return xr.Dataset()


def with_array(first: int, *, config: Nothing) -> xr.Dataset:
    return xr.Dataset()


def without_result(*, config: Nothing) -> int:
    return 1


def test_a_stage_is_still_a_plain_function() -> None:
    assert float(empty(config=Number(value=2.5))["value"]) == 2.5
    parts = [empty(config=Number(value=n)) for n in (1, 2)]
    assert float(total(parts, config=Nothing())["value"]) == 3.0


def test_the_declaration_records_what_a_worker_needs() -> None:
    assert (of_nouns.name, of_nouns.version, of_nouns.gpu) == ("of_nouns", 3, True)
    assert of_nouns.config_model is Nothing
    assert of_nouns.__doc__ == "A sentence."


def test_inputs_are_recognised_through_nouns_lists_and_none() -> None:
    assert of_nouns.kinds == ("dataset", "datasets", "file", "dataset")
    assert of_nouns.required == 3


@pytest.mark.parametrize("declared", [empty, waves, numbers_of_file])
def test_a_stage_is_found_at_its_location(declared: Stage) -> None:  # type: ignore[type-arg]
    assert stage_at(declared.location) is declared


def test_a_location_of_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a declared stage"):
        stage_at("nanotexture.engine.selftest:Number")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (without_config, "keyword-only parameter 'config'"),
        (with_mutable_config, "frozen pydantic model"),
        (with_array, "input 'first' must be Dataset, Path"),
        (without_result, "return an xarray.Dataset"),
        (lambda *, config: xr.Dataset(), "top of an importable module"),
    ],
)
def test_a_function_of_the_wrong_form_is_refused(function, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TypeError, match=message):
        stage()(function)
