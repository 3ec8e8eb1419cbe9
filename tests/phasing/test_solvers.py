"""One step of each solver is its textbook formula in every voxel; the true object is a fixed point."""

import dataclasses

import numpy as np
import pytest
from nanotexture.phasing.constraints import Bounds, Data, InTurn, Support
from nanotexture.phasing.farfield import forward
from nanotexture.phasing.solvers import ER, HIO, RAAR, step

SHAPE = (10, 9)
SOLVERS = [ER(), HIO(0.9), HIO(0.6), RAAR(0.9), RAAR(0.75)]


def noise(seed, shape=SHAPE):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def problem(dtype=np.float64):
    mask = np.zeros(SHAPE, bool)
    mask[3:7, 2:6] = True
    truth = np.where(mask, noise(1), 0)
    measured = np.random.default_rng(2).random(SHAPE) > 0.1
    return truth, mask, Data.centred(np.abs(forward(truth)), measured, dtype=dtype)


def textbook(solver, x, p, inside):
    """Fienup 1982 eqs. 6 and 44; Luke 2005, for one voxel."""
    if isinstance(solver, ER):
        return p if inside else 0
    if isinstance(solver, HIO):
        return p if inside else x - solver.beta * p
    return p if inside else solver.beta * x + (1 - 2 * solver.beta) * p


def by_operators(solver, x, p, known):
    """The same solvers written with projections and reflections."""
    project, beta = known.project, getattr(solver, "beta", None)
    if isinstance(solver, ER):
        return project(p)
    if isinstance(solver, HIO):
        return x + project((1 + beta) * p - x) - beta * p
    reflected = 2 * p - x
    twice = 2 * project(reflected) - reflected
    return beta / 2 * (twice + x) + (1 - beta) * p


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
@pytest.mark.parametrize(("precision", "atol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_one_step_is_the_textbook_formula_in_every_voxel(solver, precision, atol):
    _, mask, data = problem(precision)
    x = noise(3).astype(np.result_type(precision, np.complex64))
    p = data.project(x)
    expected = np.array(
        [textbook(solver, *triple) for triple in zip(x.flat, p.flat, mask.flat, strict=True)]
    ).reshape(SHAPE)
    got = step(solver, x=x.copy(), p=p.copy(), known=Support(mask))
    assert got.dtype == x.dtype
    np.testing.assert_allclose(got, expected, atol=atol)


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
@pytest.mark.parametrize(
    "others",
    [None, (), (Bounds(0.1, 1.0),), (Bounds(0.1, 1.0, 0.3, 1.0),)],
    ids=["ceiling", "support", "modulus", "sector"],
)
def test_one_step_is_the_operator_formula_for_any_set(solver, others):
    _, mask, data = problem()
    known = Support(mask, ceiling=0.8) if others is None else InTurn((Support(mask), *others))
    x = noise(4)
    p = data.project(x)
    expected = by_operators(solver, x, p, known)
    np.testing.assert_allclose(step(solver, x=x, p=p, known=known), expected, atol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
def test_the_true_object_is_a_fixed_point(solver):
    truth, mask, data = problem()
    got = step(solver, x=truth.copy(), p=data.project(truth), known=Support(mask))
    np.testing.assert_allclose(got, truth, atol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
def test_a_solver_holds_settings_only(solver):
    assert {f.name for f in dataclasses.fields(solver)} <= {"beta"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        solver.beta = 0.1
