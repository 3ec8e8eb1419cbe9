"""What does the prior of crystals call out of distribution? Patterns of kinds that it learnt from and of kinds that it did not.

For each kind: how many of the patterns are within the limit of free chi2, within that of the spread over turned patterns, below
the free chi2 at which any spread is trusted, and trusted in the end; and medians of the first two over their limits.
Array 48^3, 1e6 counts in the brightest voxel.

Run: .venv/bin/python benchmarks/distrust.py [patterns of each kind] [weights]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from learned_rows import counted_pattern, guess_of, trusted
from nanotexture.data import locate
from nanotexture.priors.weights import Prior, load_prior
from nanotexture.simulate.particles import Particles, random_particle
from scipy.ndimage import gaussian_filter

SIZE, SEED, PEAK = 48, 2_000_003, 1e6


def learnt(number: int, span: float = 5.0) -> np.ndarray:
    drawn = Particles(size=SIZE, phase_range=(0.0, span * np.pi))
    return random_particle(drawn, seed=SEED, number=number).density


def strained(number: int) -> np.ndarray:
    drawn = Particles(size=SIZE, phase_range=(12 * np.pi, 12 * np.pi))
    return random_particle(drawn, seed=SEED, number=number).density


def speckle(number: int) -> np.ndarray:
    """A particle's shape filled with phases that have no order beyond two voxels."""
    rng = np.random.default_rng([SEED, number])
    field = gaussian_filter(rng.normal(size=(SIZE,) * 3), 1.0)
    return np.abs(learnt(number)) * np.exp(1j * 2.0 * np.pi * field / field.std())


def two_grains(number: int) -> np.ndarray:
    """Two particles side by side in one beam, sampled less than twice."""
    small = Particles(size=SIZE, phase_range=(0.0, np.pi), sampling=(4.0, 4.5))
    first, second = (random_particle(small, seed=SEED, number=2 * number + k).density for k in (0, 1))
    return np.roll(first, 12, axis=0) + np.roll(second, -12, axis=0)


def powder(number: int) -> np.ndarray:
    """Many points without a surface."""
    rng = np.random.default_rng([SEED, number, 1])
    found = np.zeros((SIZE,) * 3, dtype=complex)
    places = rng.integers(SIZE // 2 - 8, SIZE // 2 + 8, (40, 3))
    found[tuple(places.T)] = np.exp(2j * np.pi * rng.uniform(size=40))
    return found


KINDS: dict[str, Callable[[int], np.ndarray]] = {
    "learnt from: to 5 pi": learnt,
    "12 pi": strained,
    "speckle": speckle,
    "two grains apart": two_grains,
    "forty points": powder,
}


def row(prior: Prior, kind: Callable[[int], np.ndarray], number: int) -> str:
    found = []
    for k in range(number):
        pattern = counted_pattern(kind(k), PEAK, k)
        guess = guess_of(prior.network, pattern)
        limits = prior.trust.limits(float(pattern.counts.max()))
        over = guess.free_chi2 / limits.free_chi2, guess.spread / limits.spread
        found.append([*over, guess.free_chi2 <= limits.sure, trusted(prior, pattern, guess)])
    free, spread, sure, taken = np.array(found).T
    shares = [(free <= 1.0).mean(), (spread <= 1.0).mean(), sure.mean(), taken.mean()]
    told = ", ".join(f"{one:.2f}" for one in shares)
    return f"within free chi2, spread; sure; trusted: {told}  median over limit {np.median([free, spread], axis=1).round(2)}"


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    torch.set_num_threads(1)
    prior = load_prior(Path(sys.argv[2]) if len(sys.argv) > 2 else locate("crystal_prior")[0])
    for name, kind in KINDS.items():
        sys.stdout.write(f"{name:<22} {row(prior, kind, number)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
