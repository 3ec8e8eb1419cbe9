"""The weighted least-squares problem of the motif: cost, gradient and Gauss-Newton Hessian, priors included.

Minimises sum ((I_n - S_n) / sigma)^2 + sum (coefficient / prior)^2 over the modes of all fields, the scale of each reflection
(10 % prior), its resolution along qz, and the film-substrate gap; a prior with a mean of its own comes on top.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from scipy.linalg.blas import dsyrk, ssyrk

from nanotexture.phasing.equilibrium import Equilibrium
from nanotexture.phasing.motif_model import Nuisance, ReflectionData, order_intensities
from nanotexture.phasing.motif_settings import MotifSettings, Rung
from nanotexture.phasing.motif_slopes import Slopes
from nanotexture.phasing.pull import Pull
from nanotexture.phasing.unknowns import Unknowns

Tensor = torch.Tensor

ELASTIC = (
    0.05  # published stiffness and electrostriction of one material differ by this much and more, relative
)


@dataclass(frozen=True)
class Problem:
    """Data, unknowns and settings; gap: first guess of the film-substrate gap (start,) in angstrom; equilibrium: the
    displacement that follows from the polarization, if it is to be added to the free one; pull: a prior beside the widths."""

    data: tuple[ReflectionData, ...]
    unknowns: Unknowns
    settings: MotifSettings
    gap: Tensor
    equilibrium: Equilibrium | None = None
    pull: Pull | None = None

    @property
    def size(self) -> int:
        """Number of parameters: coefficients, then scale and resolution of each reflection, then the gap."""
        return self.unknowns.size + 2 * len(self.data) + 1

    def on(self, rung: Rung) -> tuple[Problem, Tensor]:
        """The problem with a rung's modes only, and where its parameters are among all."""
        unknowns, where = self.unknowns.coarser(rung.harmonics, rung.polynomials)
        rest = np.arange(self.unknowns.size, self.size)
        pull = None if self.pull is None else self.pull.of(where)
        some = replace(self, unknowns=unknowns, pull=pull)
        return some, torch.from_numpy(np.concatenate([where, rest]))

    def of(self, which: Tensor) -> Problem:
        """The problem of some starts."""
        return replace(self, gap=self.gap[which])

    def fields(self, coefficients: Tensor) -> Tensor:
        """Fields (batch, f, x, z) from coefficients (batch, size)."""
        free = self.unknowns.fields(coefficients)
        return free if self.equilibrium is None else self.equilibrium.added(free)

    def split(self, parameters: Tensor) -> tuple[Tensor, tuple[Nuisance, ...]]:
        """Coefficients (batch, size) and each reflection's other parameters."""
        size, number = self.unknowns.size, len(self.data)
        gap, rest = parameters[:, -1] + self.gap, parameters[:, size:-1]
        nuisance = tuple(Nuisance(rest[:, r], rest[:, number + r], gap) for r in range(number))
        return parameters[:, :size], nuisance


@dataclass(frozen=True)
class System:
    """Cost (batch,), half its gradient (batch, parameters) and Gauss-Newton Hessian of every start."""

    cost: Tensor
    gradient: Tensor
    hessian: Tensor

    def of(self, which: Tensor) -> System:
        """That of some starts."""
        return System(self.cost[which], self.gradient[which], self.hessian[which])

    def put(self, which: Tensor, other: System) -> None:
        """Replace that of some starts."""
        self.cost[which], self.gradient[which], self.hessian[which] = (
            other.cost,
            other.gradient,
            other.hessian,
        )


@dataclass(frozen=True)
class Tied:
    """How derivatives by a rich displacement and the polarization become those by the problem's own parameters.

    carried: unknowns whose displacement is the carrier of the equilibrium; own: where the free displacement's coefficients are
    in it; tie (batch, displacement, polarization): change of the carrier with the polarization, single precision.
    """

    carried: Unknowns
    own: Tensor
    tie: Tensor

    @classmethod
    def of(cls, equilibrium: Equilibrium, unknowns: Unknowns, fields: Tensor) -> Tied:
        """At fields (batch, f, x, z)."""
        tie = equilibrium.slopes(unknowns.blocks[1], fields)
        return cls(*carried_unknowns(equilibrium, unknowns), tie)

    def reduced(self, rows: Tensor) -> Tensor:
        """Derivatives (batch, coefficients, points) from those by the carried coefficients."""
        displacement, polar = rows.split(self.tie.shape[1:], dim=1)
        return torch.cat([displacement[:, self.own], torch.baddbmm(polar, self.tie.mT, displacement)], dim=1)

    def onto_carried(self, covariance: Tensor) -> Tensor:
        """Covariance (batch, size, size) of the parameters as that of the carried coefficients."""
        batch, displacement, polar = self.tie.shape
        whole = torch.zeros(batch, displacement + polar, covariance.shape[1], dtype=covariance.dtype)
        whole[:, self.own, torch.arange(len(self.own))] = 1.0
        whole[:, :displacement, len(self.own) :] = self.tie.to(whole.dtype)
        whole[:, displacement:, len(self.own) :] = torch.eye(polar, dtype=whole.dtype)
        return whole @ covariance @ whole.mT

    def doubt(self, polar: Tensor) -> Tensor:
        """Covariance (batch, size, size) of the carried coefficients from elastic constants known to ELASTIC, relative.

        polar (batch, polarization): coefficients. What is in equilibrium is quadratic in them: half its derivative times them.
        """
        batch, displacement, number = self.tie.shape
        size = displacement + number
        strained = 0.5 * ELASTIC * (self.tie.to(polar.dtype) @ polar[:, :, None])
        both = torch.zeros(batch, size, size, dtype=polar.dtype)
        both[:, :displacement, :displacement] = strained @ strained.mT
        return both


def carried_unknowns(equilibrium: Equilibrium, unknowns: Unknowns) -> tuple[Unknowns, Tensor]:
    """Unknowns whose displacement is the carrier, and where the free displacement's coefficients are in it."""
    free, polar = unknowns.blocks
    carrier = equilibrium.carrier
    places = free.modes.places(carrier)
    own = np.concatenate([places + i * len(carrier.index) for i in range(free.number)])
    rich = replace(free, modes=carrier, width=torch.ones(free.number, len(carrier.index)))
    return replace(unknowns, blocks=(rich, polar)), torch.from_numpy(own)


def prior_precision(problem: Problem) -> Tensor:
    """Inverse covariance of the prior, (parameters, parameters).

    The reflections share one flux: their scales differ by scale_prior, their mean is known to flux_prior only.
    """
    settings, number = problem.settings, len(problem.data)
    fields = torch.diag(problem.unknowns.prior_precision())
    if problem.equilibrium is not None:
        displacement, polar = problem.unknowns.blocks
        fields[displacement.size :, displacement.size :] += problem.equilibrium.polar_precision(polar)
    if problem.pull is not None:
        fields = fields + problem.pull.precision
    common = torch.full((number, number), 1.0 / number, dtype=fields.dtype)
    scales = (torch.eye(number, dtype=fields.dtype) - common) / settings.scale_prior**2
    scales = scales + common / settings.flux_prior**2
    gap = torch.tensor([[settings.gap_prior**-2]], dtype=fields.dtype)
    resolution = torch.eye(number, dtype=fields.dtype) / settings.resolution_prior**2
    return torch.block_diag(fields, scales, resolution, gap)


@dataclass(frozen=True)
class _Rows:
    """What is fitted of one reflection on a rung: its data in the orders in use, weight (n, q) = 1 / sigma there, else 0."""

    number: int
    data: ReflectionData
    weight: Tensor
    slopes: Slopes

    @cached_property
    def target(self) -> Tensor:
        """Measured intensities, 0 where they are not fitted, (n, q)."""
        return torch.where(self.weight > 0, self.data.intensity, 0.0)

    def residual(self, intensity: Tensor) -> Tensor:
        """Weighted misfit (batch, points) of calculated intensities (batch, n, q)."""
        return ((intensity - self.target) * self.weight).flatten(1)


@dataclass(frozen=True)
class OnRung:
    """A problem with the orders and errors of a rung; what does not change from step to step is computed once."""

    problem: Problem
    rung: Rung

    def cost(self, parameters: Tensor, which: Tensor) -> Tensor:
        """Cost of some starts, parameters (start, parameters); far cheaper than their derivatives."""
        here = self.problem.of(which)
        coefficients, nuisance = here.split(parameters)
        fields = here.fields(coefficients)
        cost = ((parameters @ self._precision - 2 * self._slope) * parameters).sum(1)
        for rows in self._rows:
            found = order_intensities(rows.data, fields, nuisance[rows.number])
            cost = cost + (rows.residual(found) ** 2).sum(1)
        return cost

    def system(self, parameters: Tensor, which: Tensor, *, precise: bool = False) -> System:
        """Cost, gradient and Gauss-Newton Hessian of some starts, parameters (start, parameters).

        precise: products of derivatives in double precision. Those in single precision say where to step; their rounding is as
        large as the prior in directions that many modes leave flat, which an inverse of the Hessian must not take for data.
        """
        here = self.problem.of(which)
        coefficients, nuisance = here.split(parameters)
        fields = here.fields(coefficients)
        reduced = None if self._carried is None else self._tied(fields).reduced
        gradient = parameters @ self._precision - self._slope
        cost = ((gradient - self._slope) * parameters).sum(1)
        hessian = self._precision.expand(len(parameters), *self._precision.shape).clone()
        size = here.unknowns.size
        squares = torch.zeros(len(parameters), size, size, dtype=torch.float64 if precise else torch.float32)
        for rows in self._rows:
            found = rows.slopes.at(fields, nuisance[rows.number], reduced)
            residual = rows.residual(found.intensity)
            jacobian = found.jacobian.mul_(rows.weight.to(found.jacobian.dtype)).flatten(2)
            own = _own_parameters(here, rows.number)
            cost = cost + (residual**2).sum(1)
            few = torch.cat([residual[:, None].to(jacobian.dtype), jacobian[:, size:]], dim=1)
            falls, across = torch.bmm(few, jacobian.mT).double().split([1, 3], dim=1)
            gradient[:, own] += falls[:, 0]
            hessian[:, own[size:, None], own] += across
            hessian[:, :size, own[size:]] += across[:, :, :size].mT
            add_squares(squares, jacobian[:, :size].to(squares.dtype))
        hessian[:, :size, :size] += squares.tril_()
        hessian[:, :size, :size] += squares.tril_(-1).mT
        return System(cost, gradient, hessian)

    @cached_property
    def _precision(self) -> Tensor:
        return prior_precision(self.problem)

    @cached_property
    def _slope(self) -> Tensor:
        """Precision times mean of the prior, (parameters,); all means but a pull's are 0."""
        found = torch.zeros(self.problem.size, dtype=self._precision.dtype)
        if self.problem.pull is not None:
            found[: self.problem.unknowns.size] = self.problem.pull.slope
        return found

    @cached_property
    def _carried(self) -> tuple[Unknowns, Tensor] | None:
        problem = self.problem
        return (
            None if problem.equilibrium is None else carried_unknowns(problem.equilibrium, problem.unknowns)
        )

    def _tied(self, fields: Tensor) -> Tied:
        assert self._carried is not None
        assert self.problem.equilibrium is not None
        return Tied(*self._carried, self.problem.equilibrium.slopes(self.problem.unknowns.blocks[1], fields))

    @cached_property
    def _rows(self) -> tuple[_Rows, ...]:
        unknowns = self.problem.unknowns if self._carried is None else self._carried[0]
        found = []
        for number, data in enumerate(self.problem.data):
            use = data.work & (data.distance <= self.rung.orders)[:, None]
            weight = torch.where(use, 1.0 / tempered_sigma(data, self.rung.tau), 0.0)
            orders = use.any(1)
            if orders.any():
                few = data.only(orders)
                found.append(_Rows(number, few, weight[orders], Slopes(few, unknowns)))
        return tuple(found)


def system(problem: Problem, parameters: Tensor, rung: Rung, *, precise: bool = False) -> System:
    """Cost, gradient and Gauss-Newton Hessian of every start (batch, parameters)."""
    return OnRung(problem, rung).system(parameters, torch.arange(len(parameters)), precise=precise)


def add_squares(total: Tensor, rows: Tensor) -> None:
    """Add rows rows^T to the lower triangle of total (batch, p, p); rows (batch, p, points), of one precision.

    By BLAS, which takes half the time over a symmetric product; torch has none.
    """
    product = ssyrk if total.dtype == torch.float32 else dsyrk
    for one, row in zip(total, rows, strict=True):
        # Fortran's order is that of the transposes, and its upper triangle the lower one here
        product(1.0, row.numpy().T, beta=1.0, c=one.numpy().T, trans=1, overwrite_c=1)


def tempered_sigma(data: ReflectionData, tau: float) -> Tensor:
    """Error of the order intensities with an amplitude error of tau times the strongest satellite's, (n, q)."""
    satellites = torch.where(data.work & (data.distance != 0)[:, None], data.intensity, 0.0)
    top = satellites.max().clamp_min(1e-12)
    positive = data.intensity.clamp_min(0.0)
    return torch.sqrt(data.sigma**2 + 4.0 * tau**2 * top * (positive + tau**2 * top))


def mean_chi2(data: tuple[ReflectionData, ...], models: tuple[Tensor, ...], *, held_out: bool) -> Tensor:
    """chi2 per fitted or per held-out point, (batch,); NaN where there is none."""
    total, number = torch.zeros(len(models[0]), dtype=models[0].dtype), 0
    for reflection, model in zip(data, models, strict=True):
        use = reflection.free if held_out else reflection.work
        part = ((model - reflection.intensity) / reflection.sigma) ** 2
        total = total + torch.where(use, part, 0.0).sum((1, 2))
        number += int(use.sum())
    return total / number if number else torch.full_like(total, float("nan"))


def _own_parameters(problem: Problem, reflection: int) -> Tensor:
    """Where the parameters of one reflection are among all: fields, its scale and resolution, the gap."""
    size = problem.unknowns.size
    others = [size + reflection, size + len(problem.data) + reflection, problem.size - 1]
    return torch.cat([torch.arange(size), torch.tensor(others)])
