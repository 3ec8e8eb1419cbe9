"""The reference lattice that all temperatures share: planes of the film, from which displacement is measured."""

from __future__ import annotations

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.quantities import Orders, Reference
from nanotexture.schema import REFERENCE, labelled
from nanotexture.stages.models import ReferenceConfig


@stage(version=1)
def reference(orders: list[Orders], *, config: ReferenceConfig) -> Reference:
    """Reference lattice; what the recipe leaves open is the mean over the temperatures."""
    c = float(np.mean([float(one["c"]) for one in orders]))
    thickness = float(np.mean([float(one["thickness"]) for one in orders]))
    stack = config.film.stack(c=c, thickness=thickness)
    values = {
        "z": stack.heights,
        "spacing": stack.spacings,
        "layer": np.array(stack.plane_materials),
        "in_plane": stack.in_plane,
        "c": c,
        "thickness": stack.thickness,
        "period": float(np.mean([float(one["period"]) for one in orders])),
    }
    return Reference(labelled(values, REFERENCE))
