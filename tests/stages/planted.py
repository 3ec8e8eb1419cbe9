"""Orders of a planted motif, made by the solver's own model, as the preparation would label them."""

from dataclasses import replace

import numpy as np
import torch
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.materials import built_in
from nanotexture.phasing.motif_model import Nuisance, order_intensities
from nanotexture.schema import ORDERS, REFERENCE, labelled
from nanotexture.stages.models import Tie
from nanotexture.stages.motif_data import SYSTEMATIC, motif_data

A, PERIOD, GAP, SCALE = 3.905, 100.0, 0.2, 30.0
PBTIO3, SRTIO3 = built_in("PbTiO3"), built_in("SrTiO3")
BELOW = SubstrateConfig(material=SRTIO3, c=3.905)
SINGLE = FilmConfig(
    in_plane=A, layers=(LayerConfig(material=PBTIO3, cells=14, c=4.08),), thickness=57.12, substrate=BELOW
)
SUPERLATTICE = FilmConfig(
    in_plane=A,
    layers=(LayerConfig(material=SRTIO3, cells=4, c=3.905), LayerConfig(material=PBTIO3, cells=4, c=4.08)),
    repeat=2,
    substrate=BELOW,
)


def rows_around(film, index, fringes, per_fringe):
    """qz of a reflection's rows (row,) in 1/angstrom, around the film peak."""
    stack = film.stack(c=4.08, thickness=57.12)
    fringe = 2 * np.pi / stack.thickness
    number = round(2 * fringes * per_fringe) + 1
    return 2 * np.pi * index / stack.mean_c + np.linspace(-fringes, fringes, number) * fringe


def orders(film, hkl, highest=3, fringes=3.2, per_fringe=8, **values):
    """Labelled orders of the reflections hkl (reflection, 3); values replace those of an empty measurement."""
    hkl = np.asarray(hkl)
    stack = film.stack(c=4.08, thickness=57.12)
    n = np.arange(-highest, highest + 1)
    qz = np.stack([rows_around(film, index, fringes, per_fringe) for index in hkl[:, 2]])
    shape, number = (len(hkl), len(n), qz.shape[1]), len(hkl)
    position = 2 * np.pi * hkl[:, :1] / A + n * 2 * np.pi / PERIOD
    found = {
        "hkl": hkl,
        "order": n,
        "qx": np.zeros((number, 2)),
        "qz": qz,
        "intensity": np.ones(shape),
        "variance": np.ones(shape),
        "held_out": np.zeros(shape, np.uint8),
        "line": np.zeros((number, len(n), 2)),
        "background": np.zeros((number, 2, shape[2])),
        "line_position": position,
        **{
            name: np.full((number, len(n)), 0.01) for name in ("line_width", "line_width_std", "line_lorentz")
        },
        "line_chi2": np.ones(number),
        "scale": np.ones(number),
        "energy": np.full(number, 8.048),
        "resolution_qz": np.zeros(number),
        "c": stack.mean_c,
        "in_plane": A,
        "period": PERIOD,
        "correlation_length": 1000.0,
        "thickness": stack.thickness,
        "gap": GAP,
        "fringe_spacing": 2 * np.pi / stack.thickness,
        "temperature": 300.0,
    }
    spreads = ("period", "correlation_length", "in_plane", "c", "thickness", "gap")
    found |= {f"{name}_std": 0.01 for name in spreads}
    return labelled(found | values, ORDERS)


def reference(film):
    """The reference lattice of the film."""
    stack = film.stack(c=4.08, thickness=57.12)
    values = {
        "z": stack.heights,
        "spacing": stack.spacings,
        "layer": np.array(stack.plane_materials),
        "in_plane": A,
        "c": stack.mean_c,
        "thickness": stack.thickness,
        "period": PERIOD,
    }
    return labelled(values, REFERENCE)


def measured(film, hkl, fields, *, polarization=True, tie=Tie.NONE, error=0.01, seed=0, **options):
    """Orders of fields (f, x, z) with noise; error: of the amplitude, relative to the strongest satellite's."""
    empty = orders(film, hkl, **options)
    data = motif_data(empty, reference(film), film, polarization, tie)
    zero = torch.zeros(1, dtype=torch.float64)
    values = empty["intensity"].values.copy()
    variance = values.copy()
    rng = np.random.default_rng(seed)
    for r, one in enumerate(data.full):
        one = replace(one, scale=SCALE)
        exact = order_intensities(one, torch.from_numpy(fields[None]), Nuisance(zero, zero, zero + GAP))[0]
        exact = exact.numpy()
        top = exact[np.arange(len(exact)) != len(exact) // 2].max()
        variance[r] = 4 * error**2 * top * (exact + error**2 * top)
        values[r] = exact + rng.normal(size=exact.shape) * np.sqrt(variance[r] + (SYSTEMATIC * exact) ** 2)
    return orders(film, hkl, intensity=values, variance=variance, **options)
