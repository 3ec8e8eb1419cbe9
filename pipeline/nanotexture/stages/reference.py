"""The reference lattice that all temperatures share: planes of the film, from which displacement is measured."""

from __future__ import annotations

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.film.config import FilmConfig
from nanotexture.film.stack import Stack
from nanotexture.quantities import Orders, Reference
from nanotexture.schema import REFERENCE, labelled
from nanotexture.stages.models import ReferenceConfig


@stage(version=1)
def reference(orders: list[Orders], *, config: ReferenceConfig) -> Reference:
    """Reference lattice; what the recipe leaves open is the mean over the temperatures."""
    c = float(np.mean([float(one["c"]) for one in orders]))
    thickness = float(np.mean([float(one["thickness"]) for one in orders]))
    period = float(np.mean([float(one["period"]) for one in orders]))
    return _labelled(config.film.stack(c=c, thickness=thickness), c, period)


def lattice(first: Reference, thickness: float, film: FilmConfig) -> Reference:
    """A reference lattice of another thickness (angstrom), else the same."""
    stack = film.model_copy(update={"thickness": None}).stack(c=float(first["c"]), thickness=thickness)
    return _labelled(stack, float(first["c"]), float(first["period"]))


def _labelled(stack: Stack, c: float, period: float) -> Reference:
    values = {
        "z": stack.heights,
        "spacing": stack.spacings,
        "layer": np.array(stack.plane_materials),
        "in_plane": stack.in_plane,
        "c": c,
        "thickness": stack.thickness,
        "period": period,
    }
    return Reference(labelled(values, REFERENCE))
