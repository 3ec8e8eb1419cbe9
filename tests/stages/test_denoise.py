"""Whether the answer under a prior is told: held-out points and strangeness decide."""

import numpy as np
import pytest
from nanotexture.stages.denoise import HeldOut, held_out, verdict_of


def test_held_out_points_are_averaged_by_their_number_and_their_difference_has_an_error():
    found = held_out(np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([10.0, 30.0]))
    assert (found.with_prior, found.without) == pytest.approx((1.75, 3.5))
    assert found.error == pytest.approx(np.sqrt(0.25 * 0.75**2 + 0.75 * 0.25**2))


@pytest.mark.parametrize(
    ("strange", "held", "verdict"),
    [
        (1.0, HeldOut(1.0, 1.1, 0.01), "used"),
        (1.0, HeldOut(1.2, 1.0, 0.2), "used"),
        (1.0, HeldOut(1.2, 1.0, 0.02), "held-out satellites contradict it"),
        (3.0, HeldOut(0.5, 1.0, 0.01), "unlike the textures learnt from"),
        (float("nan"), HeldOut(0.5, 1.0, 0.01), "unlike the textures learnt from"),
        (1.0, held_out(np.zeros((0, 2)), np.zeros(0)), "used"),
    ],
)
def test_the_prior_is_told_only_where_neither_speaks_against_it(strange, held, verdict):
    assert verdict_of(strange, 2.0, held) == verdict
