"""The card of a prior: what it learnt from, how it went, how good it is on particles it never saw, what it cannot do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from nanotexture.phasing.crystal_pattern import hold_out_blocks, pattern_of
from nanotexture.priors.guess import guessed
from nanotexture.priors.networks import PhaseNet
from nanotexture.priors.training import Examples
from nanotexture.priors.weights import Trust

QUANTILE = 0.95
LIMITS = (
    "Simulated particles only: clipped by facets or ellipsoids, one smooth field, at most one dislocation or domain wall.",
    "No atomistic relaxation, no surface strain of its own, no several crystals in one beam, no absorption.",
    "It sees the middle 32^3 voxels: what a crystal has of finer detail is left to the refinement.",
    "Below a sampling of 2.1 or above 4.5 voxels it was never taught; finer sampling is thinned out first.",
    "Its answer is a place to begin, never a result: it is refined and judged by held-out voxels like any other start.",
)


@dataclass(frozen=True)
class Score:
    """Guesses at one number of counts: log10 of those in the brightest voxel, median and QUANTILE of their free chi2."""

    decade: float
    median: float
    quantile: float


def scored(network: PhaseNet, validate: Examples, decades: tuple[float, ...], seed: int) -> list[Score]:
    """Free chi2 of what the network makes of each particle it never learnt from, at each number of counts."""
    found = []
    for decade in decades:
        free = [
            _free_chi2(network, one.double().square().numpy() * 10.0**decade, seed=seed, number=number)
            for number, one in enumerate(validate.amplitude)
        ]
        known = np.array([value for value in free if np.isfinite(value)])
        found.append(Score(decade, float(np.median(known)), float(np.quantile(known, QUANTILE))))
    return found


def _free_chi2(network: PhaseNet, expected: np.ndarray, *, seed: int, number: int) -> float:
    counts = np.random.Generator(np.random.PCG64([seed, number, 2])).poisson(expected).astype(float)
    measured = np.ones(counts.shape, dtype=bool)
    held = hold_out_blocks(counts=counts, measured=measured, seed=seed)
    return guessed(network, pattern_of(counts=counts, measured=measured, held=held)).free_chi2


def trust_of(scores: list[Score]) -> Trust:
    """When to trust the network: as long as its free chi2 is as low as that of nearly all of those particles."""
    return Trust(tuple(s.decade for s in scores), tuple(s.quantile for s in scores))


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
    scores = [f"| {s['decade']:g} | {s['median']:.3g} | {s['quantile']:.3g} |" for s in card["scores"]]
    data = card["data"]
    parts = [
        f"# {card['name']}: phases of a crystal's diffraction",
        f"{card['parameters']} parameters, weights version {card['version']}, sha256 {card['sha256']}.",
        f"{data['learnt']} simulated particles learnt from, {data['validation']} others to validate on, seed {data['seed']}; "
        f"families {data['families']}, strain {data['strains']}.",
        f"Best epoch {curves['best'] + 1} of {len(rows)}; {card['seconds']:.0f} s of processor time in this call; "
        f"torch {card['torch']}.",
        "## Recipe",
        "```\n" + card["recipe"].strip() + "\n```",
        "## Loss, 1 - |sum w exp(i (phi - phi'))| / sum w",
        "\n".join(["| epoch | learnt from | others |", "|---|---|---|", *rows]),
        "## Guesses of the others, before any refinement",
        "\n".join(
            ["| log10 of the peak's counts | median free chi2 | 0.95 quantile |", "|---|---|---|", *scores]
        ),
        "A guess whose free chi2 is above the quantile is out of distribution and is not used.",
        "## Limits",
        "\n".join(f"- {one}" for one in LIMITS),
    ]
    return "\n\n".join(parts) + "\n"


def torch_version() -> str:
    """Version that trained it."""
    return str(torch.__version__)
