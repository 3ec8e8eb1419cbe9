"""Energy densities against closed forms and against the phase field's own."""

import numpy as np
import pytest
import torch
from nanotexture.film.materials import built_in
from nanotexture.simulate.phasefield.coefficients import Coefficients
from nanotexture.simulate.phasefield.landau import landau_energy
from nanotexture.texture.energy import (
    eigenstrain_from_polarization,
    elastic_energy_from_strain,
    gradient_energy_from_slopes,
    landau_energy_from_polarization,
)

PTO = built_in("PbTiO3")
ROOM = 298.15


def test_one_domain_of_lead_titanate_is_deepest_at_its_spontaneous_polarization():
    """f = a1 P^2 + a11 P^4 + a111 P^6, least at P^2 = (-a11 + sqrt(a11^2 - 3 a1 a111)) / (3 a111): 0.757 C/m^2 at 25 C."""
    f = PTO.landau
    a1 = f.a1(ROOM)
    square = (-f.a11 + np.sqrt(f.a11**2 - 3 * a1 * f.a111)) / (3 * f.a111)
    p = np.zeros((2, 3))
    p[1] = np.sqrt(square) * np.array([0.99, 1.0, 1.01])
    energy = landau_energy_from_polarization(polarization=p, landau=f, kelvin=ROOM)
    assert np.sqrt(square) == pytest.approx(0.757, abs=1e-3)
    assert energy[1] == pytest.approx(a1 * square + f.a11 * square**2 + f.a111 * square**3)
    assert energy[1] < min(energy[0], energy[2])


def test_the_landau_energy_is_that_of_the_phase_field():
    f = PTO.landau
    p = np.random.default_rng(0).uniform(-0.8, 0.8, (3, 4, 5, 6))
    p[1] = 0
    one = {name: getattr(f, name) for name in ("a11", "a12", "a111", "a112", "a123")} | {"a1": f.a1(500.0)}
    rest = dict.fromkeys(("c11", "c12", "c44", "q11", "q12", "q44", "misfit", "polar"), torch.zeros(()))
    fields = {name: torch.tensor(value, dtype=torch.float64) for name, value in one.items()}
    expected = landau_energy(
        polarization=torch.from_numpy(p), coefficients=Coefficients(**fields, **rest, gradient=(0, 0, 0, 0))
    )
    found = landau_energy_from_polarization(polarization=p[[0, 2]], landau=f, kelvin=500.0)
    np.testing.assert_allclose(found, expected.numpy())


@pytest.mark.parametrize("state", [0, 1, 2, 3])
def test_uniform_strain_costs_half_c_e_e(state):
    """Against the full tensor, C_1111 = c11, C_1122 = c12, C_1212 = c44."""
    e, c = 0.01, PTO.elastic
    strain = np.zeros((4, 2, 2))
    strain[state] = e
    full = np.zeros((3, 3))
    full[((0, 0), (1, 1), (2, 2), (0, 2))[state]] = e
    if state == 3:
        full[2, 0] = e
    eye = np.eye(3)
    stiffness = c.c12 * np.einsum("ij,kl->ijkl", eye, eye) + c.c44 * (
        np.einsum("ik,jl->ijkl", eye, eye) + np.einsum("il,jk->ijkl", eye, eye)
    )
    for i in range(3):
        stiffness[i, i, i, i] = c.c11
    expected = 0.5 * np.einsum("ij,ijkl,kl->", full, stiffness, full)
    np.testing.assert_allclose(elastic_energy_from_strain(strain=strain, elastic=c), expected)


def test_the_strain_that_p_makes_by_itself_is_that_of_the_tetragonal_cell():
    q = PTO.electrostriction
    free = eigenstrain_from_polarization(polarization=np.array([0.0, 0.757]), electrostriction=q)
    np.testing.assert_allclose(free, np.array([q.q12, q.q12, q.q11, 0.0]) * 0.757**2)
    turned = eigenstrain_from_polarization(polarization=np.array([0.5, 0.5]), electrostriction=q)
    assert turned[3] == pytest.approx(0.5 * q.q44 * 0.25)


def test_gradient_energy_of_each_slope_is_its_own_coefficient():
    """d P_z / dx alone: (g44 + g44') / 2 times its square; P_x,x and P_z,z: g11 / 2 each and g12 for both."""
    g, slope = PTO.gradient, 0.02  # C/m^2 per angstrom
    scale = (slope * 1e10) ** 2
    shear = np.zeros((2, 2))
    shear[1, 0] = slope
    assert gradient_energy_from_slopes(slopes=shear, gradient=g) == pytest.approx(
        0.5 * (g.g44 + g.g44_prime) * scale
    )
    both = np.diag([slope, slope])
    assert gradient_energy_from_slopes(slopes=both, gradient=g) == pytest.approx((g.g11 + g.g12) * scale)
