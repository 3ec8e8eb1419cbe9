from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.film.materials import built_in
from nanotexture.simulate.phasefield.energy import functional_of, gradient_matrices
from nanotexture.simulate.phasefield.grid import grid_of
from nanotexture.simulate.phasefield.settings import Electrical, Settings, Surroundings
from numpy.typing import NDArray

from .superlattices import bulk, lead_titanate, superlattice

Array = NDArray[np.float64]


def energy_and_slope(settings: Settings, field: Array) -> tuple[float, Array]:
    """Mean energy density in GPa with tight mechanical equilibrium, and its slope."""
    functional = functional_of(settings)
    given = functional.grid.tensor(field) * functional.coefficients.polar
    state = functional.evaluate(given, functional.elasticity.start(), 1e-10)
    return state.energy, state.slope.numpy()


def some_field(settings: Settings, seed: int = 0) -> Array:
    """Random P (3, nx, ny, nz) of 0.3 C/m^2."""
    return np.random.default_rng(seed).normal(0.0, 0.3, (3, *settings.shape))


def surfaced(electrical: Electrical) -> Settings:
    """A film between substrate and vacuum."""
    elastic = built_in("SrTiO3").elastic
    assert elastic is not None
    around = Surroundings(elastic, 4, 3, softness=0.05)
    return Settings(
        layers=(lead_titanate(6),),
        in_plane=3.93,
        period=24.0,
        surroundings=around,
        electrical=electrical,
    )


CASES = {
    "superlattice": superlattice(cells=4, period=24.0),
    "odd nodes": superlattice(cells=3, period=20.0),
    "three dimensions": superlattice(cells=3, period=20.0, width=16.0),
    "one stiffness": superlattice(cells=4, period=24.0, uniform=True),
    "free crystal": bulk(),
    "open film": surfaced(Electrical.OPEN),
    "film with electrodes": surfaced(Electrical.ELECTRODES),
}


@pytest.mark.parametrize("case", CASES)
def test_the_slope_is_the_derivative_of_the_whole_energy_with_the_lattice_following(case: str) -> None:
    settings = CASES[case]
    field = some_field(settings)
    polar = functional_of(settings).coefficients.polar.numpy()
    direction = some_field(settings, 1) * polar
    _, slope = energy_and_slope(settings, field)
    small = 1e-4
    energies = [energy_and_slope(settings, field + sign * small * direction)[0] for sign in (1.0, -1.0)]
    difference = (energies[0] - energies[1]) / (2 * small)
    expected = float((slope * direction).sum() / np.prod(settings.shape))
    assert difference == pytest.approx(expected, rel=2e-6)


def test_a_texture_that_does_not_vary_along_y_is_the_same_in_two_and_three_dimensions() -> None:
    flat = superlattice(cells=4, period=24.0)
    deep = replace(flat, width=12.0)
    field = some_field(flat)
    energy, slope = energy_and_slope(flat, field)
    repeated = np.repeat(field, deep.shape[1], axis=2)
    deep_energy, deep_slope = energy_and_slope(deep, repeated)
    assert deep_energy == pytest.approx(energy, rel=1e-12)
    np.testing.assert_allclose(deep_slope, np.repeat(slope, deep.shape[1], axis=2), atol=1e-8)


def turned_about_z(field: Array) -> Array:
    """Crystal turned by 90 degrees about z: x to y, y to -x; vectors (3, nx, ny, nz) to (3, ny, nx, nz)."""
    moved = np.swapaxes(field, 1, 2)[:, ::-1]
    return np.stack([-moved[1], moved[0], moved[2]])


def test_turning_the_crystal_by_90_degrees_turns_the_forces_and_keeps_the_energy() -> None:
    before = superlattice(cells=3, period=24.0, width=16.0, strain=(0.003, -0.002))
    after = replace(before, period=16.0, width=24.0, strain=(-0.002, 0.003))
    field = some_field(before)
    energy, slope = energy_and_slope(before, field)
    turned_energy, turned_slope = energy_and_slope(after, turned_about_z(field))
    assert turned_energy == pytest.approx(energy, rel=1e-10)
    np.testing.assert_allclose(turned_slope, turned_about_z(slope), atol=1e-7)


def test_turning_a_free_crystal_from_z_to_x_keeps_the_energy() -> None:
    crystal = Settings(layers=(lead_titanate(5),), in_plane=3.957, period=5 * 3.957, clamped=False)
    field = some_field(crystal)
    turned = np.stack([field[2], field[1], -field[0]]).transpose(0, 3, 2, 1)[..., ::-1]
    assert energy_and_slope(crystal, turned.copy())[0] == pytest.approx(
        energy_and_slope(crystal, field)[0], rel=1e-9
    )


def test_gradient_energy_of_a_product_of_waves_is_the_documented_form() -> None:
    settings = superlattice(cells=2, period=40.0, width=24.0)
    grid = grid_of(settings)
    k, q = 2 * np.pi / 4.0, 2 * 2 * np.pi / 2.4
    x = (np.arange(grid.shape[0]) * grid.spacing[0])[:, None, None]
    y = (np.arange(grid.shape[1]) * grid.spacing[1])[None, :, None]
    a, b = 0.3, 0.2
    one = np.ones(grid.shape)
    field = np.stack(
        [a * np.cos(k * x) * np.cos(q * y) * one, b * np.sin(k * x) * np.sin(q * y) * one, 0 * one]
    )
    g11, g12, g44, g44_prime = 0.10, 0.03, 0.05, 0.02
    modes = grid.forward(torch.as_tensor(field))
    pulled = (grid.tensor(gradient_matrices(grid, (g11, g12, g44, g44_prime))) * modes[None]).sum(1)
    found = 0.5 * (field * grid.backward(pulled).numpy()).sum(0).mean()
    longitudinal = 0.5 * g11 * (a * a * k * k + b * b * q * q) / 4 - g12 * a * b * k * q / 4
    shear = 0.5 * g44 * (b * k - a * q) ** 2 / 4 + 0.5 * g44_prime * (b * k + a * q) ** 2 / 4
    assert found == pytest.approx(longitudinal + shear, rel=1e-10)


@pytest.mark.parametrize(
    ("axis", "component", "stiffness"), [(0, 0, 0.10), (0, 1, 0.07), (2, 2, 0.10), (2, 0, 0.07)]
)
def test_a_polarization_that_alternates_from_node_to_node_costs_the_gradient_of_its_wave(
    axis: int, component: int, stiffness: float
) -> None:
    grid = grid_of(superlattice(cells=2, period=24.0))
    wave = np.moveaxis(
        np.broadcast_to((-1.0) ** np.arange(grid.shape[axis]), (1, 1, grid.shape[axis])), 2, axis
    )
    field = np.zeros((3, *grid.shape))
    field[component] = 0.3 * wave
    modes = grid.forward(torch.as_tensor(field))
    pulled = (grid.tensor(gradient_matrices(grid, (0.10, 0.03, 0.05, 0.02))) * modes[None]).sum(1)
    found = 0.5 * (field * grid.backward(pulled).numpy()).sum(0).mean()
    assert found == pytest.approx(0.5 * stiffness * (np.pi / grid.spacing[axis]) ** 2 * 0.09, rel=1e-9)


def test_unpolar_nodes_are_neither_pulled_nor_moved() -> None:
    functional = functional_of(surfaced(Electrical.OPEN))
    field = functional.grid.tensor(some_field(surfaced(Electrical.OPEN))) * functional.coefficients.polar
    state = functional.evaluate(field, functional.elasticity.start(), 1e-8)
    moved = functional.step(state, 1.0) - field
    for change in (state.slope, moved):
        assert float(change[..., :4].abs().max()) == 0.0
        assert float(change[..., 10:].abs().max()) == 0.0
        assert float(change[..., 4:10].abs().min()) > 0.0
