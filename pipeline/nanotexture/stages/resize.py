"""How many planes a film has: the pilot's texture relaxed in films some planes thinner and thicker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.preparation.rod_fit import CORRELATED_ROWS
from nanotexture.quantities import Orders, Reference, Solutions
from nanotexture.schema import REFERENCE, labelled
from nanotexture.stages.invert import pilot_modes
from nanotexture.stages.models import ResizeConfig, Tie
from nanotexture.stages.motif_data import motif_data
from nanotexture.stages.motif_solve import best_motif, relaxed
from nanotexture.stages.reference import lattice

Array = NDArray[np.float64]

BESIDE = 2  # planes thinner and thicker that are tried at least
MOST_BESIDE = 4
STEP = 0.3  # of a plane: what a whole number of planes cannot tell


@stage(version=1)
def resize(
    orders: list[Orders], first: Reference, pilots: list[Solutions], *, config: ResizeConfig
) -> Reference:
    """The reference lattice with the number of planes that fits best, at the temperature whose pilot fits best.

    Fringes and substrate alone, with one phase for all of the texture, put the film of the quickstart a plane too thin.
    """
    best = int(np.argmin([float(np.nanmin(one["cost"].values)) for one in pilots]))
    c, thickness = float(first["c"]), float(first["thickness"])
    beside = int(np.clip(np.ceil(2 * float(orders[best]["thickness_std"]) / c), BESIDE, MOST_BESIDE))
    middle = round(thickness / c)
    planes = np.arange(max(middle - beside, 3), middle + beside + 1)
    found = [_chi2(orders[best], lattice(first, n * c, config.film), pilots[best], config) for n in planes]
    costs, points = np.array([cost for cost, _ in found]), found[0][1]
    weight = np.exp(-0.5 * (costs - costs.min()) / (max(costs.min() / points, 1.0) * CORRELATED_ROWS))
    mean = float(weight @ planes / weight.sum())
    spread = float(weight @ (planes - mean) ** 2 / weight.sum())
    chosen = lattice(first, float(planes[costs.argmin()]) * c, config.film)
    values = {name: chosen[name].values for name in REFERENCE if name in chosen}
    return Reference(labelled(values | {"thickness_std": c * np.sqrt(spread + STEP**2)}, REFERENCE))


def _chi2(orders: Orders, reference: Reference, pilot: Solutions, config: ResizeConfig) -> tuple[float, int]:
    """chi2 of the pilot's motif relaxed on a reference lattice, and over how many points."""
    data = motif_data(orders, reference, config.film, config.polarization, Tie(pilot["tie"].item()))
    found = relaxed(data, pilot_modes(data, config), best_motif(pilot))
    points = sum(int(one.work.sum()) for one in data.reflections)
    return float(found.cost[0]) * points, points
