"""Quantities as text: converted, never evaluated; nonsense is a ValueError."""

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nanotexture.units import in_unit

NUMBERS = st.floats(1e-6, 1e6)


@given(NUMBERS)
def test_lengths_convert_there_and_back(value):
    angstrom = in_unit(f"{value!r} angstrom", "angstrom")
    assert angstrom == pytest.approx(value, rel=1e-14)
    assert in_unit(f"{value!r} nm", "angstrom") == pytest.approx(10 * value, rel=1e-12)
    assert in_unit(f"{value!r} m", "angstrom") == pytest.approx(1e10 * value, rel=1e-12)
    assert in_unit(f"{in_unit(f'{value!r} nm', 'm')!r} m", "nm") == pytest.approx(value, rel=1e-12)


@given(NUMBERS)
def test_spacings_convert_the_other_way(value):
    assert in_unit(f"{value!r} 1/angstrom", "1/angstrom") == pytest.approx(value, rel=1e-14)
    assert in_unit(f"{value!r} 1/nm", "1/angstrom") == pytest.approx(value / 10, rel=1e-12)
    assert in_unit(f"{value!r} nm^-1", "1/angstrom") == pytest.approx(value / 10, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("3.9885 angstrom", "angstrom", 3.9885),
        ("3.9885angstrom", "angstrom", 3.9885),
        ("  12 nm ", "angstrom", 120.0),
        ("3.9 Å", "angstrom", 3.9),
        ("8.048 keV", "keV", 8.048),
        ("8048 eV", "keV", 8.048),
        ("20 degC", "kelvin", 293.15),
        ("-50 degC", "kelvin", 223.15),
        ("300 K", "kelvin", 300.0),
        ("1e2 pm", "angstrom", 1.0),
        ("-.5 nm", "angstrom", -5.0),
        ("+1.E-1 nm", "angstrom", 1.0),
        ("5e-4 1/angstrom", "1/angstrom", 5e-4),
        ("0 angstrom", "angstrom", 0.0),
    ],
)
def test_known_quantities(text, unit, value):
    assert in_unit(text, unit) == pytest.approx(value, rel=1e-12)


NONSENSE = [
    "", " ", "angstrom", "3.9", "3.9 3.9", "3.9 furlongs per fortnight", "3.9 keV", "nan angstrom", "inf angstrom",
    "1e400 angstrom", "-1e400 angstrom", "1,5 angstrom", "0x10 angstrom", "1_000 angstrom", "3.9 angstrom; 4",
    "1 angstrom * 2", "1 2*angstrom", "1 angstrom*0.5", "1 angstrom + 1 angstrom", "1 angstrom - 1 angstrom",
    "0/angstrom", "1 1/0", "1 angstrom/0", "1 0/angstrom", "0 1/0*angstrom", "1 angstrom^0/0", "1 angstrom^9999999999",
    "1 9^9^9^9*angstrom", "1 angstrom**9**9**9", "1 /", "1 //angstrom", "1 **", "1 angstrom/", "1 ^", "1 -", "1 angstrom-",
    "1 - angstrom", "1 angstrom--1", "1 a b c d e", "1 (angstrom)", "1 __import__('os')", "1 lambda", "1 angstrom\n2",
    "1 dimensionless",
    "1 1", "1 100*pm", "1 delta_degC", "1 degC*degC", "1 None", "1 if", "1 1e3*angstrom", "1 j", "1 1j*angstrom",
]  # fmt: skip


@pytest.mark.parametrize("text", NONSENSE)
def test_nonsense_is_a_value_error_that_shows_it(text):
    with pytest.raises(ValueError, match="expected") as caught:
        in_unit(text, "angstrom")
    assert type(caught.value) is ValueError
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("value", [None, 3.9, 4, True, ["1 angstrom"], {"a": 1}, b"1 angstrom"])
def test_only_text_is_a_quantity(value):
    with pytest.raises(ValueError, match="expected a number and a unit"):
        in_unit(value, "angstrom")


PIECES = [
    "angstrom",
    "nm",
    "m",
    "1",
    "2",
    "0",
    "*",
    "/",
    "^",
    "-",
    "**",
    " ",
    "9",
    "e",
    "j",
    "per",
    "inf",
    "degC",
    "K",
    "%",
    "µ",
    "Å",
]


@given(
    st.lists(st.sampled_from(PIECES), max_size=7).map("".join),
    st.sampled_from(["angstrom", "1/angstrom", "kelvin"]),
)
@example("angstrom^9^9^9^9", "angstrom")
@settings(max_examples=600)
def test_whatever_is_written_it_is_a_number_or_a_value_error(text, unit):
    with suppress(ValueError):
        assert abs(in_unit("1 " + text, unit)) < float("inf")


@pytest.mark.parametrize("text", ["3.91/angstrom", "1e51/angstrom", "11/angstrom", "3 .1/angstrom"])
def test_the_last_digit_of_a_number_is_not_the_one_of_1_over_angstrom(text):
    with pytest.raises(ValueError, match="expected"):
        in_unit(text, "1/angstrom")


@given(st.text(max_size=12))
@settings(max_examples=300)
def test_any_text_is_a_number_or_a_value_error(text):
    with suppress(ValueError):
        in_unit(text, "angstrom")
