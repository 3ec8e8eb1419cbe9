"""What a material's energy is made of: elastic, electrostrictive, Landau and gradient coefficients, SI, cubic axes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from nanotexture.errors import UserError
from nanotexture.film.checks import is_number, refuse_unknown


@dataclass(frozen=True)
class Elastic:
    """Cubic stiffness in Pa, Voigt: s_1 = c11 e_1 + c12 (e_2 + e_3), s_4 = c44 e_4 with e_4 = 2 e_23."""

    c11: float
    c12: float
    c44: float
    source: str = ""


@dataclass(frozen=True)
class Electrostriction:
    """Eigenstrain e0(P) in m^4/C^2: e0_11 = q11 P_1^2 + q12 (P_2^2 + P_3^2), e0_23 = q44 P_2 P_3 / 2.

    q44 follows the engineering convention of its sources (e_4 = 2 e_23 = q44 P_2 P_3, Haun et al., J. Appl. Phys. 62,
    3331 (1987)); the tensor component is Q_2323 = q44 / 4. Papers that write e0_23 = Q44 P_2 P_3 quote q44 / 2.
    """

    q11: float
    q12: float
    q44: float
    source: str = ""


@dataclass(frozen=True)
class Landau:
    """Landau coefficients of f = a1 sum P_i^2 + a11 sum P_i^4 + a12 sum P_i^2 P_j^2 + a111 sum P_i^6
    + a112 sum P_i^4 (P_j^2 + P_k^2) + a123 P_1^2 P_2^2 P_3^2, J/m^3 with P in C/m^2, at zero stress.

    slope in J m/C^2 (per K without saturation), transition and saturation in kelvin.
    """

    slope: float
    transition: float
    a11: float
    a12: float
    a111: float = 0.0
    a112: float = 0.0
    a123: float = 0.0
    saturation: float | None = None
    source: str = ""

    def a1(self, kelvin: float) -> float:
        """a1 in J m/C^2: slope (T - T0), or slope (coth(Ts / T) - coth(Ts / T0)) where saturation Ts is given (Barrett)."""
        if self.saturation is None:
            return self.slope * (kelvin - self.transition)
        warm, cold = math.tanh(self.saturation / kelvin), math.tanh(self.saturation / self.transition)
        return self.slope * (1.0 / warm - 1.0 / cold)


@dataclass(frozen=True)
class Gradient:
    """Gradient coefficients in J m^3/C^2, P_i,j = dP_i/dx_j: f = g11/2 sum P_i,i^2 + g12 sum P_i,i P_j,j
    + g44/2 sum (P_i,j + P_j,i)^2 + g44_prime/2 sum (P_i,j - P_j,i)^2, sums over i < j.
    """

    g11: float
    g12: float
    g44: float
    g44_prime: float
    source: str = ""


Kind = TypeVar("Kind", Elastic, Electrostriction, Landau, Gradient)


def elastic_from_table(where: str, table: Any) -> Elastic:
    """Elastic from { c11, c12, c44, source }; UserError names the field, or says that the crystal would not be stable."""
    found = _read(Elastic, where, table)
    if not (found.c11 > abs(found.c12) and found.c11 + 2 * found.c12 > 0 and found.c44 > 0):
        raise UserError(
            f"{where}: expected a stable crystal (c11 > |c12|, c11 + 2 c12 > 0, c44 > 0), "
            f"found c11 = {found.c11:g}, c12 = {found.c12:g}, c44 = {found.c44:g} Pa"
        )
    return found


def electrostriction_from_table(where: str, table: Any) -> Electrostriction:
    """Electrostriction from { q11, q12, q44, source }; UserError names the field."""
    return _read(Electrostriction, where, table)


def landau_from_table(where: str, table: Any) -> Landau:
    """Landau from its fields; UserError names the field, or says that the energy has no lower bound along an axis."""
    found = _read(Landau, where, table)
    for name in ("slope", "transition", "saturation"):
        value = getattr(found, name)
        if value is not None and value <= 0.0:
            raise UserError(f"{where}: {name}: expected a number above 0, found {value:g}")
    if found.a111 < 0.0 or (found.a111 == 0.0 and found.a11 <= 0.0):
        raise UserError(
            f"{where}: a111: expected a number above 0, or 0 with a11 above 0: the energy falls without end at "
            f"large P, found a111 = {found.a111:g}, a11 = {found.a11:g}"
        )
    return found


def gradient_from_table(where: str, table: Any) -> Gradient:
    """Gradient from { g11, g12, g44, g44_prime, source }; UserError names the field."""
    found = _read(Gradient, where, table)
    for name in ("g11", "g44", "g44_prime"):
        if getattr(found, name) < 0.0:
            raise UserError(
                f"{where}: {name}: expected a number of 0 or more, found {getattr(found, name):g}"
            )
    return found


def _read(kind: type[Kind], where: str, table: Any) -> Kind:
    fields = dataclasses.fields(kind)
    if not isinstance(table, Mapping):
        raise UserError(f"{where}: expected a table of {', '.join(f.name for f in fields)}, found {table!r}")
    refuse_unknown(where, table, tuple(field.name for field in fields))
    missing = [f.name for f in fields if f.default is dataclasses.MISSING and f.name not in table]
    if missing:
        raise UserError(f"{where}: {missing[0]}: expected a number, found nothing")
    return kind(**{name: _value(where, name, value) for name, value in table.items()})


def _value(where: str, name: str, value: Any) -> Any:
    if name == "source":
        if not isinstance(value, str):
            raise UserError(f"{where}: source: expected text, found {value!r}")
        return value
    if not is_number(value):
        raise UserError(f"{where}: {name}: expected a number, found {value!r}")
    return float(value)
