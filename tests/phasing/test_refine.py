"""The gradients lead to the largest likelihood: noise alone is left, background and coherence come out, gaps do not matter."""

import numpy as np
import pytest
import torch
from nanotexture.phasing.crystal_likelihood import Likelihood, deviance_per_voxel
from nanotexture.phasing.farfield import corner_order
from nanotexture.phasing.refine import Refinement, refine
from nanotexture.simulate.crystal import (
    Counting,
    FacetedCrystal,
    counted,
    density_of_crystal,
    expected_counts,
    pattern_of_density,
)

COUNTING = Counting(peak_counts=3e5, background=1.5, coherence=(0.5, 0.3, 0.6))
SETTINGS = Refinement(steps=160)


def problem(seed=0):
    psi = density_of_crystal(FacetedCrystal(shape=(28, 28, 28), size=10, phase_range=2.5, seed=4))
    counts = corner_order(counted(expected_counts(pattern_of_density(psi), COUNTING), seed))
    rng = np.random.default_rng(seed)
    scatter = 1 + 0.3 * (rng.normal(size=psi.shape) + 1j * rng.normal(size=psi.shape))
    return psi, counts, (psi.conj() * scatter).astype(np.complex64)


def test_the_deviance_is_that_of_poisson_statistics():
    mu, n = np.array([0.5, 2.0, 7.0, 1e6]), np.array([0.0, 2.0, 3.0, 1.001e6])
    logs = np.log(np.where(n > 0, n, 1) / np.where(n > 0, mu, 1))
    expected = 2 * (mu - n + n * logs)
    got = deviance_per_voxel(torch.from_numpy(mu), torch.from_numpy(n)).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("shape", [(12, 10, 8), (9, 10, 11)])
@pytest.mark.parametrize("widths", [None, (0.5, 0.3, 0.8)])
def test_the_gradient_is_the_slope_of_the_deviance_along_every_unknown(shape, widths):
    rng = np.random.default_rng(0)
    support = np.zeros(shape, bool)
    support[3:6, 3:6, 2:6] = True
    start = np.where(support, rng.normal(size=shape) + 1j * rng.normal(size=shape), 0).astype(np.complex64)
    counts = rng.poisson(20.0, shape).astype(float)
    model = Likelihood(
        20 * start, support, counts=counts, weight=rng.uniform(size=shape), widths=widths, background=2.0
    )
    model.descend()
    for unknown in (model.values, model.faint, *([model.logs] if widths else [])):
        along = torch.from_numpy(rng.normal(size=tuple(unknown.shape))).float()
        expected = float((unknown.grad * along).sum())
        step, found = 1e-2, []
        for sign in (1, -1):
            unknown.data += sign * step * along
            found.append(float(model.deviance()))
            unknown.data -= sign * step * along
        assert (found[0] - found[1]) / (2 * step) == pytest.approx(expected, rel=1e-2)


def test_noise_alone_is_left_and_the_beam_is_found():
    psi, counts, start = problem()
    found = refine(
        start, counts=counts, measured=np.ones(counts.shape, bool), support=np.abs(psi) > 0, settings=SETTINGS
    )
    assert found.deviance[-1] < 1.1
    assert found.deviance[0] > 20
    np.testing.assert_allclose(found.widths, COUNTING.coherence, atol=0.03)
    assert found.background == pytest.approx(COUNTING.background, abs=0.4)
    overlap = abs(np.vdot(found.object, psi.conj())) / (np.linalg.norm(found.object) * np.linalg.norm(psi))
    assert overlap > 0.998


def test_what_was_not_measured_changes_nothing():
    psi, counts, start = problem()
    measured = np.random.default_rng(1).random(counts.shape) > 0.05
    runs = [
        refine(
            start,
            counts=np.where(measured, counts, wrong),
            measured=measured,
            support=np.abs(psi) > 0,
            settings=Refinement(steps=20),
        )
        for wrong in (0.0, 1e5)
    ]
    np.testing.assert_array_equal(runs[0].object, runs[1].object)
    assert runs[0].object[np.abs(psi) == 0].any() == np.False_


def test_a_coherent_beam_without_background_stays_so():
    psi, counts, start = problem()
    settings = Refinement(steps=20, coherence=False, background=False)
    found = refine(
        start, counts=counts, measured=np.ones(counts.shape, bool), support=np.abs(psi) > 0, settings=settings
    )
    assert found.widths == (0.0, 0.0, 0.0)
    assert found.background == pytest.approx(1e-3)


def test_voxels_exposed_unequally_leave_their_own_counting_noise():
    """N photons of mean e mu, given as N / e: their mean deviance is 1 with e as exposure, and far from it without."""
    psi, _, start = problem()
    expected = corner_order(expected_counts(pattern_of_density(psi), COUNTING))
    rng = np.random.default_rng(3)
    exposure = rng.uniform(0.1, 2.0, size=psi.shape)
    counts = rng.poisson(exposure * expected) / exposure
    measured, bright = np.ones(counts.shape, bool), expected > 10
    noise = [
        deviance_per_voxel(torch.from_numpy(expected), torch.from_numpy(counts)).numpy()[bright] * weight
        for weight in (exposure[bright], 1.0)
    ]
    assert noise[0].mean() == pytest.approx(1.0, abs=0.1)
    assert noise[1].mean() > 1.4
    found = refine(
        start,
        counts=counts,
        measured=measured,
        support=np.abs(psi) > 0,
        settings=SETTINGS,
        exposure=exposure,
    )
    assert found.deviance[-1] < 1.15
    np.testing.assert_allclose(found.widths, COUNTING.coherence, atol=0.03)


def test_no_more_evaluations_are_made_than_asked_for():
    psi, counts, start = problem()
    found = refine(
        start,
        counts=counts,
        measured=np.ones(counts.shape, bool),
        support=np.abs(psi) > 0,
        settings=Refinement(steps=10),
    )
    assert found.steps <= 12
    assert found.deviance[-1] < found.deviance[0]
