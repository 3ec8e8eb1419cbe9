"""The inversion measured: the benchmark suite through the whole pipeline, by the motif and by the published baseline.

Run: .venv/bin/python benchmarks/inversion.py [--folder DIR: kept, and gone on with] [--films smooth_elastic,laminate_13]
     [--tables films,curves,speed,series] [--starts 32] [--counts 1e6] [--disorder 0.06] [--workers 2] [--set table.key=value]

Tables:
  films   every film at one count and disorder. The number of the baseline: it is given two reflections, one at a time
          (even l, where polarization hardly counts as displacement; the clearest satellites, and the direction of Q
          farthest from it), with period, background and thickness from all of them, and gives the displacement along
          each Q. Error = sqrt(sum of the squared rms errors / sum of the squared rms sizes) over the two; the motif's
          displacement is taken along the same two Q. Shift, constant and, where the answer leaves it open, inversion
          are removed for each Q by itself, which favours the baseline.
  curves  one film of each kind against counts, disorder, number of reflections, and with order 0 masked; a figure in DIR.
  speed   32 starts with six reflections on one and two workers.
  series  12 temperatures x 4 reflections x 32 starts on one and two workers (takes ten minutes and more; not by default).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from inversion_rows import Job, Row, Rows
from inversion_speed import series, speed
from nanotexture.errors import UserError
from nanotexture.simulate.suite import COUNTS, DISORDERS, Case, Film, films

TABLES = ("films", "curves", "speed", "series")
KINDS = ("vortices_16", "closure_50", "a_c_60", "laminate_25", "smooth_polar")
TARGET_U, TARGET_P, TARGET_RATIO = 0.10, 0.20, 3.0
TARGET_PERIOD, TARGET_THICKNESS, TARGET_COVERAGE = 0.5, 1.0, (0.60, 0.76)
HEAD = (
    f"{'film':<16}{'u_x':>6}{'u_z':>6}{'P_x':>6}{'P_z':>6} {'motif':>6}{'window':>8}{'ratio':>7}  "
    f"{'cover u_x':>9}{'u_z':>5}{'P_x':>5}{'P_z':>5} {'chi2':>7}{'free':>7}{'period':>8}{'thick':>7}{'success':>8}"
    f"{'s':>7}{'starts':>7}"
)


def pooled(parts: Sequence[Sequence[float]]) -> float:
    """Error over size of the displacement along several Q together, from (rms error, rms size) of each in angstrom."""
    squares = np.square(np.array(parts, float).reshape(-1, 2)).sum(axis=0)
    return float(np.sqrt(squares[0] / squares[1])) if squares[1] > 0 else float("nan")


def motif_job(case: Case, told: argparse.Namespace, **more: object) -> Job:
    return replace(Job(case, "motif", told.starts, changes=tuple(told.set)), **more)


def compared(rows: Rows, case: Case, told: argparse.Namespace) -> tuple[Row, float, float]:
    """The motif's row, its error along the baseline's Q, and the baseline's."""
    motif = rows.row(motif_job(case, told))
    if "error" in motif:
        return motif, float("nan"), float("nan")
    along = []
    for name in motif["along"]:
        given = (*told.set, f"invert.reflection={name}")
        one = rows.row(Job(case, "window", told.starts, changes=given))
        if "error" not in one:
            along.append(one["along"][name])
    window = pooled(along) if len(along) == len(motif["along"]) else float("nan")
    return motif, pooled(list(motif["along"].values())), window


def table_of_films(rows: Rows, told: argparse.Namespace) -> Iterator[str]:
    """One line for each film, then the medians beside the targets."""
    yield HEAD
    found = []
    for film in chosen(told):
        motif, own, window = compared(rows, Case(film, told.counts, told.disorder), told)
        if "error" in motif:
            yield f"{film.name:<16}refused: {motif['error']}"
            continue
        found.append(motif | {"own": own, "ratio": window / own})
        yield line(film.name, motif, own, window)
    if found:
        yield from medians(found)


def line(name: str, row: Row, own: float, window: float) -> str:
    """Numbers of one film."""
    errors = cells([*row["nrmse"], *row["polarization_nrmse"]], 6)
    cover = cells([*row["coverage"], *row["polarization_coverage"]], 5)
    return (
        f"{name:<16}{errors} {cells([own], 6)}{window:8.3g}{window / own:7.3g}      {cover} "
        f"{row['chi2']:7.3g}{row['free_chi2']:7.3g}{row['period_error']:7.2f}%{row['thickness_error']:6.2f}%"
        f"{row['success_rate']:8.2f}{row['seconds']:7.0f}{row['seconds_of_starts']:7.0f}"
    )


def cells(values: Sequence[float], width: int) -> str:
    return "".join(f"{'-':>{width}}" if not np.isfinite(v) else f"{v:{width}.2f}" for v in values)


def medians(found: Sequence[Row]) -> Iterator[str]:
    """Medians over the films and what they should be."""
    u = np.array([row["nrmse"] for row in found]).ravel()
    p = np.array([row["polarization_nrmse"] for row in found]).ravel()
    covers = [[*row["coverage"], *row["polarization_coverage"]] for row in found]
    cover = np.array(covers, float).ravel()
    ratio, worst = (f([row["ratio"] for row in found]) for f in (np.nanmedian, np.nanmin))
    low, high = TARGET_COVERAGE
    for name, value, aim, met in (
        ("median nrmse of u", median(u), f"<= {TARGET_U}", median(u) <= TARGET_U),
        ("median nrmse of P", median(p), f"<= {TARGET_P}", median(p) <= TARGET_P),
        ("smallest ratio window / motif", worst, f">= {TARGET_RATIO}", worst >= TARGET_RATIO),
        ("median ratio window / motif", ratio, "", True),
        ("median coverage", median(cover), f"{low} to {high}", low <= median(cover) <= high),
        *(
            (f"largest error of the {what} (%)", largest(found, what), f"< {aim}", largest(found, what) < aim)
            for what, aim in (("period", TARGET_PERIOD), ("thickness", TARGET_THICKNESS))
        ),
        ("median success rate", median(np.array([row["success_rate"] for row in found])), "", True),
    ):
        yield f"{name:<34}{value:8.3f}  {aim:<14}{'' if not aim else 'met' if met else 'missed'}"
    share = np.nanmean((cover >= low) & (cover <= high)) if np.isfinite(cover).any() else float("nan")
    yield f"fields whose coverage is {low} to {high}: {share:.0%}; {len(found)} films"


def median(values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


def largest(found: Sequence[Row], what: str) -> float:
    return max(abs(row[f"{what}_error"]) for row in found)


def chosen(told: argparse.Namespace, default: Sequence[str] = ()) -> list[Film]:
    """Films by name, all or the default ones if none is named."""
    names = told.films.split(",") if told.films else list(default)
    known = {film.name: film for film in films()}
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"--films: expected some of {', '.join(known)}, found {unknown[0]}")
    return [known[name] for name in names] if names else list(known.values())


def curves_of(film: Film, told: argparse.Namespace) -> Iterator[tuple[str, float, Job]]:
    """What is varied, its value, and the job."""
    base = motif_job(Case(film, told.counts, told.disorder), told)
    for counts in COUNTS:
        yield "counts", counts, replace(base, case=replace(base.case, peak_counts=counts))
    for disorder in DISORDERS:
        yield "disorder", disorder, replace(base, case=replace(base.case, disorder=disorder))
    every = ["".join(map(str, hkl)) for hkl in added_in_turn(film)]
    for number in range(2, len(every) + 1):
        kept = () if number == len(every) else tuple(every[:number])
        yield "reflections", number, replace(base, reflections=kept)
    yield "order 0", 1, base
    yield "order 0", 0, replace(base, lost=True)


def added_in_turn(film: Film) -> list[tuple[int, int, int]]:
    """Reflections in the order in which they are added: even l on the normal, even and odd l beside it, the rest."""
    even = [hkl for hkl in film.reflections if hkl[0] == 0 and hkl[2] % 2 == 0]
    beside = [hkl for hkl in film.reflections if hkl[0] != 0]
    first = [*even[:1], *beside[:1], *(hkl for hkl in film.reflections if hkl[0] == 0 and hkl[2] % 2 == 1)]
    return [*dict.fromkeys(first), *(hkl for hkl in film.reflections if hkl not in first)]


def curves(rows: Rows, told: argparse.Namespace) -> Iterator[str]:
    """Mean nrmse of displacement and of polarization along each curve."""
    yield f"{'film':<16}{'varied':<13}{'value':>9}{'u':>7}{'P':>7}{'chi2':>8}{'success':>8}"
    points = []
    for film in chosen(told, KINDS):
        for what, value, job in curves_of(film, told):
            row = rows.row(job)
            if "error" in row:
                yield f"{film.name:<16}{what:<13}{value:9.3g}  refused: {row['error']}"
                continue
            u, p = (mean(row[name]) for name in ("nrmse", "polarization_nrmse"))
            points.append((film.name, what, value, u, p))
            yield (
                f"{film.name:<16}{what:<13}{value:9.3g}{cells([u, p], 7)}{row['chi2']:8.3g}{row['success_rate']:8.2f}"
            )
    if told.folder is not None and points:
        yield f"figure {draw(points, Path(told.folder))}"


def mean(values: Sequence[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")


def draw(points: Sequence[tuple[str, str, float, float, float]], folder: Path) -> Path:
    """The curves as a figure, displacement full, polarization dashed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 3, sharey=True)
    for axis, what in zip(panels, ("counts", "disorder", "reflections"), strict=True):
        for number, name in enumerate(dict.fromkeys(point[0] for point in points)):
            mine = sorted(point[2:] for point in points if point[:2] == (name, what))
            if mine:
                x, u, p = np.array(mine).T
                axis.plot(x, u, "o-", color=f"C{number}", label=name)
                axis.plot(x, p, "s--", color=f"C{number}")
        axis.set(xlabel=what, yscale="log", xscale="log" if what != "reflections" else "linear")
    panels[0].set_ylabel("nrmse (full u, dashed P)")
    panels[0].legend(fontsize=7)
    path = folder / "curves.png"
    figure.savefig(path, dpi=120)
    return path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", help="cases, results, rows.jsonl and figure; temporary if absent")
    parser.add_argument("--films", default="", help="names, comma between them")
    parser.add_argument("--tables", default="films,curves,speed")
    parser.add_argument("--starts", type=int, default=32)
    parser.add_argument("--counts", type=float, default=1e6)
    parser.add_argument("--disorder", type=float, default=0.06)
    parser.add_argument("--workers", type=int, default=2, help="0: in this process")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE")
    told = parser.parse_args()
    if unknown := [name for name in told.tables.split(",") if name not in TABLES]:
        parser.error(f"--tables: expected some of {', '.join(TABLES)}, found {unknown[0]}")
    return told


def main() -> None:
    told = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(told.folder or temporary)
        rows = Rows(folder, told.workers)
        case = Case(chosen(told, ("closure_50",))[0], told.counts, told.disorder)
        sections = {
            "films": lambda: table_of_films(rows, told),
            "curves": lambda: curves(rows, told),
            "speed": lambda: speed(case, told.starts, folder, tuple(told.set)),
            "series": lambda: series(told.starts, folder),
        }
        for name in told.tables.split(","):
            sys.stdout.write(
                f"\n{name}: {told.counts:.0e} counts, disorder {told.disorder:g}, {told.starts} starts\n"
            )
            for text in sections[name]():
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"inversion: {error}")
