"""The layers' coefficients at every height, in reduced units: nm, GPa, C/m^2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nanotexture.simulate.phasefield.grid import Grid
from nanotexture.simulate.phasefield.settings import GPA, GRADIENT_UNIT, Layer, Settings


@dataclass(frozen=True)
class Coefficients:
    """Fields (nz,) along z: Landau (GPa), stiffness (GPa), electrostriction, misfit eigenstrain and 1 where polar.

    gradient: (g11, g12, g44, g44') in GPa nm^2, one for the box: the mean over the polar nodes.
    """

    a1: Tensor
    a11: Tensor
    a12: Tensor
    a111: Tensor
    a112: Tensor
    a123: Tensor
    c11: Tensor
    c12: Tensor
    c44: Tensor
    q11: Tensor
    q12: Tensor
    q44: Tensor
    misfit: Tensor
    polar: Tensor
    gradient: tuple[float, float, float, float]


def coefficients_of(settings: Settings, grid: Grid) -> Coefficients:
    """Coefficients of a run at every height (nz,)."""
    columns = [_of_layer(layer, settings) for layer in settings.layers]
    nodes = [layer.cells // settings.cells_per_node for layer in settings.layers]
    table = {name: np.repeat([column[name] for column in columns], nodes) for name in columns[0]}
    table = {name: _surrounded(name, values, settings) for name, values in table.items()}
    if settings.uniform:
        table |= {name: np.full_like(table[name], _film_mean(table[name], table["polar"])) for name in _STIFF}
    gradient = tuple(_film_mean(table.pop(name), table["polar"]) for name in _GRADIENT)
    fields: dict[str, Any] = {name: grid.tensor(values) for name, values in table.items()}
    return Coefficients(**fields, gradient=(gradient[0], gradient[1], gradient[2], gradient[3]))


_STIFF = ("c11", "c12", "c44")
_GRADIENT = ("g11", "g12", "g44", "g44_prime")


def _of_layer(layer: Layer, settings: Settings) -> dict[str, float]:
    material = layer.material
    landau, elastic = material.landau, material.elastic
    electrostriction, gradient = material.electrostriction, material.gradient
    assert landau is not None
    assert elastic is not None
    assert electrostriction is not None
    assert gradient is not None
    higher = ("a11", "a12", "a111", "a112", "a123")
    return (
        {"a1": landau.a1(settings.temperature) * GPA}
        | {name: getattr(landau, name) * GPA for name in higher}
        | {name: getattr(elastic, name) * GPA for name in _STIFF}
        | {name: getattr(electrostriction, name) for name in ("q11", "q12", "q44")}
        | {name: getattr(gradient, name) * GRADIENT_UNIT for name in _GRADIENT}
        | {"misfit": layer.cubic / settings.in_plane - 1.0, "polar": 1.0}
    )


def _surrounded(name: str, film: NDArray[np.float64], settings: Settings) -> NDArray[np.float64]:
    around = settings.surroundings
    if around is None:
        return film
    stiffness = getattr(around.substrate, name) * GPA if name in _STIFF else 0.0
    below = np.full(settings.below, stiffness)
    return np.concatenate([below, film, np.full(settings.above, stiffness * around.softness)])


def _film_mean(values: NDArray[np.float64], polar: NDArray[np.float64]) -> float:
    return float((values * polar).sum() / polar.sum())
