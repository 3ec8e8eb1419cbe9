"""Training of a network that predicts phases: epochs, checkpoints, an early stop on particles it never learnt from."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from nanotexture.priors.augmentation import Batch, Detector, seen
from nanotexture.priors.loss import Network, judging_loss, learning_loss
from nanotexture.priors.networks import FoundingNet, PhaseNet

Say = Callable[[str], object]
CHECKPOINT = "checkpoint.safetensors"
WARM, SAID = 50, 200  # steps until the rate is full, steps between two words of progress


@dataclass(frozen=True)
class Training:
    """How long and how fast.

    rate: highest of Adam, reached after WARM steps; it falls as a cosine to nothing at the last epoch; patience: epochs without
    gain; half: whether convolutions run in bfloat16.
    """

    epochs: int = 40
    batch: int = 16
    rate: float = 2e-3
    patience: int = 8
    seed: int = 0
    half: bool = True


@dataclass(frozen=True)
class Examples:
    """amplitude, largest 1, and phase in rad, both (b, n, n, n) in half precision."""

    amplitude: torch.Tensor
    phase: torch.Tensor

    def __len__(self) -> int:
        return len(self.amplitude)

    def chosen(self, which: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Intensity and phase of some, in single precision."""
        return self.amplitude[which].float().square(), self.phase[which].float()


@dataclass
class Curves:
    """Mean loss of each epoch over the particles learnt from and the others."""

    learnt: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)

    @property
    def best(self) -> int:
        """Epoch of the lowest loss on the others, from 0."""
        return int(np.argmin(self.validation))


@dataclass(frozen=True)
class Learnt:
    """What was written; epochs trained in all, loss of the best one on what it never learnt from."""

    weights: Path
    card: Path
    sha256: str
    epochs: int
    loss: float
    seconds: float


def identity_of(parts: tuple[Examples, ...], network: Network, detector: Detector, settings: Training) -> str:
    """Digest of all that decides how a training of a network, as it is now, goes; patience, which only ends it, left out."""
    told = {k: v for k, v in asdict(settings).items() if k != "patience"}
    return digest_of(
        [asdict(detector), told | {"network": type(network).__name__}],
        [*(one for part in parts for one in (part.amplitude, part.phase)), *network.state_dict().values()],
    )


def digest_of(told: list[dict[str, Any]], tensors: Iterable[torch.Tensor]) -> str:
    """Digest of settings, of the version of torch and of what is learnt from."""
    digest = hashlib.sha256(json.dumps([*told, torch.__version__]).encode())
    for one in tensors:
        digest.update(one.detach().numpy().tobytes())
    return digest.hexdigest()


def split(particles: int, share: float, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the particles to learn from and of those to validate on: each particle on one side only."""
    order = np.random.Generator(np.random.PCG64([seed, 7])).permutation(particles)
    held = max(1, round(share * particles))
    return tuple(sorted(map(int, order[held:]))), tuple(sorted(map(int, order[:held])))


def trained(
    network: Network,
    learn: Examples,
    validate: Examples,
    *,
    detector: Detector,
    settings: Training,
    folder: Path,
    identity: str,
    say: Say,
) -> Curves:
    """Trains the network and leaves it as its best epoch was; continues where a checkpoint of this identity lies in `folder`."""
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.rate)
    return best_of_epochs(
        network,
        optimizer,
        course=Course(settings.epochs, settings.patience),
        folder=folder,
        identity=identity,
        learnt=lambda epoch: _epoch(network, optimizer, learn, detector, settings, epoch, say),
        judged=lambda: validation_loss(network, validate, detector, settings),
        say=say,
    )


def made_network(kind: str, seed: int) -> Network:
    """A network of a kind with the first numbers of this seed."""
    torch.manual_seed(seed)
    return PhaseNet() if kind == "phases" else FoundingNet()


@dataclass(frozen=True)
class Course:
    """How many epochs, how many without gain before it ends (None: it does not), epochs between checkpoints."""

    epochs: int
    patience: int | None = None
    every: int = 1


def best_of_epochs(
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    course: Course,
    folder: Path,
    identity: str,
    learnt: Callable[[int], float],
    judged: Callable[[], float],
    say: Say,
) -> Curves:
    """Train the network and leave it as its best epoch was; continues from `folder` where a checkpoint of this identity lies.

    learnt: one epoch of this number, its mean loss; judged: the loss on what is never learnt from.
    """
    best = {name: value.clone() for name, value in network.state_dict().items()}
    curves = resumed(folder, identity, network, optimizer, best)
    while (epoch := len(curves.learnt)) < course.epochs:
        if epoch and course.patience is not None and epoch - curves.best > course.patience:
            break
        curves.learnt.append(learnt(epoch))
        curves.validation.append(judged())
        if curves.best == epoch:
            best = {name: value.clone() for name, value in network.state_dict().items()}
        if (epoch + 1) % course.every == 0 or epoch + 1 == course.epochs:
            checkpoint(folder, identity, network, optimizer, best, curves)
            last = f"loss {curves.learnt[-1]:.4f}, others {curves.validation[-1]:.4f}"
            say(f"epoch {epoch + 1}/{course.epochs}: {last}")
    network.load_state_dict(best)
    network.eval()
    return curves


def _epoch(
    network: Network,
    optimizer: torch.optim.Optimizer,
    learn: Examples,
    detector: Detector,
    settings: Training,
    epoch: int,
    say: Say,
) -> float:
    rng = torch.Generator().manual_seed(1_000_003 * (settings.seed + 1) + epoch)
    network.train()
    parts = torch.randperm(len(learn), generator=rng).split(settings.batch)
    total = 0.0
    for number, chosen in enumerate(parts):
        _set_rate(optimizer, settings, epoch * len(parts) + number, settings.epochs * len(parts))
        batch = seen(*learn.chosen(chosen), detector=detector, rng=rng)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.half):
            loss = learning_loss(network, batch, rng).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        total += float(loss.detach()) * len(chosen)
        if (number + 1) % SAID == 0:
            done = (number + 1) * settings.batch
            say(f"epoch {epoch + 1}/{settings.epochs}: {done} of {len(learn)}, loss {total / done:.4f}")
    return total / len(learn)


def _set_rate(optimizer: torch.optim.Optimizer, settings: Training, done: int, steps: int) -> None:
    share = min(1.0, (done + 1) / WARM) * 0.5 * (1.0 + math.cos(math.pi * done / steps))
    for group in optimizer.param_groups:
        group["lr"] = settings.rate * share


def validation_batches(validate: Examples, detector: Detector, settings: Training) -> list[Batch]:
    """What the network is judged on, the same in every epoch."""
    rng = torch.Generator().manual_seed(settings.seed + 99)
    chosen = torch.arange(len(validate)).split(settings.batch)
    return [seen(*validate.chosen(c), detector=detector, rng=rng, turn=False) for c in chosen]


def validation_loss(network: Network, validate: Examples, detector: Detector, settings: Training) -> float:
    """Mean loss over the particles that were not learnt from."""
    network.eval()
    half = torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.half)
    with torch.no_grad(), half:
        found = [judging_loss(network, batch) for batch in validation_batches(validate, detector, settings)]
    return float(torch.cat(found).mean())


def checkpoint(
    folder: Path,
    identity: str,
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    best: dict[str, torch.Tensor],
    curves: Curves,
) -> None:
    """One file, put in place whole."""
    tensors = {f"now.{k}": v for k, v in network.state_dict().items()}
    tensors |= {f"best.{k}": v for k, v in best.items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{k}": torch.as_tensor(v) for k, v in state.items()}
    beside = folder / f".{CHECKPOINT}.part"
    whole = {k: v.detach().clone().contiguous() for k, v in tensors.items()}
    save_file(whole, beside, metadata={"identity": identity, "curves": json.dumps(asdict(curves))})
    beside.replace(folder / CHECKPOINT)


def resumed(
    folder: Path,
    identity: str,
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    best: dict[str, torch.Tensor],
) -> Curves:
    """Curves so far; network, optimizer and best weights are set to those of the checkpoint."""
    path = folder / CHECKPOINT
    try:
        with safe_open(path, "pt") as file:
            told = file.metadata() or {}
    except (OSError, SafetensorError):
        return Curves()
    if told.get("identity") != identity:
        return Curves()
    tensors = load_file(path)
    network.load_state_dict(_below(tensors, "now."))
    best.update(_below(tensors, "best."))
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in _below(tensors, "adam.").items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    return Curves(**json.loads(told["curves"]))


def _below(tensors: dict[str, torch.Tensor], start: str) -> dict[str, torch.Tensor]:
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def examples_of(amplitude: list[np.ndarray], phase: list[np.ndarray]) -> Examples:
    """Examples of arrays (b, n, n, n), one after the other."""
    return Examples(*(torch.from_numpy(np.concatenate(parts)) for parts in (amplitude, phase)))
