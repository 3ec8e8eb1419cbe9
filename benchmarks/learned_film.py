"""Does the learned prior of films help? Its starts against random ones on films of the benchmark suite.

Success is a displacement within 0.3 of the truth (nrmse over its components, shift along x removed); "best" is the share of
starts that reach the lowest cost found by either kind, to 10 %; "s best" is processor time for each such start. "vague": the
prior expects too large an error of itself, and a run would take random starts only; its starts are shown all the same.

Run: .venv/bin/python benchmarks/learned_film.py FOLDER [starts] [weights]
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from nanotexture.data import locate
from nanotexture.engine.cluster import ClusterSettings, connect
from nanotexture.engine.progress import Silent
from nanotexture.engine.run import run
from nanotexture.engine.store import ArtefactStore
from nanotexture.phasing.alignment import align
from nanotexture.phasing.motif import MotifSolutions
from nanotexture.plan import plan_recipe
from nanotexture.priors.film_weights import FilmPrior, load_film_prior
from nanotexture.recipe import read_recipe
from nanotexture.simulate.score import on_grid
from nanotexture.simulate.suite import Case, films, measure, motif_of
from nanotexture.simulate.suite_files import write_case
from nanotexture.stages.film_starts import Learned, learned_starts
from nanotexture.stages.invert import pilot_modes
from nanotexture.stages.models import PilotConfig
from nanotexture.stages.motif_data import motif_data
from nanotexture.stages.motif_setup import MotifData
from nanotexture.stages.motif_solve import ModeNumbers, is_learned, solve_starts

FILMS = ("smooth_elastic", "smooth_polar", "smooth_mixed", "laminate_13", "laminate_25", "a_c_60")
COUNTS, DISORDER = (1e5, 1e6), 0.06
THREE = {
    False: (1, 2, 4),
    True: (1, 3, 4),
}  # of six, of perovskites and of laminates: 002 003 103, 006 206 -206
SUCCESS, ALIKE, SEED = 0.3, 1.1, 7


@dataclass(frozen=True)
class Problem:
    """A prepared case: what is fitted, with how many modes, and the true displacement (2, x, planes) at heights z."""

    data: MotifData
    modes: ModeNumbers
    truth: np.ndarray
    z: np.ndarray


@dataclass(frozen=True)
class Tried:
    """Starts of one kind: cost and nrmse of the displacement (start,), steps and seconds of processor time of each."""

    cost: np.ndarray
    nrmse: np.ndarray
    steps: float
    seconds: float


def prepared(case: Case, folder: Path, few: bool) -> Problem:
    """A case of the suite with all or three of its reflections, its maps kept in a folder."""
    place = folder / case.name
    if not (place / "truth.npz").exists():
        motif = motif_of(case.film)
        write_case(case, folder, motif=motif, measured=measure(case, motif=motif))
    recipe = read_recipe(place / "recipe.toml")
    tasks, store = plan_recipe(recipe, place / "recipe.toml"), ArtefactStore(folder / "artefacts")
    wanted = (tasks.series[0].orders, tasks.reference)
    with connect(ClusterSettings(cluster="none")) as connection:
        run(wanted, store, connection, Silent())
    orders, reference = (store.get(task.name) for task in wanted)
    if few:
        orders = orders.isel(reflection=list(THREE[case.film.name.startswith("laminate")]))
    polar, strain = recipe.texture.polarization, recipe.invert.strain
    data = motif_data(orders, reference, tasks.film, polar)
    told = PilotConfig(film=tasks.film, harmonics=None, polynomials=None, starts=1, seed=0, strain=strain)
    true = np.load(place / "truth.npz")
    return Problem(data, pilot_modes(data, told), true["displacement"][[0, 2], :, 0], true["z"])


def nrmse(problem: Problem, found: MotifSolutions) -> np.ndarray:
    """Of the displacement of each start, both components against one size."""
    data = problem.data
    fields = data.on_planes(found.fields[:, : len(data.axes)])
    x, z = np.arange(fields.shape[2]) / fields.shape[2], data.stack.heights
    points = np.arange(problem.truth.shape[1]) / problem.truth.shape[1]
    true = on_grid(truth=problem.truth, plane=[points], z=problem.z, new_plane=[x], new_z=z)
    along = np.einsum("fc,cxz->fxz", data.axes, true)
    size = np.full(len(along), along.std())
    return align(fields, along, allow_inversion=False, constant=True, scale=size).nrmse


def tried(problem: Problem, numbers: list[int], learned: Learned | None) -> Tried:
    begun = time.process_time()
    found = solve_starts(problem.data, problem.modes, [(SEED, n) for n in numbers], learned).solutions
    spent = (time.process_time() - begun) / len(numbers)
    steps = torch.cat([one.iterations for one in found]).double().mean()
    cost = torch.cat([one.cost for one in found]).numpy()
    return Tried(cost, np.concatenate([nrmse(problem, one) for one in found]), float(steps), spent)


def row(case: Case, folder: Path, prior: FilmPrior, starts: int, few: bool) -> str:
    problem = prepared(case, folder, few)
    random = tried(problem, list(range(starts)), None)
    begun = time.process_time()
    learned = learned_starts(prior.network, problem.data, seed=0)
    asked = time.process_time() - begun
    taught = tried(problem, [n for n in range(2 * starts) if is_learned(n)], learned)
    lowest = min(random.cost.min(), taught.cost.min())
    words = f"{case.film.name:>15} {case.peak_counts:.0e} {'3' if few else '6'} {learned.expected:5.2f}"
    words += f" {'vague' if learned.expected > prior.vague else 'used':>5} {learned.cost[0]:6.2f}"
    for one in (random, taught):
        best = float(np.mean(one.cost <= ALIKE * lowest))
        until = one.seconds / best if best else float("inf")
        words += (
            f" | {np.mean(one.nrmse < SUCCESS):7.2f} {best:5.2f} {one.steps:5.0f} {one.seconds:6.2f} {until:6.2f} "
            f"{one.nrmse[one.cost.argmin()]:6.3f}"
        )
    return f"{words} | {asked:5.2f}\n"


def main() -> None:
    torch.set_num_threads(1)
    told = dict(enumerate(sys.argv[1:]))
    folder, starts = Path(told.get(0, "runs/learned_film")), int(told.get(1, 16))
    prior = load_film_prior(Path(told[2]) if 2 in told else locate("film_prior")[0])
    head = " | success  best steps  s each s best  nrmse"
    sys.stdout.write(f"{'film':>15} counts reflections, expected error, first cost{head}{head} | s asked\n")
    known = {film.name: film for film in films()}
    for few in (False, True):
        for counts in COUNTS:
            for name in FILMS:
                sys.stdout.write(row(Case(known[name], counts, DISORDER), folder, prior, starts, few))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
