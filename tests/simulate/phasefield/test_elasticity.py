from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.simulate.phasefield.coefficients import coefficients_of
from nanotexture.simulate.phasefield.elasticity import (
    Equilibrated,
    eigenstrain,
    elastic_energy,
    elastic_slope,
    elasticity_of,
)
from nanotexture.simulate.phasefield.grid import grid_of
from nanotexture.simulate.phasefield.settings import Settings, Surroundings
from torch import Tensor

from .superlattices import bulk, lead_titanate, superlattice

TIGHT = 1e-10


def solved(settings: Settings, polarization: Tensor) -> tuple[Equilibrated, Tensor]:
    """Equilibrium of a field and its eigenstrain."""
    grid = grid_of(settings)
    coefficients = coefficients_of(settings, grid)
    free = eigenstrain(polarization=polarization, coefficients=coefficients)
    elastic = elasticity_of(grid, coefficients, settings.strain, free=not settings.clamped)
    return elastic.solve(free, elastic.start(), TIGHT), free


def some_field(settings: Settings, seed: int = 0) -> Tensor:
    """Smooth-ish random P (3, nx, ny, nz) of 0.3 C/m^2."""
    field = np.random.default_rng(seed).normal(0, 0.3, (3, *settings.shape))
    return torch.as_tensor(field)


def test_a_laminate_of_two_stiffnesses_has_the_stress_and_energy_of_the_closed_form() -> None:
    settings = superlattice(cells=8, strain=(0.004, -0.001))
    state, free = solved(settings, torch.zeros(3, *settings.shape, dtype=torch.float64))
    expected = 0.0
    for nodes, layer in ((slice(0, 8), settings.layers[0]), (slice(8, 16), settings.layers[1])):
        elastic = layer.material.elastic
        assert elastic is not None
        c11, c12 = elastic.c11 / 1e9, elastic.c12 / 1e9
        misfit = layer.cubic / settings.in_plane - 1.0
        xx, yy = 0.004 - misfit, -0.001 - misfit
        zz = -c12 / c11 * (xx + yy)
        stress = c11 * xx + c12 * (yy + zz)
        np.testing.assert_allclose(state.stress[0, ..., nodes], stress, rtol=1e-7)
        np.testing.assert_allclose(state.strain[2, ..., nodes] - misfit, zz, rtol=1e-7)
        expected += 0.5 * 0.5 * (c11 * (xx**2 + yy**2 + zz**2) + 2 * c12 * (xx * yy + yy * zz + zz * xx))
    found = elastic_energy(stress=state.stress, strain=state.strain, eigenstrain=free)
    assert float(found) == pytest.approx(expected, rel=1e-7)
    assert float(state.stress[2:].abs().max()) < 1e-7


def test_a_wave_of_eigenstrain_along_x_has_the_energy_of_the_closed_form() -> None:
    settings = bulk()
    settings = replace(settings, clamped=True, period=80.0)
    grid = grid_of(settings)
    coefficients = coefficients_of(settings, grid)
    wave = 0.01 * np.cos(2 * np.pi * np.arange(settings.shape[0]) / settings.shape[0])
    free = torch.zeros(6, *settings.shape, dtype=torch.float64)
    free[2] = torch.as_tensor(wave)[:, None, None]
    elastic = elasticity_of(grid, coefficients, (0.0, 0.0))
    state = elastic.solve(free, elastic.start(), TIGHT)
    c11, c12 = 175.0, 79.4
    np.testing.assert_allclose(state.strain[0, :, 0, 0], c12 / c11 * wave, atol=1e-12)
    energy = float(elastic_energy(stress=state.stress, strain=state.strain, eigenstrain=free))
    assert energy == pytest.approx(0.25 * 0.01**2 * (c11 - c12**2 / c11), rel=1e-9)
    assert state.iterations == 1, "one stiffness everywhere is solved by its own reference"


def test_a_wave_of_shear_eigenstrain_costs_nothing_where_a_displacement_can_follow_it() -> None:
    settings = replace(bulk(), clamped=True, period=80.0)
    grid = grid_of(settings)
    elastic = elasticity_of(grid, coefficients_of(settings, grid), (0.0, 0.0))
    wave = torch.as_tensor(0.01 * np.cos(2 * np.pi * np.arange(settings.shape[0]) / settings.shape[0]))
    free = torch.zeros(6, *settings.shape, dtype=torch.float64)
    free[4] = wave[:, None, None]
    state = elastic.solve(free, elastic.start(), TIGHT)
    assert float(elastic_energy(stress=state.stress, strain=state.strain, eigenstrain=free)) < 1e-15
    free = torch.zeros(6, *settings.shape, dtype=torch.float64)
    free[3] = wave[:, None, None]
    state = elastic.solve(free, elastic.start(), TIGHT)
    energy = float(elastic_energy(stress=state.stress, strain=state.strain, eigenstrain=free))
    assert energy == pytest.approx(0.5 * 4 * 111.1 * 0.5 * 0.01**2, rel=1e-9)


@pytest.mark.parametrize("width", [None, 24.0])
def test_stress_is_free_of_divergence_and_mean_strain_is_the_clamp(width: float | None) -> None:
    settings = superlattice(cells=6, period=40.0, width=width, strain=(0.002, -0.003))
    state, _ = solved(settings, some_field(settings))
    grid = grid_of(settings)
    elastic = elasticity_of(grid, coefficients_of(settings, grid), settings.strain)
    assert elastic.divergence(state.stress) < 1e-7
    mean = state.strain.mean((1, 2, 3))
    np.testing.assert_allclose(mean[[0, 1, 5]], [0.002, -0.003, 0.0], atol=1e-14)
    free_stress = state.stress.mean((1, 2, 3))[2:5]
    assert float(free_stress.abs().max()) < 1e-8 * float(state.stress.abs().max())
    assert elastic.divergence(elastic.stress(some_field(settings).repeat(2, 1, 1, 1))) > 0.1


def test_a_free_crystal_takes_its_spontaneous_strain_without_stress() -> None:
    settings = bulk()
    field = torch.zeros(3, *settings.shape, dtype=torch.float64)
    field[0], field[1] = 0.5, 0.3
    state, free = solved(settings, field)
    np.testing.assert_allclose(state.strain, free, atol=1e-14)
    assert float(free[5].mean()) == pytest.approx(0.5 * 0.0675 * 0.5 * 0.3)


def test_equilibrium_is_the_least_energy_of_all_displacements() -> None:
    settings = superlattice(cells=6, period=40.0)
    state, free = solved(settings, some_field(settings))
    grid = grid_of(settings)
    elastic = elasticity_of(grid, coefficients_of(settings, grid), settings.strain)
    least = float(elastic_energy(stress=state.stress, strain=state.strain, eigenstrain=free))
    for seed in range(3):
        push = 1e-3 * grid.forward(some_field(settings, seed + 1))
        strain = state.strain + elastic.strain(push)
        energy = float(elastic_energy(stress=elastic.stress(strain - free), strain=strain, eigenstrain=free))
        bend = elastic.strain(push)
        zero = torch.zeros_like(bend)
        own = float(elastic_energy(stress=elastic.stress(bend), strain=bend, eigenstrain=zero))
        assert energy - least == pytest.approx(own, rel=1e-6)


def test_the_slope_is_the_derivative_of_the_elastic_energy_at_fixed_strain() -> None:
    settings = superlattice(cells=4, period=20.0)
    grid = grid_of(settings)
    coefficients = coefficients_of(settings, grid)
    elastic = elasticity_of(grid, coefficients, (0.0, 0.0))
    field = some_field(settings).requires_grad_()
    strain = 0.01 * some_field(settings, 1).repeat(2, 1, 1, 1)
    free = eigenstrain(polarization=field, coefficients=coefficients)
    stress = elastic.stress(strain - free)
    elastic_energy(stress=stress, strain=strain, eigenstrain=free).backward()
    slope = elastic_slope(polarization=field.detach(), stress=stress.detach(), coefficients=coefficients)
    assert field.grad is not None
    torch.testing.assert_close(slope / field[0].numel(), field.grad, rtol=1e-9, atol=1e-14)


def test_the_vacuum_bears_no_stress_and_the_film_does() -> None:
    elastic = lead_titanate(1).material.elastic
    assert elastic is not None
    around = Surroundings(elastic, below=8, above=8)
    settings = Settings(layers=(lead_titanate(8),), in_plane=3.93, period=48.0, surroundings=around)
    x = 2 * np.pi * np.arange(settings.shape[0]) / settings.shape[0]
    field = torch.zeros(3, *settings.shape, dtype=torch.float64)
    field[0, :, 0, 8:16] = torch.as_tensor(0.5 * np.cos(x))[:, None]
    field[2, :, 0, 8:16] = torch.as_tensor(0.5 * np.sin(x))[:, None]
    state, _ = solved(settings, field)
    size = state.stress.square().mean((0, 1, 2)).sqrt()
    assert float(size[17:23].max()) < 0.01 * float(size[8:16].mean())
    normal = state.stress[2, :, 0].abs().amax(0)
    assert float(normal[15]) < 0.7 * float(normal[11])
