"""Numbers come with the digits that their errors leave, and with typeset units."""

import math

import pytest
from nanotexture.report.format import (
    MINUS,
    NARROW,
    formula_text,
    indices,
    listed,
    number,
    percent,
    reflection_text,
    with_error,
)


@pytest.mark.parametrize(
    ("value", "error", "units", "expected"),
    [
        (234.6189, 0.0996, "angstrom", "234.62 ± 0.10 Å"),
        (234.6189, 0.0994, "angstrom", "234.619 ± 0.099 Å"),
        (316.8, 14.2, "angstrom", "317 ± 14 Å"),
        (1234.0, 150.0, "1", "1230 ± 150"),
        (-0.0612, 0.41, "angstrom", f"{MINUS}0.06 ± 0.41 Å"),
        (-0.001, 0.41, "angstrom", "0.00 ± 0.41 Å"),
        (0.0, 0.5, "angstrom", "0.00 ± 0.50 Å"),
        (0.0035, 0.000099, "1/angstrom", "(3.500 ± 0.099) × 10⁻³ Å⁻¹"),
        (2.5e6, 1.2e5, "count", "(2.50 ± 0.12) × 10⁶ counts"),
        (0.0149, 0.0023, "deg", "(0.0149 ± 0.0023)°"),
        (3.96, math.nan, "angstrom", "3.96 Å"),
        (3.96, 0.0, "angstrom", "3.96 Å"),
        (math.nan, 0.1, "angstrom", "not determined"),
    ],
)
def test_a_value_has_the_digits_of_its_error(value, error, units, expected):
    assert with_error(value, error, units) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (9.9999, "10"),
        (1490.0, "1490"),
        (-2.5e-5, f"{MINUS}2.5 × 10⁻⁵"),
        (123456.0, "1.235 × 10⁵"),
    ],
)
def test_a_number_without_an_error_has_few_digits(value, expected):
    assert number(value) == expected


def test_a_small_share_is_not_rounded_to_nothing():
    assert [percent(p) for p in (0.0, 0.004, 0.5, 1.0)] == ["0 %", "< 1 %", "50 %", "100 %"]


def test_indices_of_a_group_name():
    assert indices("-103") == (-1, 0, 3)
    assert indices("-1_0_12") == (-1, 0, 12)
    assert indices("map") is None
    assert reflection_text("-103") == f"({MINUS}1{NARROW}0{NARROW}3)"
    assert reflection_text("map") == "map"


def test_words():
    assert formula_text("PbTiO3") == "PbTiO₃"
    assert formula_text("my film 2") == "my film 2"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([]) == ""
