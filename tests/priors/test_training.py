"""Training: no particle on both sides, the same numbers from the same seeds, and from where it was interrupted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.priors.augmentation import Detector, seen
from nanotexture.priors.networks import FoundingNet
from nanotexture.priors.training import Examples, Training, made_network, split, trained

DETECTOR = Detector()
SHORT = Training(epochs=2, batch=2, seed=3)


def examples(number, seed):
    rng = torch.Generator().manual_seed(seed)
    shape = (number, 32, 32, 32)
    amplitude, phase = torch.rand(shape, generator=rng) ** 4, 6.0 * torch.rand(shape, generator=rng)
    return Examples(amplitude.half(), phase.half())


def train(folder, settings=SHORT, say=lambda text: None):
    folder.mkdir(exist_ok=True)
    network = made_network("phases", settings.seed)
    curves = trained(
        network,
        examples(4, 0),
        examples(2, 1),
        detector=DETECTOR,
        settings=settings,
        folder=folder,
        identity="same",
        say=say,
    )
    return network, curves


@pytest.mark.parametrize("particles", [4, 57, 1000])
def test_no_particle_is_on_both_sides(particles):
    learn, validate = split(particles, 0.1, seed=5)
    assert not set(learn) & set(validate)
    assert sorted(learn + validate) == list(range(particles))


def test_the_same_seed_trains_the_same_network_and_another_one_does_not(tmp_path):
    one, two = train(tmp_path / "a"), train(tmp_path / "b")
    other = train(tmp_path / "c", replace(SHORT, seed=4))
    assert one[1] == two[1]
    assert one[1].validation != other[1].validation
    assert all(torch.equal(a, b) for a, b in zip(one[0].parameters(), two[0].parameters(), strict=True))


def test_a_training_cut_short_goes_on_as_if_it_had_not_been(tmp_path):
    whole = train(tmp_path / "whole")

    def stop(text):
        raise KeyboardInterrupt(text)

    with pytest.raises(KeyboardInterrupt, match="epoch 1/2"):
        train(tmp_path / "cut", say=stop)
    resumed = train(tmp_path / "cut")
    assert resumed[1].validation == pytest.approx(whole[1].validation, rel=1e-5)


def test_what_is_not_measured_holds_no_counts_and_gaps_spare_the_peak():
    data, rng = examples(16, 2), torch.Generator().manual_seed(0)
    found = seen(*data.chosen(torch.arange(16)), detector=replace(DETECTOR, gaps=1.0), rng=rng)
    assert (found.counts[~found.measured] == 0).all()
    assert (~found.measured).flatten(1).any(dim=1).all()
    assert found.measured[:, 15:18, 15:18, 15:18].all()


def test_a_turned_pattern_is_that_of_the_turned_crystal():
    """Axes exchanged and mirrored about n // 2 in both spaces: intensity and phase stay those of one object."""
    rng = np.random.default_rng(1)
    psi = rng.normal(size=(6, 6, 6)) + 1j * rng.normal(size=(6, 6, 6))
    spectrum = np.fft.fftshift(np.fft.fftn(np.fft.ifftshift(psi)))
    intensity = torch.from_numpy((np.abs(spectrum) ** 2)[None]).float()
    phase = torch.from_numpy(np.angle(spectrum)[None]).float()
    quiet = Detector(decades=(6.0, 6.0), background=0.0, gaps=0.0)
    for seed in range(6):
        found = seen(intensity, phase, detector=quiet, rng=torch.Generator().manual_seed(seed))
        turned = found.weight[0].numpy() * np.exp(1j * found.phase[0].numpy())
        back = np.fft.fftshift(np.fft.ifftn(np.fft.ifftshift(turned)))
        assert np.sort(np.abs(back).ravel()) == pytest.approx(
            np.sort(np.abs(psi).ravel()) * np.abs(back).max() / np.abs(psi).max(), rel=0.02, abs=1e-3
        )


def test_a_partly_coherent_beam_adds_to_the_variance_of_the_peak_and_keeps_it_one():
    """Gaussians convolved: the variance along each axis grows by the square of a width drawn up to the widest."""
    index = torch.arange(32) - 16.0
    along = torch.exp(-0.5 * (index / 3.0).square())
    peaks = torch.einsum("x,y,z->xyz", along, along, along).expand(400, -1, -1, -1)
    bright = Detector(decades=(9.0, 9.0), background=0.0, gaps=0.0, coherence=1.5)
    rng = torch.Generator().manual_seed(2)
    found = seen(peaks, torch.zeros_like(peaks), detector=bright, rng=rng, turn=False).counts
    assert found.amax(dim=(1, 2, 3)).numpy() == pytest.approx(np.full(400, 1e9), rel=1e-3)
    profiles = torch.stack([found.sum(dim=[k for k in (1, 2, 3) if k != axis]) for axis in (1, 2, 3)], dim=1)
    added = ((profiles * index.square()).sum(dim=2) / profiles.sum(dim=2) - 9.0).numpy()
    sharp = (np.abs(added) < 1e-2).all(axis=1)
    assert sharp.mean() == pytest.approx(0.5, abs=0.1)
    widths = np.sqrt(added[~sharp].clip(0.0))
    assert widths.mean() == pytest.approx(0.75, abs=0.08)  # uniform from 0
    assert 1.4 < widths.max() < 1.51


def test_the_founding_network_gives_modulus_and_phase():
    with torch.no_grad():
        found = FoundingNet().eval()(torch.rand(1, 3, 32, 32, 32))
    assert found.shape == (1, 2, 32, 32, 32)
    assert 0.0 <= float(found[:, 0].min()) <= float(found[:, 0].max()) <= 1.0
    assert sum(p.numel() for p in FoundingNet().parameters()) == pytest.approx(3.46e6, rel=0.01)
