"""Which distinct crystals the starts found, how often, how well; starts of different clusters are never averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.phasing.consensus import Labels, group
from nanotexture.phasing.constraints import Real
from nanotexture.phasing.crystal_alignment import centred_on_mass, distances, moved, overlap
from nanotexture.phasing.farfield import Complex

ALIKE = 0.35  # distance: 6 % of the correlation may be missing


@dataclass(frozen=True)
class CrystalConsensus:
    """Clusters of crystals, best first.

    labels: (start,) cluster, -1 failed; weight: (cluster,) share of the starts that did not fail; cost, free_cost:
    (cluster,) of the representative, the member of lowest cost; representative: (cluster,) index of the start; spread:
    (cluster,) mean distance of the other members to it, NaN for a single one; aligned: objects of all starts, each on
    its cluster's representative, clusters on the best one; twinned: (start,) whether a start was turned for that.
    """

    labels: Labels
    weight: Real
    cost: Real
    free_cost: Real
    representative: Labels
    spread: Real
    aligned: Complex
    twinned: NDArray[np.bool_]

    def members(self, cluster: int) -> Complex:
        """Aligned objects of one cluster, (member, n1, n2, n3)."""
        return self.aligned[self.labels == cluster]


def crystal_consensus(
    objects: Complex, *, cost: Real, free_cost: Real, alike: float = ALIKE
) -> CrystalConsensus:
    """Groups objects (start, n1, n2, n3) by average linkage on their distances and ranks the groups by free chi2.

    Not by chi2: a start with a loose support fits the pattern with a wrong crystal (chi2 2.5e-3 and free chi2 0.11 where the
    right one has 5e-4 and 2.9e-3). cost, free_cost: (start,), NaN where a start failed.
    """
    good = np.flatnonzero(np.isfinite(cost))
    placed = np.array([centred_on_mass(one) for one in objects])
    found = group(distances([placed[i] for i in good]), threshold=alike)
    groups = [good[found == k] for k in range(found.max(initial=-1) + 1)]
    heads = np.array([members[np.argmin(cost[members])] for members in groups], dtype=int)
    judged = np.where(np.isfinite(free_cost[heads]), free_cost[heads], cost[heads])
    order = np.argsort(judged, kind="stable")
    labels = np.full(len(objects), -1)
    labels[good] = np.argsort(order)[found] if len(good) else found
    heads = heads[order]
    aligned, twinned, spread = _aligned(placed, labels, heads)
    weight = np.array([np.mean(labels[good] == k) for k in range(len(heads))])
    return CrystalConsensus(labels, weight, cost[heads], free_cost[heads], heads, spread, aligned, twinned)


def _aligned(placed: Complex, labels: Labels, heads: Labels) -> tuple[Complex, NDArray[np.bool_], Real]:
    aligned, twinned = placed.copy(), np.zeros(len(placed), dtype=bool)
    spread = np.full(len(heads), np.nan)
    for k, head in enumerate(heads):
        goal = placed[head] if k == 0 else _onto(placed[head], placed[heads[0]])[0]
        apart = []
        for i in np.flatnonzero(labels == k):
            # the representative itself is moved with its cluster, but not within it: no interpolation of the answer
            aligned[i], twinned[i], distance = (goal, False, 0.0) if i == head else _onto(placed[i], goal)
            apart += [] if i == head else [distance]
        spread[k] = np.mean(apart) if apart else np.nan
    return aligned, twinned, spread


def _onto(one: Complex, goal: Complex) -> tuple[Complex, bool, float]:
    by = overlap(one, goal)
    return moved(one, by), by.twin, by.distance


def phase_spread(members: Sequence[Complex] | Complex) -> Real:
    """Circular standard deviation in rad of the phases of aligned objects (member, n1, n2, n3); NaN for a single one.

    sqrt(-2 log R), R the length of the mean of exp(i phase), times sqrt(m / (m - 1)) for m members.
    """
    phases = np.array([np.exp(1j * np.angle(one)) for one in members])
    if len(phases) < 2:
        return np.full(phases.shape[1:], np.nan)
    length = np.clip(np.abs(phases.mean(axis=0)), 1e-6, 1.0)
    return np.sqrt(-2.0 * np.log(length) * len(phases) / (len(phases) - 1))


def transfer_of_phases(members: Complex) -> Real:
    """Phase retrieval transfer function per voxel, |mean of F| / mean of |F|: 1 where all members have one phase.

    members: spectra (member, n1, n2, n3) of aligned objects. Chapman et al., JOSA A 23, 1179 (2006), divide by the measured
    magnitude, which a partly coherent beam or background would lower; NaN for a single member.
    """
    if len(members) < 2:
        return np.full(members.shape[1:], np.nan)
    return np.abs(members.mean(axis=0)) / np.maximum(np.abs(members).mean(axis=0), 1e-30)
