"""The Landau energy of a polarization field and its derivative."""

from __future__ import annotations

from torch import Tensor

from nanotexture.simulate.phasefield.coefficients import Coefficients


def landau_energy(*, polarization: Tensor, coefficients: Coefficients) -> Tensor:
    """Energy density (nx, ny, nz) in GPa of P (3, nx, ny, nz) in C/m^2; the polynomial of film.energetics.Landau."""
    c = coefficients
    s = polarization * polarization
    first, second, third = s.sum(0), (s * s).sum(0), (s * s * s).sum(0)
    mixed = 0.5 * c.a12 * (first * first - second) + c.a112 * (second * first - third)
    return c.a1 * first + c.a11 * second + c.a111 * third + mixed + c.a123 * s.prod(0)


def landau_slope(*, polarization: Tensor, coefficients: Coefficients) -> Tensor:
    """Derivative (3, nx, ny, nz) of the Landau energy density by P, GPa per C/m^2."""
    c = coefficients
    s = polarization * polarization
    rest = s.sum(0) - s
    others = (s * s).sum(0) - s * s
    triple = s.roll(1, 0) * s.roll(2, 0)
    by_square = c.a1 + 2 * c.a11 * s + c.a12 * rest + 3 * c.a111 * s * s
    by_square = by_square + c.a112 * (2 * s * rest + others) + c.a123 * triple
    return 2 * polarization * by_square
