"""The card of a prior: what it learnt from, how it went, how good it is on particles it never saw, what it cannot do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from nanotexture.phasing.crystal_pattern import hold_out_blocks, pattern_of
from nanotexture.priors.guess import Guess, guessed
from nanotexture.priors.training import Examples
from nanotexture.priors.weights import Trust

QUANTILE = 0.95
SCORED = 100  # particles at each number of counts
_SCORES = ("decade", "median", "quantile", "spread_median", "spread")
LIMITS = (
    "Simulated particles only: clipped by facets or ellipsoids, one smooth field, at most one dislocation or domain wall.",
    "Those relaxed atom by atom are gold clusters of 4 to 6 nm: their surfaces are thicker than those of real particles.",
    "No several crystals in one beam, no absorption, no unequal steps of a scan.",
    "It sees the middle 32^3 voxels: what a crystal has of finer detail is left to the refinement.",
    "Below a sampling of 2.1 or above 4.5 voxels it was never taught; finer sampling is thinned out first.",
    "Its answer is a place to begin, never a result: it is refined and judged by held-out voxels like any other start.",
)


@dataclass(frozen=True)
class Score:
    """Guesses at one number of counts: log10 of those in the brightest voxel, median and QUANTILE of free chi2 and of spread."""

    decade: float
    median: float
    quantile: float
    spread_median: float
    spread: float


def scored(
    network: torch.nn.Module, validate: Examples, decades: tuple[float, ...], seed: int
) -> list[Score]:
    """Free chi2 and spread of what the network makes of particles it never learnt from, at each number of counts."""
    found = []
    for decade in decades:
        guesses = [
            _guess(network, one.double().square().numpy() * 10.0**decade, seed=seed, number=number)
            for number, one in enumerate(validate.amplitude[:SCORED])
        ]
        free, spread = (
            np.array([getattr(g, name) for g in guesses if np.isfinite(g.free_chi2)])
            for name in ("free_chi2", "spread")
        )
        numbers = [float(np.quantile(one, q)) for one in (free, spread) for q in (0.5, QUANTILE)]
        found.append(Score(decade, *numbers))
    return found


def _guess(network: torch.nn.Module, expected: np.ndarray, *, seed: int, number: int) -> Guess:
    counts = np.random.Generator(np.random.PCG64([seed, number, 2])).poisson(expected).astype(float)
    measured = np.ones(counts.shape, dtype=bool)
    held = hold_out_blocks(counts=counts, measured=measured, seed=seed)
    return guessed(network, pattern_of(counts=counts, measured=measured, held=held))


def trust_of(scores: list[Score]) -> Trust:
    """When to trust the network: as long as free chi2 and spread are as low as those of nearly all of those particles."""
    columns = zip(*((s.decade, s.quantile, s.spread, s.median) for s in scores), strict=True)
    return Trust(*columns)


def parameters(network: torch.nn.Module) -> int:
    """Numbers that were learnt."""
    return sum(p.numel() for p in network.parameters())


def markdown(card: dict[str, Any]) -> str:
    """The card as text."""
    curves = card["curves"]
    rows = [
        f"| {k + 1} | {a:.4f} | {b:.4f} |"
        for k, (a, b) in enumerate(zip(curves["learnt"], curves["validation"], strict=True))
    ]
    scores = ["| " + " | ".join(f"{one[name]:.3g}" for name in _SCORES) + " |" for one in card["scores"]]
    data = card["data"]
    parts = [
        f"# {card['name']}: phases of a crystal's diffraction",
        f"{card['parameters']} parameters, weights version {card['version']}, sha256 {card['sha256']}.",
        f"{data['learnt']} simulated particles learnt from, {data['validation']} others to validate on, seed {data['seed']}; "
        f"families {data['families']}, strain {data['strains']}.",
        *([f"Learnt on from weights of sha256 {card['begun_from']}."] if card["begun_from"] else []),
        f"Best epoch {curves['best'] + 1} of {len(rows)}; {card['seconds']:.0f} s of processor time in this call; "
        f"torch {card['torch']}.",
        "## Recipe",
        "```\n" + card["recipe"].strip() + "\n```",
        "## Loss, 1 - |sum w exp(i (phi - phi'))| / sum w of the best shift",
        "\n".join(["| epoch | learnt from | others |", "|---|---|---|", *rows]),
        "## Guesses of the others, before any refinement",
        "\n".join(
            [
                "| log10 of the peak's counts | median free chi2 | 0.95 quantile | median spread | 0.95 quantile |",
                "|---|---|---|---|---|",
                *scores,
            ]
        ),
        "A guess whose free chi2 or spread is above its quantile is out of distribution and is not used, unless its free chi2 is "
        "below the median: then the held-out voxels confirm it, whatever its spread.",
        "## Limits",
        "\n".join(f"- {one}" for one in LIMITS),
    ]
    return "\n\n".join(parts) + "\n"


def torch_version() -> str:
    """Version that trained it."""
    return str(torch.__version__)
