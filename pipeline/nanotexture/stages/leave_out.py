"""A reflection left out: how well the answer, relaxed onto the others, predicts it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.phasing.motif import MotifSolutions
from nanotexture.phasing.motif_model import Nuisance, ReflectionData, order_intensities
from nanotexture.quantities import Clusters, LeftOut, ModeChoice, Orders, Reference, Settled
from nanotexture.schema import LEFT_OUT, SETTLED, in_volume, labelled
from nanotexture.stages.invert import chosen_modes
from nanotexture.stages.models import LeaveOutConfig, SettleConfig, Tie
from nanotexture.stages.motif_data import motif_data
from nanotexture.stages.motif_setup import MotifData
from nanotexture.stages.motif_solve import Motifs, motif_of_cluster, relaxed, scale_of

Array = NDArray[np.float64]


@stage(version=1)
def settle(
    orders: Orders, reference: Reference, choice: ModeChoice, clusters: Clusters, *, config: SettleConfig
) -> Settled:
    """The answer relaxed once more on all reflections, and how well it fits each; no motif where there is no answer."""
    hkl = orders["hkl"].values
    values: dict[str, Any] = {"hkl": hkl, "cost_fitted": np.full(len(hkl), np.nan)}
    if len(clusters["field"]):
        data = motif_data(orders, reference, config.film, config.polarization, Tie(choice["tie"].item()))
        found = relaxed(
            data, chosen_modes(choice, config.strain), motif_of_cluster(clusters), scale_of(clusters)
        )
        values |= {
            "cost_fitted": np.array([_cost(one, found) for one in data.reflections]),
            "motif": data.on_planes(found.fields[0]),
            "gap": float(found.gap),
        }
        if "width_scale" in clusters:
            values["width_scale"] = clusters["width_scale"].values
    return Settled(labelled(values, in_volume(SETTLED) if "order_y" in orders else SETTLED))


@stage(version=3)
def leave_out(
    orders: Orders, reference: Reference, choice: ModeChoice, settled: Settled, *, config: LeaveOutConfig
) -> LeftOut:
    """chi2 per point of one reflection, fitted and predicted with its own scale; NaN where there is no answer."""
    values = {
        "hkl": settled["hkl"].values[config.left],
        "cost_fitted": float(settled["cost_fitted"][config.left]),
        "cost_left_out": np.nan,
        "worst_order": np.nan,
        "points": 0,
    }
    if "motif" in settled:
        data = motif_data(orders, reference, config.film, config.polarization, Tie(choice["tie"].item()))
        motif = Motifs(settled["motif"].values[None], settled["gap"].values[None])
        modes = chosen_modes(choice, config.strain)
        others = relaxed(_without(data, config.left), modes, motif, scale_of(settled))
        one = data.reflections[config.left]
        use, missed = one.work | one.free, misfit(one, others)
        by_order = missed.sum(1) / use.sum(1).clamp_min(1)
        values |= {
            "cost_left_out": float(missed.sum() / use.sum()),
            "worst_order": float(one.orders[by_order.argmax()]),
            "points": int(use.sum()),
        }
    return LeftOut(labelled(values, LEFT_OUT))


def misfit(one: ReflectionData, motif: MotifSolutions) -> torch.Tensor:
    """chi2 (n, q) of every value of one reflection, its scale free and its resolution that of the others' mean."""
    zero = torch.zeros_like(motif.gap)
    nuisance = Nuisance(zero, motif.log_resolution.mean(1), motif.gap)
    model = order_intensities(one, motif.fields, nuisance)[0]
    use = one.work | one.free
    weight = torch.where(use, one.sigma**-2, 0.0)
    scale = (weight * model * one.intensity).sum() / (weight * model**2).sum().clamp_min(1e-300)
    return weight * (scale * model - one.intensity) ** 2


def _cost(one: ReflectionData, motif: MotifSolutions) -> float:
    return float(misfit(one, motif).sum() / (one.work | one.free).sum())


def _without(data: MotifData, left: int) -> MotifData:
    """The data without one reflection; what is unknown stays as it was."""
    keep = [r for r in range(len(data.reflections)) if r != left]
    return replace(
        data,
        reflections=tuple(data.reflections[r] for r in keep),
        full=tuple(data.full[r] for r in keep),
        block=tuple(data.block[r] for r in keep),
    )
