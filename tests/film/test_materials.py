"""Materials: the built-in table and inline ones; every wrong one names the field."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.errors import UserError
from nanotexture.film.materials import built_in, built_in_names, from_mapping

GOOD = {
    "lattice": [4.0, 4.0, 4.1],
    "atoms": [["Sr", 0, 0, 0], {"element": "Ti", "position": [0.5, 0.5, 0.5], "debye_waller": 0.3}],
}


@pytest.mark.parametrize("name", built_in_names())
def test_a_built_in_material_is_a_perovskite_that_says_its_source(name):
    material = built_in(name)
    assert material.name == name
    assert sum(atom.occupancy for atom in material.atoms) == pytest.approx(5)
    assert all(3.7 < length < 4.3 for length in material.lattice)
    assert sum(atom.element == "O" for atom in material.atoms) == 3


@pytest.mark.parametrize(
    ("wrong", "near"), [("PbTiO", "PbTiO3"), ("srtio3", "SrTiO3"), ("KTO3", "KTaO3"), ("", "'")]
)
def test_an_unknown_name_names_the_nearest(wrong, near):
    with pytest.raises(UserError, match="nearest known is") as caught:
        built_in(wrong)
    assert near in str(caught.value)


def test_only_materials_with_moving_atoms_are_polar():
    assert built_in("PbTiO3").polar
    assert not built_in("SrTiO3").polar
    assert not from_mapping("x", GOOD).polar
    assert from_mapping("x", GOOD | {"displacement_per_polarization": [0.1, -0.2]}).polar


def test_an_inline_material_takes_atoms_as_lists_or_tables():
    material = from_mapping("mine", GOOD | {"displacement_per_polarization": [0.1, [0.0, 0.0, -0.2]]})
    first, second = material.atoms
    assert (first.element, first.position, first.debye_waller) == ("Sr", (0.0, 0.0, 0.0), 0.0)
    assert (second.element, second.position, second.debye_waller) == ("Ti", (0.5, 0.5, 0.5), 0.3)
    assert first.displacement_per_polarization == (0.1, 0.1, 0.1)
    assert second.displacement_per_polarization == (0.0, 0.0, -0.2)


BAD = {
    "lattice": [
        {},
        {"lattice": [4, 4]},
        {"lattice": "4"},
        {"lattice": [4, 4, -4]},
        {"lattice": [4, 4, 0]},
        {"lattice": [4, 4, "x"]},
        {"lattice": [4, 4, float("nan")]},
        {"lattice": [4, 4, float("inf")]},
        {"lattice": [4, 4, True]},
    ],
    "atoms": [
        {"atoms": []},
        {"atoms": "Sr"},
        {"atoms": [["Sr", 0, 0]]},
        {"atoms": [{"position": [0, 0, 0]}]},
        {"atoms": [{"element": "Sr"}]},
        {"atoms": [{"element": "Sr", "position": [0, 0, "a"]}]},
        {"atoms": [{"element": "Sr", "position": [0, 0, 0], "ocupancy": 1}]},
        {"atoms": [{"element": "Sr", "position": [0, 0, 0], "occupancy": "full"}]},
        {"atoms": [{"element": "Sr", "position": [0, 0, 0], "occupancy": -1}]},
        {"atoms": [{"element": "Sr", "position": [0, 0, 0], "debye_waller": [1]}]},
        {"atoms": [{"element": "Sr", "position": [0, 0, 0], "debye_waller": -1}]},
        {"atoms": [{"element": "Xx", "position": [0, 0, 0]}]},
        {"atoms": [["Strontium", 0, 0, 0]]},
    ],
    "displacement_per_polarization": [
        {"displacement_per_polarization": [0.1]},
        {"displacement_per_polarization": 0.1},
        {"displacement_per_polarization": [0.1, "x"]},
    ],
}


@pytest.mark.parametrize(("field", "part"), [(field, part) for field, parts in BAD.items() for part in parts])
def test_a_wrong_inline_material_names_the_field(field, part):
    table = (GOOD | part) if part else {"atoms": GOOD["atoms"]}
    with pytest.raises(UserError) as caught:
        from_mapping("mine", table)
    assert field in str(caught.value)


def test_an_unknown_key_of_an_inline_material_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="lattice"):
        from_mapping("mine", GOOD | {"latice": [1, 1, 1]})
    with pytest.raises(UserError, match="occupancy"):
        from_mapping("mine", GOOD | {"atoms": [{"element": "Sr", "position": [0, 0, 0], "ocupancy": 1}]})


junk = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["element", "position", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["lattice", "atoms", "displacement_per_polarization", "name"]), junk, max_size=3
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_written_the_error_is_for_the_user(changes):
    try:
        material = from_mapping("mine", GOOD | changes)
    except UserError:
        return
    assert np.isfinite(material.lattice).all()
