"""Energy densities of the answers at all temperatures, where the materials' coefficients are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.film.config import FilmConfig
from nanotexture.film.materials import Material
from nanotexture.quantities import Energy, Reference, Texture
from nanotexture.schema import ENERGY, labelled
from nanotexture.stages.domains import layer_numbers
from nanotexture.stages.models import EnergyConfig
from nanotexture.stages.planar import left_out_of_volumes
from nanotexture.stages.strongest import temperatures_of
from nanotexture.texture.domains import DRAWS
from nanotexture.texture.elastic import gradient_from_field
from nanotexture.texture.energy import (
    eigenstrain_from_polarization,
    elastic_energy_from_strain,
    gradient_energy_from_slopes,
    landau_energy_from_polarization,
)
from nanotexture.texture.noise import drawn_fields

Array = NDArray[np.float64]

ROOM = 298.15  # K
FIELDS = (("strain", 3), ("polarization", 2))
PARTS = ("elastic", "landau", "gradient")


@stage(version=1)
def energy(textures: list[Texture], reference: Reference, *, config: EnergyConfig) -> Energy:
    """Elastic, Landau and gradient energy; electrostatic energy and misfit are not in."""
    if (nothing := left_out_of_volumes(textures, "Energy densities")) is not None:
        return Energy(nothing)
    materials = [config.film.layers[int(i)].material for i in reference["layer"].values]
    layers = layer_numbers(reference["layer"].values)
    each = [_one(texture, materials, layers, config.seed) for texture in textures]
    values: dict[str, Any] = {name: np.stack([one[name] for one in each]) for name in each[0]}
    values |= {"x": textures[0]["x"].values, "z": textures[0]["z"].values}
    attrs = {
        "parts": "elastic, Landau, gradient; no electrostatic energy, no misfit of the mean lattice",
        "eigenstrain": _eigenstrain_text(textures, config.film),
    }
    return Energy(labelled(values | {"temperature": temperatures_of(textures)}, ENERGY, attrs))


def _one(
    texture: Texture, materials: list[Material], layers: NDArray[np.int64], seed: int
) -> dict[str, Array]:
    """Densities (x, z), their means and the standard deviations of these over drawn fields, of one temperature."""
    kelvin, period = float(texture["temperature"]), float(texture["period"])
    density = _densities(
        materials, layers, kelvin if np.isfinite(kelvin) else ROOM, period, texture["z"].values
    )
    fields, std = (
        np.concatenate([texture[f"{name}{end}"].values for name, _ in FIELDS]) for end in ("", "_std")
    )
    found = density(fields)
    drawn = drawn_fields(fields=np.nan_to_num(fields), std=np.nan_to_num(std), draws=DRAWS, seed=seed)
    known = np.isfinite(fields)
    means = [_means(density(np.where(known, one, np.nan))) for one in drawn]
    middle = _means(found)
    spread = {
        part: float(np.sqrt(np.mean([(one[part] - middle[part]) ** 2 for one in means]))) for part in PARTS
    }
    return {
        **found,
        **{f"{part}_mean": np.asarray(middle[part]) for part in PARTS},
        **{f"{part}_mean_std": np.asarray(spread[part]) for part in PARTS},
    }


def _densities(
    materials: list[Material], layers: NDArray[np.int64], kelvin: float, period: float, z: Array
) -> Callable[[Array], dict[str, Array]]:
    """Function of strain and polarization together (5, x, z) that gives the three densities (x, z) of each plane's material."""

    def density(fields: Array) -> dict[str, Array]:
        strain, polar = fields[:3], fields[3:]
        slopes = gradient_from_field(field=polar, period=period, z=z)
        found = {part: np.full(fields.shape[1:], np.nan) for part in PARTS}
        for layer in range(int(layers.max()) + 1):
            planes = layers == layer
            material = materials[int(np.flatnonzero(planes)[0])]
            p = polar[..., planes]
            if material.elastic is not None:
                found["elastic"][:, planes] = elastic_energy_from_strain(
                    strain=_stressed(strain[..., planes], p, material), elastic=material.elastic
                )
            if material.landau is not None:
                found["landau"][:, planes] = landau_energy_from_polarization(
                    polarization=p, landau=material.landau, kelvin=kelvin
                )
            if material.gradient is not None:
                found["gradient"][:, planes] = gradient_energy_from_slopes(
                    slopes=slopes[..., planes], gradient=material.gradient
                )
        return found

    return density


def _stressed(strain: Array, polarization: Array, material: Material) -> Array:
    """Strain xx, yy, zz, xz that costs elastic energy: less what P makes free, its mean over the layer kept.

    The mean is in the reference lattice, from which the strain is measured. Where P is not known nothing is taken off.
    """
    full = np.stack([strain[0], np.zeros_like(strain[0]), strain[1], strain[2]])
    if material.electrostriction is None or not np.isfinite(polarization).all():
        return full
    free = eigenstrain_from_polarization(
        polarization=polarization, electrostriction=material.electrostriction
    )
    return np.asarray(full - free + free.mean(axis=(1, 2), keepdims=True))


def _means(found: dict[str, Array]) -> dict[str, float]:
    return {part: float(np.nanmean(v)) if np.isfinite(v).any() else float("nan") for part, v in found.items()}


def _eigenstrain_text(textures: list[Texture], film: FilmConfig) -> str:
    known = all(np.isfinite(one["polarization"].values).all() for one in textures)
    if not any(layer.material.electrostriction for layer in film.layers):
        return "none: no electrostriction in the materials' tables"
    return "subtracted" if known else "not subtracted: P_x and P_z are not determined at every temperature"
