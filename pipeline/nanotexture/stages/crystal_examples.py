"""Stage: simulated particles that a prior for crystals learns from, some in each task."""

from __future__ import annotations

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.quantities import CrystalExamples
from nanotexture.schema import CRYSTAL_EXAMPLES, labelled
from nanotexture.simulate.learning import example
from nanotexture.simulate.particles import Particles
from nanotexture.stages.config import Config


class ExamplesConfig(Config):
    """What is drawn (simulate.particles.Particles), the grid kept of its diffraction, and which particles."""

    size: int
    sampling: tuple[float, float]
    phase_range: tuple[float, float]
    defects: float
    off_centre: float
    coherence: float
    grid: int
    seed: int
    numbers: tuple[int, ...]


@stage(version=1)
def make_examples(*, config: ExamplesConfig) -> CrystalExamples:
    """Intensity and phase of the diffraction of particles, each fixed by (seed, number)."""
    drawn = Particles(
        size=config.size,
        sampling=config.sampling,
        phase_range=config.phase_range,
        defects=config.defects,
        off_centre=config.off_centre,
    )
    found = [
        example(drawn, grid=config.grid, coherence=config.coherence, seed=config.seed, number=number)
        for number in config.numbers
    ]
    values = {
        "particle": np.array(config.numbers),
        "intensity": np.array([one.intensity for one in found]),
        "phase": np.array([one.phase for one in found]),
        "family": [one.particle.family for one in found],
        "strain": [one.particle.strain for one in found],
        "phase_range": np.array([one.particle.phase_range for one in found]),
    }
    return CrystalExamples(labelled(values, CRYSTAL_EXAMPLES))
