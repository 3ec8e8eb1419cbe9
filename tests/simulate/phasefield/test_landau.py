from __future__ import annotations

import numpy as np
import torch
from nanotexture.simulate.phasefield.coefficients import coefficients_of
from nanotexture.simulate.phasefield.grid import grid_of
from nanotexture.simulate.phasefield.landau import landau_energy, landau_slope

from .superlattices import bulk, superlattice


def test_the_least_landau_energy_of_lead_titanate_at_25_celsius_lies_at_the_published_polarization() -> None:
    settings = bulk()
    coefficients = coefficients_of(settings, grid_of(settings))
    values = np.linspace(0.0, 1.0, 4 * 10001)
    field = torch.zeros(3, 10001, 1, 4, dtype=torch.float64)
    field[2] = torch.as_tensor(values).reshape(10001, 1, 4)
    energy = landau_energy(polarization=field, coefficients=coefficients)
    lowest = float(field[2].flatten()[energy.argmin()])
    assert abs(lowest - 0.757) < 5e-4


def test_the_cubic_phase_is_unstable_in_lead_titanate_and_stable_in_strontium_titanate() -> None:
    settings = superlattice(cells=4)
    coefficients = coefficients_of(settings, grid_of(settings))
    small = torch.full((3, 1, 1, 8), 0.05, dtype=torch.float64)
    energy = landau_energy(polarization=small, coefficients=coefficients)[0, 0]
    assert (energy[:4] > 0).all()
    assert (energy[4:] < 0).all()


def test_the_polynomial_is_the_documented_one() -> None:
    settings = bulk()
    c = coefficients_of(settings, grid_of(settings))
    x, y, z = 0.31, -0.47, 0.62
    field = torch.tensor([x, y, z], dtype=torch.float64).reshape(3, 1, 1, 1).expand(3, 1, 1, 4)
    a1, a11, a12, a111, a112, a123 = -0.17252, -7.3e-2, 0.75, 0.26, 0.61, -3.67
    expected = (
        a1 * (x**2 + y**2 + z**2)
        + a11 * (x**4 + y**4 + z**4)
        + a12 * (x**2 * y**2 + x**2 * z**2 + y**2 * z**2)
        + a111 * (x**6 + y**6 + z**6)
        + a112 * (x**4 * (y**2 + z**2) + y**4 * (x**2 + z**2) + z**4 * (x**2 + y**2))
        + a123 * x**2 * y**2 * z**2
    )
    np.testing.assert_allclose(landau_energy(polarization=field, coefficients=c), expected, rtol=1e-5)


def test_the_slope_is_the_derivative_of_the_energy() -> None:
    settings = superlattice(cells=4)
    coefficients = coefficients_of(settings, grid_of(settings))
    field = torch.as_tensor(np.random.default_rng(0).normal(0, 0.5, (3, 3, 2, 8))).requires_grad_()
    landau_energy(polarization=field, coefficients=coefficients).sum().backward()
    slope = landau_slope(polarization=field.detach(), coefficients=coefficients)
    torch.testing.assert_close(slope, field.grad, rtol=1e-10, atol=1e-12)
