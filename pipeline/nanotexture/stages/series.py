"""What the answers at all temperatures show together: order parameter, lengths, strain, a transition where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.quantities import Domains, Orders, Reference, Series, Texture
from nanotexture.schema import SERIES, labelled
from nanotexture.stages.models import SeriesConfig
from nanotexture.stages.planar import left_out_of_volumes
from nanotexture.stages.strongest import (
    Quantity,
    elastic_quantities,
    polar_fields,
    polar_quantities,
    strongest,
    temperatures_of,
)
from nanotexture.texture.order import rms_with_error, satellite_amplitude
from nanotexture.texture.transition import fit_transition

Array = NDArray[np.float64]


@stage(version=1)
def series(
    orders: list[Orders],
    textures: list[Texture],
    reference: Reference,
    domains: Domains,
    *,
    config: SeriesConfig,
) -> Series:
    """Order parameter, period, mean strain, wall width and duty against temperature, and a transition temperature."""
    if (nothing := left_out_of_volumes(textures, "Order parameters and transition temperatures")) is not None:
        return Series(nothing)
    kelvin = temperatures_of(textures)
    polar, elastic = strongest(polar_quantities(textures)), strongest(elastic_quantities(textures))
    told = polar if domains.attrs["quantity"] == "polarization" else elastic
    order, error = _order(told, len(textures))
    seen = _satellites(orders)
    bright = fit_transition(
        kelvin=kelvin, order=seen["satellite_amplitude"], error=seen["satellite_amplitude_std"]
    )
    fit = fit_transition(kelvin=kelvin, order=order, error=error)
    values: dict[str, Any] = {
        "order_parameter": order,
        "order_parameter_std": error,
        "order_fit": fit.values,
        **_amplitude("strain_amplitude", elastic, len(textures)),
        **_amplitude("polarization_amplitude", polar, len(textures)),
        **seen,
        "satellite_fit": bright.values,
        "satellite_transition_temperature": bright.temperature,
        "satellite_transition_temperature_std": bright.error,
        **_polar_rms(textures),
        **{name: np.array([float(one[name]) for one in textures]) for name in ("period", "period_std")},
        **_mean_strain(orders, textures, reference),
        **_wall_width(domains),
        **{name: domains[name].values for name in ("duty", "duty_std")},
        "transition_temperature": fit.temperature,
        "transition_temperature_std": fit.error,
        "order_exponent": fit.exponent,
        "temperature": kelvin,
    }
    attrs = {
        "order_parameter": "none" if told is None else told.name,
        "strain_amplitude": "none" if elastic is None else elastic.name,
        "polarization_amplitude": "none" if polar is None else polar.name,
        "curve": fit.name,
        "transition": fit.sentence,
        "satellite_curve": bright.name,
        "satellite_transition": bright.sentence,
    }
    return Series(labelled(values, SERIES, attrs))


def _order(told: Quantity | None, number: int) -> tuple[Array, Array]:
    """Amplitude and error (t,) over the largest amplitude; NaN where it is not determined."""
    if told is None:
        return np.full(number, np.nan), np.full(number, np.nan)
    size, error = told.amplitudes
    largest = float(np.nanmax(size))
    return (size / largest, error / largest) if largest > 0 else (size, error)


def _amplitude(name: str, told: Quantity | None, number: int) -> dict[str, Array]:
    none = np.full(number, np.nan)
    size, error = (none, none) if told is None else told.amplitudes
    return {name: size, f"{name}_std": error}


def _satellites(orders: list[Orders]) -> dict[str, Array]:
    """Satellites' amplitude (t,): mean over the reflections that have it at every temperature."""
    found = [_satellites_of(one) for one in orders]
    always = set.intersection(*(set(one) for one in found))
    table = np.array([[one[hkl] for hkl in sorted(always)] for one in found]).reshape(len(found), -1, 2)
    if not always:
        value = error = np.full(len(orders), np.nan)
    else:
        value = table[..., 0].mean(axis=1)
        error = np.sqrt((table[..., 1] ** 2).sum(axis=1)) / len(always)
    return {"satellite_amplitude": value, "satellite_amplitude_std": error}


def _satellites_of(orders: Orders) -> dict[tuple[int, ...], tuple[float, float]]:
    """Amplitude and error of each reflection that has them."""
    found = {}
    number = orders["order"].values
    for r, hkl in enumerate(orders["hkl"].values):
        bright, variance = (orders[name].values[r] for name in ("intensity", "variance"))
        pair = satellite_amplitude(order=number, intensity=bright, variance=variance)
        if np.isfinite(pair).all():
            found[tuple(int(n) for n in hkl)] = pair
    return found


def _polar_rms(textures: list[Texture]) -> dict[str, Array]:
    """rms of |P| (t,) over the motif, of the components that are known."""
    value, std = polar_fields(textures)
    pairs = [_polar_rms_of(v, s) for v, s in zip(value, std, strict=True)]
    size, error = np.array(pairs).T
    return {"polarization_rms": size, "polarization_rms_std": error}


def _polar_rms_of(value: Array, std: Array) -> tuple[float, float]:
    known = np.isfinite(value).all(axis=(1, 2))
    if not known.any():
        return float("nan"), float("nan")
    size = np.sqrt((value[known] ** 2).sum(axis=0))
    along = np.sqrt((value[known] ** 2 * std[known] ** 2).sum(axis=0)) / np.maximum(size, 1e-12)
    return rms_with_error(size, along)


def _mean_strain(orders: list[Orders], textures: list[Texture], reference: Reference) -> dict[str, Array]:
    """Mean strain (t, 3): lattice parameters over those of the reference lattice, and the motif's mean shear."""
    strain, error = np.full((2, len(orders), 3), np.nan)
    for k, name in enumerate(("in_plane", "c")):
        base = float(reference[name])
        strain[:, k] = [float(one[name]) / base - 1 for one in orders]
        error[:, k] = [float(one[f"{name}_std"]) / base for one in orders]
    for t, one in enumerate(textures):
        strain[t, 2], error[t, 2] = (float(np.mean(one[name].values[2])) for name in ("strain", "strain_std"))
    return {"mean_strain": strain, "mean_strain_std": error}


def _wall_width(domains: Domains) -> dict[str, Array]:
    """Mean width (t,) over the walls, and its error for walls that err independently."""
    width, std = domains["wall_width"].values, domains["wall_width_std"].values
    known = np.isfinite(width) & np.isfinite(std)
    number = known.sum(axis=1)
    total = np.where(known, width, 0.0).sum(axis=1)
    square = np.where(known, std, 0.0) ** 2
    mean, error = total / np.maximum(number, 1), np.sqrt(square.sum(axis=1)) / np.maximum(number, 1)
    return {
        "wall_width": np.where(number > 0, mean, np.nan),
        "wall_width_std": np.where(number > 0, error, np.nan),
    }
