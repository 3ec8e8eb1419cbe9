"""Domains, walls and cores of one temperature in words."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from nanotexture.report.format import counted, listed, percent, with_error

_BY = {
    "polarization": "by the direction of P",
    "rotation": "by the lattice rotation",
    "gradient_along_q_x": "by the slope of u along Q",
    "gradient_along_q_z": "by the stretch of u along Q",
}
NO_WALLS = (
    "No walls: where there are domains, they do not stand out of their errors or are too many to follow."
)


def domains_text(domains: xr.Dataset) -> str:
    """Sentences on the domains of one temperature; groups without the temperature dimension."""
    quantity = str(domains.attrs.get("quantity", ""))
    by = _BY.get(quantity, f"by the strain {quantity.rpartition('_')[2]}")
    parts = [f"Domains {by}: {_areas(domains)}." if _areas(domains) else f"No domains {by}."]
    return " ".join([*parts, _walls(domains), *_vortices(domains)])


def _areas(domains: xr.Dataset) -> str:
    shares = zip(domains["state"].values, domains["area_fraction"].values, strict=True)
    return listed([f"{name} {percent(float(share))}" for name, share in shares if share > 0])


def _walls(domains: xr.Dataset) -> str:
    place = domains["wall_mean_position"].values
    known = np.flatnonzero(np.isfinite(place))
    if not len(known):
        return NO_WALLS
    told = []
    for k in known:
        names = (("wall_mean_position", "angstrom"), ("wall_width", "angstrom"), ("wall_inclination", "deg"))
        at, wide, tilt = (
            with_error(float(domains[name].values[k]), float(domains[f"{name}_std"].values[k]), units)
            for name, units in names
        )
        told.append(f"at {at}, {wide} wide, {tilt} from the film normal")
    return f"{counted(len(known), 'wall')} in one period: {'; '.join(told)}."


def _vortices(domains: xr.Dataset) -> list[str]:
    told = []
    for k, (up, down) in enumerate(
        zip(domains["layer_vortices"].values, domains["layer_antivortices"].values, strict=True)
    ):
        if math.isfinite(up) and up + down > 0:
            sure = percent(float(domains["layer_confidence"].values[k]))
            words = f"{_number(int(up), 'vort')} and {_number(int(down), 'antivort')}"
            told.append(
                f"Layer {k + 1} from below: {words} in one period, in {sure} of the fields drawn within their errors."
            )
    return told


def _number(count: int, stem: str) -> str:
    return f"{count} {stem}{'ex' if count == 1 else 'ices'}"
