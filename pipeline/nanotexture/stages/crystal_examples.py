"""Stage: simulated particles that a prior for crystals learns from, some in each task."""

from __future__ import annotations

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.quantities import CrystalExamples
from nanotexture.schema import CRYSTAL_EXAMPLES, labelled
from nanotexture.simulate.learning import example
from nanotexture.simulate.particles import Particles
from nanotexture.stages.config import Config

HALF = (
    np.float16
)  # 1e-3 of an amplitude, and amplitudes down to a count in 1e14: memory is what twenty thousand are short of


class ExamplesConfig(Config):
    """What is drawn (simulate.particles.Particles), the grid kept of its diffraction, and which particles."""

    size: int
    sampling: tuple[float, float]
    phase_range: tuple[float, float]
    defects: float
    off_centre: float
    coherence: float
    relaxed: float
    relaxed_by: str  # program and version, "" where nothing is
    grid: int
    seed: int
    numbers: tuple[int, ...]


@stage(version=2)
def make_examples(*, config: ExamplesConfig) -> CrystalExamples:
    """Amplitude and phase of the diffraction of particles, each fixed by (seed, number)."""
    drawn = Particles(
        size=config.size,
        sampling=config.sampling,
        phase_range=config.phase_range,
        defects=config.defects,
        off_centre=config.off_centre,
        relaxed=config.relaxed,
    )
    found = [
        example(drawn, grid=config.grid, coherence=config.coherence, seed=config.seed, number=number)
        for number in config.numbers
    ]
    values = {
        "particle": np.array(config.numbers),
        "amplitude": np.array([one.amplitude for one in found], dtype=HALF),
        "phase": np.array([one.phase for one in found], dtype=HALF),
        "family": [one.family for one in found],
        "strain": [one.strain for one in found],
        "phase_range": np.array([one.phase_range for one in found]),
    }
    return CrystalExamples(labelled(values, CRYSTAL_EXAMPLES))
