"""A simulated measurement and its truth, in the place of files."""

from __future__ import annotations

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.film.stack import Stack
from nanotexture.quantities import ReciprocalMap, Truth
from nanotexture.schema import MAP, TRUTH, labelled
from nanotexture.simulate.measure import Brightness, bright_map, counted
from nanotexture.simulate.stripes import stripe_displacement
from nanotexture.stages.models import SimulateConfig

POINTS = 64


def _stack(config: SimulateConfig) -> Stack:
    return config.film.stack(c=config.film.c_guess, thickness=config.film.thickness or 0.0)


def _displacement(config: SimulateConfig, stack: Stack) -> np.ndarray:
    return stripe_displacement(
        x=np.arange(POINTS) / POINTS,
        z=stack.heights,
        period=config.period,
        amplitude=config.amplitude,
        tilt_deg=config.tilt,
        duty=config.duty,
        wall=config.wall,
    )


def _bright(config: SimulateConfig, hkl: tuple[int, int, int]) -> Brightness:
    stack = _stack(config)
    return bright_map(
        displacement=_displacement(config, stack),
        stack=stack,
        substrate=config.film.below(),
        hkl=hkl,
        period=config.period,
        correlation_length=config.correlation_length,
        energy_kev=config.energy,
    )


@stage(version=1)
def simulate_map(*, config: SimulateConfig) -> ReciprocalMap:
    """Counts of one reflection of the simulated film; the brightest voxel of all its reflections holds peak_counts."""
    every = {hkl: _bright(config, hkl) for hkl in dict.fromkeys((*config.reflections, config.hkl))}
    found = every[config.hkl]
    flux = config.peak_counts / max(one.peak for one in every.values())
    counts = counted(found, flux=flux, background=config.background, seed=(config.seed, *config.hkl))
    hidden = found.mask != 0
    values = {
        "qx": found.qx,
        "qz": found.qz,
        "intensity": np.where(hidden, np.nan, counts),
        "variance": np.where(hidden, np.nan, np.maximum(counts, 1.0)),
        "mask": found.mask,
        "hkl": np.array(config.hkl),
        "temperature": float("nan"),
        "energy": config.energy,
        "scale": 1.0,
    }
    return ReciprocalMap(
        labelled(values, MAP, {"file": "simulated " + "".join(map(str, config.hkl)), "sample": "simulated"})
    )


@stage(version=1)
def simulate_truth(*, config: SimulateConfig) -> Truth:
    """The displacement behind the simulated maps."""
    stack = _stack(config)
    displacement = _displacement(config, stack)
    values = {
        "x": np.arange(POINTS) / POINTS,
        "z": stack.heights,
        "displacement": displacement,
        "polarization": np.full_like(displacement, np.nan),
        "period": config.period,
        "thickness": stack.thickness,
    }
    return Truth(labelled(values, TRUTH))
