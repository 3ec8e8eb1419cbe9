"""Weights: what was saved comes back; what was damaged is refused with what to do."""

import pytest
import torch
from nanotexture.errors import InputError
from nanotexture.priors.networks import PhaseNet
from nanotexture.priors.weights import ENTRY, REMEDY, VERSION, Trust, load_prior, save_prior
from safetensors.torch import load_file, save_file

TRUST = Trust((3.0, 5.0, 7.0), (0.3, 0.2, 0.1), (0.6, 0.5, 0.4), (0.15, 0.1, 0.05))


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    path, network = tmp_path / "prior.safetensors", PhaseNet()
    save_prior(path, network, TRUST)
    return path, network


def test_what_was_saved_comes_back(saved):
    path, network = saved
    prior = load_prior(path)
    assert prior.trust == TRUST
    pairs = zip(prior.network.state_dict().values(), network.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_limits_are_those_of_the_nearest_decade():
    found = [TRUST.limits(n) for n in (1.0, 2e3, 1e5, 9e9)]
    assert found == [(0.3, 0.6, 0.15), (0.3, 0.6, 0.15), (0.2, 0.5, 0.1), (0.1, 0.4, 0.05)]


@pytest.mark.parametrize(
    ("free_chi2", "spread", "allowed"),
    [(0.2, 0.5, True), (0.2, 0.51, False), (0.21, 0.1, False), (0.1, 0.9, True), (float("nan"), 0.1, False)],
)
def test_a_guess_is_trusted_within_both_limits_or_where_held_out_voxels_confirm_it(
    free_chi2, spread, allowed
):
    assert TRUST.allows(1e5, free_chi2=free_chi2, spread=spread) == allowed


def test_a_missing_file_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(InputError, match="nanotexture train"):
        load_prior(tmp_path / "none.safetensors")


@pytest.mark.parametrize("keep", [0, 100, 100_000])
def test_a_file_cut_short_is_refused(saved, keep):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="safetensors"):
        load_prior(path)


def test_one_changed_bit_is_refused(saved):
    path, _ = saved
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="digest"):
        load_prior(path)


def test_another_version_is_refused(saved):
    path, _ = saved
    save_file(load_file(path), path, metadata={ENTRY: '{"version": 0}'})
    with pytest.raises(InputError, match=f"version: expected {VERSION}, found 0") as refused:
        load_prior(path)
    assert REMEDY in str(refused.value)
