"""In three dimensions too, one step of each solver is its textbook formula voxel by voxel, and the true crystal stays put."""

import numpy as np
import pytest
from nanotexture.phasing.constraints import Data, Support
from nanotexture.phasing.farfield import forward
from nanotexture.phasing.solvers import ER, HIO, RAAR, DifferenceMap, advance
from nanotexture.simulate.crystal import FacetedCrystal, density_of_crystal

SHAPE = (8, 7, 10)
SOLVERS = [ER(), HIO(0.9), RAAR(0.8), DifferenceMap(0.9), DifferenceMap(1.0)]


def noise(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=SHAPE) + 1j * rng.normal(size=SHAPE)


def problem():
    w = density_of_crystal(FacetedCrystal(shape=SHAPE, size=3.5, seed=2)).astype(complex)
    measured = np.random.default_rng(2).random(SHAPE) > 0.1
    return w, Support(w != 0), Data.centred(np.abs(forward(w)), measured, dtype=np.float64)


def onto_data(data, x):
    """The projection, written with the dense matrix of the transform along each axis."""
    spectrum = x
    for axis, n in enumerate(SHAPE):
        k = np.arange(n)
        matrix = np.exp(-2j * np.pi * np.outer(k, k) / n) / np.sqrt(n)
        spectrum = np.moveaxis(np.tensordot(matrix, spectrum, (1, axis)), 0, axis)
    spectrum = np.where(data.free, spectrum, data.amplitude * np.exp(1j * np.angle(spectrum)))
    for axis, n in enumerate(SHAPE):
        k = np.arange(n)
        matrix = np.exp(2j * np.pi * np.outer(k, k) / n) / np.sqrt(n)
        spectrum = np.moveaxis(np.tensordot(matrix, spectrum, (1, axis)), 0, axis)
    return spectrum


def textbook(solver, x, data, inside):
    p = onto_data(data, x)
    if isinstance(solver, ER):
        return np.where(inside, p, 0)
    if isinstance(solver, HIO):
        return np.where(inside, p, x - solver.beta * p)
    if isinstance(solver, RAAR):
        return np.where(inside, p, solver.beta * x + (1 - 2 * solver.beta) * p)
    b = solver.beta  # Elser 2003, eqs. 7, 8: gamma_S = 1/b, gamma_M = -1/b
    ahead = np.where(inside, (1 + 1 / b) * p - x / b, 0)
    behind = onto_data(data, (1 - 1 / b) * np.where(inside, x, 0) + x / b)
    return x + b * (ahead - behind)


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
def test_one_step_is_the_textbook_formula_in_every_voxel(solver):
    _, support, data = problem()
    x = noise(3)
    expected = textbook(solver, x, data, support.mask)
    got = advance(solver, x=x.copy(), data=data, known=support)
    np.testing.assert_allclose(got, expected, atol=1e-11)


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
def test_the_true_crystal_is_a_fixed_point(solver):
    truth, support, data = problem()
    got = advance(solver, x=truth.copy(), data=data, known=support)
    np.testing.assert_allclose(got, truth, atol=1e-12)


def test_the_difference_map_at_one_is_hybrid_input_output():
    _, support, data = problem()
    x = noise(4)
    hybrid = advance(HIO(1.0), x=x.copy(), data=data, known=support)
    np.testing.assert_allclose(advance(DifferenceMap(1.0), x=x, data=data, known=support), hybrid, atol=1e-12)
