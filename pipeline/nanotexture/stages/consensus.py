"""Solutions of all starts aligned, grouped and ranked; and whether the data can tell the answer from its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.phasing.alignment import align, inverted
from nanotexture.phasing.consensus import Consensus, consensus
from nanotexture.phasing.outcome import Outcome
from nanotexture.quantities import Clusters, ModeChoice, Orders, Reference, Solutions
from nanotexture.schema import CLUSTERS, VOLUME_CLUSTERS, labelled
from nanotexture.stages.invert import chosen_modes
from nanotexture.stages.models import ConsensusConfig, Tie
from nanotexture.stages.motif_data import motif_data
from nanotexture.stages.motif_setup import MotifData
from nanotexture.stages.motif_solve import Motifs, relaxed

Array = NDArray[np.float64]

RESOLVED = (
    9.0  # chi2 (per unit of the answer's own chi2 per point) by which the inverse must fit worse: 3 sigma
)
SAME = 0.1  # nrmse below which the relaxed inverse is the answer itself


@stage(version=1)
def group(
    orders: Orders,
    reference: Reference,
    choice: ModeChoice,
    solutions: list[Solutions],
    *,
    config: ConsensusConfig,
) -> Clusters:
    """Clusters of the solutions of all batches, best first."""
    names = [name for name in _PER_START if name in solutions[0]]
    batches = {name: np.concatenate([_of_starts(one, name) for one in solutions]) for name in names}
    outcome = [str(name) for name in batches["outcome"]]
    usable = np.array([Outcome(name).usable for name in outcome])
    n_free = int(orders["held_out"].values.sum())
    n_work = int(np.isfinite(orders["intensity"].values).sum()) - n_free
    unresolved = config.film.substrate is None and config.film.symmetric
    fields, free = _all_fields(batches)
    found = consensus(
        fields,
        cost=over_all_points(batches["cost"], batches["free_cost"], n_work, n_free),
        free_cost=batches["free_cost"],
        usable=usable,
        n_free=n_free,
        allow_inversion=unresolved or config.solver == "window",
        scale=_scale(fields[usable], free),
        constant=free,
    )
    if found.n_clusters == 0:
        return _failed(solutions[0], batches, outcome, orders)
    best = int(found.representative[0])
    delta = float("nan")
    if config.solver == "motif":
        delta = _inverse_cost(orders, reference, choice, fields[best], float(batches["gap"][best]), config)
    return _labelled(solutions[0], batches, outcome, found, delta)


def _of_starts(one: Solutions, name: str) -> Array:
    """A variable of the starts of a batch; those that began at a neighbouring temperature were not learned."""
    missing = name == "learned" and name not in one
    return np.zeros(one.sizes["start"], np.int64) if missing else one[name].values


def _all_fields(batches: dict[str, Array]) -> tuple[Array, NDArray[np.bool_]]:
    """Displacement and polarization fields together, (start, f, x, z), and which have a free constant (f,)."""
    number = batches["field"].shape[1]
    if "polar" not in batches:
        return batches["field"], np.ones(number, bool)
    joined = np.concatenate([batches["field"], batches["polar"]], axis=1)
    return joined, np.arange(joined.shape[1]) < number


def _scale(fields: Array, displacement: NDArray[np.bool_]) -> Array | None:
    """One scale (f,) for all displacements and one for all polarizations, so that a nearly flat component counts little."""
    if len(fields) == 0:
        return None
    size = np.sqrt(np.nan_to_num(fields).var(axis=tuple(range(2, fields.ndim))).mean(axis=0))
    return np.asarray(np.where(displacement, _rms(size[displacement]), _rms(size[~displacement])))


def _rms(values: Array) -> float:
    return float(max(np.sqrt((values**2).mean()), 1e-12)) if len(values) else 1.0


_TOLD = ("cost", "free_cost", "iterations")
_PER_START = (
    "start",
    "learned",
    "field",
    "field_std",
    "polar",
    "polar_std",
    "slope_std",
    "model",
    "cost",
    "free_cost",
    "determined",
    "gap",
    "iterations",
    "outcome",
)


def _inverse_cost(
    orders: Orders,
    reference: Reference,
    choice: ModeChoice,
    field: Array,
    gap: float,
    config: ConsensusConfig,
) -> float:
    """chi2 of the inverted motif, relaxed, minus that of the answer relaxed alike; both in units of the answer's chi2 per point.

    NaN where the inverse relaxes into the answer itself: then the answer is its own inverse and there is nothing to tell.
    """
    data = motif_data(orders, reference, config.film, config.polarization, Tie(choice["tie"].item()))
    pair = Motifs(np.stack([field, _turned(field, data)]), np.full(2, gap))
    found = relaxed(data, chosen_modes(choice, config.strain), pair)
    number = len(data.axes)
    fields = found.fields.numpy()
    free = np.arange(fields.shape[1]) < number
    back = align(fields[1:], fields[0], allow_inversion=False, constant=free, scale=_scale(fields[:1], free))
    if float(back.nrmse[0]) < SAME:
        return float("nan")
    points = sum(int(one.work.sum()) for one in data.reflections)
    answer, inverse = float(found.cost[0]), float(found.cost[1])
    return points * (inverse - answer) / max(answer, 1.0)


def _turned(field: Array, data: MotifData) -> Array:
    """The motif (f, x, z) turned upside down within every layer, so that the stack stays as it is known."""
    layer = np.array(data.stack.plane_materials)
    edges = np.flatnonzero(np.diff(layer)) + 1
    planes = np.concatenate([part[::-1] for part in np.split(np.arange(len(layer)), edges)])
    return np.asarray(inverted(field, field.ndim - 2)[..., ::-1][..., planes], float)


def over_all_points(cost: Array, free_cost: Array, n_work: int, n_free: int) -> Array:
    """chi2 per point over fitted and held-out points together, (start,): what representatives and clusters are ranked by.

    By the fitted points alone, one start that bends to their noise would beat the motif that half of the starts find.
    """
    if n_free == 0:
        return cost
    return np.asarray((n_work * cost + n_free * np.nan_to_num(free_cost)) / (n_work + n_free))


def is_resolved(delta: float) -> bool:
    """Whether the inversion is resolved: the inverse fits worse, or is the answer itself (NaN)."""
    return bool(np.isnan(delta) or delta > RESOLVED)


def _labelled(
    first: Solutions, batches: dict[str, Array], outcome: list[str], found: Consensus, delta: float
) -> Clusters:
    best = int(found.representative[0])
    spread = np.nan_to_num(found.std[0])
    number = batches["field"].shape[1]
    heads = found.aligned[found.representative]
    values = {
        "x": first["x"].values,
        "z": first["z"].values,
        "axis": first["axis"].values,
        "start": batches["start"],
        "label": found.labels.astype(np.int64),
        **{name: batches[name] for name in (*_TOLD, "learned") if name in batches},
        "outcome": outcome,
        "weight": found.weight,
        "cluster_cost": batches["cost"][found.representative],
        "cluster_free_cost": batches["free_cost"][found.representative],
        "spread": found.spread,
        "field": heads[:, :number],
        "field_std": np.sqrt(batches["field_std"][best] ** 2 + spread[:number] ** 2),
        "slope_std": batches["slope_std"][best],
        "model": batches["model"][best],
        "determined": float(batches["determined"][best]),
        "gap": float(batches["gap"][best]),
        "inversion_delta_cost": delta,
    }
    if "polar" in batches:
        values["polar_axis"] = first["polar_axis"].values
        values["polar"] = heads[:, number:]
        values["polar_std"] = np.sqrt(batches["polar_std"][best] ** 2 + spread[number:] ** 2)
    return _clusters(values, first)


def _failed(first: Solutions, batches: dict[str, Array], outcome: list[str], orders: Orders) -> Clusters:
    """No start ended in a solution: no cluster, everything that an answer would hold is NaN."""
    shape = batches["field"].shape[1:]
    values = {
        "x": first["x"].values,
        "z": first["z"].values,
        "axis": first["axis"].values,
        "start": batches["start"],
        "label": np.full(len(outcome), -1),
        **{name: batches[name] for name in (*_TOLD, "learned") if name in batches},
        "outcome": outcome,
        **{name: np.zeros(0) for name in ("weight", "cluster_cost", "cluster_free_cost", "spread")},
        "field": np.zeros((0, *shape)),
        "field_std": np.full(shape, np.nan),
        "slope_std": np.full(batches["slope_std"].shape[1:], np.nan),
        "model": np.full(orders["intensity"].shape, np.nan),
        "determined": float("nan"),
        "gap": float("nan"),
        "inversion_delta_cost": float("nan"),
    }
    return _clusters(values, first)


def _clusters(values: dict[str, Any], first: Solutions) -> Clusters:
    volume = "y" in first.dims
    axes = {"y": first["y"].values} if volume else {}
    entries = VOLUME_CLUSTERS if volume else CLUSTERS
    return Clusters(labelled(values | axes, entries, {"solver": first.attrs["solver"]}))
