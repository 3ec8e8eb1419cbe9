"""Numbers that were told beside those that the maps give: how far apart they may be before one of them is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.film.config import FilmConfig
from nanotexture.preparation.film_peak import fit_film
from nanotexture.preparation.lines import LineFit
from nanotexture.preparation.rod_fit import RodFit

Array = NDArray[np.float64]

PERIOD_OFF = 0.02  # relative: beyond it a told period is said to differ from that of the satellites
SCALE_OFF, SCALE_WRONG = 1.3, 5.0  # factors: maps of one flux are right to about 10 %
SCATTERED = (
    2.0  # median distances of the other reflections from one another: within it none is taken for wrong
)
SCAN_EDGE = 0.045  # relative: the scan around a told thickness ends at 0.06
POOR_ROD = 4.0  # chi2 per row of order 0: at the right thickness most reflections of the suite stay below, at wrong ones none
CLEARLY = 2.0  # times lower chi2, at which another thickness is taken for the film's own
MOST_REPEATS = 6  # more or fewer repeats that are tried


@dataclass(frozen=True)
class RodInput:
    """What the fit of order 0 of one reflection takes: qz (nz,), 1/angstrom; energy in keV; tolerance of c, relative."""

    qz: Array
    fit: LineFit
    hkl: tuple[int, int, int]
    energy_kev: float
    tolerance: float

    def fitted(self, film: FilmConfig) -> RodFit:
        """Thickness, c and gap with the film as told."""
        return fit_film(
            qz=self.qz,
            fit=self.fit,
            film=film,
            hkl=self.hkl,
            energy_kev=self.energy_kev,
            tolerance=self.tolerance,
        )


def scale_deviations(*, rod: Array, summed: Array, told: Array) -> Array:
    """Factor (r,) by which each reflection is brighter than the others and the told scales (r,) say; 1 for one reflection.

    rod, summed (r,): scales from the fit of order 0 and from the sum of all orders. A strong texture misleads either, seldom
    both: the factor nearer 1 counts, and 1 where they lie on either side of it.
    """
    logs = np.stack([_beside_others(np.log(scale / told)) for scale in (rod, summed)])
    smaller = np.abs(logs).min(axis=0) * np.sign(logs[0])
    return np.exp(np.where(logs.prod(axis=0) > 0, smaller, 0.0))


def _beside_others(values: Array) -> Array:
    """Distance (r,) of each value from the median of the others; 0 within twice their own median distance from it."""
    if len(values) < 2:
        return np.zeros(len(values))
    rest = np.array([np.delete(values, i) for i in range(len(values))])
    middle = np.median(rest, axis=1)
    scatter = np.median(np.abs(rest - middle[:, None]), axis=1)
    apart = values - middle
    return np.where(np.abs(apart) > SCATTERED * scatter, apart, 0.0)


def told_thickness(film: FilmConfig) -> float | None:
    """Thickness (angstrom) that a recipe says, directly or by the cells of its stack; None where the data give it."""
    if all(layer.cells and layer.c for layer in film.layers):
        return film.stack(c=film.c_guess, thickness=0.0).thickness
    cells = film.layers[0].cells
    return film.thickness or (cells * film.c_guess if cells else None)


def doubtful(rod: RodFit, told: float) -> bool:
    """Whether order 0 is fitted badly, or best at the end of the scan, with the thickness told (angstrom)."""
    return rod.chi2 > POOR_ROD or abs(rod.thickness / told - 1.0) > SCAN_EDGE


def better_thickness(one: RodInput, rod: RodFit, film: FilmConfig) -> RodFit | None:
    """The fit at a thickness that the recipe does not say, if it is clearly better than `rod`, the fit at the one told."""
    fits = [one.fitted(other) for other in _other_films(film)]
    best = min(fits, key=lambda found: found.chi2, default=None)
    if best is None or best.chi2 * CLEARLY > rod.chi2:
        return None
    return best if abs(best.thickness / rod.thickness - 1.0) > PERIOD_OFF else None


def _other_films(film: FilmConfig) -> Sequence[FilmConfig]:
    """The film with its thickness left to the fringes, or a superlattice with more or fewer repeats."""
    if film.single:
        layer = film.layers[0].model_copy(update={"cells": None})
        return [film.model_copy(update={"thickness": None, "layers": (layer,)})]
    around = range(max(film.repeat - MOST_REPEATS, 1), film.repeat + MOST_REPEATS + 1)
    return [film.model_copy(update={"repeat": n}) for n in around if n != film.repeat and film.repeat > 1]
