"""Prior widths that the data choose: how large each harmonic of each field is, by the evidence.

Coefficients c_i of a group, one harmonic of one field, have the prior N(0, (s w_i)^2) with known w_i and one unknown s. With
the posterior's variances v_i the evidence is largest at

    s^2 = sum (c_i / w_i)^2 / gamma,     gamma = sum (1 - v_i / (s w_i)^2),

gamma being how many of the group the data determine (MacKay, Neural Comput. 4, 415 (1992), "Bayesian interpolation"). A
harmonic that the texture does not have then stays near zero instead of following noise, which no width common to all
harmonics and fields can do. Groups of which the data say little take the size of their harmonic in the other fields of the
block, and that of the block: each counts as a few coefficients more, or the least determined would be told to be zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nanotexture.phasing.equilibrium import Equilibrium
from nanotexture.phasing.motif import MotifSolutions, solve_motif
from nanotexture.phasing.motif_model import ReflectionData
from nanotexture.phasing.motif_settings import MotifSettings
from nanotexture.phasing.unknowns import Block, Unknowns

Tensor = torch.Tensor

ROUNDS = 4
SMALLEST, LARGEST = 0.03, 3.0  # of s
OF_BLOCK, OF_HARMONIC = 1.0, 2.0  # coefficients that the size of the block, of its harmonic, counts as


@dataclass(frozen=True)
class Weighed:
    """A solution whose prior widths the data chose, and their factor s (field, wave) of every field of all blocks."""

    solution: MotifSolutions
    scale: Tensor


def weighed(
    *,
    data: tuple[ReflectionData, ...],
    unknowns: Unknowns,
    settings: MotifSettings,
    start: Tensor,
    gap: Tensor,
    equilibrium: Equilibrium | None = None,
    rounds: int = ROUNDS,
) -> tuple[Weighed, Weighed]:
    """The minimum near one start (1, size) with the widths of its unknowns, and with those that the data choose."""
    most = max(len(block.modes.waves) for block in unknowns.blocks)
    scale = torch.ones(unknowns.number, most, dtype=start.dtype)
    every: list[Weighed] = []
    for _ in range(rounds + 1):
        found = solve_motif(
            data=data,
            unknowns=unknowns.scaled(scale),
            settings=settings,
            start=start,
            gap=gap,
            equilibrium=equilibrium,
        )
        every.append(Weighed(found, scale))
        start, gap = found.coefficients, found.gap
        scale = scale_from_solution(unknowns=unknowns, coefficients=start[0], told=found.told[0])
    return every[0], every[-1]


def scale_from_solution(*, unknowns: Unknowns, coefficients: Tensor, told: Tensor) -> Tensor:
    """Factor s (field, wave) of the unknowns' widths, 1 where a field has no such wave.

    coefficients (size,); told (size,): 1 - v / (s w)^2 of every coefficient, at the widths that it was found with.
    """
    most = max(len(block.modes.waves) for block in unknowns.blocks)
    parts = zip(unknowns.blocks, unknowns.split(coefficients), unknowns.split(told), strict=True)
    found = [_of_block(block, c / block.width, share) for block, c, share in parts]
    return torch.cat([torch.nn.functional.pad(s, (0, most - s.shape[1]), value=1.0) for s in found])


def _of_block(block: Block, size: Tensor, told: Tensor) -> Tensor:
    """Factor (field, wave) from coefficients over their widths and the shares told, both (field, mode)."""
    waves, number = block.modes.wave_of_mode, len(block.modes.waves)
    squares, known = (
        torch.zeros(block.number, number, dtype=size.dtype).index_add_(1, waves, part)
        for part in (size**2, told.clamp(0.0, 1.0))
    )
    of_block = squares.sum() / known.sum().clamp_min(1e-9)
    of_wave = (squares.sum(0) + OF_BLOCK * of_block) / (known.sum(0) + OF_BLOCK)
    s2 = (squares + OF_HARMONIC * of_wave) / (known + OF_HARMONIC)
    return s2.sqrt().clamp(SMALLEST, LARGEST)
