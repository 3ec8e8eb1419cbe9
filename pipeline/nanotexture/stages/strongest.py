"""The component that a series of textures is told by: the strongest that is determined, the same at every temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.quantities import Texture
from nanotexture.texture.order import modulation, rms_with_error

Array = NDArray[np.float64]

SEEN = 2.0  # standard errors above which an amplitude counts as seen
_ELASTIC = (("strain", ("xx", "zz", "xz")), ("gradient_along_q", ("x", "z")))
_POLAR = (("polarization", ("x", "z")),)


@dataclass(frozen=True)
class Quantity:
    """One component at every temperature: values and standard deviations (t, x, z), NaN where not determined."""

    name: str
    units: str
    values: Array
    std: Array

    @property
    def amplitudes(self) -> tuple[Array, Array]:
        """rms of the modulation along x (t,) and its standard error (t,)."""
        pairs = [rms_with_error(modulation(v), s) for v, s in zip(self.values, self.std, strict=True)]
        value, error = np.array(pairs, dtype=float).T
        return value, error


def elastic_quantities(textures: list[Texture]) -> list[Quantity]:
    """Strain, rotation and gradient along Q, as far as determined at any temperature."""
    found = _components(textures, _ELASTIC)
    if all("rotation" in one for one in textures):
        values, std = (np.stack(part) for part in zip(*map(_rotation, textures), strict=True))
        found.append(Quantity("rotation", "rad", values, std))
    return [one for one in found if np.isfinite(one.values).any()]


def polar_quantities(textures: list[Texture]) -> list[Quantity]:
    """Components of the polarization, as far as determined at any temperature."""
    return [one for one in _components(textures, _POLAR) if np.isfinite(one.values).any()]


def strongest(quantities: list[Quantity]) -> Quantity | None:
    """The one known at most temperatures whose amplitude reaches highest; None where there is none."""

    def strength(one: Quantity) -> tuple[int, float]:
        size, _ = one.amplitudes
        return int(np.isfinite(size).sum()), float(np.nanmax(size))

    return max(quantities, key=strength, default=None)


def is_seen(quantity: Quantity | None) -> bool:
    """Whether its amplitude exceeds 2 standard errors at any temperature."""
    if quantity is None:
        return False
    size, error = quantity.amplitudes
    return bool((size > SEEN * np.nan_to_num(error)).any())


def polar_fields(textures: list[Texture]) -> tuple[Array, Array]:
    """P and its standard deviation (t, 2, x, z)."""
    names = ("polarization", "polarization_std")
    value, std = (np.stack([one[name].values for one in textures]) for name in names)
    return value, std


def temperatures_of(textures: list[Texture]) -> Array:
    """Temperatures (t,) in K."""
    return np.array([float(one["temperature"]) for one in textures])


def _components(textures: list[Texture], entries: tuple[tuple[str, tuple[str, ...]], ...]) -> list[Quantity]:
    found = []
    for name, components in entries:
        if not all(name in one for one in textures):
            continue
        value, std = (np.stack([one[key].values for one in textures]) for key in (name, f"{name}_std"))
        units = str(textures[0][name].attrs["units"])
        found += [
            Quantity(f"{name}_{part}", units, value[:, k], std[:, k]) for k, part in enumerate(components)
        ]
    return found


def _rotation(one: Texture) -> tuple[Array, Array]:
    """Rotation and its standard deviation, that of the shear strain: both are half of the same two slopes."""
    std = one["strain_std"].values[2]
    return one["rotation"].values, std
