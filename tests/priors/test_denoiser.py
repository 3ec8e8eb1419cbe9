"""The denoiser of textures: symmetries, training, weights, and what it adds to a solution of the motif solver."""

import pytest
import torch
from nanotexture.errors import InputError
from nanotexture.priors.denoiser import ABSENT, Denoiser, Frame, mirrored, turned
from nanotexture.priors.spoiling import spoilt
from nanotexture.priors.texture_modes import CONDITIONS, SHAPE, SIZE, Places
from nanotexture.priors.texture_pull import Told, denoised
from nanotexture.priors.texture_training import (
    Learning,
    Textures,
    identity_of,
    others_alike,
    trained_denoiser,
    validation_loss,
)
from nanotexture.priors.texture_weights import TextureTrust, load_texture_prior, save_texture_prior

IN_U = torch.arange(SIZE) < SIZE // 2
FILM = torch.zeros(CONDITIONS, dtype=torch.float64)


def some_network(seed=0):
    """A network whose last layer is not zero."""
    torch.manual_seed(seed)
    network = Denoiser()
    torch.nn.init.normal_(network.last.weight, std=0.05)
    return network.eval()


def some_textures(number, seed=0):
    """Textures of one family: two harmonics of fixed shape and random size and place."""
    rng = torch.Generator().manual_seed(seed)
    values = torch.zeros(number, *SHAPE)
    size = 0.5 + torch.rand(number, 1, 1, generator=rng)
    values[:, :2, 1, 0, 0] = 0.003 * size[:, 0]
    values[:, :2, 2, 0, 1] = 0.001 * size[:, 0]
    phase = 6.28 * torch.rand(number, generator=rng)
    given = torch.tensor([[1, 1, 0, 0]]).expand(number, -1)
    told = torch.zeros(number, CONDITIONS)
    return Textures(turned(values.flatten(1), phase), given, told, torch.zeros(number, dtype=torch.bool))


class Wiener(torch.nn.Module):
    """The filter of normal textures of known variances: what a perfect denoiser of them would be."""

    def __init__(self, variance):
        super().__init__()
        self.variance = variance

    def forward(self, values, noise, told):
        share = self.variance / (self.variance + noise)
        return share * values, share * noise


def test_a_texture_that_is_moved_is_denoised_alike():
    network, clean = some_network(), some_textures(5)
    noise = torch.full((5, SIZE), 1e-8)
    phase = torch.rand(5) * 6.0
    there, _ = network(turned(clean.values, phase), noise, clean.told)
    here, _ = network(clean.values, noise, clean.told)
    assert torch.allclose(there, turned(here, phase), atol=1e-6)


def test_a_texture_twice_as_large_with_twice_the_error_is_denoised_alike():
    network, clean = some_network(), some_textures(5)
    noise = torch.where(IN_U, 1e-8, 1e3 * ABSENT).expand(5, -1)
    mean, variance = network(clean.values, noise, clean.told)
    twice, wider = network(2 * clean.values, 4 * noise, clean.told)
    assert torch.allclose(twice[:, IN_U], 2 * mean[:, IN_U], rtol=1e-4, atol=1e-7)
    assert torch.allclose(wider[:, IN_U], 4 * variance[:, IN_U], rtol=1e-3)


def test_the_other_side_of_the_other_side_is_the_texture():
    clean = some_textures(3)
    told = torch.randn(3, CONDITIONS)
    values, again = mirrored(*mirrored(clean.values, told))
    assert torch.equal(values, clean.values)
    assert torch.equal(again, told)


def test_nothing_is_taken_from_values_without_error():
    network, clean = some_network(), some_textures(4)
    mean, variance = network(clean.values, torch.full((4, SIZE), 1e-16), clean.told)
    assert torch.allclose(mean, clean.values, atol=1e-6)
    assert (variance[:, IN_U] < 1e-15).all()


def test_random_textures_keep_the_size_of_every_harmonic():
    clean = some_textures(6)
    batch = Textures(clean.values, clean.given, clean.told, torch.ones(6, dtype=torch.bool))
    rng = torch.Generator().manual_seed(3)
    sizes = others_alike(batch, rng).values.unflatten(1, SHAPE).square().sum((1, 3, 4))
    same = torch.isclose(sizes, clean.values.unflatten(1, SHAPE).square().sum((1, 3, 4)), rtol=1e-4).all(1)
    assert same.any()


def test_errors_have_the_variance_that_is_told():
    clean = some_textures(4000)
    seen = spoilt(clean.values, clean.given, torch.Generator().manual_seed(0))
    there = seen.weight > 0
    pull = ((seen.values - clean.values) ** 2 / seen.noise)[there]
    assert float(pull.mean()) == pytest.approx(1.0, abs=0.05)
    size = Frame.of(clean.values, torch.zeros_like(clean.values)).size
    assert (seen.noise[~there] >= 0.99 * ABSENT * size[~there] ** 2).all()


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught")
    learn, others = some_textures(300), some_textures(60, seed=1)
    settings = Learning(epochs=12, batch=50, rate=5e-3, decay=0.95)
    identity = identity_of((learn, others), settings)
    network, curves = trained_denoiser(
        learn, others, settings=settings, folder=folder, identity=identity, say=str
    )
    return network, curves, others, settings


def test_a_training_lowers_the_loss_on_textures_it_never_saw(taught):
    network, curves, others, settings = taught
    assert curves.validation[-1] < curves.validation[0] - 0.1
    assert validation_loss(network, others, settings) == pytest.approx(min(curves.validation), abs=1e-6)


def test_a_taught_denoiser_takes_errors_away(taught):
    network, _, others, _ = taught
    rng = torch.Generator().manual_seed(5)
    noise = torch.full_like(others.values, 3e-4**2)
    noisy = others.values + 3e-4 * torch.randn(others.values.shape, generator=rng)
    there = torch.zeros(SHAPE, dtype=torch.bool)
    there[:2, :4, :, :6] = True
    known = there.flatten()
    mean, _ = network(noisy * known, torch.where(known, noise, 1.0), others.told)
    before, after = (((v - others.values)[:, known] ** 2).mean() for v in (noisy, mean))
    assert after < 0.3 * before


def test_what_was_saved_comes_back_and_what_was_damaged_is_refused(tmp_path):
    network, path = some_network(), tmp_path / "textures.safetensors"
    save_texture_prior(path, network, TextureTrust(1.2, 1.7))
    prior = load_texture_prior(path)
    assert prior.trust == TextureTrust(1.2, 1.7)
    assert torch.equal(prior.network.last.weight, network.last.weight)
    whole = bytearray(path.read_bytes())
    whole[-5] ^= 1
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"digest.*invert\.denoise"):
        load_texture_prior(path)


def linear_case(seed=2):
    """A solution of 20 coefficients with correlated errors, Wiener's filter of their textures, and where they belong."""
    rng = torch.Generator().manual_seed(seed)
    number = 20
    variance = torch.full((SIZE,), 1.0)
    variance[:number] = 10.0 ** (2 * torch.rand(number, generator=rng) - 1)
    root = torch.randn(number, number, generator=rng, dtype=torch.float64)
    covariance = root @ root.T / number + 0.05 * torch.eye(number, dtype=torch.float64)
    values = torch.randn(number, generator=rng, dtype=torch.float64)
    rows = torch.arange(number)
    unit = torch.ones(number, dtype=torch.float64)
    return Wiener(variance), Places(rows, rows, unit), values, covariance


def test_in_the_linear_case_the_prior_is_that_of_the_textures_whatever_the_errors_correlations():
    network, places, values, covariance = linear_case()
    told = Told(values, covariance, torch.ones(len(values), dtype=torch.bool))
    pull = denoised(network, places, told, FILM, 1.0).pull
    textures = torch.diag(1.0 / network.variance[: len(values)].double())
    kept = torch.diagonal(pull.precision) > 0
    assert kept.sum() > 15
    assert torch.allclose(pull.precision[kept][:, kept], textures[kept][:, kept], rtol=1e-3, atol=1e-4)
    precision = torch.linalg.inv(covariance)
    answer = torch.linalg.solve(precision + pull.precision, precision @ values + pull.slope)
    closed = torch.linalg.solve(precision + torch.diag(torch.diagonal(pull.precision)), precision @ values)
    assert torch.allclose(answer, closed, atol=1e-3)


class Stubborn(torch.nn.Module):
    """Says 5 with certainty, whatever it is given."""

    def forward(self, values, noise, told):
        return 0.0 * values + 5.0, 0.0 * noise + 1e-4


def test_data_that_contradict_the_prior_win():
    _, places, values, covariance = linear_case()
    told = Told(values, 0.01 * covariance, torch.ones(20, dtype=torch.bool))
    found = denoised(Stubborn(), places, told, FILM, 1.0)
    assert float(found.pull.precision.abs().max()) == 0.0
    vague = Told(values, 1e4 * covariance, torch.ones(20, dtype=torch.bool))
    assert float(denoised(Stubborn(), places, vague, FILM, 1.0).pull.precision.abs().max()) > 1e3


def test_coefficients_that_the_data_do_not_tell_are_not_asked():
    network, places, values, covariance = linear_case()
    told = Told(values, covariance, torch.zeros(20, dtype=torch.bool))
    assert denoised(network, places, told, FILM, 1.0).pull is None
