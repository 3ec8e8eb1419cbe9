"""A Gaussian prior with a mean in the motif solver: nothing where it says nothing, its mean where it says all."""

import numpy as np
import pytest
import torch
from nanotexture.phasing.pull import Pull


def pull(size=4):
    rng = torch.Generator().manual_seed(0)
    root = torch.randn(size, size, generator=rng, dtype=torch.float64)
    return torch.randn(size, generator=rng, dtype=torch.float64), root @ root.T


def test_its_cost_is_least_at_the_mean():
    mean, precision = pull()
    found = Pull.towards(mean, precision)
    assert torch.allclose(torch.linalg.solve(found.precision, found.slope), mean)


def test_of_some_coefficients_it_says_what_it_said_of_them():
    mean, precision = pull()
    found = Pull.towards(mean, precision).of(np.array([0, 2]))
    assert float(found.precision[0, 1]) == pytest.approx(float(precision[0, 2]))
    assert found.slope.tolist() == pytest.approx((precision @ mean)[[0, 2]].tolist())


def test_a_weaker_pull_has_the_same_mean_and_larger_variances():
    precision = torch.tensor([[2.0, 0.5], [0.5, 1.0]])
    mean = torch.tensor([1.0, -2.0])
    weaker = Pull.towards(mean, precision).weaker(4.0)
    assert torch.allclose(torch.linalg.solve(weaker.precision, weaker.slope), mean)
    assert torch.allclose(torch.linalg.inv(weaker.precision), 4.0 * torch.linalg.inv(precision))
