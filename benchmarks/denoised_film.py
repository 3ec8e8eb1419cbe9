"""How much a learned prior over textures adds to films measured with few counts and few reflections, and whether it harms.

Films of the suite (none of their seeds is learnt from) and a_c_60 (its family is held out from all training) at 1e5 counts in
the brightest voxel, 6 % disorder, three reflections: the pipeline with invert.denoise = "none" and "auto", scored against the
truth. Ratio: nrmse with over nrmse without; share: rms difference that the prior makes over the truth's size.

Run: .venv/bin/python benchmarks/denoised_film.py [--films a,b] [--starts 8] [--counts 1e5] [--folder DIR] [--weights FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr
from inversion_rows import written
from nanotexture.engine.cluster import ClusterSettings
from nanotexture.engine.progress import Silent
from nanotexture.errors import UserError
from nanotexture.runner import run_recipe
from nanotexture.scoring import open_scored, score_answer
from nanotexture.simulate.suite import Case, Film, films

FILMS = (
    "smooth_elastic",
    "smooth_polar",
    "smooth_mixed",
    "laminate_13",
    "laminate_25",
    "closure_50",
    "vortices_16",
    "a_c_60",
)
HELD_OUT = ("a_c",)
PEROVSKITE, LAYERED = ((0, 0, 2), (0, 0, 3), (1, 0, 3)), ((0, 0, 6), (0, 0, 8), (-2, 0, 6))
AIM, HARM = 0.7, 1.1
NAMES = ("nrmse", "polarization_nrmse", "coverage", "polarization_coverage")


def chosen(names: str) -> list[Film]:
    """Films by name, with three reflections each."""
    known = {film.name: film for film in films()}
    told = [known[name] for name in names.split(",")]
    return [
        replace(film, reflections=LAYERED if film.name.startswith("laminate") else PEROVSKITE)
        for film in told
    ]


def scores(place: Path, out: Path, starts: int, denoise: str) -> tuple[np.ndarray, np.ndarray, xr.DataTree]:
    """nrmse and coverage of u_x, u_z, P_x, P_z, and the result."""
    changes = (f"invert.starts={starts}", f"invert.denoise={denoise}")
    settings = ClusterSettings(cluster="none", workers=None)
    done = run_recipe(place / "recipe.toml", out, changes, settings, Silent())
    one = score_answer(open_scored(done.result), open_scored(place / "truth.zarr")).isel(temperature=0)
    values = [one[name].values for name in NAMES]
    tree = xr.open_datatree(done.result, engine="zarr", consolidated=False).load()
    return np.concatenate(values[:2]), np.concatenate(values[2:]), tree


def cells(values: np.ndarray) -> str:
    return "".join(f"{'-':>6}" if not np.isfinite(v) else f"{v:6.2f}" for v in values)


def row(film: Film, told: argparse.Namespace, folder: Path) -> tuple[str, np.ndarray]:
    """A line of the table, and the ratios."""
    place = written(Case(film, told.counts, 0.06), folder / "cases", lost=False)
    without, cover, _ = scores(place, folder / "runs", told.starts, "none")
    within, covered, tree = scores(place, folder / "runs", told.starts, told.weights)
    prior = tree["prior"].isel(temperature=0)
    cost = " ".join(
        f"{float(prior[name]):.3f}" for name in ("free_cost_without", "free_cost", "free_cost_error")
    )
    words = f"{film.name:<15}{cells(without)} |{cells(cover)} |{cells(within)} |{cells(covered)} |{cells(within / without)}"
    return f"{words} | {cost} {float(prior['strangeness']):.2f} {prior['verdict'].item()}", within / without


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Table, then medians beside the aims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--films", default=",".join(FILMS))
    parser.add_argument("--starts", type=int, default=8)
    parser.add_argument("--counts", type=float, default=1e5)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--weights", default="auto")
    told = parser.parse_args()
    say(
        "film: nrmse u_x u_z P_x P_z without | coverage | with | coverage | ratio | free chi2 without, with, error; strangeness"
    )
    with tempfile.TemporaryDirectory() as scratch:
        learnt, held = [], []
        for film in chosen(told.films):
            try:
                line, ratio = row(film, told, told.folder or Path(scratch))
            except UserError as error:
                say(f"{film.name:<15}refused: {error}")
                continue
            say(line)
            (held if film.name.startswith(HELD_OUT) else learnt).append(ratio)
    for name, found in (("families learnt from", learnt), ("families held out", held)):
        every = np.array([v for one in found for v in one if np.isfinite(v)])
        if len(every):
            say(
                f"{name}: median ratio {np.median(every):.2f} (aim {AIM}), largest {every.max():.2f} (aim {HARM})"
            )


if __name__ == "__main__":
    main()
