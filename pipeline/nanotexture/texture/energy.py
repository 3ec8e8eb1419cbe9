"""Energy densities of a texture in J/m^3 from strain and polarization in the plane of x and z; nothing along y."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.energetics import Elastic, Electrostriction, Gradient, Landau

Array = NDArray[np.float64]

PER_METRE = 1e10  # from 1/angstrom


def eigenstrain_from_polarization(*, polarization: Array, electrostriction: Electrostriction) -> Array:
    """Stress-free strain xx, yy, zz, xz (4, ...) of P (2, ...) in C/m^2: e_11 = q11 P_1^2 + q12 P_3^2, e_13 = q44 P_1 P_3 / 2."""
    x, z = polarization[0] ** 2, polarization[1] ** 2
    q = electrostriction
    return np.stack(
        [
            q.q11 * x + q.q12 * z,
            q.q12 * (x + z),
            q.q11 * z + q.q12 * x,
            0.5 * q.q44 * polarization[0] * polarization[1],
        ]
    )


def elastic_energy_from_strain(*, strain: Array, elastic: Elastic) -> Array:
    """C_ijkl e_ij e_kl / 2 (...) in J/m^3 of the strain xx, yy, zz, xz (4, ...), cubic stiffness in Pa.

    c11 sum e_ii^2 / 2 + c12 sum_(i<j) e_ii e_jj + 2 c44 e_xz^2.
    """
    x, y, z, xz = strain
    squares, mixed = x**2 + y**2 + z**2, x * y + y * z + z * x
    return np.asarray(0.5 * elastic.c11 * squares + elastic.c12 * mixed + 2 * elastic.c44 * xz**2)


def landau_energy_from_polarization(*, polarization: Array, landau: Landau, kelvin: float) -> Array:
    """The polynomial of film.energetics.Landau (...) in J/m^3 at zero stress, of P (2, ...) in C/m^2."""
    x, z = polarization[0] ** 2, polarization[1] ** 2
    even = landau.a1(kelvin) * (x + z) + landau.a11 * (x**2 + z**2) + landau.a111 * (x**3 + z**3)
    return np.asarray(even + landau.a12 * x * z + landau.a112 * x * z * (x + z))


def gradient_energy_from_slopes(*, slopes: Array, gradient: Gradient) -> Array:
    """The form of film.energetics.Gradient (...) in J/m^3, slopes dP_i/dx_j (2, 2, ...) in C/m^2 per angstrom.

    Nothing varies along y: its components add nothing.
    """
    s = PER_METRE * slopes
    own = 0.5 * gradient.g11 * (s[0, 0] ** 2 + s[1, 1] ** 2) + gradient.g12 * s[0, 0] * s[1, 1]
    even = 0.5 * gradient.g44 * (s[0, 1] + s[1, 0]) ** 2
    odd = 0.5 * gradient.g44_prime * (s[0, 1] - s[1, 0]) ** 2
    return np.asarray(own + even + odd)
