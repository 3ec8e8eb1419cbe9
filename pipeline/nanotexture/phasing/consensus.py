"""Unsupervised grouping of the solutions of many starts: which distinct motifs fit, how often, how well.

Starts are never averaged across clusters: the members of different clusters are different answers.

Average linkage on aligned distances with a fixed threshold, not HDBSCAN: a cluster of one start is an answer
worth reporting here, where density methods call it noise, and the threshold is a statement of physics
(motifs closer than this nrmse count as the same), not a count of neighbours that would change with the
number of starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import AgglomerativeClustering

from nanotexture.phasing.alignment import Aligned, Fields, align, distances

Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Grouping:
    """Settings of the grouping.

    threshold: mean nrmse up to which motifs count as the same; tie: relative excess over the lowest cost
    within which the cost does not decide between clusters.
    """

    threshold: float = 0.25
    tie: float = 0.05


@dataclass(frozen=True)
class Consensus:
    """Clusters of solutions, best first.

    labels: (start,) cluster, 0 the best, -1 failed; weight: (cluster,) share of the successful starts; cost,
    free_cost: (cluster,) of the representative, the member of lowest cost; representative: (cluster,) index
    of the start; spread: (cluster,) mean nrmse of the other members to the representative, NaN for a single
    one; aligned: (start, component, x, z) every start on its cluster's representative, those on the best one
    where alike, constants removed, NaN where failed; std: (cluster, component, x, z) pointwise over members,
    NaN for a single one.
    """

    labels: Labels
    weight: Fields
    cost: Fields
    free_cost: Fields
    representative: Labels
    spread: Fields
    aligned: Fields
    std: Fields

    @property
    def n_clusters(self) -> int:
        """Number of distinct motifs."""
        return len(self.weight)


def consensus(
    fields: Fields,
    *,
    cost: ArrayLike,
    free_cost: ArrayLike,
    usable: ArrayLike,
    n_free: int,
    allow_inversion: bool,
    grouping: Grouping | None = None,
    scale: Fields | None = None,
    constant: NDArray[np.bool_] | bool = True,
) -> Consensus:
    """Groups aligned solutions and ranks the groups, see `rank_clusters`.

    fields: (start, component, x, z), one unit per component; cost, free_cost: (start,); usable: (start,)
    False where the start failed, as do starts without a finite cost or field; n_free: number of held-out
    points behind free_cost; scale, constant: as in `align`, the scale by default the rms over starts of each
    component's std.
    """
    settings = grouping or Grouping()
    costs, free = np.asarray(cost, dtype=float), np.asarray(free_cost, dtype=float)
    good = np.flatnonzero(np.asarray(usable, dtype=bool) & np.isfinite(costs) & _filled(fields))
    if scale is None:
        scale = _typical_scale(fields[good])
    apart = distances(fields[good], allow_inversion=allow_inversion, scale=scale, constant=constant)
    found = group(apart, threshold=settings.threshold)
    groups = [good[found == k] for k in range(found.max(initial=-1) + 1)]
    heads = np.array([_cheapest(members, costs) for members in groups], dtype=int)
    order = rank_clusters(cost=costs[heads], free_cost=free[heads], n_free=n_free, tie=settings.tie)
    labels = np.full(len(fields), -1)
    labels[good] = np.argsort(order)[found] if len(good) else found
    aligner = _Aligner(fields, allow_inversion, scale, constant)
    return _summary(aligner, labels, heads[order], costs, free)


def group(distance: Fields, *, threshold: float) -> Labels:
    """Labels (n,) by average linkage on distances (n, n), merged while the mean stays below the threshold."""
    if len(distance) < 2:
        return np.zeros(len(distance), dtype=int)
    method = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=threshold
    )
    return np.asarray(method.fit_predict(distance))


def rank_clusters(*, cost: Fields, free_cost: Fields, n_free: int, tie: float) -> Labels:
    """Order of the clusters, best first; cost, free_cost: (cluster,).

    1. By cost. 2. Clusters whose cost is at most (1 + tie) times the lowest are a tie, ranked by the free
    chi2: ordinary chi2 always prefers the looser model, held-out chi2 does not. 3. Free chi2 within sqrt(2 /
    n_free) of the lowest, its statistical error, cannot decide either: those keep the order of their cost.
    Without held-out points 2 and 3 fall away.
    """
    if len(cost) == 0:
        return np.zeros(0, dtype=int)
    tied = cost <= cost.min() * (1.0 + tie)
    judged = tied & np.isfinite(free_cost) & (n_free > 0)
    if not judged.any():
        return np.argsort(cost, kind="stable")
    bar = free_cost[judged].min() * (1.0 + np.sqrt(2.0 / n_free))
    level = np.where(judged & (free_cost <= bar), 0, np.where(judged, 1, np.where(tied, 2, 3)))
    within = np.where(level == 1, free_cost, cost)
    return np.lexsort((within, level))


@dataclass(frozen=True)
class _Aligner:
    """The fields and how they may be moved."""

    fields: Fields
    allow_inversion: bool
    scale: Fields
    constant: NDArray[np.bool_] | bool

    def onto(self, members: Labels, target: Fields) -> Aligned:
        return align(
            self.fields[members],
            target,
            allow_inversion=self.allow_inversion,
            scale=self.scale,
            constant=self.constant,
        )


def _summary(aligner: _Aligner, labels: Labels, heads: Labels, cost: Fields, free_cost: Fields) -> Consensus:
    aligned = np.full(aligner.fields.shape, np.nan)
    std = np.full((len(heads), *aligner.fields.shape[1:]), np.nan)
    weight, spread = np.zeros(len(heads)), np.full(len(heads), np.nan)
    for k, head in enumerate(heads):
        members = np.flatnonzero(labels == k)
        on_best = aligner.onto(heads[k : k + 1], aligner.fields[heads[0]]).fields[0]
        moved = aligner.onto(members, on_best)
        aligned[members], weight[k] = moved.fields, len(members) / np.count_nonzero(labels >= 0)
        if len(members) > 1:
            spread[k] = np.mean(moved.nrmse[members != head])
            std[k] = np.std(moved.fields, axis=0, ddof=1)
    return Consensus(labels, weight, cost[heads], free_cost[heads], heads, spread, aligned, std)


def _cheapest(members: Labels, cost: Fields) -> int:
    return int(members[np.argmin(cost[members])])


def _filled(fields: Fields) -> NDArray[np.bool_]:
    """Starts with at least one component free of NaN."""
    return np.asarray(np.isfinite(fields).all(axis=tuple(range(2, fields.ndim))).any(axis=-1))


def _typical_scale(fields: Fields) -> Fields:
    variance = np.var(fields, axis=tuple(range(2, fields.ndim)))
    known = np.isfinite(variance)
    total = np.where(known, variance, 0.0).sum(axis=0)
    return np.sqrt(total / np.maximum(known.sum(axis=0), 1))
