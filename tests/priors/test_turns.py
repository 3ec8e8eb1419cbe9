"""The 48 turns of a cube: each has its inverse, none moves the peak, all are different."""

import pytest
import torch
from nanotexture.priors.turns import TURNED


@pytest.mark.parametrize("turn", TURNED)
def test_back_undoes_there_and_the_peak_stays(turn):
    x = torch.arange(2 * 6**3, dtype=torch.float32).reshape(2, 6, 6, 6)
    turned = turn.there(x)
    assert torch.equal(turn.back(turned), x)
    assert torch.equal(turned[:, 3, 3, 3], x[:, 3, 3, 3])


def test_there_are_48_and_the_first_changes_nothing():
    x = torch.arange(6**3, dtype=torch.float32).reshape(6, 6, 6)
    assert len({tuple(turn.there(x).flatten().tolist()) for turn in TURNED}) == 48
    assert torch.equal(TURNED[0].there(x), x)


@pytest.mark.parametrize("turn", TURNED[::5])
def test_a_turned_pattern_is_the_pattern_of_the_turned_crystal(turn):
    psi = torch.randn(6, 6, 6, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))

    def pattern(x):
        return torch.fft.fftshift(torch.fft.fftn(torch.fft.ifftshift(x))).abs()

    assert torch.allclose(pattern(turn.there(psi)), turn.there(pattern(psi)), atol=1e-4)
