"""Numbers that the sentences of a report rest on, taken from a result at one temperature."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from nanotexture.phasing.consensus import Grouping
from nanotexture.phasing.outcome import DESCRIBED
from nanotexture.report.denoised import Denoised, denoised_from
from nanotexture.report.fields import Field, displacement_fields, polarization_fields
from nanotexture.report.header import polar
from nanotexture.report.prior import LearnedStarts, learned_starts
from nanotexture.report.result import Result, decoded
from nanotexture.report.volume import planar

NAN = float("nan")
SIGNIFICANT = 3.0  # signal over noise above which an order counts as seen
UNCLEAR_SHARE = 0.25  # share of the motif with std above |value| beyond which a field is known in part only
EDGE = 0.05  # share of a satellite's peak at the map's edge above which the map cuts it


@dataclass(frozen=True)
class Facts:
    """What is known of one temperature; lengths in angstrom, NaN or empty where unknown.

    tied: clusters whose cost does not tell them from the
    best one; highest_order: largest |n| seen above the noise; qz_range: 1/angstrom; cut: reflections whose
    satellites reach the edge of the map; counts: most counts in one voxel of each reflection's map; to_add: what the
    reflections do not tell, each with names of reflections that would; tie: what ties the displacement to the polarization;
    ties: those tried, with the free cost of each; widths: least and largest factor by which the data changed a prior width;
    learned, denoised: what learned starts and a prior over textures added, None where none was asked for.
    """

    reflections: tuple[str, ...] = ()
    temperature: float = NAN
    displacement: tuple[Field, ...] = ()
    polarization: tuple[Field, ...] = ()
    polar: bool = True
    polarization_sought: bool = True
    inversion: str = ""
    inversion_delta_cost: float = NAN
    clusters: int = 0
    tied: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    successful: int = 0
    cost: float = NAN
    free_cost: float = NAN
    period: float = NAN
    period_std: float = NAN
    thickness: float = NAN
    thickness_std: float = NAN
    correlation_length: float = NAN
    determined: float = NAN
    highest_order: int = 0
    qz_range: float = NAN
    cut: tuple[str, ...] = ()
    counts: dict[str, float] = field(default_factory=dict)
    to_add: tuple[tuple[str, tuple[str, ...]], ...] = ()
    solver: str = "motif"
    tie: str = ""
    widths: tuple[float, float] | None = None
    ties: tuple[tuple[str, float], ...] = ()
    learned: LearnedStarts | None = None
    denoised: Denoised | None = None

    @property
    def described(self) -> bool:
        """Whether the model describes the data at all; not asked of the baseline, whose chi2 is another."""
        return self.solver != "motif" or not self.cost > DESCRIBED

    @property
    def starts(self) -> int:
        """Number of starts."""
        return sum(self.outcomes.values())

    @property
    def along_q(self) -> bool:
        """Whether only the displacement along one Q is known."""
        return [one.key for one in self.displacement] == ["displacement_along_q"]

    @property
    def finest_x(self) -> float:
        """Half the period of the highest harmonic seen."""
        return self.period / (2 * self.highest_order) if self.highest_order else NAN

    @property
    def finest_z(self) -> float:
        """2 pi over the measured range of qz."""
        return 2 * math.pi / self.qz_range if self.qz_range > 0 else NAN


def facts_of(result: Result, temperature: int = 0) -> Facts:
    """Facts of one temperature, given by its index."""
    texture = result.texture.isel(temperature=temperature)
    result = planar(result)
    orders = {key: group.isel(temperature=temperature) for key, group in result.orders.items()}
    modes = None if result.modes is None else result.modes.isel(temperature=temperature)
    return Facts(
        reflections=tuple(result.reflections),
        temperature=result.temperatures[temperature],
        displacement=tuple(displacement_fields(texture)),
        polarization=tuple(polarization_fields(texture)),
        polar=polar(result),
        polarization_sought=result.recipe.get("texture", {}).get("polarization", True) is not False,
        inversion=str(result.texture.attrs.get("inversion", "")),
        inversion_delta_cost=_number(result.texture.attrs.get("inversion_delta_cost"), temperature),
        clusters=cluster_count(result.clusters, temperature),
        tied=tied_count(result.clusters, temperature),
        outcomes=outcome_counts(result.solutions, temperature),
        successful=successful_count(result.solutions, temperature),
        **{name: _scalar(texture, name) for name in _SCALARS},
        highest_order=max((highest_order(group) for group in orders.values()), default=0),
        qz_range=min((measured_range(group) for group in orders.values()), default=NAN),
        cut=tuple(key for key, group in orders.items() if satellites_cut(group)),
        counts={key: _largest(group.isel(temperature=temperature)) for key, group in result.maps.items()},
        to_add=tuple(_missing(one) for one in result.listed("to_add")),
        solver=str(result.texture.attrs.get("solver", "motif")),
        tie="" if modes is None else str(modes["tie"].item()),
        ties=() if modes is None else tried_ties(modes),
        widths=None if modes is None else chosen_widths(modes),
        learned=learned_starts(result.solutions, temperature),
        denoised=denoised_from(result.prior, temperature),
    )


def chosen_widths(modes: xr.Dataset) -> tuple[float, float] | None:
    """Least and largest factor by which the data changed a prior width, if they changed any."""
    scale = modes["width_scale"].values if "width_scale" in modes else np.ones(1)
    changed = scale[scale != 1.0]
    return (float(changed.min()), float(changed.max())) if len(changed) else None


def tried_ties(modes: xr.Dataset) -> tuple[tuple[str, float], ...]:
    """What could tie the displacement to the polarization, with the free cost of each."""
    pairs = zip(modes["pilot_tie"].values, modes["pilot_free_cost"].values, strict=True)
    return tuple((str(tie), float(cost)) for tie, cost in pairs)


def _missing(one: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """What is not told, and names of the reflections that would tell it."""
    return str(one["what"]), tuple("_".join(str(int(n)) for n in hkl) for hkl in one["add"])


_SCALARS = (
    "cost",
    "free_cost",
    "period",
    "period_std",
    "thickness",
    "thickness_std",
    "correlation_length",
    "determined",
)


def cluster_count(clusters: xr.Dataset | None, temperature: int) -> int:
    """Number of clusters with a weight."""
    if clusters is None:
        return 0
    return int(np.isfinite(clusters["weight"].isel(temperature=temperature).values).sum())


def tied_count(clusters: xr.Dataset | None, temperature: int) -> int:
    """Number of clusters, the best included, whose cost lies within the tie of the consensus."""
    if clusters is None:
        return 0
    cost = clusters["cost"].isel(temperature=temperature).values
    if not np.isfinite(cost).any():
        return 0
    return int(np.sum(cost <= np.nanmin(cost) * (1 + Grouping().tie)))


def outcome_counts(solutions: xr.Dataset | None, temperature: int) -> dict[str, int]:
    """How often each outcome came, most frequent first."""
    if solutions is None or "outcome" not in solutions:
        return {}
    found = Counter(str(text) for text in solutions["outcome"].isel(temperature=temperature).values)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def successful_count(solutions: xr.Dataset | None, temperature: int) -> int:
    """Starts that ended in a cluster."""
    if solutions is None:
        return 0
    return int((solutions["cluster"].isel(temperature=temperature).values >= 0).sum())


def highest_order(orders: xr.Dataset) -> int:
    """Largest |n| whose summed intensity exceeds its noise."""
    signal = orders["intensity"].sum("qz", skipna=True)
    noise = np.sqrt(orders["variance"].where(orders["intensity"].notnull()).sum("qz", skipna=True))
    seen = (signal > SIGNIFICANT * noise) & (noise > 0)
    return int(np.abs(orders["order"].where(seen, 0)).max())


def measured_range(orders: xr.Dataset) -> float:
    """Range of qz over which a satellite was measured, in 1/angstrom."""
    dark = orders["intensity"].where(orders["order"] != 0).isnull().all("order")
    qz = orders["qz"].values[~dark.values]
    return float(np.ptp(qz)) if qz.size else NAN


def satellites_cut(orders: xr.Dataset) -> bool:
    """Whether a first-order satellite still holds more than EDGE of its peak at an end of the measured qz."""
    model = orders["model"].where(orders["intensity"].notnull())
    first = model.sel(order=np.abs(orders["order"]) == 1).max("order", skipna=True).dropna("qz").values
    if first.size < 8:
        return False
    width = max(2, first.size // 16)  # a fringe minimum at the very edge must not hide the cut
    ends = max(first[:width].max(), first[-width:].max())
    return bool(ends > EDGE * first.max())


def _largest(group: xr.Dataset) -> float:
    values = group["intensity"].values
    return float(np.nanmax(values)) if np.isfinite(values).any() else NAN


def _scalar(group: xr.Dataset, name: str) -> float:
    return float(group[name]) if name in group else NAN


def _number(value: object, index: int) -> float:
    """Attribute that is one number, or one for each temperature, perhaps as JSON text."""
    found = np.atleast_1d(np.asarray(decoded(value) if value is not None else NAN, dtype=object))
    chosen = found[min(index, found.size - 1)] if found.size else NAN
    return float(chosen) if isinstance(chosen, int | float) else NAN
