"""One held-out particle started in every way: a line of numbers, appended to the file of its row as it is finished."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from nanotexture.engine.fingerprint import code_digest
from nanotexture.phasing.crystal import CrystalRun, CrystalSettings, projected, refined
from nanotexture.phasing.crystal_alignment import overlap
from nanotexture.phasing.crystal_pattern import Pattern, hold_out_blocks, pattern_of
from nanotexture.priors.guess import Guess, guessed
from nanotexture.priors.networks import GRID
from nanotexture.priors.weights import Prior, load_prior
from nanotexture.simulate.crystal import Counting, counted, expected_counts, pattern_of_density
from nanotexture.simulate.particles import Particles, random_particle

SOLVED_BY = tuple(
    f"nanotexture.{name}" for name in ("phasing.crystal", "simulate.crystal", "simulate.particles")
)
GUESSED_BY = "nanotexture.priors.guess"
SEED = 1_000_003  # no training uses it
SIZE, SAMPLING = 40, (2.1, 3.5)
GRADIENTS, ER = 0.2, 0.05  # of the iterations
SMOOTH = {"sigma": 2.0, "sigma_end": 1.0}  # voxels
MANY = 200  # iterations from which cycles are two of a kind
Line = dict[str, Any]


class Flat(torch.nn.Module):
    """Predicts no phase at all."""

    def forward(self, x: torch.Tensor, further: int = 0) -> torch.Tensor:
        return torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1, 1).expand(len(x), 2, GRID, GRID, GRID)


def guess_of(network: torch.nn.Module, pattern: Pattern) -> Guess:
    """The one call of the prior."""
    return guessed(network, pattern)


def trusted(prior: Prior, pattern: Pattern, guess: Guess) -> bool:
    """Whether a run would begin from a guess."""
    peak = float(pattern.counts.max())
    return prior.trust.allows(peak, free_chi2=guess.free_chi2, spread=guess.spread)


def run(
    pattern: Pattern,
    iterations: int,
    begin: Guess | int,
    *,
    blurred: bool = False,
    plain: bool = False,
) -> CrystalRun:
    """A start of so many iterations from a guess, or from the random phases of this number.

    80 % are projections, as many cycles of HIO with a bounded modulus as without one, the last ones ER; what the last 20 % cost
    goes to the gradients: one evaluation for one iteration, which has as many transforms. plain: as many projections by HIO
    and ER with shrink-wrap alone, from a box of twice the crystal. blurred: the gradients fit a blur of the beam too, one
    evaluation for two iterations; the projections take the beam for coherent, and where it is not the modulus that they find
    is not even: it is not bounded, and shrink-wrap is smoother.
    """
    cycles = 1 if iterations < MANY else 2
    free, smooth = plain or blurred, SMOOTH if blurred else {}
    gradients, er = round(GRADIENTS * iterations), round(ER * iterations)
    settings = CrystalSettings(
        cycles=2 * cycles if free else cycles,
        even=0 if free else cycles,
        iterations=(iterations - gradients - er) // (2 * cycles),
        er=er,
        coherence=False,
        refine=gradients // 2 if blurred else gradients,
        hops=0,
        first="box" if plain else "halved",
        **smooth,
    )
    first = begin.object if isinstance(begin, Guess) else None
    start = begin if isinstance(begin, int) else 0
    found = projected(pattern, settings=settings, seed=0, start=start, begin=first)
    return refined(pattern, found, settings=replace(settings, coherence=blurred))


class Kind(NamedTuple):
    """A row: phase range in pi, counts in the brightest voxel, iterations, random starts of each kind.

    The long random starts have `longer` times the iterations.
    """

    span: float
    counts: float
    iterations: int
    randoms: int
    longer: int = 10

    @property
    def name(self) -> str:
        return f"{self.span:g}pi_{self.counts:.0e}_{self.iterations}_{self.randoms}_{self.longer}"


def particle(kind: Kind, number: int) -> tuple[np.ndarray, Pattern, str]:
    """Truth in the solvers' sign, its pattern, and the name of its strain."""
    span = kind.span * np.pi
    drawn = Particles(size=SIZE, sampling=SAMPLING, phase_range=(span, span))
    made = random_particle(drawn, seed=SEED, number=number)
    return made.density.conj(), counted_pattern(made.density, kind.counts, number), made.strain


def counted_pattern(density: np.ndarray, peak: float, seed: int) -> Pattern:
    """The pattern of a density, counted to so many in the brightest voxel, all of it measured."""
    seen = counted(expected_counts(pattern_of_density(density), Counting(peak_counts=peak)), seed)
    measured = np.ones(seen.shape, dtype=bool)
    held = hold_out_blocks(counts=seen, measured=measured, seed=0)
    return pattern_of(counts=seen, measured=measured, held=held)


def told(made: Callable[[], CrystalRun], truth: np.ndarray) -> Line:
    """How a start ended, and the processor seconds it took."""
    begun = time.process_time()
    ended = made()
    seconds = time.process_time() - begun
    alike = overlap(ended.object, truth).similarity
    return {"alike": alike, "chi2": ended.chi2, "free": ended.free_chi2, "seconds": seconds}


def from_guesses(prior: Prior, kind: Kind, number: int) -> Line:
    """One particle from the guess and from flat phases."""
    truth, pattern, _ = particle(kind, number)
    begun = time.process_time()
    guess = guess_of(prior.network, pattern)
    seconds = time.process_time() - begun
    flat = guess_of(Flat(), pattern)
    return {
        "guess": {"free": guess.free_chi2, "trusted": trusted(prior, pattern, guess), "seconds": seconds},
        "learned": told(lambda: run(pattern, kind.iterations, guess), truth),
        "flat": told(lambda: run(pattern, kind.iterations, flat), truth),
    }


def from_nothing(kind: Kind, number: int) -> Line:
    """One particle from random phases, plain and at more iterations too."""
    truth, pattern, strain = particle(kind, number)

    def each(iterations: int, plain: bool = False) -> list[Line]:
        return [
            told(lambda k=k: run(pattern, iterations, k, plain=plain), truth) for k in range(kind.randoms)
        ]

    found = each(kind.iterations)
    long = found if kind.longer == 1 else each(kind.longer * kind.iterations)
    return {"strain": strain, "random": found, "plain": each(kind.iterations, plain=True), "long": long}


@dataclass
class Rows:
    """Two files a row, one of them of random starts, which outlast a change of the network.

    A particle that is there already, of the same code and weights, is not computed again.
    """

    folder: Path
    weights: Path

    @cached_property
    def prior(self) -> Prior:
        return load_prior(self.weights)

    @cached_property
    def code(self) -> str:
        """Of what decides the random starts, this file's too."""
        return _digest("".join([Path(__file__).read_text(), *map(code_digest, SOLVED_BY)]).encode())

    def lines(self, kind: Kind, particles: int) -> Iterator[Line]:
        """Each particle of a row, found or computed."""
        both = zip(self.randoms(kind, particles), self._guesses(kind, particles), strict=True)
        return (one | other for one, other in both)

    def randoms(self, kind: Kind, particles: int) -> Iterator[Line]:
        """What needs no network."""
        key = {"code": self.code}
        return self._kept(f"{kind.name}_random", key, particles, lambda k: from_nothing(kind, k))

    def _guesses(self, kind: Kind, particles: int) -> Iterator[Line]:
        weights, code = self.weights.read_bytes(), code_digest(GUESSED_BY).encode()
        key = {"code": self.code, "guess": _digest(code), "weights": _digest(weights)}
        return self._kept(f"{kind.name}_guess", key, particles, lambda k: from_guesses(self.prior, kind, k))

    def _kept(self, name: str, key: Line, particles: int, compute: Callable[[int], Line]) -> Iterator[Line]:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{name}.jsonl"
        known = {}
        for text in file.read_text().splitlines() if file.is_file() else []:
            line = _parsed(text)
            if line and line.get("key") == key:
                known[line["number"]] = line
        for number in range(particles):
            if number not in known:
                known[number] = {"key": key, "number": number} | compute(number)
                with file.open("a") as stream:
                    stream.write(json.dumps(known[number]) + "\n")
            yield known[number]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _parsed(text: str) -> Line | None:
    """None of half a line, left by a bench that was killed."""
    try:
        found: Line = json.loads(text)
    except json.JSONDecodeError:
        return None
    return found
