"""The simulated part of a recipe as tasks: texture, brightness, counts, truth. This module wires and holds no physics."""

from __future__ import annotations

import math
from pathlib import Path

from nanotexture.engine.task import Task
from nanotexture.errors import UserError
from nanotexture.film.config import FilmConfig
from nanotexture.stages import models
from nanotexture.stages.simulate import simulate_bright, simulate_map, simulate_texture, simulate_truth
from nanotexture.tables.simulate import Simulate

UNKNOWN = float(
    "nan"
)  # the temperature of a simulation that names none: one object, so that it is its own key


def simulated_maps(told: Simulate, film: FilmConfig, path: Path) -> dict[float, tuple[Task, ...]]:
    """Counted maps by temperature, rising; UserError names the field that makes no texture or no measurement."""
    return {t: _maps(told, film, _motif(told, film, t, path), t, path) for t in _temperatures(told)}


def simulated_truths(told: Simulate, film: FilmConfig, path: Path) -> dict[float, Task]:
    """Truths by temperature."""
    return {t: _truth(told, film, _motif(told, film, t, path), t) for t in _temperatures(told)}


def _temperatures(told: Simulate) -> tuple[float, ...]:
    return tuple(sorted(told.temperatures)) or (UNKNOWN,)


def _motif(told: Simulate, film: FilmConfig, temperature: float, path: Path) -> Task:
    if film.single and film.thickness is None:
        raise UserError(f"{path}: film.thickness: expected, since a simulated film has one, found nothing")
    numbers = told.texture.model_dump()
    if "temperature" in numbers and not math.isnan(temperature):
        numbers["temperature"] = temperature
    try:
        config = models.SimulateConfig.model_validate({"film": film, "texture": numbers})
    except UserError as error:
        raise UserError(f"{path}: simulate.{error}") from error
    return Task(simulate_texture, config, label=f"{told.texture.kind} {_label(temperature)}".strip())


def _maps(told: Simulate, film: FilmConfig, motif: Task, temperature: float, path: Path) -> tuple[Task, ...]:
    label = _label(temperature)
    try:
        configs = [_bright_config(told, film, hkl) for hkl in told.hkl]
    except UserError as error:
        raise UserError(f"{path}: simulate: {error}") from error
    brights = tuple(Task(simulate_bright, one, (motif,), f"{one.hkl} {label}".strip()) for one in configs)
    seed = told.seed + (0 if math.isnan(temperature) else round(1000 * temperature))
    counts = [
        models.CountsConfig(
            hkl=one.hkl,
            peak_counts=told.peak_counts,
            instrument=one.instrument,
            temperature=_known(temperature),
            seed=seed,
        )
        for one in configs
    ]
    return tuple(Task(simulate_map, one, (brights,), f"{one.hkl} {label}".strip()) for one in counts)


def _bright_config(told: Simulate, film: FilmConfig, hkl: models.Hkl) -> models.BrightConfig:
    return models.BrightConfig(
        film=film,
        hkl=hkl,
        axis_period=told.texture.period,
        orders=told.orders,
        voxels=told.voxels,
        disorder=_disorder(told),
        instrument=_instrument(told),
        film_gap=told.film_gap,
        seed=told.seed,
    )


def _truth(told: Simulate, film: FilmConfig, motif: Task, temperature: float) -> Task:
    config = models.TruthConfig(
        film=film,
        film_gap=told.film_gap,
        disorder=told.disorder if told.cumulative else 0.0,
        temperature=_known(temperature),
    )
    return Task(simulate_truth, config, (motif,), _label(temperature))


def _disorder(told: Simulate) -> models.Disorder:
    cumulative, jitter = (told.disorder, 0.0) if told.cumulative else (0.0, told.disorder)
    return models.Disorder(cumulative, jitter, told.coherence, "gaussian", told.places)


def _instrument(told: Simulate) -> models.Instrument:
    return models.Instrument(
        energy_kev=told.energy,
        resolution=told.resolution,
        stop=told.beam_stop,
        background=told.background,
        diffuse=told.diffuse,
        drift=told.drift,
        gap=told.gap,
        dead=told.dead,
    )


def _known(temperature: float) -> float | None:
    return None if math.isnan(temperature) else temperature


def _label(temperature: float) -> str:
    return "" if math.isnan(temperature) else f"{temperature:g} K"
