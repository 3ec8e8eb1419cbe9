"""The one list of variables: complete, and checked at each boundary."""

import numpy as np
import pint
import pytest
import xarray as xr
from nanotexture import schema
from nanotexture.schema import SchemaError, Variable, check, labelled

ALL = {name: value for name, value in vars(schema).items() if name.isupper() and isinstance(value, dict)}
ENTRIES = [(group, name, entry) for group, entries in ALL.items() for name, entry in entries.items()]
SMALL = {
    "x": Variable(("x",), "1", "x", "Place."),
    "u": Variable(("x", "z"), "angstrom", "u", "Displacement."),
    "n": Variable((), "1", "n", "Number.", "i"),
    "text": Variable(("x",), "1", "text", "Words.", "U"),
    "more": Variable((), "K", "more", "Optional.", "f", True),
}
VALUES = {"x": np.arange(3.0), "u": np.zeros((3, 2)), "n": 4, "text": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("group", "name", "entry"), ENTRIES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_variable_says_what_it_is(group, name, entry):
    assert entry.units
    assert entry.long_name
    assert entry.comment.endswith(".")
    assert entry.comment.count("\n") == 0
    assert entry.kind in "fiuU"
    assert len(set(entry.dims)) == len(entry.dims)


def test_every_unit_is_a_unit():
    registry = pint.UnitRegistry()
    for _, _, entry in ENTRIES:
        registry.parse_units(entry.units)


def test_one_name_has_one_unit_in_the_result():
    for group in ("RESULT_CLUSTERS", "TEXTURE"):
        for name, entry in ALL[group].items():
            assert entry.units == ALL["RESULT_TEXTURE"].get(name, entry).units


def test_labelled_arrays_carry_dims_units_and_the_sentence():
    found = labelled(VALUES, SMALL, {"made": "here"})
    assert found["u"].dims == ("x", "z")
    assert found["u"].attrs == {"units": "angstrom", "long_name": "u", "comment": "Displacement."}
    assert list(found.coords) == ["x"]
    assert found["n"].dtype.kind == "i"
    assert found.attrs == {"made": "here"}
    assert check(found, SMALL) is found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"u": None}, "u: required"),
        ({"v": 1.0}, "does not list"),
        ({"u": np.zeros(3)}, None),
        ({"n": 4.5}, "n: dtype"),
        ({"u": np.zeros((3, 2), int)}, "u: dtype"),
        ({"u": np.zeros((3, 2), complex)}, "u: dtype"),
        ({"u": np.zeros((4, 2))}, None),
    ],
)
def test_other_values_are_a_defect(change, message):
    values = {name: value for name, value in (VALUES | change).items() if value is not None}
    if message is None:
        with pytest.raises((SchemaError, ValueError)):
            labelled(values, SMALL)
    else:
        with pytest.raises(SchemaError, match=message):
            labelled(values, SMALL)


def test_wrong_dims_and_units_are_a_defect():
    good = labelled(VALUES, SMALL)
    with pytest.raises(SchemaError, match="u: dims must be"):
        check(good.assign(u=good["u"].transpose("z", "x")), SMALL)
    other = good.copy(deep=True)
    other["u"].attrs["units"] = "nm"
    with pytest.raises(SchemaError, match="u: units must be 'angstrom', got 'nm'"):
        check(other, SMALL)
    with pytest.raises(SchemaError, match="u: units must be"):
        check(
            xr.Dataset({"x": good["x"], "u": good["u"].drop_attrs(), "n": good["n"], "text": good["text"]}),
            SMALL,
        )


def test_a_second_direction_of_the_plane_is_beside_the_first():
    found = schema.in_volume(schema.RESULT_TEXTURE)
    for name, entry in schema.RESULT_TEXTURE.items():
        assert [d for d in found[name].dims if d != "y"] == list(entry.dims)
        assert ("y" in found[name].dims) == ({"x", "z"} <= set(entry.dims))
    assert found["y"].dims == ("y",)
    assert schema.in_volume(schema.MAP)["intensity"].dims == ("qx", "qy", "qz")
    assert schema.in_volume(schema.ORDERS)["intensity"].units == "count/angstrom^2"
