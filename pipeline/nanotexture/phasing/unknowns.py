"""What a motif is made of: fields in blocks that share modes, and how wide their priors are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.phasing.modes import Modes

Tensor = torch.Tensor


@dataclass(frozen=True)
class Block:
    """Fields of one quantity, displacement (angstrom) or polarization (C/m^2), along `number` directions.

    width (number, modes): prior standard deviation of every coefficient; start: rms of a random start; judged: whether the
    data must determine it (a small correction need not be).
    """

    modes: Modes
    number: int
    width: Tensor
    start: float
    judged: bool = True

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return self.number * len(self.modes.index)


def strain_width(modes: Modes, number: int, strain: float) -> Tensor:
    """Prior widths (number, modes) in angstrom of a displacement whose slow modes have an rms strain near `strain`.

    Domains whose strain is uniform between sharp walls have harmonics of strain that fall as 1 / k.
    """
    return (strain / modes.wave() * _falling(modes)).expand(number, -1)


def polar_width(modes: Modes, number: int, size: float) -> Tensor:
    """Prior widths (number, modes) in C/m^2: `size` where P varies slowly."""
    return (size * _falling(modes)).expand(number, -1)


def _falling(modes: Modes) -> Tensor:
    """Factor of every mode (modes,): near 1 for slow ones, as 1 / k to the fourth harmonic, as 1 / k^2 beyond."""
    return 1.0 / (1.0 + (modes.wave() * modes.period / (4 * torch.pi)) ** 2)


def correction_width(modes: Modes, size: float, strain: float) -> Tensor:
    """Prior widths (2, modes) in angstrom of what is added to a displacement in equilibrium.

    `size`, falling as 1 / wave^2; but `strain` for the spacing of the planes (uz, k = 0), which equilibrium does not give,
    falling likewise beyond the second profile: reflections say little of it, and noise would.
    """
    small = polar_width(modes, 2, size).clone()
    flat = torch.from_numpy((modes.vectors == 0).all(1))
    wave = modes.wave()[flat]
    smooth = float(modes.profiles.wave[modes.profiles.wave > 0].min()) if flat.any() else 1.0
    small[1, flat] = strain / wave / (1.0 + (wave / (2 * smooth)) ** 2)
    return small


@dataclass(frozen=True)
class Unknowns:
    """All blocks of a motif; coefficients are ordered block by block, field by field."""

    blocks: tuple[Block, ...]
    points: int

    @property
    def size(self) -> int:
        """Number of coefficients of all fields."""
        return sum(block.size for block in self.blocks)

    @property
    def number(self) -> int:
        """Number of fields."""
        return sum(block.number for block in self.blocks)

    def coarser(self, harmonics: int, profiles: int) -> tuple[Unknowns, NDArray[np.int64]]:
        """The unknowns of few harmonics and profiles, and where their coefficients are among all."""
        pairs = [block.modes.coarser(harmonics, profiles) for block in self.blocks]
        blocks = tuple(
            replace(b, modes=modes, width=b.width[:, torch.from_numpy(where)])
            for b, (modes, where) in zip(self.blocks, pairs, strict=True)
        )
        use = [np.tile(where, b.number) for b, (_, where) in zip(self.blocks, pairs, strict=True)]
        return replace(self, blocks=blocks), np.flatnonzero(np.concatenate(use))

    @cached_property
    def _bases(self) -> tuple[Tensor, ...]:
        return tuple(block.modes.basis(self.points) for block in self.blocks)

    def split(self, coefficients: Tensor) -> tuple[Tensor, ...]:
        """Coefficients (batch, size) as (batch, number, modes) of each block."""
        parts = torch.split(coefficients, [block.size for block in self.blocks], dim=-1)
        return tuple(p.unflatten(-1, (b.number, -1)) for p, b in zip(parts, self.blocks, strict=True))

    def fields(self, coefficients: Tensor) -> Tensor:
        """Fields (batch, field, x, z) from coefficients (batch, size)."""
        parts = [
            torch.einsum("bfm,m...->bf...", part, basis)
            for part, basis in zip(self.split(coefficients), self._bases, strict=True)
        ]
        return torch.cat(parts, dim=1)

    def project(self, fields: Tensor) -> Tensor:
        """Least-squares coefficients (batch, size) of fields (batch, field, x, z)."""
        parts = torch.split(fields, [block.number for block in self.blocks], dim=1)
        found = [b.modes.project(part).flatten(1) for b, part in zip(self.blocks, parts, strict=True)]
        return torch.cat(found, dim=1)

    def prior_precision(self) -> Tensor:
        """1 / prior variance of every coefficient (size,)."""
        return torch.cat([block.width.flatten() for block in self.blocks]) ** -2

    def scaled(self, factor: Tensor) -> Unknowns:
        """The unknowns with prior widths times a factor (field, wave) of every field of all blocks."""
        parts = zip(self.blocks, factor.split([block.number for block in self.blocks]), strict=True)
        blocks = tuple(replace(b, width=b.width * part[:, b.modes.wave_of_mode]) for b, part in parts)
        return replace(self, blocks=blocks)

    @property
    def directions(self) -> int:
        """Directions of the plane along which the motif is periodic, 1 or 2."""
        return len(self.blocks[0].modes.waves[0])

    def shift_direction(self, coefficients: Tensor, along: int = 0) -> Tensor:
        """Unit change of coefficients (batch, size) that moves the motif along x (0) or y (1).

        No intensity depends on it: it is fixed, not estimated, or it would be counted into the standard deviation.
        """
        parts = [
            _moved(block.modes, part, along).flatten(1)
            for block, part in zip(self.blocks, self.split(coefficients), strict=True)
        ]
        moved = torch.cat(parts, dim=1)
        return moved / moved.norm(dim=1, keepdim=True).clamp_min(1e-30)


def _moved(modes: Modes, coefficients: Tensor, along: int) -> Tensor:
    """d/dx or d/dy of a motif in its own modes: cos and sin of each wave swapped, times k or l."""
    rows = [tuple(row) for row in modes.index.tolist()]
    place = {row: i for i, row in enumerate(rows)}
    swap = torch.tensor([place.get((k, -s, *rest), i) for i, (k, s, *rest) in enumerate(rows)])
    weight = torch.from_numpy((modes.vectors[:, along] * modes.index[:, 1]).astype(float))
    return weight * coefficients[..., swap]


def random_starts(unknowns: Unknowns, seeds: list[tuple[int, ...]]) -> Tensor:
    """Coefficients (start, size): smooth random fields of each block's rms `start`, one seed per start."""
    draws = []
    for seed in seeds:
        generator = np.random.Generator(np.random.PCG64(list(seed)))
        draws.append(np.concatenate([_random_block(block, generator) for block in unknowns.blocks]))
    return torch.from_numpy(np.stack(draws))


def _random_block(block: Block, generator: np.random.Generator) -> NDArray[np.float64]:
    k, m = np.sqrt((block.modes.vectors**2).sum(1)), block.modes.index[:, 2]
    envelope = np.where(k == 0, 0.1, 1.0) / (np.maximum(k, 1) ** 1.5 * (1.0 + m) ** 1.5)
    draw = generator.normal(size=(block.number, len(k))) * envelope
    return np.asarray(block.start * draw / np.sqrt(0.5 * (draw**2).sum())).ravel()
