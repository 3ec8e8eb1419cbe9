"""The card of the denoiser of textures: what it learnt from, how it went, how good it is on textures it never saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from nanotexture.priors.denoiser import ABSENT, Denoiser, Frame
from nanotexture.priors.spoiling import Spoilt, spoilt
from nanotexture.priors.texture_modes import SIZE, Places
from nanotexture.priors.texture_pull import Told, denoised
from nanotexture.priors.texture_training import Textures
from nanotexture.priors.texture_weights import TextureTrust

Tensor = torch.Tensor

QUANTILE = 0.99
JUDGED = 300  # textures at most whose strangeness is taken
NOISE = 1e-3, 0.5  # errors over the size of the texture that a measurement leaves
LIMITS = (
    "Simulated textures only: laminates, flux closures, vortices and phase fields in films and in superlattices, smooth random "
    "ones, and for balance some that no simulator made. Never a/c domains, stripes, or a film of the benchmark suite.",
    "Five harmonics and ten polynomials of each field; what a motif has beyond them is left as it is.",
    "Films with one polar layer, or superlattices of two; fields along x and z; nothing that is periodic along y too.",
    "In superlattices, and wherever the displacement follows from the polarization, it speaks of the polarization alone.",
    "It is told the errors of the coefficients, not how they hang together; that is left to the solver.",
)


@dataclass(frozen=True)
class FamilyScore:
    """Of the textures of one family: rms error left over that put in, median and QUANTILE of the squared error over the variance
    told."""

    family: str
    left: float
    calibration: float


@torch.no_grad()
def scored(network: Denoiser, validate: Textures, families: list[str], seed: int) -> list[FamilyScore]:
    """Errors of what the network makes of spoilt textures it never learnt from, family by family."""
    seen = _seen(validate, seed)
    mean, variance = network(seen.values, seen.noise, validate.told)
    there = (seen.weight > 0) & _measured(seen)
    missed, put = (mean - validate.values) ** 2, (seen.values - validate.values) ** 2
    size = Frame.of(validate.values, torch.zeros_like(validate.values)).size ** 2
    found = []
    for family in sorted(set(families)):
        use = there & torch.tensor([one == family for one in families])[:, None]
        left = torch.sqrt((missed / size)[use].sum() / (put / size)[use].sum())
        found.append(FamilyScore(family, float(left), float((missed / variance)[use].mean())))
    return found


def trust_of(network: Denoiser, validate: Textures, scores: list[FamilyScore], seed: int) -> TextureTrust:
    """How far its variances are to be widened, and how strange a texture may be."""
    inflation = max(1.0, *(one.calibration for one in scores))
    seen = _seen(validate, seed + 1)
    strange = [
        _strangeness(network, seen, validate, number, inflation)
        for number in range(min(JUDGED, len(validate)))
    ]
    known = [one for one in strange if np.isfinite(one)]
    return TextureTrust(inflation, float(np.quantile(known, QUANTILE)))


def _strangeness(network: Denoiser, seen: Spoilt, validate: Textures, number: int, inflation: float) -> float:
    noise = seen.noise[number].double()
    places = Places(torch.arange(SIZE), torch.arange(SIZE), torch.ones(SIZE, dtype=torch.float64))
    known = (seen.weight[number] > 0) & _measured(seen)[number]
    told = Told(seen.values[number].double(), torch.diag(noise), known)
    return denoised(network, places, told, validate.told[number].double(), inflation).strangeness


def _seen(validate: Textures, seed: int) -> Spoilt:
    return spoilt(validate.values, validate.given, torch.Generator().manual_seed(seed + 7))


def _measured(seen: Spoilt) -> Tensor:
    """Modes (b, SIZE) whose errors are those that a measurement leaves."""
    size = Frame.of(seen.values, seen.noise).size
    level = torch.sqrt(seen.noise) / size
    return (seen.noise < 0.1 * ABSENT * size**2) & (level > NOISE[0]) & (level < NOISE[1])


def markdown(card: dict[str, Any]) -> str:
    """The card as text."""
    curves, data = card["curves"], card["data"]
    step = max(1, len(curves["learnt"]) // 12)
    pairs = list(enumerate(zip(curves["learnt"], curves["validation"], strict=True)))
    rows = [f"| {k + 1} | {a:.4f} | {b:.4f} |" for k, (a, b) in pairs[step - 1 :: step]]
    scores = [f"| {s['family']} | {s['left']:.2f} | {s['calibration']:.2f} |" for s in card["scores"]]
    parts = [
        f"# {card['name']}: a denoiser of textures in films",
        f"{card['parameters']} parameters, weights version {card['version']}, sha256 {card['sha256']}.",
        f"{data['learnt']} simulated textures learnt from, {data['validation']} others to validate on, seed {data['seed']}: "
        f"{data['families']}.",
        f"Best epoch {curves['best'] + 1} of {len(pairs)}; {card['seconds']:.0f} s of processor time in this call; "
        f"torch {card['torch']}.",
        "## Recipe",
        "```\n" + card["recipe"].strip() + "\n```",
        "## Loss, mean negative log likelihood of a coefficient (less its constant)",
        "\n".join(["| epoch | learnt from | others |", "|---|---|---|", *rows]),
        "## Textures it never learnt from, with random errors",
        "\n".join(
            [
                "| family | rms error left over that put in | squared error over the variance told |",
                "|---|---|---|",
                *scores,
            ]
        ),
        f"Variances are widened {card['trust']['inflation']:.2f} times, the largest of the last column. A texture stranger than "
        f"{card['trust']['strangeness']:.2f} (0.99 quantile; 1 is expected) is out of distribution and left as it is.",
        "## Limits",
        "\n".join(f"- {one}" for one in LIMITS),
    ]
    return "\n\n".join(parts) + "\n"
