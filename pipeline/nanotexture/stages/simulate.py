"""A simulated measurement and its truth, in the place of files: texture, brightness of each reflection, counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.film.config import FilmConfig
from nanotexture.film.stack import Stack
from nanotexture.quantities import BrightMap, ReciprocalMap, SimulatedMotif, Truth
from nanotexture.schema import BRIGHT, MAP, MOTIF, TRUTH, VOLUME_TRUTH, Schema, in_volume, labelled
from nanotexture.simulate.axes import Axes, sensible_axes
from nanotexture.simulate.brightness import Brightness, bright_map
from nanotexture.simulate.counting import Measured, measured_maps
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.textures import motif_from_texture
from nanotexture.stages.models import BrightConfig, CountsConfig, Hkl, SimulateConfig, TruthConfig
from nanotexture.texture.elastic import (
    gradient_from_field,
    gradient_from_volume,
    rotation_from_gradient,
    strain_from_gradient,
)

Array = NDArray[np.float64]

IN_PLANE = [0, 2]  # components x and z, which a result has of a texture that is uniform along y


@stage(version=1)
def simulate_texture(*, config: SimulateConfig) -> SimulatedMotif:
    """One period of the recipe's texture on the planes of its film."""
    stack, below = simulated_stack(config.film), config.film.below()
    stiff = None if below is None else below.material.elastic
    motif = motif_from_texture(stack=stack, texture=config.texture, below=stiff)
    unknown = np.full_like(motif.displacement, np.nan)
    values = {
        "displacement": motif.displacement,
        "polarization": unknown if motif.polarization is None else motif.polarization,
        "periods": np.array(motif.periods),
        "z": stack.heights,
    }
    return SimulatedMotif(labelled(values, MOTIF))


@stage(version=1)
def simulate_bright(motif: SimulatedMotif, *, config: BrightConfig) -> BrightMap:
    """One reflection at unit flux, before anything is counted."""
    stack = simulated_stack(config.film)
    axes = sensible_axes(
        period=config.axis_period,
        stack=stack,
        hkl=config.hkl,
        orders=config.orders,
        shape=config.voxels,
        period_y=config.axis_period_y,
    )
    found = bright_map(
        motif=_motif(motif),
        stack=stack,
        substrate=config.film.below(),
        hkl=config.hkl,
        axes=axes,
        disorder=config.disorder,
        instrument=config.instrument,
        seed=config.seed,
        gap=config.film_gap,
    )
    values = {**_along(axes), "intensity": found.intensity, "mask": found.mask}
    return BrightMap(labelled(values | {"hkl": np.array(config.hkl)}, _schema_of(BRIGHT, axes)))


@stage(version=1)
def simulate_map(brights: list[BrightMap], *, config: CountsConfig) -> ReciprocalMap:
    """Counts of one reflection; the brightest voxel of all reflections expects peak_counts."""
    every = measured_maps(
        [_brightness(one) for one in brights],
        peak_counts=config.peak_counts,
        instrument=config.instrument,
        seed=config.seed,
    )
    found = next(one for one in every if one.hkl == config.hkl)
    hidden = found.mask != 0
    values = {
        **_along(found.axes),
        "intensity": np.where(hidden, np.nan, found.intensity),
        "variance": np.where(hidden, np.nan, found.variance),
        "mask": found.mask,
        "hkl": np.array(config.hkl),
        "temperature": float("nan") if config.temperature is None else config.temperature,
        "energy": config.instrument.energy_kev,
        "scale": 1.0,
    }
    attrs = {"file": "simulated " + "".join(map(str, config.hkl)), "sample": "simulated"}
    return ReciprocalMap(labelled(values, _schema_of(MAP, found.axes), attrs))


@stage(version=1)
def simulate_truth(motif: SimulatedMotif, *, config: TruthConfig) -> Truth:
    """The texture behind the simulated maps, laid out as an answer is; what it knows has no standard deviation."""
    stack = simulated_stack(config.film)
    found = _motif(motif)
    period, volume = found.periods[0], found.displacement.shape[2] > 1
    moved = _components(found.displacement)
    moved = moved - moved.mean(axis=tuple(range(1, moved.ndim)), keepdims=True)
    slopes = (
        gradient_from_volume(field=moved, periods=found.periods, z=stack.heights)
        if volume
        else gradient_from_field(field=moved, period=period, z=stack.heights)
    )
    polar = np.full_like(moved, np.nan) if found.polarization is None else _components(found.polarization)
    fields = {"displacement": moved, "polarization": polar, "strain": strain_from_gradient(gradient=slopes)}
    known = {**_periods(found), "thickness": stack.thickness, "c": stack.mean_c, "gap": config.film_gap}
    values: dict[str, Any] = {
        **fields,
        **{
            f"{name}_std": np.where(np.isfinite(value), 0.0, np.nan)
            for name, value in (fields | known).items()
        },
        **known,
        "rotation": rotation_from_gradient(gradient=slopes),
        **{
            f"correlation_length{name.removeprefix('period')}": _correlation_length(length, config.disorder)
            for name, length in _periods(found).items()
        },
        **_places("x", period, moved.shape[1]),
        **(_places("y", found.periods[1], moved.shape[2]) if volume else {}),
        "z": stack.heights,
        "temperature": float("nan") if config.temperature is None else config.temperature,
    }
    attrs = {"inversion": "resolved", "solver": "simulation"}
    return Truth(labelled(values, VOLUME_TRUTH if volume else TRUTH, attrs))


def _components(field: Array) -> Array:
    """Fields (3, x, y, z) as a result has them: (2, x, z), components x and z, where the texture is uniform along y."""
    return field if field.shape[2] > 1 else field[IN_PLANE, :, 0]


def _periods(found: Motif) -> dict[str, float]:
    """Periods by the name of their variable."""
    volume = found.displacement.shape[2] > 1
    return dict(zip(("period", "period_y") if volume else ("period",), found.periods, strict=False))


def _places(name: str, period: float, points: int) -> dict[str, Array]:
    """Coordinate and positions along one direction of the plane."""
    along = np.arange(points) / points
    return {name: along, f"{name}_position": along * period}


def _along(axes: Axes) -> dict[str, Array]:
    """The axes of a map by name."""
    found = {"qx": axes.qx, "qy": axes.qy, "qz": axes.qz}
    return {name: axis for name, axis in found.items() if axis is not None}


def _axes(found: BrightMap | ReciprocalMap) -> Axes:
    return Axes(found["qx"].values, found["qz"].values, found["qy"].values if "qy" in found else None)


def _schema_of(schema: Schema, axes: Axes) -> Schema:
    return schema if axes.qy is None else in_volume(schema)


def _correlation_length(period: float, disorder: float) -> float:
    """2 / FWHM of order 1 of Hosemann's paracrystal, period / (2 pi^2 sigma^2), in angstrom; NaN without disorder."""
    return period / (2 * np.pi**2 * disorder**2) if disorder > 0 else float("nan")


def simulated_stack(film: FilmConfig) -> Stack:
    """The planes of a film whose recipe is told everything."""
    return film.stack(c=film.c_guess, thickness=film.thickness or 0.0)


def measured_from_map(found: ReciprocalMap) -> Measured:
    """A simulated map as plain arrays: what the contract's map file is written from."""
    return Measured(
        hkl=_hkl(found),
        axes=_axes(found),
        energy_kev=float(found["energy"]),
        intensity=np.nan_to_num(found["intensity"].values),
        variance=np.nan_to_num(found["variance"].values),
        mask=found["mask"].values,
    )


def _motif(found: SimulatedMotif) -> Motif:
    polar = found["polarization"].values
    periods = found["periods"].values
    return Motif(
        (float(periods[0]), float(periods[1])),
        found["displacement"].values,
        polar if np.isfinite(polar).all() else None,
    )


def _brightness(found: BrightMap) -> Brightness:
    return Brightness(_hkl(found), _axes(found), found["intensity"].values, found["mask"].values)


def _hkl(found: BrightMap | ReciprocalMap) -> Hkl:
    h, k, el = (int(n) for n in found["hkl"].values)
    return h, k, el
