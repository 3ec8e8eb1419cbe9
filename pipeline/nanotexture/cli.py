"""Command line `nanotexture`; heavy imports wait until a command runs, since spawned workers import this module again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanotexture.errors import InputError, UserError

if TYPE_CHECKING:
    from nanotexture.runner import Prepared

app = typer.Typer(
    help="Real-space texture maps of thin films from X-ray reciprocal-space maps.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Datasets of data_manifest/.", no_args_is_help=True)
app.add_typer(data_app, name="data")


class Cluster(StrEnum):
    """Where tasks run."""

    LOCAL = "local"
    NONE = "none"
    SLURM = "slurm"


RecipeFile = Annotated[Path, typer.Argument(help="Recipe, a TOML file.", metavar="RECIPE")]
Out = Annotated[Path, typer.Option(help="Folder of results; each recipe gets a folder of its name in it.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", help="Change of the recipe.", metavar="TABLE.KEY=VALUE")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on the last line of stdout.")]


@app.command()
def run(
    recipe: RecipeFile,
    out: Out = Path("runs"),
    set_: Changes = None,
    cluster: Annotated[Cluster, typer.Option(help="Where tasks run.")] = Cluster.LOCAL,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler.")] = None,
    scheduler_file: Annotated[Path | None, typer.Option(help="File of a Dask scheduler.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes.")] = None,
    as_json: Json = False,
) -> None:
    """Run or resume a recipe."""
    from nanotexture.engine.cluster import ClusterSettings
    from nanotexture.engine.progress import progress_on
    from nanotexture.runner import run_recipe

    settings = ClusterSettings(
        cluster=cluster.value, scheduler=scheduler, scheduler_file=scheduler_file, workers=workers
    )
    with _naming(recipe):
        found = run_recipe(recipe, out, tuple(set_ or ()), settings, progress_on(sys.stderr), _warn)
    if as_json:
        values = {"result": str(found.result), "report": str(found.report), "seconds": found.seconds}
        typer.echo(json.dumps(values | {"tasks": found.tasks, "tasks_reused": found.tasks_reused}))
        return
    typer.echo(f"{found.tasks} tasks, {found.tasks_reused} reused, {found.seconds:.1f} s")
    typer.echo(f"result {found.result}")
    typer.echo(f"report {found.report}")


def _warn(text: str) -> None:
    typer.echo(f"warning: {text}", err=True)


@app.command()
def check(recipe: RecipeFile, out: Out = Path("runs"), set_: Changes = None) -> None:
    """Read a recipe and its inputs' headers, print the plan, compute nothing."""
    from nanotexture.runner import prepare_run

    with _naming(recipe):
        ready = prepare_run(recipe, out, tuple(set_ or ()))
    for line in _plan_lines(ready):
        typer.echo(line)


def _plan_lines(ready: Prepared) -> Iterator[str]:
    from collections import Counter

    total = Counter(task.stage.name for task in ready.plan.tasks)
    missing = Counter(task.stage.name for task in ready.plan.missing)
    yield f"recipe {ready.job.name}, result in {ready.folder / 'result.zarr'}"
    for file in ready.job.files:
        yield f"input  {file}"
    yield f"{'stage':<16}{'tasks':>8}{'to run':>8}"
    for name, number in total.items():
        yield f"{name:<16}{number:>8}{missing[name]:>8}"
    yield f"{'all':<16}{total.total():>8}{missing.total():>8}"
    yield f"estimated memory of a worker: {ready.job.worker_bytes / 2**20:.0f} MiB"
    for note in ready.job.notes:
        yield f"warning: {note}"


@app.command()
def simulate(
    recipe: RecipeFile, out: Out = Path("runs"), set_: Changes = None, as_json: Json = False
) -> None:
    """Write a simulated measurement in the input format, its truth, and a recipe that inverts it."""
    from nanotexture.engine.progress import progress_on
    from nanotexture.simulation import simulate_recipe

    found = simulate_recipe(recipe, out, tuple(set_ or ()), progress_on(sys.stderr))
    if as_json:
        values = {
            "maps": [str(one) for one in found.maps],
            "truth": str(found.truth),
            "recipe": str(found.recipe),
        }
        counted = {"seconds": found.seconds, "tasks": found.tasks, "tasks_reused": found.tasks_reused}
        typer.echo(json.dumps(values | counted))
        return
    typer.echo(f"{found.tasks} tasks, {found.tasks_reused} reused, {found.seconds:.1f} s")
    for name, path in (
        *(("map", one) for one in found.maps),
        ("truth", found.truth),
        ("recipe", found.recipe),
    ):
        typer.echo(f"{name:<6} {path}")


@app.command()
def train(
    recipe: RecipeFile,
    out: Out = Path("runs"),
    set_: Changes = None,
    cluster: Annotated[Cluster, typer.Option(help="Where the particles are made.")] = Cluster.LOCAL,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes.")] = None,
    as_json: Json = False,
) -> None:
    """Train a prior, or resume; write its weights and its card."""
    from nanotexture.engine.cluster import ClusterSettings
    from nanotexture.engine.progress import progress_on
    from nanotexture.training import train_recipe

    settings = ClusterSettings(cluster=cluster.value, workers=workers)
    found = train_recipe(recipe, out, tuple(set_ or ()), settings, progress_on(sys.stderr), _say)
    if as_json:
        values = {"weights": str(found.weights.absolute()), "card": str(found.card.absolute())}
        numbers = {"epochs": found.epochs, "loss": found.loss, "seconds": found.seconds}
        typer.echo(json.dumps(values | {"sha256": found.sha256} | numbers))
        return
    typer.echo(f"{found.epochs} epochs, loss {found.loss:.4f} on the others, {found.seconds:.1f} s")
    typer.echo(f"weights {found.weights.absolute()}")
    typer.echo(f"card    {found.card.absolute()}")


def _say(text: str) -> None:
    typer.echo(text, err=True)


@app.command()
def score(
    result: Annotated[Path, typer.Argument(help="A result.zarr, or a truth.zarr.", metavar="RESULT")],
    truth: Annotated[Path, typer.Argument(help="A truth.zarr, or a result.zarr.", metavar="TRUTH")],
    as_json: Json = False,
) -> None:
    """Score a result against a truth."""
    from nanotexture.score_table import lines, summary
    from nanotexture.scoring import open_scored, score_answer

    answer, target = open_scored(result), open_scored(truth)
    try:
        found = summary(score_answer(answer, target))
    except UserError as error:
        raise UserError(f"{result}: {error} ({truth})") from error
    if as_json:
        typer.echo(json.dumps({"result": str(result.absolute()), "truth": str(truth.absolute())} | found))
        return
    for line in lines(found):
        typer.echo(line)


@app.command()
def report(
    result: Annotated[Path, typer.Argument(help="A result.zarr.", metavar="RESULT")],
) -> None:
    """Write the report of a result again, beside it."""
    from nanotexture.report.page import write_report

    if not (result / "zarr.json").is_file():
        raise UserError(f"{result}: result: expected a result.zarr folder, found none")
    page = result.parent / "report.html"
    write_report(result, page)
    typer.echo(f"report {page.absolute()}")


@app.command()
def export(
    result: Annotated[Path, typer.Argument(help="A result.zarr.", metavar="RESULT")],
    to: Annotated[
        str, typer.Option(help="Format: cxi (crystals), nexus, vti, or maps (files that `run` takes).")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder; that of the result if absent.")] = None,
    as_json: Json = False,
) -> None:
    """Write a result for other programs."""
    from nanotexture.export import export_result
    from nanotexture.report.result import open_tree

    folder = out or result.absolute().parent
    written = export_result(open_tree(result), to, folder, result.absolute().parent.name)
    if as_json:
        typer.echo(
            json.dumps({"result": str(result.absolute()), "files": [str(p.absolute()) for p in written]})
        )
        return
    for path in written:
        typer.echo(f"file   {path.absolute()}")


@data_app.command("list")
def list_data() -> None:
    """Datasets with size, licence and what they are."""
    from nanotexture.data import list_datasets

    for one in list_datasets():
        size = sum(file.bytes for file in one.files) / 1e6
        typer.echo(
            f"{one.name:<20}{len(one.files):>3} files {size:>8.1f} MB  {one.licence:<28} {one.description}"
        )


@data_app.command("fetch")
def fetch_data(name: Annotated[str, typer.Argument(help="Dataset.")]) -> None:
    """Find a dataset in the mirror or download it, and verify it."""
    from nanotexture.data import fetch

    for path in fetch(name):
        typer.echo(str(path))


@data_app.command("verify")
def verify_data(name: Annotated[str | None, typer.Argument(help="Dataset; all if absent.")] = None) -> None:
    """Compare the files at hand with their checksums."""
    from nanotexture.data import verify

    found = verify(name)
    for one in found:
        typer.echo(f"{one.state:<10}{one.dataset}/{one.file}")
    wrong = [f"{one.dataset}/{one.file}" for one in found if one.state not in ("ok", "missing")]
    if wrong:
        raise UserError(
            f"{wrong[0]}: checksum: expected the one of data_manifest, found another ({len(wrong)} files in all)"
        )


@contextmanager
def _naming(recipe: Path) -> Iterator[None]:
    """A message that names neither file nor option, as that of a stage told wrong numbers, names the recipe."""
    try:
        yield
    except InputError:
        raise
    except UserError as error:
        if str(error).startswith((str(recipe), "-")):
            raise
        raise UserError(f"{recipe}: {error}") from error


@contextmanager
def exit_status() -> Iterator[None]:
    """UserError becomes exit status 2 and one message; anything else is a defect, exit status 1."""
    try:
        yield
    except UserError as error:
        typer.echo(f"nanotexture: {error}", err=True)
        sys.exit(2)


def main(command: Callable[[], object] = app) -> None:
    """Entry point of the console script."""
    with exit_status():
        command()


if __name__ == "__main__":
    main()
