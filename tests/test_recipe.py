"""Recipes: what is right is read, what is wrong is one message that names the field."""

import copy
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nanotexture.conversion_recipe import ConversionRecipe
from nanotexture.errors import UserError
from nanotexture.recipe import Recipe, model_of, read_recipe, read_tables
from nanotexture.recipe_crystal import CrystalRecipe
from nanotexture.recipe_training import FilmTrainingRecipe, TextureTrainingRecipe, TrainingRecipe, told_prior

from .recipes_pruned import RECIPES

GOOD = {
    "name": "one",
    "input": {"kind": "maps", "files": ["a.nxs", "b.nxs"]},
    "film": {
        "in_plane": "3.905 angstrom",
        "material": "PbTiO3",
        "substrate": {"material": "SrTiO3", "c": "3.905 angstrom"},
    },
    "texture": {"period": "auto"},
    "invert": {"starts": 8},
}
SCANS = GOOD | {"input": {"kind": "scans", "files": ["a.xrdml", "b.xrdml"], "hkl": [[-1, 0, 3], [1, 0, 3]]}}
STACK = GOOD | {
    "film": {
        "in_plane": "3.905 angstrom",
        "repeat": 3,
        "stack": [{"material": m, "cells": 8, "c": "4.0 angstrom"} for m in ("SrTiO3", "PbTiO3")],
    }
}
SIMULATED = GOOD | {
    "input": {"kind": "maps"},
    "simulate": {
        "hkl": [[0, 0, 2]],
        "texture": {"kind": "stripes", "period": "12 nm", "amplitude": "0.3 angstrom"},
    },
}
LAMINATE = SIMULATED | {"simulate": {"hkl": [[0, 1, 3]], "texture": {"kind": "laminate", "period": "10 nm"}}}


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key_text(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return (
            '"'
            + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in value)
            + '"'
        )
    return repr(value)


def key_text(key):
    return toml(key)


def written(tmp_path, data):
    path = tmp_path / "recipe.toml"
    path.write_text("\n".join(f"{key_text(k)} = {toml(v)}" for k, v in data.items()), encoding="utf-8")
    return path


def read(tmp_path, data, *changes):
    return read_recipe(written(tmp_path, data), changes)


def edited(data, where, value):
    """The recipe with one field changed; value `...` removes it."""
    data = copy.deepcopy(data)
    table, *keys = [data, *where]
    for key in keys[:-1]:
        table = table.setdefault(key, {}) if isinstance(table, dict) else table[key]
    if value is ...:
        del table[keys[-1]]
    else:
        table[keys[-1]] = value
    return data


def refused(tmp_path, data, *changes):
    with pytest.raises(UserError) as caught:
        read(tmp_path, data, *changes)
    message = str(caught.value)
    assert message.count("\n") == 0
    return message


@pytest.mark.parametrize(
    "data", [GOOD, SCANS, STACK, SIMULATED, LAMINATE], ids=["maps", "scans", "stack", "simulated", "laminate"]
)
def test_a_right_recipe_is_read(tmp_path, data):
    assert isinstance(read(tmp_path, data), Recipe)


@pytest.mark.parametrize(
    ("input_", "message"),
    [
        ({"kind": "maps", "files": ["a.nxs"], "scans": [1]}, 'scans: expected only with kind = "scans"'),
        ({"kind": "scans", "files": ["a.spec"], "scans": [[]], "hkl": [1, 0, 3]}, "input.scans"),
        ({"kind": "scans", "files": ["a.spec"], "scans": [-1], "hkl": [1, 0, 3]}, "input.scans"),
    ],
)
def test_numbers_of_scans_belong_to_scans(tmp_path, input_, message):
    with pytest.raises(UserError) as raised:
        read(tmp_path, GOOD | {"input": input_})
    assert message in str(raised.value)


def test_the_recipes_of_the_repository_are_right():
    recipes = sorted((Path(__file__).parents[1] / "recipes").glob("*.toml"))
    assert recipes
    for path in recipes:
        tables = read_tables(path, ())
        trained = {
            "crystal": TrainingRecipe,
            "film": FilmTrainingRecipe,
            "texture": TextureTrainingRecipe,
        }.get(told_prior(path))
        told = {"film": Recipe, "crystal": CrystalRecipe, "train": trained}
        kind = next((model for table, model in told.items() if table in tables), ConversionRecipe)
        assert model_of(kind, tables, path).name == path.stem


def test_quantities_are_in_angstrom_kelvin_and_kev(tmp_path):
    data = edited(GOOD, ("film", "in_plane"), "0.3905 nm")
    data = edited(data, ("texture", "period"), "12 nm")
    data = edited(data, ("input", "temperatures"), ["20 degC", "11 K"])
    recipe = read(tmp_path, data)
    assert recipe.film.in_plane == pytest.approx(3.905)
    assert recipe.texture.period == pytest.approx(120.0)
    assert recipe.input.temperatures == pytest.approx((293.15, 11.0))
    assert read(
        tmp_path, edited(SIMULATED, ("simulate", "energy"), "10000 eV")
    ).simulate.energy == pytest.approx(10.0)


def test_one_file_or_reflection_needs_no_list(tmp_path):
    recipe = read(tmp_path, GOOD | {"input": {"kind": "scans", "files": "a.ras", "hkl": [-1, 0, 3]}})
    assert recipe.input.files == ("a.ras",)
    assert recipe.input.hkl == ((-1, 0, 3),)


UNKNOWN = [
    (GOOD, ("inptu",), "'input'"),
    (GOOD, ("input", "file"), "'files'"),
    (GOOD, ("film", "inplane"), "'in_plane'"),
    (GOOD, ("film", "substrate", "material_"), "'material'"),
    (STACK, ("film", "stack", 1, "cell"), "'cells'"),
    (GOOD, ("texture", "perid"), "'period'"),
    (GOOD, ("invert", "start"), "'starts'"),
    (SIMULATED, ("simulate", "peak_count"), "'peak_counts'"),
    (SIMULATED, ("simulate", "texture", "amplitud"), "'amplitude'"),
    (LAMINATE, ("simulate", "texture", "onsett"), "'onset'"),
]


@pytest.mark.parametrize(("data", "where", "near"), UNKNOWN)
def test_an_unknown_key_names_the_nearest(tmp_path, data, where, near):
    message = refused(tmp_path, edited(data, where, 1))
    assert "unknown key" in message
    assert f"nearest known is {near}" in message
    assert f": {path_text(where)}: " in message


def test_an_unknown_texture_names_the_nearest_kind(tmp_path):
    message = refused(tmp_path, edited(SIMULATED, ("simulate", "texture", "kind"), "laminat"))
    assert ": simulate.texture.kind: expected one of stripes, laminate" in message
    assert "found 'laminat'; nearest known is 'laminate'" in message


def path_text(where):
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


WRONG = [
    (GOOD, ("name",), ...),
    (GOOD, ("name",), "../up"),
    (GOOD, ("name",), ""),
    (GOOD, ("input",), ...),
    (GOOD, ("input", "kind"), "map"),
    (GOOD, ("input", "files"), [1]),
    (GOOD, ("input", "temperatures"), ["20 degC"]),
    (GOOD, ("film",), ...),
    (GOOD, ("film", "in_plane"), 3.905),
    (GOOD, ("film", "in_plane"), 4),
    (GOOD, ("film", "in_plane"), True),
    (GOOD, ("film", "in_plane"), "3.905"),
    (GOOD, ("film", "in_plane"), "3.905 keV"),
    (GOOD, ("film", "in_plane"), "-3.905 angstrom"),
    (GOOD, ("film", "in_plane"), "0 angstrom"),
    (GOOD, ("film", "in_plane"), ["3.905 angstrom"]),
    (GOOD, ("film", "thickness"), "320"),
    (GOOD, ("film", "material"), 5),
    (GOOD, ("film", "repeat"), 2),
    (GOOD, ("film", "substrate", "c"), "3.9 kg"),
    (GOOD, ("film", "substrate", "c"), ...),
    (STACK, ("film", "c"), "4 angstrom"),
    (STACK, ("film", "repeat"), 0),
    (STACK, ("film", "stack", 0, "cells"), 0),
    (STACK, ("film", "stack", 1, "cells"), -3),
    (STACK, ("film", "stack", 1, "cells"), 2.5),
    (STACK, ("film", "stack", 1, "c"), "-4 angstrom"),
    (STACK, ("film", "stack", 1, "c"), ...),
    (STACK, ("film", "stack", 0, "material"), ...),
    (GOOD, ("texture", "period"), "automatic"),
    (GOOD, ("texture", "period"), "117 keV"),
    (GOOD, ("texture", "period"), 117.0),
    (GOOD, ("texture", "polarization"), "perhaps"),
    (GOOD, ("invert", "solver"), "motiv"),
    (GOOD, ("invert", "starts"), 0),
    (GOOD, ("invert", "starts"), 1.5),
    (GOOD, ("invert", "seed"), -1),
    (GOOD, ("invert", "harmonics"), 99),
    (GOOD, ("invert", "harmonics"), "many"),
    (GOOD, ("invert", "polynomials"), 0),
    (GOOD, ("invert", "strain"), float("nan")),
    (SCANS, ("input", "hkl", 0), [0, 0, 0]),
    (SCANS, ("input", "hkl", 1), [1, 0]),
    (SCANS, ("input", "hkl"), [[1, 0, 3]] * 3),
    (SCANS, ("input", "hkl"), ...),
    (SCANS, ("input", "qx_range"), [1.0]),
    (SCANS, ("input", "qx_range"), [2.0, 1.0]),
    (SCANS, ("input", "qz_range"), [0.0, float("inf")]),
    (SCANS, ("input", "voxel"), [0.001, 0.001]),
    (SCANS, ("input", "align"), "a.xrdml"),
    (SCANS, ("input", "align"), {"file": "a.xrdml"}),
    (SIMULATED, ("simulate", "hkl"), []),
    (SIMULATED, ("simulate", "hkl", 0), [0, 0, 0]),
    (SIMULATED, ("simulate", "hkl"), [[0, 0, 2], [0, 0, 2]]),
    (SIMULATED, ("simulate", "texture"), ...),
    (SIMULATED, ("simulate", "texture"), "stripes"),
    (SIMULATED, ("simulate", "texture", "kind"), ...),
    (SIMULATED, ("simulate", "texture", "kind"), "stripe"),
    (SIMULATED, ("simulate", "texture", "kind"), 3),
    (SIMULATED, ("simulate", "texture", "period"), "0 nm"),
    (SIMULATED, ("simulate", "texture", "period"), ...),
    (SIMULATED, ("simulate", "texture", "wall"), 20.0),
    (SIMULATED, ("simulate", "texture", "points"), 0),
    (SIMULATED, ("simulate", "peak_counts"), float("inf")),
    (SIMULATED, ("simulate", "background"), -1),
    (SIMULATED, ("simulate", "disorder"), 0.6),
    (SIMULATED, ("simulate", "coherence"), "0 nm"),
    (SIMULATED, ("simulate", "voxels"), [8, 100]),
    (SIMULATED, ("simulate", "temperatures"), ["10 K", "10 K"]),
    (LAMINATE, ("simulate", "texture", "onset"), "-3 K"),
]


@pytest.mark.parametrize(
    ("data", "where", "value"), WRONG, ids=lambda case: None if isinstance(case, dict) else str(case)
)
def test_a_wrong_value_names_file_field_and_what_was_expected(tmp_path, data, where, value):
    message = refused(tmp_path, edited(data, where, value))
    place = path_text(where)
    assert message.startswith(f"{tmp_path / 'recipe.toml'}: {place}")
    rest = message.split("recipe.toml: ", 1)[1].removeprefix(place)
    assert rest[0] in ":[."
    assert any(word in rest for word in ("expected", "should", "belongs", "input"))


def test_the_message_says_what_was_found(tmp_path):
    assert "found '3.905 keV'" in refused(tmp_path, edited(GOOD, ("film", "in_plane"), "3.905 keV"))
    message = refused(tmp_path, edited(GOOD, ("invert", "harmonics"), 99))
    assert "'auto'" in message
    assert "16" in message
    assert "99" in message
    assert "3.905 angstrom" in refused(tmp_path, edited(GOOD, ("film", "in_plane"), 3.905))


@pytest.mark.parametrize(
    "film", [GOOD["film"] | {"stack": STACK["film"]["stack"]}, {"in_plane": "3.9 angstrom"}]
)
def test_a_film_is_one_material_or_a_stack(tmp_path, film):
    message = refused(tmp_path, GOOD | {"film": film})
    assert ": film: expected either material" in message


def test_something_is_measured_or_simulated_and_not_both(tmp_path):
    assert ": input.files: expected" in refused(tmp_path, GOOD | {"input": {"kind": "maps"}})
    assert ": input.files: expected" in refused(tmp_path, GOOD | {"simulate": SIMULATED["simulate"]})


@pytest.mark.parametrize(
    ("change", "get", "value"),
    [
        ("invert.starts=3", lambda r: r.invert.starts, 3),
        ("invert.solver=window", lambda r: r.invert.solver, "window"),
        ('texture.period="117 angstrom"', lambda r: r.texture.period, 117.0),
        ("texture.period=117 angstrom", lambda r: r.texture.period, 117.0),
        ("input.files=['c.nxs']", lambda r: r.input.files, ("c.nxs",)),
        ("film.substrate.c = 0.4 nm", lambda r: r.film.substrate.c, 4.0),
        ("name=other", lambda r: r.name, "other"),
    ],
)
def test_a_change_overrides_the_recipe(tmp_path, change, get, value):
    assert get(read(tmp_path, GOOD, change)) == value


@pytest.mark.parametrize("change", ["invert.starts", "=3", ".a=3", "invert..starts=3", "name.first=x"])
def test_a_change_that_is_none_is_refused(tmp_path, change):
    assert change in refused(tmp_path, GOOD, change)


def test_a_changed_key_is_checked_as_a_written_one(tmp_path):
    assert "nearest known is 'starts'" in refused(tmp_path, GOOD, "invert.strats=3")


@pytest.mark.parametrize(
    "content",
    [
        b"name = ", b"[film\n", b"\xff\xfe", b"a = 1\na = 2", b"x = " + b"9" * 5000, b"x = " + b"[" * 5000, b"\x00", b"",
        b"name = 'x'\n[film]\nin_plane = 2020-01-01", b"input = 5\nfilm = []\nname = 3",
    ],
)  # fmt: skip
def test_broken_toml_is_the_users_error(tmp_path, content):
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_recipe(path)
    assert str(path) in str(caught.value)


def test_a_recipe_that_is_not_there_is_the_users_error(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(UserError, match="readable file"):
            read_recipe(path)


def test_a_recipe_cannot_be_changed_afterwards(tmp_path):
    recipe = read(tmp_path, GOOD)
    with pytest.raises(ValueError, match="frozen"):
        recipe.invert.starts = 5


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["1 nm", "auto", "maps", "PbTiO3"])
)
ANY = st.recursive(
    SCALARS.filter(lambda v: v is not None),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["material", "c", "cells", "hkl", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from([GOOD, SCANS, STACK, SIMULATED, LAMINATE]), st.data())
@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_edited_the_error_is_for_the_user(tmp_path, data, draw):
    table = draw.draw(st.sampled_from(["", *data]))
    fields = Recipe.model_fields if not table else data[table] if isinstance(data[table], dict) else {}
    key = draw.draw(st.sampled_from(sorted(fields) or ["name"]) | st.text(min_size=1, max_size=5))
    value = draw.draw(ANY)
    where = (table, key) if table and isinstance(data[table], dict) else (key,)
    path = written(tmp_path, edited(data, where, value))
    tomllib.loads(path.read_text(encoding="utf-8"))  # the test itself writes TOML
    with suppress(UserError):
        read_recipe(path)


@given(st.text(max_size=30))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_set_the_error_is_for_the_user(tmp_path, change):
    with suppress(UserError):
        read(tmp_path, GOOD, change)


@pytest.mark.parametrize(
    "text", ["simulate.texture=3", "simulate.texture=[1]", "simulate=3", "film.substrate=3", "film=3"]
)
def test_a_table_that_is_none_is_asked_for_without_names_of_classes(text):
    with pytest.raises(UserError, match=rf"{text.partition('=')[0]}: expected a table, found"):
        read_recipe(RECIPES / "quickstart.toml", (text,))
