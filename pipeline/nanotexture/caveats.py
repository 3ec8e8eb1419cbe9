"""Warnings that a result carries: what a reader must know before believing it, each one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nanotexture.film.config import FilmConfig
from nanotexture.lacking import lacking_sentences
from nanotexture.phasing.outcome import DESCRIBED, OVERFIT, Outcome
from nanotexture.preparation.contradictions import told_thickness
from nanotexture.quantities import Clusters, Orders, ReciprocalMap, Texture
from nanotexture.stages.determined import Told
from nanotexture.stages.texture import CLEAR

Flags = NDArray[np.bool_]

SIGMAS = 3.0
THICKNESS_OFF = 0.02  # relative: nearer than this, a told thickness is not called wrong
FEW_USABLE = 0.5
MATTERS = 0.01  # of a reflection's satellites: an order that carries less may be missing
POOR_FIT = 5.0  # chi2 per point above which the model is not within its stated systematic error


def warnings_of(
    *,
    film: FilmConfig,
    polarization: bool,
    maps: tuple[ReciprocalMap, ...],
    orders: Orders,
    clusters: Clusters,
    texture: Texture,
    thickness_scans: Mapping[str, xr.Dataset],
) -> tuple[str, ...]:
    """All warnings of one temperature."""
    found = [
        *_about_input(maps, orders, film),
        *_about_coverage(orders, clusters),
        *_about_thickness(film, orders, thickness_scans),
        *_about_fit(clusters, texture),
    ]
    if texture.attrs["solver"] == "motif":
        there = np.flatnonzero(_components_known(texture)).tolist()
        told = lacking_sentences(
            film, reflections_of(orders), polarization, there, volume="period_y" in orders
        )
        found += told
        if polarization and film.polar:
            found += _about_polarization(texture, told)
    return tuple(found)


def reflections_of(orders: Orders) -> tuple[Told, ...]:
    """Reflections that were measured, with their energies."""
    pairs = zip(orders["hkl"].values.tolist(), orders["energy"].values.tolist(), strict=True)
    return tuple(Told((h, k, n), energy) for (h, k, n), energy in pairs)


def _about_polarization(texture: Texture, told: tuple[str, ...]) -> list[str]:
    """Components that the reflections could tell and that are NaN all the same."""
    known = _components_known(texture)
    volume = len(known) == 3
    error = f"{CLEAR:g} times its own error" if volume else "its own error"
    return [
        f"The polarization along {name} is smaller than {error}, and is NaN: more counts or harmonics may tell it."
        for name, there in zip("xyz" if volume else "xz", known, strict=True)
        if not there and not any(f"polarization along {name}" in text for text in told)
    ]


def _components_known(texture: Texture) -> Flags:
    """Components of the polarization that the answer has, (component,)."""
    polar = texture["polarization"].values
    return np.asarray(np.isfinite(polar).any(axis=tuple(range(1, polar.ndim))))


def _about_coverage(orders: Orders, clusters: Clusters) -> Iterator[str]:
    """Orders that the answer makes bright where their map has no values: nothing holds the answer there."""
    number = orders["order"].values
    across = orders["order_y"].values if "order_y" in orders else np.zeros_like(number)
    names = [
        f"{n:+d}" if "order_y" not in orders else f"({n:+d}, {m:+d})"
        for n, m in zip(number, across, strict=True)
    ]
    satellite = (number != 0) | (across != 0)
    found = []
    for r, hkl in enumerate(orders["hkl"].values):
        bright = np.nan_to_num(clusters["model"].values[r])
        satellites = float(bright[satellite].sum())
        lost = np.where(np.isnan(orders["intensity"].values[r]), bright, 0.0).sum(axis=1)
        found += [
            f"{' '.join(map(str, hkl))} order {name} ({100 * part / satellites:.0f} %)"
            for name, counts, part in zip(names, satellite, lost, strict=True)
            if counts and part > MATTERS * satellites
        ]
    if found:
        yield (
            f"Not measured although the answer makes them bright: {', '.join(found)}, in per cent of all satellites of the "
            "reflection. No data hold the answer there."
        )


def _about_input(maps: tuple[ReciprocalMap, ...], orders: Orders, film: FilmConfig) -> Iterator[str]:
    for one in maps:
        if note := one.attrs.get("qy"):
            yield f"{one.attrs.get('file', 'map')}: {note}"
    offset = float(orders["in_plane"]) / film.in_plane - 1.0
    if np.isfinite(offset) and abs(offset) > 0.002:
        yield (
            f"Order 0 lies at an in-plane lattice parameter of {float(orders['in_plane']):.4f} A, "
            f"{100 * offset:+.2f} % from the recipe's {film.in_plane:.4f} A: the film may be relaxed."
        )
    yield from orders.attrs.get("warnings", ())


def _about_thickness(film: FilmConfig, orders: Orders, scans: Mapping[str, xr.Dataset]) -> Iterator[str]:
    fitted, error = float(orders["thickness"]), float(orders["thickness_std"])
    told = told_thickness(film)
    if told is not None and abs(told - fitted) > max(SIGMAS * error, THICKNESS_OFF * told):
        yield f"The recipe's thickness of {told:.1f} A does not fit the fringes, which give {fitted:.1f} +- {error:.1f} A."
    for name, scan in scans.items():
        other, other_error = float(scan["thickness"]), float(scan["thickness_std"])
        if abs(other - fitted) > SIGMAS * np.hypot(error, other_error):
            yield f"The {name} scan gives a thickness of {other:.1f} A, the map's fringes {fitted:.1f} +- {error:.1f} A."


def _about_fit(clusters: Clusters, texture: Texture) -> Iterator[str]:
    outcomes = [Outcome(str(name)) for name in clusters["outcome"].values]
    usable = sum(outcome.usable for outcome in outcomes)
    if usable < FEW_USABLE * len(outcomes):
        worst = max(set(outcomes), key=outcomes.count)
        yield f"Only {usable} of {len(outcomes)} starts ended in a solution; most: {worst}. {worst.advice}"
    if texture.attrs["solver"] == "motif" and float(texture["cost"]) > DESCRIBED:
        yield (
            f"No answer: chi2 is {float(texture['cost']):.1f} per point, the model does not describe the data. The best motif "
            "found is kept for comparison; more starts, other materials or cells, or texture.polarization may be needed."
        )
    elif texture.attrs["solver"] == "motif" and float(texture["cost"]) > POOR_FIT:
        yield (
            f"chi2 is {float(texture['cost']):.1f} per point: the model does not describe the satellites within their errors; "
            "standard deviations are widened accordingly."
        )
    if texture.attrs["solver"] == "motif":
        yield from _about_held_out(float(texture["cost"]), float(texture["free_cost"]))
    if texture.attrs["solver"] == "window":
        yield (
            "Solver window takes |psi| for nearly uniform and not from the structure: amplitude and phase modulation can be "
            "exchanged, a polarization counts as displacement, and no standard deviation is known."
        )


def _about_held_out(cost: float, free: float) -> Iterator[str]:
    """A fit may be good and wrong: with two reflections closure domains had chi2 0.6, free chi2 9.9 and a false displacement."""
    if free > OVERFIT * max(cost, 1.0):
        yield (
            f"Satellites held out of the fit are missed by more than those in it (free chi2 {free:.1f}, chi2 {cost:.1f} per "
            "point): the motif follows noise or errors of the model, and its standard deviations, widened for that, hold for "
            "other motifs of its cluster only. More reflections or fewer harmonics may help."
        )
