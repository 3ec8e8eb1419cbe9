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

FEWEST_PLANES, MOST_PLANES = 3, 10_000  # strain needs neighbours; more overrun memory
FEWEST_CELLS = 4  # of one period
MOST_STRAIN = (
    1.25  # ratio of a lattice parameter told and the material's own: beyond, one of them is a mistake
)
HC = 12.39842  # keV angstrom
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
    _refuse_film(film, path)
    for name, period in (("period", told.texture.period), ("period_y", told.period_y)):
        if period is not None:
            _refuse_period(film, name, period, path)
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
        for hkl in told.hkl:
            _refuse_unreachable(hkl, film, told.energy)
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
        axis_period_y=told.period_y,
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


def _refuse_film(film: FilmConfig, path: Path) -> None:
    """UserError where a film has no thickness, no planes or too many, or a lattice that its materials cannot have."""
    if film.layers[0].cells is None and film.thickness is None:
        raise UserError(f"{path}: film.thickness: expected, since a simulated film has one, found nothing")
    for layer in film.layers:
        name, (a, _, c) = layer.material.name, layer.material.lattice
        _refuse_strained(f"{path}: film.in_plane", film.in_plane, a, name)
        _refuse_strained(f"{path}: film: c of {name}", layer.c or c, c, name)
    planes = film.repeat * sum(
        layer.cells or round((film.thickness or 0.0) / film.c_guess) for layer in film.layers
    )
    if not FEWEST_PLANES <= planes <= MOST_PLANES:
        where = "thickness" if film.layers[0].cells is None else "stack"
        low, high = (n * film.c_guess for n in (FEWEST_PLANES, MOST_PLANES))
        raise UserError(
            f"{path}: film.{where}: expected {FEWEST_PLANES} to {MOST_PLANES} planes of cells, {low:.4g} to {high:.4g} "
            f"angstrom, found {planes}"
        )


def _refuse_period(film: FilmConfig, name: str, period: float, path: Path) -> None:
    if period < FEWEST_CELLS * film.in_plane:
        raise UserError(
            f"{path}: simulate.texture.{name}: expected {FEWEST_CELLS * film.in_plane:.4g} angstrom or more, "
            f"{FEWEST_CELLS} cells, found {period:g}"
        )


def _refuse_strained(where: str, told: float, own: float, name: str) -> None:
    if not own / MOST_STRAIN <= told <= own * MOST_STRAIN:
        raise UserError(
            f"{where}: expected {own / MOST_STRAIN:.3g} to {own * MOST_STRAIN:.3g} angstrom, as {name} has {own:g}, "
            f"found {told:g}"
        )


def _refuse_unreachable(hkl: models.Hkl, film: FilmConfig, energy: float) -> None:
    """UserError where |Q| exceeds 4 pi / wavelength: no diffractometer reaches the reflection."""
    mean_c = film.stack(c=film.c_guess, thickness=film.thickness or 0.0).mean_c
    spacings = (film.in_plane, film.in_plane, mean_c)
    needed = 0.5 * HC * math.hypot(*(index / d for index, d in zip(hkl, spacings, strict=True)))
    if needed > energy:
        raise UserError(
            f"hkl: expected |Q| up to {4 * math.pi * energy / HC:.4g} 1/angstrom, which {energy:g} keV reaches, "
            f"found {list(hkl)}: it needs {needed:.4g} keV"
        )
