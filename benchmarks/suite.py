"""The benchmark suite: what each film shows at each count and disorder, and what making its measurement takes.

Run: .venv/bin/python benchmarks/suite.py [films, e.g. 5: one of each kind; all by default]
     [folder: maps, truth and recipe of each case]
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import numpy as np
from nanotexture.engine.store import write_tree_atomically
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.quantities import SimulatedMotif
from nanotexture.schema import MOTIF, labelled
from nanotexture.scoring import truth_tree
from nanotexture.simulate.brightness import Brightness
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.suite import (
    COUNTS,
    DISORDERS,
    Case,
    Film,
    brightness_of,
    films,
    measure,
    motif_of,
    satellite_visibility,
)
from nanotexture.simulate.suite_files import write_case
from nanotexture.stages.models import TruthConfig
from nanotexture.stages.simulate import simulate_truth

HEAD = (
    f"{'case':>24} {'L / A':>6} {'t / A':>6} {'peak/bg +-1':>12} {'S/N +-1':>8} {'peak/bg +-2':>12} "
    f"{'S/N +-2':>8} {'s':>6}\n"
)


def row(
    case: Case, motif: Motif, brights: tuple[Brightness, ...], seconds: float, folder: Path | None
) -> str:
    """One line of the table: the reflection that shows an order best counts; seconds of maps and counts."""
    begin = time.perf_counter()
    measured = measure(case, motif=motif, brights=brights)
    seconds += time.perf_counter() - begin
    if folder is not None:
        files = write_case(case, folder, motif=motif, measured=measured)
        write_truth(case, motif, files.truth.with_suffix(".zarr"))
    words = f"{case.name:>24} {motif.periods[0]:6.0f} {case.film.stack.thickness:6.0f}"
    for order in (1, 2):
        seen = [
            satellite_visibility(m, in_plane=case.film.stack.in_plane, period=motif.periods[0], order=order)
            for m in measured
        ]
        words += f" {max(s[0] for s in seen):12.3g} {max(s[1] for s in seen):8.3g}"
    return f"{words} {seconds:6.2f}\n"


def write_truth(case: Case, motif: Motif, path: Path) -> None:
    """The truth as `nanotexture score` reads it."""
    film = case.film
    layers = tuple(LayerConfig(material=one.material, cells=one.cells, c=one.c) for one in film.stack.layers)
    config = TruthConfig(
        film=FilmConfig(
            in_plane=film.stack.in_plane,
            layers=layers,
            repeat=film.stack.repeat,
            substrate=SubstrateConfig(material=film.substrate.material, c=film.substrate.c),
        ),
        film_gap=film.gap,
        disorder=case.disorder,
        temperature=None,
    )
    unknown = np.full_like(motif.displacement, np.nan)
    values = {
        "displacement": motif.displacement,
        "polarization": unknown if motif.polarization is None else motif.polarization,
        "periods": np.array(motif.periods),
        "z": film.stack.heights,
    }
    truth = simulate_truth(SimulatedMotif(labelled(values, MOTIF)), config=config)
    write_tree_atomically(
        truth_tree([truth], {"contract": 1, "creator": "nanotexture", "name": film.name}), path
    )


def table(film: Film, folder: Path | None) -> None:
    """Rows of one film; the maps of a disorder are made once and counted at each peak."""
    motif = motif_of(film)
    for disorder in DISORDERS:
        begin = time.perf_counter()
        brights = brightness_of(film, disorder=disorder, motif=motif)
        seconds = time.perf_counter() - begin
        for counts in COUNTS:
            sys.stdout.write(row(Case(film, counts, disorder), motif, brights, seconds, folder))
            sys.stdout.flush()


def main() -> None:
    every = films()
    number = int(sys.argv[1]) if len(sys.argv) > 1 else len(every)
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    sys.stdout.write(HEAD)
    for film in every[:: math.ceil(len(every) / number)]:  # spread over the kinds, which stand in turn
        table(film, folder)


if __name__ == "__main__":
    main()
