"""Learned starts on labelled data: the network's motifs as fields of the film's own unknowns, cheapest misfit first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.phasing.equilibrium import Equilibrium
from nanotexture.phasing.motif_problem import OnRung, Problem
from nanotexture.phasing.motif_settings import Rung
from nanotexture.phasing.unknowns import Unknowns
from nanotexture.priors.film_guess import drawn_candidates, in_turns, predicted_motifs
from nanotexture.priors.film_loss import expected_error
from nanotexture.priors.film_modes import HARMONICS, POLYNOMIALS, fields_from_coefficients
from nanotexture.priors.film_network import OrderNet
from nanotexture.priors.film_tokens import Geometry
from nanotexture.stages.motif_setup import MotifData

EACH = 6  # candidates of a hypothesis: its mean, and draws from its spread
FIRST = Rung(0.1, HARMONICS, POLYNOMIALS, 2, 1)  # what candidates are compared by
STRAIN = 0.03  # prior of the same
UNIT = 0.999  # cosine: a direction is x or z
BATCH = 16


@dataclass(frozen=True)
class Learned:
    """Coefficients (candidate, f, k, m) complex in film_modes.UNITS, the first of lowest cost; lean in periods per angstrom;
    cost (candidate,): tempered chi2 per point before any step; expected: relative error that the network expects of itself."""

    coefficients: torch.Tensor
    lean: float
    cost: NDArray[np.float64]
    expected: float

    def starts(
        self, data: MotifData, unknowns: Unknowns, equilibrium: Equilibrium | None, which: list[int]
    ) -> torch.Tensor:
        """Coefficients of the unknowns (start, size) of some candidates, in turn."""
        chosen = torch.tensor([i % len(self.coefficients) for i in which])
        fields = learned_fields(data, self.coefficients[chosen], self.lean, unknowns.points)
        return unknowns.project(fields if equilibrium is None else equilibrium.removed(fields))


def applies(data: MotifData) -> bool:
    """Whether the network can be asked: single films, periodic along x alone, of which whole components are determined."""
    axes = np.concatenate([data.axes, data.polar_axes])
    return not data.repeats and data.period_y is None and bool((np.abs(axes).max(1) > UNIT).all())


def learned_starts(network: OrderNet, data: MotifData, *, seed: int) -> Learned:
    """Motifs that the network thinks may be, hypotheses in turn, ranked by how well they fit before any step."""
    geometry = geometry_of(data)
    found = predicted_motifs(network, data.reflections, geometry, gap=data.gap)
    drawn = drawn_candidates(found, each=EACH, seed=(seed, 17))
    cost = first_cost(data, drawn.flatten(0, 1))
    order = in_turns(cost.reshape(-1, EACH))
    expected = float(expected_error(found, asked_fields(data))[0])
    return Learned(drawn.flatten(0, 1)[torch.from_numpy(order)], data.lean, cost[order], expected)


def asked_fields(data: MotifData) -> torch.Tensor:
    """Which of u_x, u_z, P_x, P_z are asked for, (1, 4) boolean."""
    parts = [
        np.abs(axes).max(0, initial=0.0) > UNIT if len(axes) else np.zeros(2, bool)
        for axes in (data.axes, data.polar_axes)
    ]
    return torch.from_numpy(np.concatenate(parts))[None]


def geometry_of(data: MotifData) -> Geometry:
    """What the network is told of a film."""
    return Geometry(data.stack.thickness, data.period, data.lean, data.z, data.axes, data.polar_axes)


def learned_fields(data: MotifData, coefficients: torch.Tensor, lean: float, points: int) -> torch.Tensor:
    """The fields that are asked for (b, f, x, z), of all components' coefficients (b, 4, k, m)."""
    z = torch.from_numpy(data.z)
    whole = fields_from_coefficients(coefficients=coefficients, points=points, z=z, lean=lean)
    parts = [
        torch.einsum("fc,bcxz->bfxz", torch.from_numpy(axes), whole[:, first : first + 2])
        for axes, first in ((data.axes, 0), (data.polar_axes, 2))
    ]
    return torch.cat(parts, dim=1)


def first_cost(data: MotifData, coefficients: torch.Tensor) -> NDArray[np.float64]:
    """Tempered chi2 per point (candidate,) of motifs as they are."""
    unknowns = data.unknowns(HARMONICS, POLYNOMIALS, STRAIN)
    start = unknowns.project(learned_fields(data, coefficients, data.lean, unknowns.points))
    extra = torch.zeros(len(start), 2 * len(data.reflections) + 1, dtype=start.dtype)
    gap = torch.full((len(start),), data.gap, dtype=start.dtype)
    problem = Problem(data.reflections, unknowns, data.settings(HARMONICS, unknowns), gap)
    small, where = problem.on(FIRST)
    rung, parameters = OnRung(small, FIRST), torch.cat([start, extra], dim=1)[:, where]
    points = sum(int((one.work & (one.distance <= FIRST.orders)[:, None]).sum()) for one in data.reflections)
    number = torch.arange(len(start))
    parts = [rung.cost(parameters[some], some) for some in number.split(BATCH)]
    return np.asarray(torch.cat(parts).numpy() / points)
