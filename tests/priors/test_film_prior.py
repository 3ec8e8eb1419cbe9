"""The prior of films: what must not change what it says, what it must not see, and weights that are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.errors import InputError
from nanotexture.priors.film_augmentation import FilmBatch, Shown, _mirrored, asked
from nanotexture.priors.film_guess import drawn_candidates, in_turns, predicted_motifs
from nanotexture.priors.film_loss import SHIFTS, expected_error, motif_loss, relative_errors
from nanotexture.priors.film_modes import (
    HARMONICS,
    POLYNOMIALS,
    SHAPE,
    coefficients_from_fields,
    fields_from_coefficients,
)
from nanotexture.priors.film_network import HYPOTHESES, Motifs, OrderNet
from nanotexture.priors.film_weights import load_film_prior, save_film_prior
from nanotexture.priors.networks import PhaseNet
from nanotexture.priors.weights import Trust, save_prior
from nanotexture.simulate.film_draws import random_film
from nanotexture.stages.film_drawn import drawn_orders
from nanotexture.stages.film_examples import SHARES, FilmExamplesConfig, film_examples, measured
from nanotexture.stages.film_starts import first_cost, geometry_of
from nanotexture.stages.film_trust import counted_film
from nanotexture.training_film import batch_of


def coefficients(seed: int, number: int = 2) -> torch.Tensor:
    found = torch.randn(number, *SHAPE, dtype=torch.complex64, generator=torch.Generator().manual_seed(seed))
    found[:, :, 0] = found[:, :, 0].real.to(found.dtype)
    return found


def moved(found: torch.Tensor, share: float) -> torch.Tensor:
    k = torch.arange(SHAPE[1])
    return found * torch.exp(-2j * torch.pi * k * share)[:, None]


def predicted(seed: int) -> Motifs:
    rng = torch.Generator().manual_seed(seed)
    weight = torch.log_softmax(torch.randn(2, HYPOTHESES, generator=rng), 1)
    mean = torch.stack([coefficients(seed + h) for h in range(HYPOTHESES)], 1)
    return Motifs(weight, mean, 0.1 + torch.rand(2, HYPOTHESES, *SHAPE, generator=rng))


EVERY = torch.ones(2, len(SHAPE) + 1, dtype=torch.bool)


def test_the_loss_does_not_depend_on_where_the_motif_lies_along_x() -> None:
    found, true = predicted(1), coefficients(7)
    here, there = (motif_loss(found, moved(true, n / SHIFTS), EVERY) for n in (0, 11))
    assert torch.allclose(here, there, atol=1e-4)


def test_the_loss_does_not_depend_on_the_order_of_the_hypotheses() -> None:
    found, true = predicted(1), coefficients(7)
    turned = Motifs(found.weight.flip(1), found.mean.flip(1), found.spread.flip(1))
    assert torch.allclose(motif_loss(found, true, EVERY), motif_loss(turned, true, EVERY), atol=1e-5)


def test_the_truth_moved_along_x_has_no_error_and_fields_not_asked_for_none_either() -> None:
    true = coefficients(7)
    mean = moved(true, 5 / SHIFTS)[:, None].expand(-1, HYPOTHESES, -1, -1, -1).clone()
    found = replace(predicted(1), mean=mean)
    assert float(relative_errors(found, true, EVERY).max()) < 1e-2
    only = EVERY.clone()
    only[:, 3] = False
    mean[:, :, 3] += 5.0
    assert float(relative_errors(found, true, only).max()) < 1e-2
    assert float(relative_errors(found, true, EVERY).min()) > 0.5


def test_the_expected_error_is_that_of_draws_from_the_spread() -> None:
    one = predicted(3)
    sure = replace(one, spread=1e-4 * one.spread)
    lost = replace(one, mean=1e-4 * one.mean)
    assert float(expected_error(sure, EVERY).max()) < 1e-3
    assert float(expected_error(lost, EVERY).min()) > 0.999


def test_fields_of_few_modes_come_back_from_their_coefficients_whatever_the_lean() -> None:
    z = np.arange(40) * 4.0
    for lean in (0.0, 0.01):
        true = coefficients(3).to(torch.complex128)
        fields = fields_from_coefficients(
            coefficients=true, points=4 * HARMONICS, z=torch.from_numpy(z), lean=lean
        )
        again = coefficients_from_fields(fields=fields.numpy(), z=z, lean=lean)
        assert np.allclose(again, true.numpy(), atol=1e-9)
    assert len(z) >= POLYNOMIALS


@pytest.fixture(scope="module")
def batch() -> FilmBatch:
    return batch_of([film_examples(config=FilmExamplesConfig(seed=4, numbers=(0, 1, 2, 3)))])


@pytest.fixture(scope="module")
def network() -> OrderNet:
    torch.manual_seed(0)
    return OrderNet().eval()


def same(one: Motifs, other: Motifs) -> bool:
    return torch.allclose(one.mean, other.mean, atol=1e-5) and torch.allclose(
        one.weight, other.weight, atol=1e-5
    )


def test_what_is_predicted_does_not_depend_on_the_order_of_the_reflections(network: OrderNet) -> None:
    data = counted_film(0, 1)
    geometry = geometry_of(data)
    turned = tuple(reversed(data.reflections))
    first, second = (
        predicted_motifs(network, some, geometry, gap=data.gap) for some in (data.reflections, turned)
    )
    assert same(first, second)


def test_rows_that_are_not_fitted_are_not_seen(network: OrderNet) -> None:
    data = counted_film(0, 1)
    geometry = geometry_of(data)
    hidden = []
    for one in data.reflections:
        work = one.work.clone()
        work[:, ::3] = False
        hidden.append(replace(one, work=work))
    wrong = [replace(o, intensity=torch.where(o.work, o.intensity, 1e3 * o.intensity)) for o in hidden]
    # a row beside a hidden one is interpolated with it, and is not seen either
    first, second = (predicted_motifs(network, some, geometry, gap=data.gap) for some in (hidden, wrong))
    assert same(first, second)


def test_a_film_seen_from_the_other_side_has_the_tokens_of_its_mirror_image(batch: FilmBatch) -> None:
    twice = batch
    for _ in range(2):
        twice = _mirrored(twice, torch.ones(len(batch), dtype=torch.bool))
    assert torch.equal(twice.coefficients, batch.coefficients)
    assert torch.allclose(twice.about, batch.about)
    assert torch.equal(twice.order, batch.order)


def test_a_question_is_reproducible_and_has_a_specular_reflection(batch: FilmBatch) -> None:
    first, again = (asked(batch, Shown((2, 4)), torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first.tokens, again.tokens)
    assert first.used.any(1).all()
    assert first.fields[:, 1].all()
    assert torch.isfinite(first.tokens).all()


def test_the_true_coefficients_fit_a_film_before_any_step_and_their_opposite_does_not() -> None:
    number = 4  # well counted
    film = random_film(seed=0, number=number, families=SHARES)
    true = torch.from_numpy(drawn_orders(film, measured(film, 0, number)).coefficients)[None]
    right, wrong = first_cost(counted_film(0, number), torch.cat([true, -true]))
    assert right < 0.05
    assert wrong > 5 * right


def test_every_hypothesis_has_its_turn_before_any_comes_again() -> None:
    cost = np.array([[3.0, 1.0], [2.0, 9.0], [8.0, 7.0]])
    assert in_turns(cost).tolist() == [1, 2, 5, 0, 4, 3]
    drawn = drawn_candidates(predicted(2), each=3, seed=(1,))
    assert drawn.shape[:2] == (HYPOTHESES, 3)


def test_weights_come_back_and_those_of_crystals_are_refused(tmp_path, network: OrderNet) -> None:
    path = tmp_path / "film.safetensors"
    save_film_prior(path, network, limit=0.7)
    assert load_film_prior(path).limit == 0.7
    save_prior(path, PhaseNet(), Trust((3.0,), (0.1,), (0.5,), (0.05,)))
    with pytest.raises(InputError, match="version: expected film 1, found 3"):
        load_film_prior(path)


def test_weights_with_one_changed_bit_are_refused(tmp_path, network: OrderNet) -> None:
    path = tmp_path / "film.safetensors"
    save_film_prior(path, network, limit=0.7)
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="digest"):
        load_film_prior(path)
