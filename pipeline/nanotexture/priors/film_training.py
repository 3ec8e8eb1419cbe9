"""Training of the network of films: epochs, checkpoints, the best one on films it never learnt from kept."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from nanotexture.priors.film_augmentation import FilmBatch, Question, Shown, asked
from nanotexture.priors.film_loss import motif_loss
from nanotexture.priors.film_network import OrderNet
from nanotexture.priors.training import Course, Curves, Say, best_of_epochs, digest_of

WARM = 100  # steps until the rate is full
STILL = 0.01  # of the rate, at the last step


@dataclass(frozen=True)
class FilmTraining:
    """How long and how fast; rate: the highest, of AdamW, which then falls as half a cosine; decay: of the weights."""

    epochs: int = 12
    batch: int = 32
    rate: float = 1e-3
    decay: float = 1e-3
    seed: int = 0


def film_identity(parts: tuple[FilmBatch, ...], shown: Shown, settings: FilmTraining) -> str:
    """Digest of all that decides how a training goes."""
    tensors = (one for part in parts for one in (part.intensity, part.about, part.coefficients))
    return digest_of([asdict(shown), asdict(settings)], tensors)


def trained_film(
    learn: FilmBatch,
    validate: FilmBatch,
    *,
    shown: Shown,
    settings: FilmTraining,
    folder: Path,
    say: Say,
) -> tuple[OrderNet, Curves]:
    """The network of the best epoch; continues from `folder` where a checkpoint of the same training lies."""
    torch.manual_seed(settings.seed)
    network = OrderNet()
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=settings.decay)
    fixed = validation_question(validate, shown, settings.seed)
    curves = best_of_epochs(
        network,
        optimizer,
        course=Course(settings.epochs),
        folder=folder,
        identity=film_identity((learn, validate), shown, settings),
        learnt=lambda epoch: _epoch(network, optimizer, learn, shown, settings, epoch),
        judged=lambda: _loss_on(network, fixed),
        say=say,
    )
    return network, curves


def validation_question(validate: FilmBatch, shown: Shown, seed: int) -> Question:
    """What the network is judged on, the same in every epoch."""
    return asked(validate, shown, torch.Generator().manual_seed(seed + 99), mirror=False)


def _epoch(
    network: OrderNet,
    optimizer: torch.optim.Optimizer,
    learn: FilmBatch,
    shown: Shown,
    settings: FilmTraining,
    epoch: int,
) -> float:
    rng = torch.Generator().manual_seed(1_000_003 * (settings.seed + 1) + epoch)
    network.train()
    parts = torch.randperm(len(learn), generator=rng).split(settings.batch)
    total = 0.0
    for number, chosen in enumerate(parts):
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * _share(epoch * len(parts) + number, settings.epochs * len(parts))
        question = asked(learn.of(chosen), shown, rng)
        loss = _losses(network, question).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        total += float(loss.detach()) * len(chosen)
    return total / len(learn)


def _share(step: int, steps: int) -> float:
    """Of the highest rate at a step."""
    return min(1.0, (step + 1) / WARM) * (STILL + (1 - STILL) * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _losses(network: OrderNet, question: Question) -> torch.Tensor:
    found = network(question.tokens, question.used)
    return motif_loss(found, question.coefficients, question.fields)


def _loss_on(network: OrderNet, question: Question) -> float:
    network.eval()
    with torch.no_grad():
        return float(_losses(network, question).mean())
