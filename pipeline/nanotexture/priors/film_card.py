"""The card of the prior for films: what it learnt from, how it went, how near its motifs come, what it cannot do."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from nanotexture.priors.film_augmentation import Question
from nanotexture.priors.film_loss import relative_errors
from nanotexture.priors.film_network import HYPOTHESES, OrderNet

LIMITS = (
    "Simulated single films only: no superlattices, no textures that are periodic along x and y.",
    "Periods of 5 to 30 nm, thicknesses of 10 to 60 nm, orders up to 3, four harmonics and eight polynomials.",
    "Closure domains and vortices are written down, laminates idealised; few phase fields, of PbTiO3 under compression; no a/c "
    "domains, no stripes.",
    "Its motifs are places to begin, never a result: they are fitted and judged by held-out satellites like any other start.",
)


def errors_by_family(
    network: OrderNet, question: Question, families: list[str]
) -> dict[str, tuple[float, float]]:
    """Median relative error of the likeliest and of the nearest hypothesis, for each family."""
    with torch.no_grad():
        found = network(question.tokens, question.used)
        each = relative_errors(found, question.coefficients, question.fields)
    first = each.gather(1, found.weight.argmax(1, keepdim=True))[:, 0].numpy()
    nearest = each.amin(1).numpy()
    names = np.array(families)
    return {
        name: (float(np.median(first[names == name])), float(np.median(nearest[names == name])))
        for name in sorted(set(families))
    }


def markdown(card: dict[str, Any]) -> str:
    """The card as text."""
    curves, data = card["curves"], card["data"]
    rows = [
        f"| {k + 1} | {a:.4f} | {b:.4f} |"
        for k, (a, b) in enumerate(zip(curves["learnt"], curves["validation"], strict=True))
    ]
    errors = [f"| {name} | {first:.2f} | {near:.2f} |" for name, (first, near) in card["errors"].items()]
    parts = [
        f"# {card['name']}: where the motif of a film begins",
        f"{card['parameters']} parameters, weights version {card['version']}, sha256 {card['sha256']}.",
        f"{data['learnt']} simulated films learnt from, {data['validation']} others to validate on, seed {data['seed']}; "
        f"families {data['families']}; never drawn: {', '.join(data['held_out'])}.",
        f"Best epoch {curves['best'] + 1} of {len(rows)}; {card['seconds']:.0f} s of processor time in this call; "
        f"torch {card['torch']}.",
        "## Recipe",
        "```\n" + card["recipe"].strip() + "\n```",
        "## Loss",
        "\n".join(["| epoch | learnt from | others |", "|---|---|---|", *rows]),
        "## Relative error of its motifs on the others, before any step",
        "\n".join([f"| family | likeliest hypothesis | nearest of {HYPOTHESES} |", "|---|---|---|", *errors]),
        f"Where it expects a relative error above {card['vague']:g} of its own motifs, all starts stay random. "
        f"A film whose best motif fits with a tempered chi2 above {card['limit']:.3g} per point before any step is unlike "
        "those it learnt from (0.95 quantile): the result says so.",
        "## Limits",
        "\n".join(f"- {one}" for one in LIMITS),
    ]
    return "\n\n".join(parts) + "\n"
