"""The best motif under a learned prior over textures: how much comes of it, and whether held-out satellites bear it out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.priors.texture_weights import TexturePrior, load_texture_prior
from nanotexture.quantities import Clusters, DenoisedMotif, ModeChoice, Orders, Reference
from nanotexture.schema import CLUSTERS, DENOISED, labelled
from nanotexture.stages.invert import TRIAL_SEED, chosen_modes, full_models, padded_model
from nanotexture.stages.models import BelieveConfig, DenoiseConfig, Tie
from nanotexture.stages.motif_data import motif_data, refolded
from nanotexture.stages.motif_denoise import UnderPrior, points_of, under_prior
from nanotexture.stages.motif_setup import MotifData
from nanotexture.stages.motif_solve import (
    ModeNumbers,
    Motifs,
    motif_of_cluster,
    relaxed,
    scale_of,
    told_fields,
)
from nanotexture.stages.weigh import WORSE

Array = NDArray[np.float64]

SURE = 2.0  # standard errors


@stage(version=1)
def denoise(
    orders: Orders,
    reference: Reference,
    choice: ModeChoice,
    clusters: Clusters,
    weights: Path,
    *,
    config: DenoiseConfig,
) -> DenoisedMotif:
    """The motif of the best cluster under the prior beside the one without, and which of the two is to be told."""
    data = motif_data(orders, reference, config.film, config.polarization, Tie(choice["tie"].item()))
    prior, modes = load_texture_prior(weights), chosen_modes(choice, config.strain)
    if clusters.sizes["cluster"] == 0:
        return _nothing(data, prior, "no motif to denoise")
    if data.period_y is not None:
        return _nothing(data, prior, "periodic along x and y")
    motif, scale = motif_of_cluster(clusters), scale_of(clusters)
    found = under_prior(data, modes, prior, relaxed(data, modes, motif), scale)
    if found is None:
        return _nothing(data, prior, "the prior knows none of the fields")
    held = _held_out(data, modes, prior, motif, scale, config)
    verdict = verdict_of(found.strangeness, prior.trust.strangeness, held)
    return _labelled(data, orders, clusters, found, prior, held, verdict)


@dataclass(frozen=True)
class HeldOut:
    """Free chi2 with and without the prior, and the standard error of their difference, over several choices of points."""

    with_prior: float
    without: float
    error: float

    @property
    def worse(self) -> bool:
        """Whether the prior predicts held-out points worse than chance allows; not where nothing is held out."""
        clear = self.with_prior - self.without > SURE * self.error
        return clear and self.with_prior > WORSE * self.without


def _held_out(
    data: MotifData,
    modes: ModeNumbers,
    prior: TexturePrior,
    motif: Motifs,
    scale: Array | None,
    config: DenoiseConfig,
) -> HeldOut:
    """Fitted and denoised with other points held out each time: neither the fit nor the denoiser has seen them."""
    pairs, weights = [], []
    for fold in range(config.folds):
        held = refolded(data, seed=config.seed + TRIAL_SEED + fold)
        wide = relaxed(held, modes, motif)
        without = wide if scale is None else relaxed(held, modes, motif, scale)
        found = under_prior(held, modes, prior, wide, scale)
        solution = without if found is None else found.solution
        pairs.append((float(solution.free_cost[0]), float(without.free_cost[0])))
        weights.append(float(points_of(held)[1]))
    return held_out(np.array(pairs), np.array(weights))


def held_out(pairs: Array, points: Array) -> HeldOut:
    """Of free chi2 with and without (fold, 2) and points held out (fold,): weighted means, and error of their difference."""
    if points.sum() == 0:
        return HeldOut(float("nan"), float("nan"), float("nan"))
    mean = np.average(pairs, axis=0, weights=points)
    difference = pairs[:, 0] - pairs[:, 1]
    variance = np.average((difference - np.average(difference, weights=points)) ** 2, weights=points)
    error = np.sqrt(variance / max(len(pairs) - 1, 1))
    return HeldOut(float(mean[0]), float(mean[1]), float(error))


def verdict_of(strangeness: float, limit: float, held: HeldOut) -> str:
    """ "used", or why the answer without the prior is told."""
    if not strangeness <= limit:
        return "unlike the textures learnt from"
    return "held-out satellites contradict it" if held.worse else "used"


def _labelled(
    data: MotifData,
    orders: Orders,
    clusters: Clusters,
    found: UnderPrior,
    prior: TexturePrior,
    held: HeldOut,
    verdict: str,
) -> DenoisedMotif:
    before, after = motif_of_cluster(clusters).fields[0], told_fields(data, found.solution)
    number = len(data.axes)
    moved = np.sqrt(((after - before) ** 2).mean((1, 2)))
    values: dict[str, Any] = {
        **_grid(data, after.shape[1]),
        "field": after[:number],
        "field_without": before[:number],
        "field_std": _not_below(
            clusters["field_std"].values, data.on_planes(found.solution.fields_std[0, :number])
        ),
        "slope_std": _not_below(
            clusters["slope_std"].values, data.on_planes(found.solution.slope_std[0, :number])
        ),
        "model": padded_model(full_models(data, found.solution), orders)[0],
        "gap": float(found.solution.gap[0]),
        "from_prior": moved[:number],
        "cost": float(found.solution.cost[0]),
        "cost_without": float(clusters["cluster_cost"][0]),
        "free_cost": held.with_prior,
        "free_cost_without": held.without,
        "free_cost_error": held.error,
        "strangeness": found.strangeness,
        "strangeness_limit": prior.trust.strangeness,
        "used": int(verdict == "used"),
    }
    if len(data.polar_axes):
        values |= {
            "polar": after[number:],
            "polar_without": before[number:],
            "polar_std": _not_below(
                clusters["polar_std"].values, data.on_planes(found.solution.fields_std[0, number:])
            ),
            "polar_from_prior": moved[number:],
        }
    return DenoisedMotif(labelled(values, DENOISED, {"verdict": verdict}))


def _not_below(without: Array, under_prior: Array) -> Array:
    """Standard deviations under the prior, none below that without it.

    The curvature takes the prior at its word: on films that no network learnt from 0.59 of the points were within it where 0.63
    were without the prior, and 0.67 are within the larger of the two. What cluster members differ by is in the latter alone.
    """
    return np.maximum(under_prior, without)


def _grid(data: MotifData, points: int) -> dict[str, Array]:
    found = {"x": np.arange(points) / points, "z": data.stack.heights, "axis": data.axes}
    return found | ({"polar_axis": data.polar_axes} if len(data.polar_axes) else {})


def _nothing(data: MotifData, prior: TexturePrior, verdict: str) -> DenoisedMotif:
    """Where there is nothing to denoise: no motif, numbers are NaN."""
    values = {
        "z": data.stack.heights,
        **{name: float("nan") for name in ("cost", "cost_without", "free_cost", "free_cost_without")},
        **{name: float("nan") for name in ("free_cost_error", "strangeness", "gap")},
        "strangeness_limit": prior.trust.strangeness,
        "used": 0,
    }
    return DenoisedMotif(labelled(values, DENOISED, {"verdict": verdict}))


@stage(version=1)
def believe(clusters: Clusters, denoised: DenoisedMotif, *, config: BelieveConfig) -> Clusters:
    """Clusters whose best motif is the one under the prior where that is to be told; else as they were."""
    if not int(denoised["used"]):
        return clusters
    values = {str(name): clusters[name].values.copy() for name in clusters.variables}
    for name in ("field", "polar"):
        if name in denoised:
            values[name][0] = denoised[name].values
            values[f"{name}_std"] = denoised[f"{name}_std"].values
    for name in ("slope_std", "model", "gap"):
        values[name] = denoised[name].values
    values["cluster_cost"][0] = float(denoised["cost"])
    return Clusters(labelled(values, CLUSTERS, dict(clusters.attrs)))
