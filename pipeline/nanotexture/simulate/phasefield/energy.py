"""The energy of a polarization field, its parts and its derivative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanotexture.simulate.phasefield.coefficients import Coefficients, coefficients_of
from nanotexture.simulate.phasefield.elasticity import (
    Elasticity,
    Equilibrated,
    eigenstrain,
    elastic_energy,
    elastic_slope,
    elasticity_of,
)
from nanotexture.simulate.phasefield.electrostatics import Electrodes, depolarization, electrodes_of
from nanotexture.simulate.phasefield.grid import Grid, grid_of, quadratic_products
from nanotexture.simulate.phasefield.landau import landau_energy, landau_slope
from nanotexture.simulate.phasefield.settings import Settings

_LEAST = 0.05  # C/m^2: smaller fields are on their way to none, where the force vanishes with them
PARTS = ("landau", "gradient", "elastic", "electric")


@dataclass(frozen=True)
class State:
    """P (3, nx, ny, nz), mechanical equilibrium, parts of the mean energy density (GPa, order of PARTS), slope by P.

    force is the rms of the slope relative to the rms of 2 a1 P; largest the largest |component| of P.
    """

    polarization: Tensor
    elastic: Equilibrated
    parts: tuple[float, ...]
    slope: Tensor
    force: float
    largest: float

    @property
    def energy(self) -> float:
        """Mean energy density of the box, GPa."""
        return sum(self.parts)


@dataclass(frozen=True)
class Functional:
    """Energy of a run: coefficients along z, elasticity, quadratic matrices (3, 3, modes) and their eigenbasis.

    electric and gradient are the matrices of the energies P.D.P / 2; values (3, modes) and vectors (3, 3, modes, last
    index of the pair the eigenvector) diagonalise their sum for the implicit step.
    """

    grid: Grid
    coefficients: Coefficients
    elasticity: Elasticity
    gradient: Tensor
    electric: Tensor
    electrodes: Electrodes | None
    values: Tensor
    vectors: Tensor
    weights: Tensor

    def evaluate(self, polarization: Tensor, last: Equilibrated, tolerance: float) -> State:
        """Energy and slope of P (3, nx, ny, nz), with the elastic equilibrium iterated from the last one."""
        free = eigenstrain(polarization=polarization, coefficients=self.coefficients)
        elastic = self.elasticity.solve(free, last, tolerance)
        modes = self.grid.forward(polarization)
        curved, charged = (self.gradient * modes[None]).sum(1), (self.electric * modes[None]).sum(1)
        electric, quadratic = self._half(modes, charged), curved + charged
        if self.electrodes is not None:
            added, pull = self.electrodes.energy_and_slope(modes)
            electric, quadratic = electric + added, quadratic + pull
        polar = self.coefficients.polar
        local = landau_slope(polarization=polarization, coefficients=self.coefficients)
        strained = elastic_slope(
            polarization=polarization, stress=elastic.stress, coefficients=self.coefficients
        )
        slope = polar * (self.grid.backward(quadratic) + local + strained)
        landau = landau_energy(polarization=polarization, coefficients=self.coefficients).double().mean()
        bent = elastic_energy(stress=elastic.stress, strain=elastic.strain, eigenstrain=free)
        parts = [landau, self._half(modes, curved), bent, electric]
        numbers = [*parts, _power(slope), self._usual(polarization), polarization.abs().max()]
        *energies, force, scale, largest = torch.stack([number.double() for number in numbers]).tolist()
        return State(polarization, elastic, tuple(energies), slope, (force / scale) ** 0.5, largest)

    def step(self, state: State, resistance: float) -> Tensor:
        """P after one semi-implicit step: (resistance + D) dP = -slope, D the quadratic matrices; 0 where not polar."""
        modes = self.grid.forward(state.slope)
        along = (self.vectors * modes[:, None]).sum(0) / (resistance + self.values)
        change = self.grid.backward((self.vectors * along[None]).sum(1))
        return state.polarization - self.coefficients.polar * change

    def _usual(self, polarization: Tensor) -> Tensor:
        """Mean square of 2 a1 P, P at least _LEAST: what the force is compared with."""
        a1 = self.coefficients.a1
        return _power(2 * a1 * polarization) + (2 * a1.abs().max() * _LEAST).square()

    def _half(self, modes: Tensor, force: Tensor) -> Tensor:
        terms = (modes.conj() * force).real.sum(0) * self.weights
        return 0.5 * terms.double().sum()


def functional_of(settings: Settings) -> Functional:
    """Functional of a run's settings."""
    grid = grid_of(settings)
    coefficients = coefficients_of(settings, grid)
    gradient = gradient_matrices(grid, coefficients.gradient)
    electric = depolarization(grid, settings)
    values, vectors = _eigenbasis(gradient + electric)
    return Functional(
        grid,
        coefficients,
        elasticity_of(grid, coefficients, settings.strain, free=not settings.clamped),
        grid.tensor(gradient),
        grid.tensor(electric),
        electrodes_of(grid, settings),
        grid.tensor(values),
        grid.tensor(vectors),
        grid.weights(),
    )


def gradient_matrices(grid: Grid, gradient: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """Matrices D (3, 3, modes) of the gradient energy P.D.P / 2, the form of film.energetics.Gradient."""
    g11, g12, g44, g44_prime = gradient
    products = quadratic_products(grid)
    square = np.einsum("ii...->...", products)
    matrices = (g12 + g44 - g44_prime) * products
    for i in range(3):
        own = products[i, i]
        matrices[i, i] = g11 * own + (g44 + g44_prime) * (square - own)
    return matrices


def _eigenbasis(matrices: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values, vectors = np.linalg.eigh(np.moveaxis(matrices, (0, 1), (-2, -1)))
    return np.moveaxis(values, -1, 0).clip(min=0.0), np.moveaxis(vectors, (-2, -1), (0, 1)).copy()


def _power(field: Tensor) -> Tensor:
    return field.double().square().mean()
