"""A recipe as tasks: this module wires stages together and holds no physics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nanotexture.engine.task import Source, Task
from nanotexture.errors import InputError, UserError
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.materials import Material, built_in, from_mapping
from nanotexture.inputs import resolve
from nanotexture.plan_simulation import simulated_maps, simulated_truths
from nanotexture.readers import read_map_header, read_scan
from nanotexture.recipe import Film, Recipe
from nanotexture.stages import models
from nanotexture.stages.combs import combs
from nanotexture.stages.consensus import group
from nanotexture.stages.convert import align, convert, load, scan_thickness
from nanotexture.stages.domains import domains
from nanotexture.stages.energy import energy
from nanotexture.stages.invert import better_pilot, choose, invert, pilot, trial, warm
from nanotexture.stages.leave_out import leave_out, settle
from nanotexture.stages.map_fit import map_fit
from nanotexture.stages.prepare import prepare
from nanotexture.stages.reference import reference
from nanotexture.stages.resize import resize
from nanotexture.stages.series import series
from nanotexture.stages.texture import texture
from nanotexture.stages.window import window

# harmonics beyond those seen in the data, and whether with fewer polynomials than the fringes allow
TRIAL_MODES = ((0, True), (1, True), (1, False), (2, True), (2, False))
PILOT_STARTS, TRIAL_FOLDS = 6, 3
FEWEST_TO_LEAVE_OUT = 3  # reflections
STACK_OFF = 0.03  # relative: a stack's c are nominal
BATCHES = 400  # more tasks than this cost more in scheduling than they gain in balance

Key = tuple[str, float]  # reflection, temperature


@dataclass(frozen=True)
class TemperaturePlan:
    """Tasks of one temperature."""

    temperature: float
    maps: tuple[Task, ...]
    orders: Task
    clusters: Task
    texture: Task
    choice: Task
    left_out: tuple[Task, ...] = ()
    truth: Task | None = None


@dataclass(frozen=True)
class RunPlan:
    """All tasks of a recipe and the files they read."""

    film: FilmConfig
    files: tuple[Path, ...]
    series: tuple[TemperaturePlan, ...]
    reference: Task
    alignment: Task | None
    thickness_scans: dict[str, Task]
    domains: Task
    energy: Task
    trend: Task

    @property
    def simulated(self) -> tuple[Task, ...]:
        """Tasks that a simulated measurement and its truth are made of; none where files were measured."""
        return tuple(task for one in self.series if one.truth is not None for task in (*one.maps, one.truth))

    @property
    def wanted(self) -> tuple[Task, ...]:
        """Tasks whose artefacts the result is made of."""
        found: list[Task] = [self.reference, self.domains, self.energy, self.trend]
        for one in self.series:
            found += [*one.maps, one.orders, one.choice, one.clusters, one.texture, *one.left_out]
            found += [one.truth] if one.truth is not None else []
        found += [self.alignment] if self.alignment is not None else []
        return tuple(found + list(self.thickness_scans.values()))


def plan_recipe(recipe: Recipe, path: Path) -> RunPlan:
    """Tasks of a recipe; reads headers and checksums, computes nothing; UserError says what is wrong with an input."""
    film = film_config(recipe.film, path)
    files, alignment, maps = _measured(recipe, film, path)
    orders = {t: _prepare(recipe, film, tasks, t) for t, tasks in maps.items()}
    shared = Task(reference, models.ReferenceConfig(film=film), (tuple(orders.values()),))
    # one reflection alone lets the texture make up for a wrong number of planes
    several = min(len(tasks) for tasks in maps.values()) > 1
    sized = recipe.invert.solver == "motif" and film.single and film.layers[0].cells is None and several
    pilots = {t: _pilots(recipe, film, orders[t], shared, sized, f"{t:g} K") for t in orders}
    better = {t: _better(pilots[t], f"{t:g} K") for t in orders}
    if sized:
        modes = _Modes.of(recipe)
        sizes = models.ResizeConfig(
            film=film,
            harmonics=modes.harmonics,
            polynomials=modes.polynomials,
            strain=recipe.invert.strain,
            polarization=recipe.texture.polarization,
        )
        shared = Task(resize, sizes, (tuple(orders.values()), shared, tuple(better[t] for t in orders)))
    every = _together(_temperatures(recipe, film, maps, orders, pilots, shared), shared)
    if recipe.simulate is not None:
        truths = simulated_truths(recipe.simulate, film, path)
        every = tuple(replace(one, truth=truths[one.temperature]) for one in every)
    scans, scan_files = _thickness_scans(recipe, film, path)
    over_all = _over_all(recipe, film, every, shared)
    return RunPlan(film, (*files, *scan_files), every, shared, alignment, scans, *over_all)


def _together(every: tuple[TemperaturePlan, ...], reference: Task) -> tuple[TemperaturePlan, ...]:
    """Answers of several temperatures told of each other: they share one grid and one origin of x."""
    if len(every) == 1:
        return every
    clusters = tuple(one.clusters for one in every)
    return tuple(
        replace(
            one,
            texture=Task(
                texture,
                one.texture.config,
                (one.orders, one.clusters, reference, clusters),
                one.texture.label,
            ),
        )
        for one in every
    )


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


def _measured(
    recipe: Recipe, film: FilmConfig, path: Path
) -> tuple[list[Path], Task | None, dict[float, tuple[Task, ...]]]:
    """Input files, alignment and maps by temperature."""
    if recipe.simulate is not None:
        return [], None, simulated_maps(recipe.simulate, film, path)
    files = resolve(recipe.input.files, path, "input.files")
    if recipe.input.kind == "maps":
        entries = [
            ((str(header.hkl), header.temperature), file)
            for file in files
            for header in [read_map_header(file)]
        ]
        made = {
            key: Task(load, models.LoadConfig(film=film), (Source(file),), file.name)
            for key, file in _distinct(entries)
        }
        return files, None, _by_temperature(made, path)
    return _scans(recipe, film, path, files)


def _scans(
    recipe: Recipe, film: FilmConfig, path: Path, files: list[Path]
) -> tuple[list[Path], Task | None, dict[float, tuple[Task, ...]]]:
    source, alignment = _alignment(recipe, film, path)
    hkls = recipe.input.hkl * len(files) if len(recipe.input.hkl) == 1 else recipe.input.hkl
    if len(hkls) != len(files):
        raise UserError(
            f"{path}: input.hkl: expected one reflection for each of {len(files)} files, found {len(hkls)}"
        )
    temperatures = recipe.input.temperatures or (float("nan"),) * len(files)
    entries = [((str(hkl), t), (file, hkl)) for file, hkl, t in zip(files, hkls, temperatures, strict=True)]
    made = {}
    for (name, t), (file, hkl) in _distinct(entries):
        read_scan(file)  # a file that cannot be read is refused before anything is computed
        config = models.ConvertConfig(
            hkl=hkl,
            temperature=None if np.isnan(t) else t,
            voxel=recipe.input.voxel,
            qx_range=recipe.input.qx_range,
            qz_range=recipe.input.qz_range,
            film=film,
        )
        inputs = (Source(file),) if alignment is None else (Source(file), alignment)
        made[name, t] = Task(convert, config, inputs, file.name)
    return [*files, *source], alignment, _by_temperature(made, path)


def _alignment(recipe: Recipe, film: FilmConfig, path: Path) -> tuple[list[Path], Task | None]:
    told = recipe.input.align
    if told is None:
        return [], None
    if film.substrate is None:
        raise UserError(
            f"{path}: film.substrate: expected, since input.align takes the offsets from its peak"
        )
    files = resolve([told.file], path, "input.align.file")
    in_plane = film.substrate.material.lattice[0]
    config = models.AlignConfig(hkl=told.hkl, a=in_plane, c=film.substrate.c)
    return files, Task(align, config, (Source(files[0]),), files[0].name)


def _thickness_scans(recipe: Recipe, film: FilmConfig, path: Path) -> tuple[dict[str, Task], list[Path]]:
    told = recipe.input.thickness_scan
    if told is None:
        return {}, []
    if not film.single:
        raise UserError(f"{path}: input.thickness_scan: expected only with a film of one material")
    file = resolve([told.file], path, "input.thickness_scan.file")[0]
    config = models.ThicknessScanConfig(hkl=told.hkl, film=film)
    name = "".join(str(n) for n in told.hkl)
    return {name: Task(scan_thickness, config, (Source(file),), file.name)}, [file]


def _distinct(entries: list[tuple[Key, Any]]) -> Iterator[tuple[Key, Any]]:
    """The entries, refused if two files hold one reflection at one temperature."""
    seen: dict[tuple[str, str], Any] = {}
    for (name, temperature), value in entries:
        mark = name, f"{temperature:g}"
        if mark in seen:
            file = value[0] if isinstance(value, tuple) else value
            raise InputError(
                file,
                "hkl and temperature",
                "each reflection once at each temperature",
                f"{name} at {mark[1]} K again",
            )
        seen[mark] = value
        yield (name, temperature), value


def _by_temperature(made: dict[Key, Task], path: Path) -> dict[float, tuple[Task, ...]]:
    """Maps of each temperature in rising order; every temperature must have the same reflections."""
    found: dict[float, dict[str, Task]] = {}
    for (name, temperature), task in made.items():
        same = next(
            (t for t in found if t == temperature or (np.isnan(t) and np.isnan(temperature))), temperature
        )
        found.setdefault(same, {})[name] = task
    every = sorted({name for tasks in found.values() for name in tasks})
    for temperature, tasks in found.items():
        if lacking := [name for name in every if name not in tasks]:
            raise UserError(
                f"{path}: input.files: expected reflection {lacking[0]} at {temperature:g} K as at the others, found none"
            )
    return {t: tuple(found[t][name] for name in every) for t in sorted(found)}


def _prepare(recipe: Recipe, film: FilmConfig, maps: tuple[Task, ...], temperature: float) -> Task:
    period = None if recipe.texture.period == "auto" else recipe.texture.period
    label = f"{temperature:g} K"
    found = Task(combs, models.CombsConfig(film=film, period=period), (maps,), label)
    fits = tuple(Task(map_fit, models.MapFitConfig(film=film), (one, found), one.label) for one in maps)
    config = models.PrepareConfig(film=film, period=period, seed=recipe.invert.seed)
    return Task(prepare, config, (maps, found, fits), label)


_Neighbours = tuple[tuple[Task, ...], tuple[Task, ...]]  # solutions of the nearest temperatures


@dataclass(frozen=True)
class _Cold:
    """Random starts of one temperature."""

    temperature: float
    label: str
    maps: tuple[Task, ...]
    orders: Task
    choice: Task
    solutions: tuple[Task, ...]


def _temperatures(
    recipe: Recipe,
    film: FilmConfig,
    maps: dict[float, tuple[Task, ...]],
    orders: dict[float, Task],
    pilots: dict[float, tuple[Task, ...]],
    shared: Task,
) -> tuple[TemperaturePlan, ...]:
    """Every temperature in rising order: cold starts of each, then warm ones from its neighbours."""
    cold = [_cold(recipe, film, t, maps[t], orders[t], pilots[t], shared) for t in sorted(orders)]
    return tuple(_answer(recipe, film, one, _neighbours(cold, i), shared) for i, one in enumerate(cold))


def _neighbours(cold: list[_Cold], i: int) -> _Neighbours:
    """Solutions of the two temperatures next to one, on either side of it or, at the ends, on one."""
    others = sorted((j for j in range(len(cold)) if j != i), key=lambda j: abs(j - i))[:2]
    first, second = ([cold[j].solutions for j in others] + [(), ()])[:2]
    return first, second


def _cold(
    recipe: Recipe,
    film: FilmConfig,
    temperature: float,
    maps: tuple[Task, ...],
    orders: Task,
    pilots: tuple[Task, ...],
    shared: Task,
) -> _Cold:
    told, label = recipe.invert, f"{temperature:g} K"
    trials = _trials(recipe, film, orders, _better(pilots, label), shared, label)
    choice = Task(choose, models.ChooseConfig(), (trials, pilots), label)
    batches = _batches(told.starts, told.batch)
    if told.solver == "motif":
        solutions = tuple(
            Task(
                invert,
                models.InvertConfig(
                    film=film,
                    starts=b,
                    seed=told.seed,
                    strain=told.strain,
                    polarization=recipe.texture.polarization,
                ),
                (orders, shared, choice),
                label,
            )
            for b in batches
        )
    else:
        solutions = tuple(
            Task(
                window,
                models.WindowConfig(film=film, starts=b, seed=told.seed, hkl=told.reflection),
                (maps, orders, shared),
                label,
            )
            for b in batches
        )
    return _Cold(temperature, label, maps, orders, choice, solutions)


def _answer(
    recipe: Recipe, film: FilmConfig, cold: _Cold, near: _Neighbours, shared: Task
) -> TemperaturePlan:
    """Clusters and texture of one temperature, from its own starts and from the motifs of its neighbours."""
    told = recipe.invert
    motif = told.solver == "motif"
    solutions = cold.solutions
    if motif and any(near):
        config = models.InvertConfig(
            film=film,
            starts=(told.starts, told.starts + 1),
            seed=told.seed,
            strain=told.strain,
            polarization=recipe.texture.polarization,
        )
        inputs = (cold.orders, shared, cold.choice, *near)
        solutions = (*solutions, Task(warm, config, inputs, cold.label))
    polar = recipe.texture.polarization and motif
    settings = models.ConsensusConfig(film=film, solver=told.solver, strain=told.strain, polarization=polar)
    clusters = Task(group, settings, (cold.orders, shared, cold.choice, solutions), cold.label)
    asked = models.TextureConfig(polar_film=film if polar and film.polar else None)
    answer = Task(texture, asked, (cold.orders, clusters, shared), cold.label)
    left = _left_out(recipe, film, cold, clusters, shared) if motif else ()
    return TemperaturePlan(cold.temperature, cold.maps, cold.orders, clusters, answer, cold.choice, left)


def _left_out(
    recipe: Recipe, film: FilmConfig, cold: _Cold, clusters: Task, shared: Task
) -> tuple[Task, ...]:
    """Every reflection predicted by the others, where enough of them are left."""
    if len(cold.maps) < FEWEST_TO_LEAVE_OUT:
        return ()
    polar, strain = recipe.texture.polarization, recipe.invert.strain
    configs = [
        models.LeaveOutConfig(film=film, strain=strain, polarization=polar, left=r)
        for r in range(len(cold.maps))
    ]
    settled = Task(
        settle,
        models.SettleConfig(film=film, strain=strain, polarization=polar),
        (cold.orders, shared, cold.choice, clusters),
        cold.label,
    )
    inputs = (cold.orders, shared, cold.choice, settled)
    return tuple(Task(leave_out, config, inputs, cold.label) for config in configs)


@dataclass(frozen=True)
class _Modes:
    """Numbers of harmonics and polynomials that the recipe says; None: the data say."""

    harmonics: int | None
    polynomials: int | None

    @classmethod
    def of(cls, recipe: Recipe) -> _Modes:
        """Those of a recipe; `window` has no modes to choose: one trial, for the table in the result."""
        told = recipe.invert
        harmonics = None if told.harmonics == "auto" else told.harmonics
        polynomials = None if told.polynomials == "auto" else told.polynomials
        if told.solver == "window":
            return cls(harmonics or 1, polynomials or 2)
        return cls(harmonics, polynomials)

    @property
    def single(self) -> bool:
        """Whether there is nothing to choose."""
        return self.harmonics is not None and self.polynomials is not None


def _better(pilots: tuple[Task, ...], label: str) -> Task:
    return pilots[0] if len(pilots) == 1 else Task(better_pilot, models.BetterPilotConfig(), (pilots,), label)


def _pilots(
    recipe: Recipe, film: FilmConfig, orders: Task, shared: Task, sized: bool, label: str
) -> tuple[Task, ...]:
    """A few starts, one where neither the number of modes nor that of planes is to be chosen from them.

    Each way in which displacement and polarization may be tied has its own, and the data choose.
    """
    told, modes = recipe.invert, _Modes.of(recipe)
    window = told.solver == "window"
    needed = not window and (sized or not modes.single)
    config = models.PilotConfig(
        film=film,
        harmonics=modes.harmonics,
        polynomials=modes.polynomials,
        starts=PILOT_STARTS if needed else 1,
        seed=told.seed,
        strain=told.strain,
        polarization=recipe.texture.polarization and not window,
    )
    ties = _ties(film) if config.polarization else (models.Tie.NONE,)
    return tuple(Task(pilot, config.model_copy(update={"tie": tie}), (orders, shared), label) for tie in ties)


def _ties(film: FilmConfig) -> tuple[models.Tie, ...]:
    """What may tie displacement and polarization; reflections of a superlattice never find both without."""
    if not film.elastic:
        return (models.Tie.NONE,)
    if film.repeat == 1:
        return (models.Tie.NONE, models.Tie.LAYERS)
    return (models.Tie.LAYERS, models.Tie.MEAN)


def _trials(
    recipe: Recipe, film: FilmConfig, orders: Task, first: Task, shared: Task, label: str
) -> tuple[Task, ...]:
    told, modes = recipe.invert, _Modes.of(recipe)
    tried = [(k if modes.harmonics is None else 0, modes.polynomials is None and m) for k, m in TRIAL_MODES]
    configs = [
        models.TrialConfig(
            film=film,
            harmonics=modes.harmonics,
            polynomials=modes.polynomials,
            more_harmonics=k,
            fewer_polynomials=m,
            folds=1 if modes.single else TRIAL_FOLDS,
            seed=told.seed,
            strain=told.strain,
            polarization=recipe.texture.polarization and told.solver == "motif",
        )
        for k, m in dict.fromkeys(tried)
    ]
    return tuple(Task(trial, config, (orders, shared, first), label) for config in configs)


def _batches(starts: int, size: int) -> list[tuple[int, ...]]:
    """Numbers of the starts in batches fixed by the recipe alone, so that workers do not change a result."""
    size = max(size, -(-starts // BATCHES))
    return [tuple(range(i, min(i + size, starts))) for i in range(0, starts, size)]
