"""The best clusters with prior widths that the data choose, instead of one width for all harmonics and fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.phasing.evidence import Weighed
from nanotexture.phasing.motif import MotifSolutions
from nanotexture.quantities import Clusters, ModeChoice, Orders, Reference
from nanotexture.schema import CLUSTERS, labelled
from nanotexture.stages.invert import chosen_modes, full_models, padded_model
from nanotexture.stages.models import Tie, WeighConfig
from nanotexture.stages.motif_data import motif_data
from nanotexture.stages.motif_setup import MotifData
from nanotexture.stages.motif_solve import motif_of_cluster, told_fields, weighed_motif

Array = NDArray[np.float64]

MOST = 4  # clusters
NEAR = 3.0  # times the best cluster's cost: what fits worse stays as it is
WORSE = 1.05  # times the free chi2 with the widths as they were: beyond, the held-out satellites speak against the new ones


@stage(version=1)
def weigh(
    orders: Orders, reference: Reference, choice: ModeChoice, clusters: Clusters, *, config: WeighConfig
) -> Clusters:
    """Clusters whose representatives have prior widths that the data choose, unless held-out satellites speak against it."""
    cost = clusters["cluster_cost"].values
    if len(cost) == 0:
        return clusters
    data = motif_data(orders, reference, config.film, config.polarization, Tie(choice["tie"].item()))
    modes = chosen_modes(choice, config.strain)
    told = clusters
    for number in np.flatnonzero(cost[:MOST] <= NEAR * cost[0]).tolist():
        before, after = weighed_motif(data, modes, motif_of_cluster(clusters, number))
        if not predicts_worse(before.solution, after.solution):
            told = _with(told, number, _Change(data, orders, before.solution, after))
    return told


def predicts_worse(before: MotifSolutions, after: MotifSolutions) -> bool:
    """Whether held-out satellites are missed by clearly more than before; not where nothing is held out."""
    return bool(float(after.free_cost[0]) > WORSE * float(before.free_cost[0]))


@dataclass(frozen=True)
class _Change:
    """A representative before and after."""

    data: MotifData
    orders: Orders
    before: MotifSolutions
    after: Weighed

    def std(self, old: Array) -> Array:
        """Standard deviation (f, x, z): curvature of now, and what the members of the cluster spread, as before."""
        was, now = (self.data.on_planes(one.fields_std[0]) for one in (self.before, self.after.solution))
        return np.sqrt(now**2 + np.maximum(old**2 - was**2, 0.0))


def _with(clusters: Clusters, number: int, change: _Change) -> Clusters:
    """The clusters with one representative changed; of the best one also its errors and what was calculated from it."""
    found, many = change.after.solution, len(change.data.axes)
    fields, made = told_fields(change.data, found), clusters.copy(deep=True)
    made["field"][number] = fields[:many]
    made["cluster_cost"][number] = float(found.cost[0])
    made["cluster_free_cost"][number] = float(found.free_cost[0])
    if "polar" in made:
        made["polar"][number] = fields[many:]
    return Clusters(made if number else made.assign(_of_best(clusters, change)))


def _of_best(clusters: Clusters, change: _Change) -> dict[str, Any]:
    found, many = change.after.solution, len(change.data.axes)
    names = [name for name in ("field_std", "polar_std") if name in clusters]
    std = change.std(np.concatenate([clusters[name].values for name in names]))
    values = {
        "field_std": std[:many],
        "polar_std": std[many:],
        "slope_std": change.data.on_planes(found.slope_std[0, :many]),
        "model": padded_model(full_models(change.data, found), change.orders)[0],
        "determined": float(found.determined[0]),
        "gap": float(found.gap[0]),
    }
    changed = {name: clusters[name].copy(data=values[name]) for name in values if name in clusters}
    scale = labelled({"width_scale": change.after.scale.numpy()}, {"width_scale": CLUSTERS["width_scale"]})
    return changed | {"width_scale": scale["width_scale"]}
