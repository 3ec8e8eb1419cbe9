"""Atomic scattering factors from the database of xrayutilities."""

from __future__ import annotations

import difflib
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.geometry.backend import backend

_ELEMENT = re.compile(r"[A-Z][a-z]?(\d[pm])?")


def atomic_form_factor(element: str, q: NDArray[np.float64], energy_keV: float) -> NDArray[np.complex128]:
    """f0 + f' + i f'' in electrons of an element or ion ("Ti", "Ti4p", "O2m") at q = |Q| in 1/angstrom.

    f0 from Waasmaier and Kirfel (1995), f' and f'' from Henke et al. (1993), as tabulated by xrayutilities.
    """
    atom = _atom(element)
    energy = 1000 * energy_keV
    correction = complex(atom.f1(energy), atom.f2(energy))
    if not np.isfinite(correction):
        raise UserError(f"scattering factor of {element}: no value tabulated at {energy_keV:g} keV")
    flat = np.ascontiguousarray(np.ravel(q), dtype=np.float64)
    unperturbed = np.reshape(_f0(atom, flat, element), np.shape(q))
    return np.asarray(unperturbed + correction, dtype=np.complex128)


def _f0(atom: Any, q: NDArray[np.float64], element: str) -> NDArray[np.float64]:
    try:
        return np.array(atom.f0(q), dtype=np.float64)
    except KeyError as error:
        raise UserError(f"scattering factor of {element}: this charge is not tabulated") from error
    finally:
        # xrayutilities keeps the last thousand arrays of every element.
        atom._dbcache["f0"].clear()


def _atom(element: str) -> Any:
    table = backend().materials.elements
    found = getattr(table, element, None) if _ELEMENT.fullmatch(element) else None
    if not isinstance(found, backend().materials.Atom):
        names = [name for name in dir(table) if _ELEMENT.fullmatch(name)]
        near = difflib.get_close_matches(element, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UserError(f"unknown element {element!r}{hint} (elements as 'Ti', ions as 'Ti4p' or 'O2m')")
    return found
