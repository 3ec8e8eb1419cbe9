"""Does the learned start of a crystal help? One of it against flat phases and random ones at equal iterations.

Gold (dataset gold64): chi2 of the guess before any refinement, then after 100 and 200 iterations of HIO and ER with
shrink-wrap. Held-out simulated particles (48^3, of seeds that no training uses): success is a correlation of at least 0.9 with
the truth after 200 iterations, up to shift, constant phase and twin; of several random starts the one of the lowest free chi2
is taken, as in a run. Flat phases (all zero) tell what of a success is the support's and the amplitudes' and not the network's.

Run: .venv/bin/python benchmarks/learned.py [particles of each row] [random starts] [weights]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from crystal import chi2, gold
from nanotexture.data import locate
from nanotexture.phasing.crystal import Begin, CrystalSettings, projected
from nanotexture.phasing.crystal_alignment import overlap
from nanotexture.phasing.crystal_pattern import Pattern, hold_out_blocks, pattern_of
from nanotexture.priors.guess import Guess, guessed
from nanotexture.priors.networks import GRID
from nanotexture.priors.weights import Prior, load_prior
from nanotexture.simulate.crystal import counted, pattern_of_density
from nanotexture.simulate.particles import Particles, random_particle

SIZE, SEED, ALIKE = 48, 1_000_003, 0.9
RANGES, COUNTS = (1.0, 3.0, 5.0), (1e4, 1e6)


class Flat(torch.nn.Module):
    """Predicts no phase at all."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1, 1).expand(len(x), 2, GRID, GRID, GRID)


def settings(iterations: int) -> CrystalSettings:
    """HIO with ER, as many iterations in all, coherent beam."""
    return CrystalSettings(cycles=iterations // 100, last=0, coherence=False)


def run(pattern: Pattern, iterations: int, begin: Guess | int) -> np.ndarray:
    """Object after that many iterations from a guess, or from the random phases of this number."""
    if isinstance(begin, int):
        return projected(pattern, settings=settings(iterations), seed=0, start=begin).found.object
    first = Begin(begin.object, begin.support)
    return projected(pattern, settings=settings(iterations), seed=0, start=0, begin=first).found.object


def on_gold(prior: Prior, randoms: int) -> None:
    pattern = gold()
    say = sys.stdout.write
    limit = prior.trust.limit(float(pattern.counts.max()))
    begins: list[tuple[str, Guess | int]] = [
        ("learned", guessed(prior.network, pattern)),
        ("flat", guessed(Flat(), pattern)),  # type: ignore[arg-type]
        *((f"random {k}", k) for k in range(randoms)),
    ]
    for name, begin in begins:
        say(f"gold64 {name:<9}")
        if isinstance(begin, Guess):
            raw = chi2(pattern, begin.object)
            say(f" guess, even modulus, its view: {begin.chi2:.4f} (free {begin.free_chi2:.4f})")
            say(f"  guess, whole pattern: {raw[0]:.4f} ({raw[1]:.4f})")
        for iterations in (100, 200):
            found = chi2(pattern, run(pattern, iterations, begin))
            say(f"  {iterations}: {found[0]:.2e} ({found[1]:.2e})")
        say("\n")
    say(f"gold64 trusted up to a free chi2 of {limit:.3f}\n")


def particle(span: float, counts: float, number: int) -> tuple[np.ndarray, Pattern]:
    """Truth in the solvers' sign, and its pattern of this many counts in the brightest voxel."""
    drawn = Particles(size=SIZE, phase_range=(span, span))
    psi = random_particle(drawn, seed=SEED, number=number).density
    intensity = pattern_of_density(psi)
    seen = counted(intensity * (counts / intensity.max()), number)
    measured = np.ones(seen.shape, dtype=bool)
    held = hold_out_blocks(counts=seen, measured=measured, seed=0)
    return psi.conj(), pattern_of(counts=seen, measured=measured, held=held)


def one_row(prior: Prior, span: float, counts: float, particles: int, randoms: int) -> str:
    wins = dict.fromkeys(("trusted", "learned", "flat", "first random", "best random"), 0)
    raw, ended = [], {"learned": [], "random": []}
    for number in range(particles):
        truth, pattern = particle(span * np.pi, counts, number)
        guess = guessed(prior.network, pattern)
        wins["trusted"] += guess.free_chi2 <= prior.trust.limit(float(pattern.counts.max()))
        raw.append(guess.free_chi2)
        first = run(pattern, 200, guess)
        wins["learned"] += alike(first, truth)
        wins["flat"] += alike(run(pattern, 200, guessed(Flat(), pattern)), truth)  # type: ignore[arg-type]
        others = [run(pattern, 200, k) for k in range(randoms)]
        free = [chi2(pattern, one)[1] for one in others]
        wins["first random"] += alike(others[0], truth)
        wins["best random"] += alike(others[int(np.argmin(free))], truth)
        ended["learned"].append(chi2(pattern, first)[1])
        ended["random"].append(min(free))
    told = "  ".join(f"{name} {won}/{particles}" for name, won in wins.items())
    medians = "  ".join(f"{name} {np.median(v):.2e}" for name, v in ended.items())
    return (
        f"{span:g} pi, {counts:.0e} counts: {told}  guess {np.median(raw):.3f}  median free chi2: {medians}\n"
    )


def alike(found: np.ndarray, truth: np.ndarray) -> bool:
    return bool(overlap(found, truth).similarity >= ALIKE)


def main() -> None:
    told = dict(enumerate(sys.argv[1:]))
    particles, randoms = int(told.get(0, 20)), int(told.get(1, 4))
    weights = Path(told[2]) if 2 in told else locate("crystal_prior")[0]
    torch.set_num_threads(1)
    prior, begun = load_prior(weights), time.perf_counter()
    on_gold(prior, randoms)
    for span in RANGES:
        for counts in COUNTS:
            sys.stdout.write(one_row(prior, span, counts, particles, randoms))
            sys.stdout.flush()
    sys.stdout.write(f"{time.perf_counter() - begun:.0f} s\n")


if __name__ == "__main__":
    main()
