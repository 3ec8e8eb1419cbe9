"""Energy coefficients against what they were published for: spontaneous polarization, strain, transition, stability."""

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.film.energetics import (
    elastic_from_table,
    electrostriction_from_table,
    gradient_from_table,
    landau_from_table,
)
from nanotexture.film.materials import built_in, built_in_names, from_mapping


def spontaneous(landau, kelvin, direction):
    """|P| of lowest Landau energy along a direction, by search."""
    size = np.linspace(0, 1.5, 150001)
    x, y, z = (np.outer(size, np.divide(direction, np.linalg.norm(direction)))).T
    squares = [x**2, y**2, z**2]
    pairs = squares[0] * squares[1] + squares[1] * squares[2] + squares[2] * squares[0]
    fourth = sum(s**2 for s in squares)
    sixth = sum(s**3 for s in squares)
    mixed = sum(squares[i] ** 2 * (sum(squares) - squares[i]) for i in range(3))
    energy = landau.a1(kelvin) * sum(squares) + landau.a11 * fourth + landau.a12 * pairs
    energy = energy + landau.a111 * sixth + landau.a112 * mixed + landau.a123 * np.prod(squares, axis=0)
    best = int(np.argmin(energy))
    return size[best], energy[best]


def test_lead_titanate_has_its_published_polarization_and_strain_at_room_temperature():
    """Ps = 0.757 C/m^2 at 25 C, tetragonal; c/a of the free crystal 1.063 within the accuracy of the coefficients."""
    lead = built_in("PbTiO3")
    size, energy = spontaneous(lead.landau, 298.15, (0, 0, 1))
    assert size == pytest.approx(0.757, abs=1e-3)
    assert all(spontaneous(lead.landau, 298.15, d)[1] > energy for d in [(1, 1, 0), (1, 1, 1)])
    q = lead.electrostriction
    assert (1 + q.q11 * size**2) / (1 + q.q12 * size**2) == pytest.approx(1.063, abs=0.006)


def test_bismuth_ferrite_is_rhombohedral_with_its_measured_polarization_and_shear():
    """0.9 C/m^2 along [111]; angle of the pseudocubic cell 89.4 degrees: 2 e_23 = q44 P_2 P_3 in the engineering convention."""
    bismuth = built_in("BiFeO3")
    size, energy = spontaneous(bismuth.landau, 298.15, (1, 1, 1))
    assert size == pytest.approx(0.89, abs=0.02)
    assert all(spontaneous(bismuth.landau, 298.15, d)[1] > energy for d in [(0, 0, 1), (1, 1, 0)])
    shear = bismuth.electrostriction.q44 * size**2 / 3
    assert 90 - np.degrees(shear) == pytest.approx(89.4, abs=0.1)


def test_strontium_titanate_stays_paraelectric_above_its_extrapolated_transition():
    landau = built_in("SrTiO3").landau
    assert landau.a1(30.0) == pytest.approx(0.0, abs=1e-3)
    assert landau.a1(20.0) < 0 < landau.a1(40.0)
    # Curie-Weiss at high temperature: coth(x) = 1 / x + x / 3, slope 4.05e7 / 54 per kelvin
    assert landau.a1(401.0) - landau.a1(400.0) == pytest.approx(4.05e7 / 54, rel=0.01)
    # permittivity 1 / (2 a1 eps0) near 300 at room temperature
    assert 1 / (2 * landau.a1(298.0) * 8.854e-12) == pytest.approx(300, rel=0.05)


def test_a_linear_slope_vanishes_at_the_transition():
    landau = built_in("PbTiO3").landau
    assert landau.a1(479 + 273.15) == 0.0
    assert landau.a1(298.15) == pytest.approx(3.8e5 * (25 - 479))


def test_the_coefficients_are_those_of_the_notes():
    lead, strontium = built_in("PbTiO3"), built_in("SrTiO3")
    assert (lead.elastic.c11, lead.elastic.c12, lead.elastic.c44) == (175e9, 79.4e9, 111.1e9)
    assert (strontium.elastic.c11, strontium.elastic.c12, strontium.elastic.c44) == (336e9, 107e9, 127e9)
    q = strontium.electrostriction
    assert (q.q11, q.q12, q.q44) == (0.0457, -0.0135, 0.0096)
    for material in (lead, strontium):
        found = material.gradient
        assert np.allclose(
            [found.g11, found.g12, found.g44, found.g44_prime], np.multiply(1.73e-10, [0.6, 0, 0.3, 0.3])
        )


@pytest.mark.parametrize("name", [n for n in built_in_names() if built_in(n).elastic is not None])
def test_stiffness_is_that_of_an_oxide_perovskite(name):
    elastic = built_in(name).elastic
    bulk = (elastic.c11 + 2 * elastic.c12) / 3
    assert 100e9 < bulk < 250e9
    assert np.all(
        np.linalg.eigvalsh(np.full((3, 3), elastic.c12) + np.eye(3) * (elastic.c11 - elastic.c12)) > 0
    )


def test_coefficients_that_are_not_known_are_absent():
    material = built_in("LSAT")
    assert (material.elastic, material.electrostriction, material.landau, material.gradient) == (None,) * 4


LANDAU = {"slope": 3.8e5, "transition": 752.0, "a11": -7.3e7, "a12": 7.5e8, "a111": 2.6e8}
BAD = [
    (elastic_from_table, {"c11": 1e11, "c12": 5e10}, "c44"),
    (elastic_from_table, {"c11": 1e11, "c12": 2e11, "c44": 1e11}, "c12"),
    (elastic_from_table, {"c11": 1e11, "c12": 5e10, "c44": -1e11}, "c44"),
    (elastic_from_table, {"c11": 1e11, "c12": -6e10, "c44": 1e11}, "c12"),
    (elastic_from_table, {"c11": "stiff", "c12": 5e10, "c44": 1e11}, "c11"),
    (elastic_from_table, {"c11": 1e11, "c12": 5e10, "c44": 1e11, "c13": 1.0}, "c13"),
    (elastic_from_table, [1e11, 5e10, 1e11], "table"),
    (elastic_from_table, {"c11": 1e11, "c12": 5e10, "c44": 1e11, "source": 7}, "source"),
    (electrostriction_from_table, {"q11": 0.1, "q12": float("nan"), "q44": 0.1}, "q12"),
    (landau_from_table, LANDAU | {"slope": -1.0}, "slope"),
    (landau_from_table, LANDAU | {"transition": 0.0}, "transition"),
    (landau_from_table, LANDAU | {"saturation": -5.0}, "saturation"),
    (landau_from_table, LANDAU | {"a111": -1.0}, "a111"),
    (landau_from_table, {k: v for k, v in LANDAU.items() if k != "a111"}, "a111"),
    (landau_from_table, LANDAU | {"a1": 1.0}, "a1"),
    (gradient_from_table, {"g11": -1.0, "g12": 0, "g44": 0, "g44_prime": 0}, "g11"),
]


@pytest.mark.parametrize(("reader", "table", "field"), BAD)
def test_a_wrong_table_names_the_field(reader, table, field):
    with pytest.raises(UserError, match=r"material mine: part") as caught:
        reader("material mine: part", table)
    assert field in str(caught.value)


def test_an_inline_material_carries_its_energy_and_names_itself_where_it_is_wrong():
    plain = {"lattice": [4, 4, 4], "atoms": [["Ti", 0, 0, 0]]}
    material = from_mapping("mine", plain | {"elastic": {"c11": 2e11, "c12": 1e11, "c44": 1e11}})
    assert material.elastic.c11 == 2e11
    with pytest.raises(UserError, match="material mine: landau: a11"):
        from_mapping("mine", plain | {"landau": {"slope": 1.0, "transition": 1.0}})
