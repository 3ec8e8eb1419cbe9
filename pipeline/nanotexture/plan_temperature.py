"""The tasks of one temperature, from its maps to its answer: this module wires stages together and holds no physics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from nanotexture.engine.task import Source, Task
from nanotexture.film.config import FilmConfig
from nanotexture.recipe import Recipe
from nanotexture.stages import models
from nanotexture.stages.combs import combs
from nanotexture.stages.consensus import group
from nanotexture.stages.denoise import believe, denoise
from nanotexture.stages.directions import directions
from nanotexture.stages.invert import better_pilot, choose, invert, pilot, trial, warm
from nanotexture.stages.leave_out import leave_out, settle
from nanotexture.stages.map_fit import map_fit
from nanotexture.stages.prepare import prepare
from nanotexture.stages.prepare_volume import prepare_volume
from nanotexture.stages.texture import texture
from nanotexture.stages.weigh import weigh
from nanotexture.stages.window import window

# harmonics beyond those seen in the data, and whether with fewer polynomials than the fringes allow
TRIAL_MODES = ((0, True), (1, True), (1, False), (2, True), (2, False))
PILOT_STARTS, TRIAL_FOLDS = 6, 3
FEWEST_TO_LEAVE_OUT = 3  # reflections
BATCHES = 400  # more tasks than this cost more in scheduling than they gain in balance


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
    guess: tuple[Task, ...] = ()
    denoised: Task | None = None


def orders_of(recipe: Recipe, film: FilmConfig, maps: tuple[Task, ...], temperature: float) -> Task:
    """Orders of one temperature: one comb for all maps, then every map for itself, then all together."""
    period = None if recipe.texture.period == "auto" else recipe.texture.period
    label = f"{temperature:g} K"
    config = models.PrepareConfig(film=film, period=period, seed=recipe.invert.seed)
    if recipe.simulates_volumes or any(one.stage is directions for task in maps for one in task.upstream):
        return Task(prepare_volume, config, (maps,), label)
    found = Task(combs, models.CombsConfig(film=film, period=period), (maps,), label)
    fits = tuple(Task(map_fit, models.MapFitConfig(film=film), (one, found), one.label) for one in maps)
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
    guess: tuple[Task, ...]


def temperatures_of(
    recipe: Recipe,
    film: FilmConfig,
    maps: dict[float, tuple[Task, ...]],
    orders: dict[float, Task],
    pilots: dict[float, tuple[Task, ...]],
    shared: Task,
    guesses: dict[float, tuple[Task, ...]],
    denoiser: tuple[Path, ...] = (),
) -> tuple[TemperaturePlan, ...]:
    """Every temperature in rising order: cold starts of each, then warm ones from its neighbours; denoiser: weights, if asked."""
    cold = [_cold(recipe, film, t, maps[t], orders[t], pilots[t], shared, guesses[t]) for t in sorted(orders)]
    return tuple(
        _answer(recipe, film, one, _neighbours(cold, i), shared, denoiser) for i, one in enumerate(cold)
    )


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
    guess: tuple[Task, ...],
) -> _Cold:
    told, label = recipe.invert, f"{temperature:g} K"
    trials = _trials(recipe, film, orders, better_of(pilots, label), shared, label)
    choice = Task(choose, models.ChooseConfig(), (trials, pilots), label)
    batches = _batches(told.starts, told.batch)
    if told.solver == "motif":
        solutions = tuple(
            Task(invert, _starts(recipe, film, b), (orders, shared, choice, *guess), label) for b in batches
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
    return _Cold(temperature, label, maps, orders, choice, solutions, guess)


def _starts(recipe: Recipe, film: FilmConfig, starts: tuple[int, ...]) -> models.InvertConfig:
    """What starts of these numbers are told."""
    told, polar = recipe.invert, recipe.texture.polarization
    return models.InvertConfig(
        film=film, starts=starts, seed=told.seed, strain=told.strain, polarization=polar
    )


def _answer(
    recipe: Recipe,
    film: FilmConfig,
    cold: _Cold,
    near: _Neighbours,
    shared: Task,
    denoiser: tuple[Path, ...],
) -> TemperaturePlan:
    """Clusters and texture of one temperature, from its own starts and from the motifs of its neighbours."""
    told = recipe.invert
    motif = told.solver == "motif"
    solutions = cold.solutions
    if motif and any(near):
        config = _starts(recipe, film, (told.starts, told.starts + 1))
        inputs = (cold.orders, shared, cold.choice, *near)
        solutions = (*solutions, Task(warm, config, inputs, cold.label))
    polar = recipe.texture.polarization and motif
    settings = models.ConsensusConfig(film=film, solver=told.solver, strain=told.strain, polarization=polar)
    clusters = Task(group, settings, (cold.orders, shared, cold.choice, solutions), cold.label)
    if motif and told.widths == "data":
        weighing = models.WeighConfig(film=film, strain=told.strain, polarization=polar)
        clusters = Task(weigh, weighing, (cold.orders, shared, cold.choice, clusters), cold.label)
    left = _left_out(recipe, film, cold, clusters, shared) if motif else ()
    denoised = _denoised(recipe, film, cold, clusters, shared, denoiser) if motif and denoiser else None
    if denoised is not None:
        clusters = Task(believe, models.BelieveConfig(), (clusters, denoised), cold.label)
    asked = models.TextureConfig(polar_film=film if polar and film.polar else None)
    answer = Task(texture, asked, (cold.orders, clusters, shared), cold.label)
    return TemperaturePlan(
        cold.temperature,
        cold.maps,
        cold.orders,
        clusters,
        answer,
        cold.choice,
        left,
        guess=cold.guess,
        denoised=denoised,
    )


def _denoised(
    recipe: Recipe, film: FilmConfig, cold: _Cold, clusters: Task, shared: Task, weights: tuple[Path, ...]
) -> Task:
    """The best motif under the prior over textures."""
    told = recipe.invert
    config = models.DenoiseConfig(
        film=film, strain=told.strain, polarization=recipe.texture.polarization, seed=told.seed
    )
    inputs: tuple[Task | Source, ...] = (cold.orders, shared, cold.choice, clusters)
    inputs += tuple(Source(one) for one in weights)
    return Task(denoise, config, inputs, cold.label)


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
class ToldModes:
    """Numbers of harmonics and polynomials that the recipe says; None: the data say."""

    harmonics: int | None
    polynomials: int | None

    @classmethod
    def of(cls, recipe: Recipe) -> ToldModes:
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


def better_of(pilots: tuple[Task, ...], label: str) -> Task:
    """The pilot that predicts best, of one or several."""
    return pilots[0] if len(pilots) == 1 else Task(better_pilot, models.BetterPilotConfig(), (pilots,), label)


def pilots_of(
    recipe: Recipe,
    film: FilmConfig,
    orders: Task,
    shared: Task,
    sized: bool,
    label: str,
    guess: tuple[Task, ...] = (),
) -> tuple[Task, ...]:
    """A few starts, one where neither the number of modes nor that of planes is to be chosen from them.

    Each way in which displacement and polarization may be tied has its own, and the data choose.
    """
    told, modes = recipe.invert, ToldModes.of(recipe)
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
    tied = config.polarization and not recipe.simulates_volumes
    ties = _ties(film) if tied else (models.Tie.NONE,)
    inputs = (orders, shared, *guess)
    return tuple(Task(pilot, config.model_copy(update={"tie": tie}), inputs, label) for tie in ties)


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
    told, modes = recipe.invert, ToldModes.of(recipe)
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


def together(every: tuple[TemperaturePlan, ...], reference: Task) -> tuple[TemperaturePlan, ...]:
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
