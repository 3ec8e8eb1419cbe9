"""Recipe, files and maps that contradict one another: refused where one must be wrong, else a warning with both numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nanotexture.errors import InputError, UserError
from nanotexture.film.config import FilmConfig
from nanotexture.preparation.contradictions import (
    PERIOD_OFF,
    POOR_ROD,
    SCALE_OFF,
    SCALE_WRONG,
    RodInput,
    better_thickness,
    doubtful,
    scale_deviations,
    told_thickness,
)
from nanotexture.preparation.period import Comb
from nanotexture.preparation.rod_fit import RodFit

Hkl = tuple[int, int, int]
SAME_THICKNESS = 0.03  # relative: what two reflections find must agree
TOLD_APART = 0.1  # relative: as far from the told period as its satellites are looked for


def refuse_period(told: float, free: Sequence[tuple[Hkl, Comb | None]]) -> None:
    """UserError where no satellite stands at the period told (angstrom) but a comb of another was found."""
    hkl, comb = _strongest(free)
    if comb is not None:
        raise UserError(
            f"texture.period: expected {2 * np.pi / comb.spacing:.1f} angstrom, as the satellites of {_text(hkl)} say, "
            f'or "auto", found {told:g} angstrom, where no map has a satellite'
        )


def period_warnings(told: float, fitted: float, free: Sequence[tuple[Hkl, Comb | None]]) -> list[str]:
    """What differs from the period told (angstrom): the one fitted near it, and a comb found elsewhere.

    UserError where the fit has left the period told for another: then no satellite stands at it.
    """
    found = []
    if abs(fitted / told - 1.0) > TOLD_APART:
        raise UserError(
            f'texture.period: expected {fitted:.1f} angstrom, as the satellites say, or "auto", found {told:g} angstrom'
        )
    if abs(fitted / told - 1.0) > PERIOD_OFF:
        found.append(
            f"The recipe's period of {told:g} A does not fit the satellites, which give {fitted:.1f} A."
        )
    hkl, comb = _strongest(free)
    if comb is not None and abs(2 * np.pi / comb.spacing / told - 1.0) > TOLD_APART:
        found.append(
            f"The satellites of {_text(hkl)} alone would give a period of {2 * np.pi / comb.spacing:.1f} A, "
            f"not the {told:g} A that the recipe says."
        )
    return found


def refuse_thickness(film: FilmConfig, inputs: Sequence[RodInput], rods: Sequence[RodFit]) -> None:
    """UserError where another thickness fits the fringes clearly better than the one that the recipe says."""
    told = told_thickness(film)
    if told is None:
        return
    doubts = [(one, rod) for one, rod in zip(inputs, rods, strict=True) if doubtful(rod, told)]
    if 2 * len(doubts) <= len(rods):
        return
    chosen = sorted(doubts, key=lambda pair: abs(pair[0].hkl[0]))[
        :2
    ]  # two, so that one map's artefact does not refuse
    better = [better_thickness(one, rod, film) for one, rod in chosen]
    found = [one for one in better if one is not None]
    if len(found) < len(chosen) or abs(found[-1].thickness / found[0].thickness - 1.0) > SAME_THICKNESS:
        return
    field = "film.thickness" if film.single and not film.layers[0].cells else "film.stack"
    raise UserError(
        f"{field}: expected a film of about {found[0].thickness:.0f} angstrom, whose fringes fit {_text(chosen[0][0].hkl)} "
        f"with chi2 {found[0].chi2:.2g} a row, found {told:.0f} angstrom, with chi2 {chosen[0][1].chi2:.2g}"
    )


def scale_warnings(
    hkls: Sequence[Hkl], files: Sequence[str], rods: Sequence[RodFit], told: np.ndarray
) -> list[str]:
    """Reflections whose brightness contradicts the relative scales told (r,); InputError where the files wrote one far off."""
    apart = scale_deviations(
        rod=np.array([rod.scale for rod in rods]), summed=np.array([rod.summed for rod in rods]), told=told
    )
    worst = int(np.abs(np.log(apart)).argmax())
    if not 1 / SCALE_WRONG < apart[worst] < SCALE_WRONG and np.ptp(told) > 0:
        raise InputError(
            files[worst],
            "/entry/reflection/scale",
            f"about {told[worst] * apart[worst]:.2g}, as its intensity beside the other reflections asks",
            f"{told[worst]:g}",
        )
    return [
        f"{_text(hkl)} is {factor:.2g} times as bright beside the other reflections as its relative scale of {scale:g} says: "
        f"the intensities ask for {factor * scale:.2g}."
        for hkl, factor, scale, rod in zip(hkls, apart, told, rods, strict=True)
        if not 1 / SCALE_OFF < factor < SCALE_OFF and rod.chi2 < POOR_ROD
    ]


def _strongest(combs: Sequence[tuple[Hkl, Comb | None]]) -> tuple[Hkl, Comb | None]:
    return max(combs, key=lambda pair: pair[1].gain if pair[1] is not None else -np.inf)


def _text(hkl: Hkl) -> str:
    return " ".join(str(n) for n in hkl)
