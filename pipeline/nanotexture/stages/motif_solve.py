"""The motif solver on labelled data: from random starts, and from motifs that are near a minimum already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.phasing.equilibrium import Equilibrium
from nanotexture.phasing.evidence import Weighed, weighed
from nanotexture.phasing.motif import MotifSolutions, solve_motif
from nanotexture.phasing.motif_settings import MotifSettings, Schedule
from nanotexture.phasing.pull import Pull
from nanotexture.phasing.unknowns import Unknowns, random_starts
from nanotexture.quantities import Clusters, Settled, Solutions
from nanotexture.stages.film_starts import Learned
from nanotexture.stages.motif_setup import MotifData
from nanotexture.texture.grid import resampled

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ModeNumbers:
    """Numbers of harmonics and polynomials, and prior rms strain of one mode."""

    harmonics: int
    polynomials: int
    strain: float


@dataclass(frozen=True)
class Motifs:
    """Fields (start, f, x, planes), displacement first, and film-substrate gaps (start,) in angstrom."""

    fields: Array
    gaps: Array


def best_motif(solutions: Solutions) -> Motifs:
    """The motif of the start of lowest cost."""
    best = int(np.nanargmin(solutions["cost"].values))
    parts = [solutions[name].values[best] for name in ("field", "polar") if name in solutions]
    return Motifs(np.concatenate(parts)[None], solutions["gap"].values[[best]])


def motif_of_cluster(clusters: Clusters, number: int = 0) -> Motifs:
    """The representative of a cluster, the best one unless told; gap: of the best one."""
    parts = [clusters[name].values[number] for name in ("field", "polar") if name in clusters]
    return Motifs(np.concatenate(parts)[None], np.array([float(clusters["gap"])]))


def scale_of(found: Clusters | Settled) -> Array | None:
    """Factor (field, wave) of the prior widths that the answer was found with, if the data chose them."""
    return found["width_scale"].values if "width_scale" in found else None


def told_fields(data: MotifData, found: MotifSolutions) -> Array:
    """Fields (f, x, z) of the first solution on all planes, displacements of mean zero, then polarization."""
    fields = found.fields[0].clone()
    number = len(data.axes)
    fields[:number] -= fields[:number].mean(tuple(range(1, fields.dim())), keepdim=True)
    return data.on_planes(fields)


@dataclass(frozen=True)
class _Beside:
    """Unknowns, what ties them, settings without tempering, and coefficients (start, size) of motifs near a minimum."""

    unknowns: Unknowns
    equilibrium: Equilibrium | None
    settings: MotifSettings
    start: torch.Tensor

    @classmethod
    def of(cls, data: MotifData, modes: ModeNumbers, motifs: Motifs) -> _Beside:
        unknowns = data.unknowns(modes.harmonics, modes.polynomials, modes.strain)
        planes = stretched(motifs.fields, len(data.slots))[..., : len(data.z)]
        fields = torch.from_numpy(resampled(planes, (unknowns.points,) * unknowns.directions))
        equilibrium = data.equilibrium(unknowns)
        start = unknowns.project(fields if equilibrium is None else equilibrium.removed(fields))
        settings = replace(data.settings(modes.harmonics, unknowns), schedule=Schedule.LAST)
        return cls(unknowns, equilibrium, settings, start)


def relaxed(
    data: MotifData,
    modes: ModeNumbers,
    motifs: Motifs,
    scale: Array | None = None,
    pull: Pull | None = None,
) -> MotifSolutions:
    """The minimum next to each motif, with a number of modes; scale (field, wave): factor of their prior widths; pull: a prior
    of their coefficients beside them."""
    here = _Beside.of(data, modes, motifs)
    return solve_motif(
        data=data.reflections,
        unknowns=here.unknowns if scale is None else here.unknowns.scaled(torch.from_numpy(scale)),
        settings=here.settings,
        start=here.start,
        gap=torch.from_numpy(motifs.gaps.astype(float)),
        equilibrium=here.equilibrium,
        pull=pull,
    )


def weighed_motif(data: MotifData, modes: ModeNumbers, motif: Motifs) -> tuple[Weighed, Weighed]:
    """The minimum next to one motif, with the prior widths as they are and with those that the data choose."""
    here = _Beside.of(data, modes, motif)
    return weighed(
        data=data.reflections,
        unknowns=here.unknowns,
        settings=here.settings,
        start=here.start,
        gap=torch.from_numpy(motif.gaps.astype(float)),
        equilibrium=here.equilibrium,
    )


def stretched(fields: Array, planes: int) -> Array:
    """Fields (..., planes) on another number of planes of the same film, linearly."""
    number = fields.shape[-1]
    if number == planes:
        return fields
    at = (np.arange(planes) + 0.5) * number / planes - 0.5
    return np.apply_along_axis(lambda row: np.interp(at, np.arange(number), row), -1, fields)


def is_learned(number: int) -> bool:
    """Whether a start of this number begins where a learned prior says, if there is one: two of four, of both schedules."""
    return number % 4 in (0, 3)


@dataclass(frozen=True)
class Batch:
    """Starts that go one way together: their places among all, and whether a prior said where they begin."""

    schedule: Schedule
    members: tuple[int, ...]
    learned: bool = False


@dataclass(frozen=True)
class Found:
    """Solutions batch by batch, and which of the starts each of them, joined, belongs to (start,)."""

    solutions: tuple[MotifSolutions, ...]
    place: NDArray[np.int64]


def batches_of(data: MotifData, seeds: Sequence[tuple[int, ...]], learned: bool) -> tuple[Batch, ...]:
    """Which of the starts take each schedule, by their own number and not by their place among the others."""
    taught = tuple(i for i, seed in enumerate(seeds) if learned and is_learned(seed[-1]))
    number = len(data.schedules())
    found = [
        Batch(schedule, tuple(i for i, s in enumerate(seeds) if s[-1] % number == turn and i not in taught))
        for turn, schedule in enumerate(data.schedules())
    ]
    return tuple(one for one in (*found, Batch(Schedule.NEAR, taught, True)) if one.members)


def solve_starts(
    data: MotifData,
    modes: ModeNumbers,
    seeds: Sequence[tuple[int, ...]],
    learned: Learned | None = None,
) -> Found:
    """Solutions from random starts, one batch for each schedule that has starts, and from learned ones in one more."""
    unknowns = data.unknowns(modes.harmonics, modes.polynomials, modes.strain)
    settings = data.settings(modes.harmonics, unknowns)
    equilibrium = data.equilibrium(unknowns)  # one for all schedules: it keeps its pseudoinverse
    groups = batches_of(data, seeds, learned is not None)
    found = []
    for one in groups:
        own = [seeds[i] for i in one.members]
        numbers = [seed[-1] for seed in own]
        if one.learned and learned is not None:
            start = learned.starts(data, unknowns, equilibrium, [number // 2 for number in numbers])
            gap = torch.full((len(own),), data.gap, dtype=torch.float64)
        else:
            start, gap = random_starts(unknowns, own), data.first_gaps(numbers)
        found.append(
            solve_motif(
                data=data.reflections,
                unknowns=unknowns,
                settings=replace(settings, schedule=one.schedule),
                start=start,
                gap=gap,
                equilibrium=equilibrium,
            )
        )
    return Found(tuple(found), np.concatenate([one.members for one in groups]))
