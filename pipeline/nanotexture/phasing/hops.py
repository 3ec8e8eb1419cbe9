"""Hops between motifs of textures with two directions that have nearly the same intensities.

Of a weak texture each order shows one wave k alone, by |sum_c G_c integral u_ck(z) exp(i qz z) dz|^2: the same for
conj(u_k(t - z)), and nearly the same for conj(u_k(z)) or u_k(t - z) where the profile has one phase. Starts end with any of
these in each of the first waves, which together are then no minimum of the whole; nor does Re(G.u_k) tell in which sense one
component leads another. So every such change of the first waves is made, relaxed, and kept where the cost is lower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import torch

from nanotexture.phasing.climb import Climbed, climb
from nanotexture.phasing.modes import Modes, Profiles
from nanotexture.phasing.motif_problem import Problem
from nanotexture.phasing.motif_settings import Hops, Rung
from nanotexture.phasing.unknowns import Unknowns

Tensor = torch.Tensor
Wave = tuple[int, ...]
Move = Callable[[Tensor], Tensor]

SWEEPS = {Hops.NONE: 0, Hops.WAVES: 1, Hops.COMPONENTS: 2}
STEPS = 15  # of one hop: those that lead further down are there by then
GAIN = 1e-3  # relative: what is no more is the same minimum again


@dataclass(frozen=True)
class Turn:
    """What is done to one wave: its complex conjugate is taken, it is turned upside down."""

    conjugate: bool
    upside_down: bool


EVERY = tuple(Turn(*both) for both in product((False, True), repeat=2))
INVERSION = Turn(True, True)


def hopped(problem: Problem, parameters: Tensor, rung: Rung) -> Climbed:
    """Every start (start, parameters) on a rung, with the rung's hops."""
    here = climb(problem, parameters, rung)
    moves = tuple(moves_of(problem.unknowns, rung.hops))
    for _ in range(SWEEPS[rung.hops]):
        before = here.cost.clone()
        for move in moves:
            _take_better(problem, here, move, rung)
        if bool((here.cost == before).all()):
            break
    return here


def _take_better(problem: Problem, here: Climbed, move: Move, rung: Rung) -> None:
    """Make one move from all starts and keep it where it ends lower."""
    size = problem.unknowns.size
    moved = here.parameters.clone()
    moved[:, :size] = move(moved[:, :size])
    there = climb(problem, moved, _fewer_steps(rung))
    better = there.cost < here.cost * (1 - GAIN)
    here.steps.add_(there.steps)
    for name in ("parameters", "cost", "reason"):
        getattr(here, name)[better] = getattr(there, name)[better]


def _fewer_steps(rung: Rung) -> Rung:
    """The rung with few steps."""
    return Rung(rung.tau, rung.harmonics, rung.polynomials, rung.orders, min(rung.steps, STEPS))


def moves_of(unknowns: Unknowns, hops: Hops) -> Iterator[Move]:
    """Changes of coefficients (start, size) that a rung tries."""
    first = first_waves(unknowns.blocks[0].modes)
    if hops is Hops.WAVES:
        for turns in product(EVERY, repeat=len(first)):
            if turns != (EVERY[0],) * len(first):
                yield partial(turned, unknowns, dict(zip(first, turns, strict=True)))
    if hops is Hops.COMPONENTS:
        upright = unknowns.blocks[0].number - 1
        others = [i for i in range(unknowns.number) if i != upright]
        for wave in first:
            for fields in (others, *([i] for i in others)):
                yield partial(mirrored, unknowns, wave, fields, upright)


def first_waves(modes: Modes) -> tuple[Wave, ...]:
    """The shortest waves: (1, 0) and (0, 1), or (1, 1) and (1, -1) of a centred cell."""
    length = [sum(k**2 for k in wave) for wave in modes.waves]
    shortest = min(n for n in length if n > 0)
    return tuple(wave for wave, n in zip(modes.waves, length, strict=True) if n == shortest)


def turned(unknowns: Unknowns, turns: Mapping[Wave, Turn], coefficients: Tensor) -> Tensor:
    """Coefficients (start, size) with the first waves of all fields turned.

    The other waves belong to what these were and begin anew from zero, unless all is inverted or turned alike.
    """
    kinds = set(turns.values())
    alike = kinds.pop() if len(kinds) == 1 else None
    parts = [
        part @ _turning(block.modes, turns, alike)
        for block, part in zip(unknowns.blocks, unknowns.split(coefficients), strict=True)
    ]
    return torch.cat([part.flatten(1) for part in parts], dim=1)


def _turning(modes: Modes, turns: Mapping[Wave, Turn], alike: Turn | None) -> Tensor:
    """The turn of all waves as a matrix (modes, modes) for rows of coefficients; u(r) to -u(-r) where all is inverted."""
    flip = upside_down(modes.profiles)
    whole = torch.zeros(len(modes.index), len(modes.index), dtype=flip.dtype)
    for wave in modes.waves:
        still = not any(wave)
        turn = turns.get(wave, alike or (EVERY[0] if still else None))
        for sign in (1, -1):
            rows = np.flatnonzero((modes.vectors == wave).all(1) & (modes.index[:, 1] == sign))
            if turn is None or len(rows) == 0:
                continue
            profile = torch.from_numpy(modes.index[rows, 2])
            own = flip[profile][:, profile] if turn.upside_down else torch.eye(len(rows), dtype=flip.dtype)
            at = torch.from_numpy(rows)
            whole[at[:, None], at] = -own if turn.conjugate and sign < 0 else own
    return -whole if alike == INVERSION else whole


def upside_down(profiles: Profiles) -> Tensor:
    """Coefficients (m, m), row by row, of each profile turned upside down in the profiles themselves."""
    return profiles.values.flip(1) @ torch.linalg.pinv(profiles.values)


def mirrored(
    unknowns: Unknowns, wave: Wave, fields: list[int], reference: int, coefficients: Tensor
) -> Tensor:
    """Coefficients (start, size) with the phases of one wave of some fields mirrored at the phase of another field's.

    With c = a - i b of cos and sin and exp(2 i phi) = sum c^2 / |sum c^2| of the reference over its profiles, c becomes
    conj(c) exp(2 i phi): leading becomes lagging, the part in phase stays.
    """
    found = coefficients.clone()
    places = [_places(unknowns, i, wave) for i in range(unknowns.number)]
    square = (_complex(coefficients, places[reference]) ** 2).sum(1, keepdim=True)
    phase = square / square.abs().clamp_min(1e-30)
    for i in fields:
        changed = _complex(coefficients, places[i]).conj() * phase
        cos, sin = places[i]
        found[:, cos], found[:, sin] = changed.real, -changed.imag
    return found


def _complex(coefficients: Tensor, places: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = places
    return torch.complex(coefficients[:, cos], -coefficients[:, sin])


def _places(unknowns: Unknowns, field: int, wave: Wave) -> tuple[Tensor, Tensor]:
    """Where the coefficients of cos and of sin of one wave of a field are among all, (profiles,) each."""
    first = 0
    for block in unknowns.blocks:
        if field < block.number:
            break
        field, first = field - block.number, first + block.size
    modes = block.modes
    own = (modes.vectors == wave).all(1)
    start = first + field * len(modes.index)
    cos, sin = (np.flatnonzero(own & (modes.index[:, 1] == sign)) for sign in (1, -1))
    return torch.from_numpy(start + cos), torch.from_numpy(start + sin)
