"""Stage: where a learned prior would begin, and whether to trust it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.priors.guess import guessed
from nanotexture.priors.weights import load_prior
from nanotexture.quantities import CrystalGuess, Diffraction
from nanotexture.schema import CRYSTAL_GUESS, labelled
from nanotexture.stages.config import Config
from nanotexture.stages.crystal import pattern


class GuessConfig(Config):
    """Nothing to choose: weights and pattern decide."""


@stage(version=3)
def crystal_guess(diffraction: Diffraction, weights: Path, *, config: GuessConfig) -> CrystalGuess:
    """Crystal guessed by the network; trusted as priors.weights.Trust allows."""
    prior, made = load_prior(weights), pattern(diffraction)
    found = guessed(prior.network, made)
    peak = float(made.counts.max())
    limits = prior.trust.limits(peak)
    alike = prior.trust.allows(peak, free_chi2=found.free_chi2, spread=found.spread)
    inside = np.nonzero(found.support & made.box)
    # a broken guess may be empty: it is not trusted then, and one voxel stands for it
    cut = tuple(slice(int(p.min()), int(p.max()) + 1) if p.size else slice(0, 1) for p in inside)
    values = {
        "density": np.stack([found.object[cut].real, found.object[cut].imag]),
        "support": (found.support & made.box)[cut].astype(np.uint8),
        "part": ["real", "imaginary"],
        "free_cost": found.free_chi2,
        "cost": found.chi2,
        "limit": limits.free_chi2,
        "spread": found.spread,
        "spread_limit": limits.spread,
        "sure": limits.sure,
        "trusted": int(bool(inside[0].size) and alike),
    }
    return CrystalGuess(labelled(values, CRYSTAL_GUESS, {"first": json.dumps([c.start for c in cut])}))
