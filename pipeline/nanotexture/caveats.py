"""Warnings that a result carries: what a reader must know before believing it, each one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr

from nanotexture.film.config import FilmConfig
from nanotexture.phasing.outcome import Outcome
from nanotexture.preparation.contradictions import told_thickness
from nanotexture.quantities import Clusters, Orders, ReciprocalMap, Texture

SIGMAS = 3.0
THICKNESS_OFF = 0.02  # relative: nearer than this, a told thickness is not called wrong
FEW_USABLE = 0.5
NO_POLAR_MATERIAL = (
    "texture.polarization = true, but no material of the film has atoms that are known to move with a polarization "
    "(displacement_per_polarization): it will be NaN."
)
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
        *_about_thickness(film, orders, thickness_scans),
        *_about_fit(clusters, texture),
    ]
    if polarization:
        found += _about_polarization(texture) if film.polar else [NO_POLAR_MATERIAL]
    return tuple(found)


def _about_polarization(texture: Texture) -> list[str]:
    """Components that were asked for and are NaN, and which reflections would tell them."""
    unknown = np.isnan(texture["polarization"].values).all(axis=(1, 2))
    help_with = {
        "x": "two reflections with h other than 0 whose structure factors feel it differently, such as 1 0 2 beside 1 0 3",
        "z": "an odd and an even l, such as 0 0 1 or 0 0 3 beside 0 0 2",
    }
    return [
        f"The polarization along {name} was asked for and is NaN: these reflections do not tell it from a displacement, "
        f"or it is smaller than its own error; {more} would tell."
        for (name, more), missing in zip(help_with.items(), unknown, strict=True)
        if missing
    ]


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
    clipped = np.isnan(orders["intensity"].values).any(axis=(1, 2)) & (
        np.isfinite(orders["qz"].values).any(axis=1)
    )
    yield from orders.attrs.get("warnings", ())
    if clipped.any():
        yield "Some orders are not covered over the whole qz range of their map; the missing rows are taken as not measured."


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
    if texture.attrs["solver"] == "motif" and float(texture["cost"]) > POOR_FIT:
        yield (
            f"chi2 is {float(texture['cost']):.1f} per point: the model does not describe the satellites within their errors; "
            "standard deviations are widened accordingly."
        )
    if texture.attrs["solver"] == "window":
        yield (
            "Solver window takes |psi| for nearly uniform and not from the structure: amplitude and phase modulation can be "
            "exchanged, a polarization counts as displacement, and no standard deviation is known."
        )
