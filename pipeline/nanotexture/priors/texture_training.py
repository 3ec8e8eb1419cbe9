"""Training of the denoiser of textures: epochs, checkpoints, how good it is on textures it never learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.priors.denoiser import Denoiser, Frame, mean_squares, mirrored, rephased, turned
from nanotexture.priors.spoiling import Spoilt, spoilt
from nanotexture.priors.texture_modes import FIELDS, HARMONICS, PROFILES, SHAPE, SIZE
from nanotexture.priors.training import Course, Curves, Say, best_of_epochs, digest_of

Tensor = torch.Tensor
EVEN = (
    0.5  # power of the variance that weighs a mode's loss: 1 would learn the mean alone, 0 what is told best
)
SMALL = 3e-3  # of a texture's size: what matters little if it is wrong
ANY, DISTURBED, DISTURBANCE = (
    0.15,
    0.15,
    0.3,
)  # shares of any and of disturbed textures, how much the latter at most
FLATTEST, STEEPEST = 1.2, 3.0  # powers of any texture's coefficients
CLIP = 1.0  # of the gradient's norm


@dataclass(frozen=True)
class Learning:
    """How long and how fast; rate: of Adam in the first epoch, times `decay` in each later one."""

    epochs: int = 200
    batch: int = 256
    rate: float = 2e-3
    decay: float = 0.98
    patience: int = 60
    seed: int = 0


@dataclass(frozen=True)
class Textures:
    """Coefficients (b, SIZE), which fields there are (b, FIELDS), what is told of the film (b, CONDITIONS), and whether the
    phases of the harmonics are drawn each for itself (b,)."""

    values: Tensor
    given: Tensor
    told: Tensor
    random: Tensor

    def __len__(self) -> int:
        return len(self.values)

    def of(self, which: Tensor) -> Textures:
        """Some of them."""
        return Textures(self.values[which], self.given[which], self.told[which], self.random[which])

    def chosen(self, numbers: Sequence[int]) -> Textures:
        """Those of these numbers."""
        return self.of(torch.tensor(numbers))


def textures_of(
    values: NDArray[np.float64],
    given: NDArray[np.int64],
    told: NDArray[np.float64],
    random: NDArray[np.bool_],
) -> Textures:
    """Textures of arrays; values (b, *SHAPE)."""
    parts = [torch.from_numpy(np.ascontiguousarray(one)) for one in (values, given, told, random)]
    return Textures(parts[0].float().flatten(1), parts[1], parts[2].float(), parts[3])


def identity_of(parts: tuple[Textures, ...], settings: Learning) -> str:
    """Digest of all that decides how a training goes; epochs and patience, which only end it, left out."""
    told = {k: v for k, v in asdict(settings).items() if k not in ("epochs", "patience")}
    tensors = (one for part in parts for one in (part.values, part.given, part.told, part.random))
    return digest_of([told], tensors)


def trained_denoiser(
    learn: Textures, validate: Textures, *, settings: Learning, folder: Path, identity: str, say: Say
) -> tuple[Denoiser, Curves]:
    """The network of the best epoch; continues from `folder` where a checkpoint of this identity lies."""
    torch.manual_seed(settings.seed)
    network = Denoiser(mean_squares(learn.values))
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.rate)

    def learnt(epoch: int) -> float:
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * settings.decay**epoch
        return _epoch(network, optimizer, learn, settings, epoch)

    curves = best_of_epochs(
        network,
        optimizer,
        course=Course(settings.epochs, settings.patience, every=10),
        folder=folder,
        identity=identity,
        learnt=learnt,
        judged=lambda: validation_loss(network, validate, settings),
        say=say,
    )
    return network, curves


def _epoch(
    network: Denoiser, optimizer: torch.optim.Optimizer, learn: Textures, settings: Learning, epoch: int
) -> float:
    rng = torch.Generator().manual_seed(1_000_003 * (settings.seed + 1) + epoch)
    network.train()
    total = 0.0
    for chosen in torch.randperm(len(learn), generator=rng).split(settings.batch):
        batch = others_alike(learn.of(chosen), rng)
        found = losses(network, batch, spoilt(batch.values, batch.given, rng))
        optimizer.zero_grad()
        found.even.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        total += float(found.likelihood.detach()) * len(chosen)
    return total / len(learn)


def others_alike(batch: Textures, rng: torch.Generator) -> Textures:
    """Textures as likely as those of a batch: half of them seen from the other side, random ones with other phases; and some
    that no simulator made, alone or on top of one, so that what is unlike all of them is not made like them.

    P_x and P_z of a random texture are of one stream function, and turn together.
    """
    values, told = mirrored(batch.values, batch.told)
    swap = torch.rand(len(batch), 1, generator=rng) < 0.5
    angle = 2 * torch.pi * torch.rand(len(batch), FIELDS, HARMONICS, generator=rng)
    angle[:, 3] = angle[:, 2]
    angle[..., 0] = 0.0
    values = torch.where(swap, values, batch.values)
    values = rephased(values, angle * batch.random[:, None, None].to(angle.dtype))
    pick = torch.rand(len(batch), 1, generator=rng)
    share = DISTURBANCE * torch.rand(len(batch), 1, generator=rng)
    other = any_texture(values, batch.given, rng)
    disturbed = torch.where(pick < ANY + DISTURBED, values + share * other, values)
    return Textures(
        torch.where(pick < ANY, other, disturbed),
        batch.given,
        torch.where(swap, told, batch.told),
        batch.random,
    )


def any_texture(like: Tensor, given: Tensor, rng: torch.Generator) -> Tensor:
    """Normal coefficients (b, SIZE) that fall with random powers along harmonics and profiles, as large as those of `like`."""
    power = torch.rand(2, len(like), 1, 1, 1, 1, generator=rng) * (STEEPEST - FLATTEST) + FLATTEST
    k, m = torch.arange(HARMONICS)[:, None, None], torch.arange(PROFILES)
    falling = (1.0 + k) ** -power[0] * (1.0 + m) ** -power[1]
    drawn = torch.randn(len(like), *SHAPE, generator=rng) * falling * given[:, :, None, None, None]
    drawn[:, :, 0] *= torch.rand(len(like), FIELDS, 1, 1, generator=rng) ** 3
    drawn[:, :, 0, 1] = 0.0
    size = Frame.of(like, torch.zeros_like(like)).size
    own = torch.stack([part.square().sum((1, 2, 3, 4)) for part in (drawn[:, :2], drawn[:, 2:])], dim=1)
    whole = torch.sqrt(own.clamp_min(1e-12)).repeat_interleave(SIZE // 2, dim=1)
    return drawn.flatten(1) / whole * size


@dataclass(frozen=True)
class Losses:
    """Mean negative log likelihood of the true coefficients, and the same weighted evenly for learning."""

    likelihood: Tensor
    even: Tensor


def losses(network: Denoiser, clean: Textures, seen: Spoilt) -> Losses:
    """Of clean textures from what is seen of them."""
    frame = Frame.of(seen.values, seen.noise)
    y, noise = frame.inside(seen.values, seen.noise)
    target = turned(clean.values / frame.size, -frame.phase)
    skip, out = network.filter(noise)
    turn, spread = network.guess(y, noise, clean.told)
    missed = ((target - skip * y) / out - turn) ** 2
    weight = seen.weight * out**2 / (out**2 + SMALL**2)
    each = weight * 0.5 * (missed * torch.exp(-spread) + spread)
    total = weight.sum()
    return Losses(each.sum() / total, (each * torch.exp(EVEN * spread.detach())).sum() / total)


def validation_loss(network: Denoiser, validate: Textures, settings: Learning) -> float:
    """Mean negative log likelihood over the textures that were not learnt from, with the same errors in every epoch."""
    network.eval()
    rng = torch.Generator().manual_seed(settings.seed + 99)
    with torch.no_grad():
        found = losses(network, validate, spoilt(validate.values, validate.given, rng))
    return float(found.likelihood)
