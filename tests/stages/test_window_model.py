"""The baseline as a stage: in a superlattice its answer has every plane, and the model of the orders is made of them all."""

import numpy as np
import torch
import xarray as xr
from nanotexture.phasing.motif_model import Nuisance, order_intensities
from nanotexture.quantities import Orders, ReciprocalMap
from nanotexture.stages.models import WindowConfig
from nanotexture.stages.motif_data import motif_data
from nanotexture.stages.window import window

from .planted import SUPERLATTICE, orders, reference

HKL = [(0, 0, 2)]


def one_map(found: Orders) -> ReciprocalMap:
    """Satellites as bright columns of voxels: what the baseline phases does not matter here, only its planes."""
    qx = np.linspace(-0.2, 0.2, 81)
    qz = found["qz"].values[0]
    counts = np.random.default_rng(0).uniform(50, 100, (len(qx), len(qz)))
    values = {"intensity": (("qx", "qz"), counts), "mask": (("qx", "qz"), np.zeros(counts.shape, np.uint8))}
    return ReciprocalMap(xr.Dataset(values, {"qx": qx, "qz": qz}))


def test_the_answer_has_all_planes_and_its_model_is_of_all_planes():
    empty = orders(SUPERLATTICE, HKL)
    qx = np.linspace(-0.2, 0.2, 81)
    flat = np.zeros((1, len(qx), empty.sizes["row"]))
    found = orders(
        SUPERLATTICE,
        HKL,
        qx=qx[None],
        background=flat,
        line=np.zeros((1, empty.sizes["order"], len(qx))),
    )
    config = WindowConfig(film=SUPERLATTICE, starts=(0, 1), seed=0)
    answer = window([one_map(found)], found, reference(SUPERLATTICE), config=config)
    assert answer.sizes["z"] == SUPERLATTICE.repeat * 8
    data = motif_data(found, reference(SUPERLATTICE), SUPERLATTICE.unrolled).full[0]
    zero = torch.zeros(2, dtype=torch.float64)
    field = torch.from_numpy(answer["field"].values)
    expected = order_intensities(data, field, Nuisance(zero, zero, zero + float(found["gap"])))
    rows = expected.shape[-1]
    np.testing.assert_allclose(answer["model"].values[:, 0, :, :rows], expected)
