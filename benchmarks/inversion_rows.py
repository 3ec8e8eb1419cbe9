"""One case of the suite inverted by the whole pipeline and scored: a row of numbers, appended to a file as it is finished."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nanotexture
import numpy as np
from nanotexture.engine.cluster import ClusterSettings
from nanotexture.engine.progress import Silent
from nanotexture.errors import UserError
from nanotexture.runner import prepare_run, run_recipe
from nanotexture.scoring import Scored, open_scored, score_along, score_answer
from nanotexture.simulate.axes import middle
from nanotexture.simulate.counting import Measured
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.suite import Case, measure, motif_of, satellite_visibility
from nanotexture.simulate.suite_files import write_case
from suite import write_truth

SEEN = 5.0  # signal to noise of a satellite that the baseline is given
Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A case and how it is inverted: reflections by file stem (all if none), order 0 masked, changes of the recipe."""

    case: Case
    solver: str
    starts: int
    reflections: tuple[str, ...] = ()
    lost: bool = False
    changes: tuple[str, ...] = ()

    @property
    def key(self) -> Row:
        """What tells one row from another, the code included."""
        return {
            "case": self.case.name,
            "solver": self.solver,
            "starts": self.starts,
            "reflections": list(self.reflections),
            "lost": self.lost,
            "changes": list(self.changes),
            "code": code_digest(),
        }

    @property
    def name(self) -> str:
        """Folder of its result."""
        told = json.dumps({k: v for k, v in self.key.items() if k != "code"}, sort_keys=True)
        return f"{self.case.name}_{self.solver}_{hashlib.sha256(told.encode()).hexdigest()[:8]}"


@dataclass
class Rows:
    """Rows in a JSON-lines file; one that is there already is not computed again."""

    folder: Path
    workers: int
    known: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read what an earlier bench left; half a line at the end, of a bench that was killed, is left out."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.file.is_file():
            self.known = [row for line in self.file.read_text().splitlines() for row in _parsed(line)]

    @property
    def file(self) -> Path:
        """Where the rows are kept."""
        return self.folder / "rows.jsonl"

    def row(self, job: Job) -> Row:
        """The row of a job, found or computed."""
        for one in self.known:
            if all(one.get(name) == value for name, value in job.key.items()):
                return one
        found = job.key | compute(job, self.folder, self.workers)
        self.known.append(found)
        with self.file.open("a") as stream:
            stream.write(json.dumps(found) + "\n")
        return found


def _parsed(line: str) -> list[Row]:
    try:
        return [json.loads(line)]
    except json.JSONDecodeError:
        return []


def code_digest() -> str:
    """Digest of the package's source: rows of another code are not taken for those of this one."""
    root = Path(nanotexture.__file__).parent
    every = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        every.update(path.read_bytes())
    return every.hexdigest()[:12]


def compute(job: Job, folder: Path, workers: int) -> Row:
    """Numbers of one run, or `error` where the pipeline refuses its input."""
    place = written(job.case, folder / "cases", job.lost)
    recipe, changes = place / "recipe.toml", _changes(job)
    try:
        settings = ClusterSettings(cluster="local" if workers else "none", workers=workers or None)
        done = run_recipe(recipe, folder / "runs", changes, settings, Silent())
    except UserError as error:
        return {"error": str(error)}
    answer, truth = open_scored(done.result), open_scored(place / "truth.zarr")
    return {
        **numbers(answer, truth, place),
        **seconds(recipe, folder / "runs", changes),
        "wall": done.seconds,
    }


def _changes(job: Job) -> tuple[str, ...]:
    files = (
        [f"input.files={json.dumps([f'{one}.nxs' for one in job.reflections])}"] if job.reflections else []
    )
    polar = ["texture.polarization=false"] if job.solver == "window" else []
    told = (f"name={job.name!r}", f"invert.solver={job.solver!r}", f"invert.starts={job.starts}")
    return (*told, *files, *polar, *job.changes)


def written(case: Case, folder: Path, lost: bool, motif: Motif | None = None) -> Path:
    """Folder of the case's maps, truth and recipe, written if it is not there; `lost`: order 0 masked in all maps.

    motif: the truth where it does not follow from the film's texture alone.
    """
    place = folder / ("lost" if lost else "all")
    if (place / case.name / "truth.zarr").is_dir():
        return place / case.name
    motif = motif or motif_of(case.film)
    measured = measure(case, motif=motif)
    period = motif.periods[0]
    if lost:
        measured = tuple(_without_order_0(one, case, period) for one in measured)
    files = write_case(case, place, motif=motif, measured=measured)
    pair = baseline_pair(case, measured, period)
    (place / case.name / "pair.json").write_text(json.dumps(pair))
    write_truth(case, motif, files.truth.with_suffix(".zarr"))
    return place / case.name


def _without_order_0(one: Measured, case: Case, period: float) -> Measured:
    away = np.abs(one.axes.qx - middle(one.hkl[0], case.film.stack.in_plane)) * period / (2 * np.pi)
    return replace(one, mask=np.where((away < 0.5)[:, None], 1, one.mask).astype(one.mask.dtype))


def direction(case: Case, hkl: Sequence[int]) -> np.ndarray:
    """Unit vector (x, z) of Q."""
    q = np.array([hkl[0] / case.film.stack.in_plane, hkl[2] / case.film.stack.mean_c])
    return q / np.linalg.norm(q)


def sine(one: np.ndarray, other: np.ndarray) -> float:
    """Of the angle between two unit vectors, without sign."""
    return abs(float(one[0] * other[1] - one[1] * other[0]))


def baseline_pair(case: Case, measured: Sequence[Measured], period: float) -> list[dict[str, Any]]:
    """The two reflections that the baseline is given: the clearest satellites, and the direction farthest from it.

    Of even l alone, which polarization hardly moves: at odd l the baseline would take it for displacement. Of those whose
    satellites stand out, since a map without satellites has nothing to phase.
    """
    seen = [
        max(
            satellite_visibility(one, in_plane=case.film.stack.in_plane, period=period, order=n)[1]
            for n in (1, 2)
        )
        for one in measured
    ]
    even = [i for i, one in enumerate(measured) if one.hkl[2] % 2 == 0 and seen[i] > SEEN] or [
        int(np.argmax(seen))
    ]
    first = max(even, key=lambda i: seen[i])
    units = [direction(case, one.hkl) for one in measured]
    second = max(even, key=lambda i: (round(sine(units[i], units[first]), 6), seen[i]))
    return [{"hkl": list(measured[i].hkl), "q": units[i].tolist()} for i in dict.fromkeys((first, second))]


def numbers(answer: Scored, truth: Scored, place: Path) -> Row:
    """Scores, costs and, for each reflection of the baseline, rms error and size of the displacement along its Q."""
    one = score_answer(answer, truth).isel(temperature=0)
    texture = answer.texture.isel(temperature=0)
    along = {}
    for told in json.loads((place / "pair.json").read_text()):
        found = score_along(texture, truth.texture.isel(temperature=0), np.array(told["q"]))
        size = float(found.truth.std())
        along[str(told["hkl"])] = [float(found.nrmse[0]) * size, size]
    names = ("nrmse", "coverage", "polarization_nrmse", "polarization_coverage")
    return {
        **{name: one[name].values.tolist() for name in names},
        **{
            name: float(one[name])
            for name in ("period_error", "thickness_error", "success_rate", "wall_error")
        },
        "along": along,
        "chi2": float(texture["cost"]),
        "free_chi2": float(texture["free_cost"]),
        "inversion": str(answer.texture.attrs["inversion"]),
    }


def seconds(recipe: Path, out: Path, changes: tuple[str, ...]) -> Row:
    """Seconds of the run's tasks together, and of the starts alone, however often the run was interrupted."""
    ready = prepare_run(recipe, out, changes)
    spent = [(task.stage.name, ready.store.manifest(task.name).seconds) for task in ready.plan.tasks]
    starts = sum(value for name, value in spent if name in ("invert", "window"))
    return {"seconds": sum(value for _, value in spent), "seconds_of_starts": starts}
