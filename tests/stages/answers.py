"""Answers of an inversion made from simulated textures: exact fields with standard deviations as told."""

from __future__ import annotations

import numpy as np
from nanotexture.film.stack import Stack
from nanotexture.schema import ORDERS, REFERENCE, TEXTURE, labelled
from nanotexture.simulate.motif import Motif
from nanotexture.texture.elastic import gradient_from_field, rotation_from_gradient, strain_from_gradient

NAN = float("nan")


def answer(motif: Motif, stack: Stack, kelvin=NAN, strain_std=1e-4, polarization_std=0.01):
    """Texture of one temperature; polarization NaN where the motif has none."""
    u, period, z = motif.displacement[[0, 2], :, 0], motif.periods[0], stack.heights
    slopes = gradient_from_field(field=u, period=period, z=z)
    strain = strain_from_gradient(gradient=slopes)
    p = np.full_like(u, NAN) if motif.polarization is None else motif.polarization[[0, 2], :, 0]
    x = np.arange(u.shape[1]) / u.shape[1]
    numbers = dict.fromkeys((name for name, entry in TEXTURE.items() if not entry.dims), 1.0)
    given = {
        "displacement": u, "displacement_std": 0.01 + 0 * u, "strain": strain, "strain_std": strain_std + 0 * strain,
        "polarization": p, "polarization_std": polarization_std + 0 * p, "rotation": rotation_from_gradient(gradient=slopes),
        "x": x, "z": z, "x_position": period * x, "period": period, "period_std": 0.1, "temperature": kelvin,
    }  # fmt: skip
    return labelled(numbers | given, TEXTURE)


def reference_of(stack: Stack):
    """Reference lattice of a stack."""
    values = {
        "z": stack.heights, "spacing": stack.spacings, "layer": np.array(stack.plane_materials),
        "in_plane": stack.in_plane, "c": stack.mean_c, "thickness": stack.thickness, "period": 100.0,
    }  # fmt: skip
    return labelled(values, REFERENCE)


def orders_of(kelvin: float, c: float, in_plane: float, share: float):
    """Orders -1, 0, 1 of one reflection whose satellites hold a share of the intensity."""
    sizes = {"reflection": 1, "index": 3, "order": 3, "row": 4, "column": 5}
    values = {
        name: np.ones([sizes[d] for d in entry.dims], np.int64 if entry.kind in "iu" else float)
        for name, entry in ORDERS.items()
    }
    bright = np.array([share / 2, 1 - share, share / 2])[None, :, None] * np.full(4, 1e6)
    values |= {"held_out": values["held_out"].astype("u1"), "order": np.array([-1, 0, 1])}
    values |= {"intensity": bright, "variance": bright, "temperature": kelvin, "c": c, "c_std": 1e-4}
    return labelled(values | {"in_plane": in_plane, "in_plane_std": 2e-4}, ORDERS)
