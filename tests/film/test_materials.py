"""Materials: the built-in table and inline ones; every wrong one names the field."""

import re
import tomllib
from pathlib import Path

import nanotexture.film
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


PEROVSKITES = sorted(set(built_in_names()) - {"Ca2RuO4", "Ca2RuO4_L"})
# Relative atomic masses (IUPAC) and mass densities in g/cm^3 as measured or as the crystals' makers state them.
MASS = {
    "O": 15.999, "Al": 26.982, "K": 39.098, "Ca": 40.078, "Sc": 44.956, "Ti": 47.867, "Fe": 55.845, "Sr": 87.62,
    "Ru": 101.07, "Ba": 137.33, "La": 138.91, "Dy": 162.50, "Ta": 180.95, "Pb": 207.2, "Bi": 208.98,
}  # fmt: skip
DENSITY = {
    "PbTiO3": 7.95, "SrTiO3": 5.12, "BaTiO3": 6.02, "BiFeO3": 8.34, "KTaO3": 7.02, "DyScO3": 6.90, "LaAlO3": 6.52,
    "LSAT": 6.74, "SrRuO3": 6.49, "Ca2RuO4": 4.58, "Ca2RuO4_L": 4.63,
}  # fmt: skip
MATERIALS = Path(nanotexture.film.__file__).parent / "materials"


def test_the_materials_that_are_promised_are_there():
    assert set(DENSITY) == set(built_in_names())


@pytest.mark.parametrize("name", PEROVSKITES)
def test_a_built_in_perovskite_has_one_cation_of_each_kind_and_three_oxygens(name):
    material = built_in(name)
    assert material.name == name
    assert sum(atom.occupancy for atom in material.atoms) == pytest.approx(5)
    assert all(3.7 < length < 4.3 for length in material.lattice)
    assert sum(atom.element == "O" for atom in material.atoms) == 3


@pytest.mark.parametrize("name", built_in_names())
def test_mass_over_volume_is_the_known_density(name):
    material = built_in(name)
    mass = sum(MASS[atom.element] * atom.occupancy for atom in material.atoms)
    assert 1.66054 * mass / np.prod(material.lattice) == pytest.approx(DENSITY[name], rel=0.02)


@pytest.mark.parametrize("name", built_in_names())
def test_every_table_of_a_built_in_file_says_its_source(name):
    table = tomllib.loads((MATERIALS / f"{name}.toml").read_text())
    tables = [table, *(part for part in table.values() if isinstance(part, dict))]
    assert all(re.search(r"\(\d{4}\)", part["source"]) for part in tables)


@pytest.mark.parametrize("name", ["Ca2RuO4", "Ca2RuO4_L"])
def test_calcium_ruthenate_is_symmetric_under_the_glides_of_pbca(name):
    """b glide across a, c glide across b, a glide across c, each takes every atom to one of its kind."""
    material = built_in(name)
    places = {(a.element, *np.round(np.mod(a.position, 1), 3) % 1) for a in material.atoms}
    for sign, shift in (
        ((-1, 1, 1), (0.5, 0.5, 0)),
        ((1, -1, 1), (0, 0.5, 0.5)),
        ((1, 1, -1), (0.5, 0, 0.5)),
    ):
        moved = {
            (a.element, *np.round(np.mod(np.multiply(sign, a.position) + shift, 1), 3) % 1)
            for a in material.atoms
        }
        assert moved == places
    assert len(places) == 28


@pytest.mark.parametrize(
    ("name", "charges", "across", "polarization"),
    [
        # Born charges: Ghosez et al. (1995), tetragonal BaTiO3; Neaton et al. (2005), BiFeO3; along and across the bond for O.
        ("BaTiO3", {"Ba": 2.83, "Ti": 5.81, "O": -4.73}, -1.95, 0.26),
        ("BiFeO3", {"Bi": 4.37, "Fe": 3.49, "O": -2.62}, -2.62, 1.00),
    ],
)
def test_displacements_times_born_charges_give_the_polarization_back(name, charges, across, polarization):
    """P = e / V sum Z* b P, that is sum Z* b = V / e; the measured structure and calculated charges agree to 15 %."""
    material = built_in(name)
    moved = 0.0
    for atom in material.atoms:
        equatorial = atom.element == "O" and atom.position[2] != 0.0
        moved += (across if equatorial else charges[atom.element]) * atom.displacement_per_polarization[2]
    assert 16.022 * moved / np.prod(material.lattice) == pytest.approx(1.0, abs=0.15)
    masses = [MASS[atom.element] * atom.displacement_per_polarization[2] for atom in material.atoms]
    total = sum(MASS[atom.element] for atom in material.atoms)
    assert abs(sum(masses)) * polarization / total < 2e-3  # angstrom: the centre of mass rests


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
@settings(max_examples=200)
def test_whatever_is_written_the_error_is_for_the_user(changes):
    try:
        material = from_mapping("mine", GOOD | changes)
    except UserError:
        return
    assert np.isfinite(material.lattice).all()
