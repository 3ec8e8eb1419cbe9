"""A recipe as tasks: this module wires stages together and holds no physics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nanotexture.engine.task import Task
from nanotexture.errors import UserError
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.materials import Material, built_in, from_mapping
from nanotexture.map_task import MapTask
from nanotexture.plan_input import measured, thickness_scans
from nanotexture.plan_prior import denoiser_weights, film_weights, guesses_of
from nanotexture.plan_simulation import simulated_truths
from nanotexture.plan_temperature import (
    TemperaturePlan,
    ToldModes,
    better_of,
    orders_of,
    pilots_of,
    temperatures_of,
    together,
)
from nanotexture.recipe import Film, Recipe
from nanotexture.stages import models
from nanotexture.stages.domains import domains
from nanotexture.stages.energy import energy
from nanotexture.stages.reference import reference
from nanotexture.stages.resize import resize
from nanotexture.stages.series import series

STACK_OFF = 0.03  # relative: a stack's c are nominal


@dataclass(frozen=True)
class RunPlan:
    """All tasks of a recipe and the files they read; frames: the maps made of frames."""

    film: FilmConfig
    files: tuple[Path, ...]
    series: tuple[TemperaturePlan, ...]
    reference: Task
    alignment: Task | None
    thickness_scans: dict[str, Task]
    domains: Task
    energy: Task
    trend: Task
    frames: tuple[MapTask, ...] = ()

    @property
    def simulated(self) -> tuple[Task, ...]:
        """Tasks that a simulated measurement and its truth are made of; none where files were measured."""
        return tuple(task for one in self.series if one.truth is not None for task in (*one.maps, one.truth))

    @property
    def wanted(self) -> tuple[Task, ...]:
        """Tasks whose artefacts the result is made of."""
        found: list[Task] = [self.reference, self.domains, self.energy, self.trend]
        for one in self.series:
            found += [*one.maps, one.orders, one.choice, one.clusters, one.texture, *one.left_out, *one.guess]
            found += [task for task in (one.truth, one.denoised) if task is not None]
        found += [self.alignment] if self.alignment is not None else []
        return tuple(found + list(self.thickness_scans.values()))


def plan_recipe(recipe: Recipe, path: Path) -> RunPlan:
    """Tasks of a recipe; reads headers and checksums, computes nothing; UserError says what is wrong with an input."""
    film = film_config(recipe.film, path)
    found = measured(recipe, film, path)
    maps = found.maps
    orders = {t: orders_of(recipe, film, tasks, t) for t, tasks in maps.items()}
    shared = Task(reference, models.ReferenceConfig(film=film), (tuple(orders.values()),))
    # one reflection alone lets the texture make up for a wrong number of planes
    several = min(len(tasks) for tasks in maps.values()) > 1
    sized = recipe.invert.solver == "motif" and film.single and film.layers[0].cells is None and several
    weights = film_weights(recipe, film, path)
    first = guesses_of(recipe, film, orders, shared, weights)
    pilots = {t: pilots_of(recipe, film, orders[t], shared, sized, f"{t:g} K", first[t]) for t in orders}
    better = {t: better_of(pilots[t], f"{t:g} K") for t in orders}
    if sized:
        modes = ToldModes.of(recipe)
        sizes = models.ResizeConfig(
            film=film,
            harmonics=modes.harmonics,
            polynomials=modes.polynomials,
            strain=recipe.invert.strain,
            polarization=recipe.texture.polarization,
        )
        shared = Task(resize, sizes, (tuple(orders.values()), shared, tuple(better[t] for t in orders)))
    guesses = guesses_of(recipe, film, orders, shared, weights) if sized else first
    denoiser = denoiser_weights(recipe, path)
    plans = temperatures_of(recipe, film, maps, orders, pilots, shared, guesses, denoiser)
    every = together(plans, shared)
    if recipe.simulate is not None:
        truths = simulated_truths(recipe.simulate, film, path)
        every = tuple(replace(one, truth=truths[one.temperature]) for one in every)
    scans, scan_files = thickness_scans(recipe, film, path)
    over_all = _over_all(recipe, film, every, shared)
    files = (*found.files, *scan_files, *weights, *denoiser)
    return RunPlan(film, files, every, shared, found.alignment, scans, *over_all, found.frames)


def _over_all(
    recipe: Recipe, film: FilmConfig, every: tuple[TemperaturePlan, ...], shared: Task
) -> tuple[Task, Task, Task]:
    """Domains, energies and series of all temperatures."""
    seed = recipe.invert.seed
    textures, orders = tuple(one.texture for one in every), tuple(one.orders for one in every)
    found = Task(domains, models.DomainsConfig(seed=seed), (textures, shared))
    energies = Task(energy, models.EnergyConfig(film=film, seed=seed), (textures, shared))
    return found, energies, Task(series, models.SeriesConfig(), (orders, textures, shared, found))


def film_config(film: Film, path: Path) -> FilmConfig:
    """Film of a recipe with its materials looked up; UserError names recipe and field."""
    try:
        layers: tuple[LayerConfig, ...] = tuple(
            LayerConfig(material=_material(layer.material, f"film.stack[{i}]"), cells=layer.cells, c=layer.c)
            for i, layer in enumerate(film.stack)
        )
        if film.material is not None:
            layers = (LayerConfig(material=_material(film.material, "film"), cells=None, c=film.c),)
        below = film.substrate
        substrate = (
            None
            if below is None
            else SubstrateConfig(material=_material(below.material, "film.substrate"), c=below.c)
        )
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    found = FilmConfig(
        in_plane=film.in_plane,
        layers=layers,
        repeat=film.repeat,
        thickness=film.thickness,
        substrate=substrate,
    )
    _refuse_thickness(found, path)
    return found


def _refuse_thickness(film: FilmConfig, path: Path) -> None:
    """UserError where thickness and stack say two things, more than a cell and 3 % apart."""
    stacked = film.repeat * sum((layer.cells or 0) * (layer.c or 0.0) for layer in film.layers)
    if film.thickness is not None and stacked > 0:
        apart = abs(film.thickness - stacked)
        if apart > max(film.c_guess, STACK_OFF * stacked):
            raise UserError(
                f"{path}: film.thickness: expected {stacked:.1f} angstrom, the sum of the cells of film.stack, "
                f"found {film.thickness:g} angstrom"
            )


def _material(material: str | dict[str, Any], where: str) -> Material:
    try:
        return (
            built_in(material)
            if isinstance(material, str)
            else from_mapping(str(material.get("name", "inline")), material)
        )
    except UserError as error:
        raise UserError(f"{where}.{error}") from error
