"""Scattering factors: limits that physics fixes, and names that are not elements."""

from __future__ import annotations

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.geometry import atomic_form_factor

ELEMENTS = {"O": 8, "Ti": 22, "Sr": 38, "K": 19, "Ta": 73, "Pb": 82}


@pytest.mark.parametrize(("element", "electrons"), ELEMENTS.items())
def test_forward_scattering_counts_the_electrons(element: str, electrons: int) -> None:
    forward = atomic_form_factor(element, np.zeros(1), 25.0)[0]
    assert forward.real == pytest.approx(electrons, abs=2.5)
    assert forward.imag > 0


def test_ions_hold_the_electrons_of_their_charge() -> None:
    neutral, ion = (atomic_form_factor(name, np.zeros(1), 8.0)[0] for name in ("Ti", "Ti4p"))
    assert (neutral - ion).real == pytest.approx(4, abs=0.05)
    assert (neutral - ion).imag == 0


def test_f0_falls_with_q_and_dispersion_does_not() -> None:
    q = np.linspace(0, 8, 30).reshape(5, 6)
    factor = atomic_form_factor("Pb", q, 8.048)
    assert factor.shape == (5, 6)
    assert (np.diff(factor.real.ravel()) < 0).all()
    assert np.ptp(factor.imag) == 0


def test_lead_at_copper_k_alpha_is_that_of_the_tables() -> None:
    factor = atomic_form_factor("Pb", np.array(0.0), 8.0478)
    assert factor == pytest.approx(77.87 + 8.69j, abs=0.2)


def test_strided_arrays_give_the_same_as_contiguous_ones() -> None:
    q = np.linspace(0, 8, 60).reshape(6, 10)
    assert np.array_equal(atomic_form_factor("O", q.T, 8.0), atomic_form_factor("O", q, 8.0).T)


@pytest.mark.parametrize("name", ["Xx", "ti", "", "Ti9p", "Atom", "os.path", "__name__", "Pb; "])
def test_what_is_no_element_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"unknown element|not tabulated"):
        atomic_form_factor(name, np.zeros(1), 8.0)


def test_an_energy_outside_the_tables_is_refused() -> None:
    with pytest.raises(UserError, match=r"no value tabulated at 0\.0001 keV"):
        atomic_form_factor("Ti", np.zeros(1), 1e-4)
