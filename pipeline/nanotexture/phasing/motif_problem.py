"""The weighted least-squares problem of the motif: cost, gradient and Gauss-Newton Hessian, priors included.

Minimises sum ((I_n - S_n) / sigma)^2 + sum (coefficient / prior)^2 over the modes of all fields, the scale of each reflection
(10 % prior), its resolution along qz, and the film-substrate gap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from nanotexture.phasing.equilibrium import Equilibrium
from nanotexture.phasing.motif_model import Nuisance, ReflectionData, evaluate_reflection
from nanotexture.phasing.motif_settings import MotifSettings, Rung
from nanotexture.phasing.unknowns import Unknowns

Tensor = torch.Tensor


@dataclass(frozen=True)
class Problem:
    """Data, unknowns and settings; gap: first guess of the film-substrate gap (start,) in angstrom; equilibrium: the
    displacement that follows from the polarization, if it is to be added to the free one."""

    data: tuple[ReflectionData, ...]
    unknowns: Unknowns
    settings: MotifSettings
    gap: Tensor
    equilibrium: Equilibrium | None = None

    @property
    def size(self) -> int:
        """Number of parameters: coefficients, then scale and resolution of each reflection, then the gap."""
        return self.unknowns.size + 2 * len(self.data) + 1

    def on(self, rung: Rung) -> tuple[Problem, Tensor]:
        """The problem with a rung's modes only, and where its parameters are among all."""
        unknowns, where = self.unknowns.coarser(rung.harmonics, rung.polynomials)
        rest = np.arange(self.unknowns.size, self.size)
        return replace(self, unknowns=unknowns), torch.from_numpy(np.concatenate([where, rest]))

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
        free, polar = unknowns.blocks
        carrier = equilibrium.carrier
        places = free.modes.places(carrier)
        own = np.concatenate([places + i * len(carrier.index) for i in range(free.number)])
        rich = replace(free, modes=carrier, width=torch.ones(free.number, len(carrier.index)))
        carried = replace(unknowns, blocks=(rich, polar))
        return cls(carried, torch.from_numpy(own), equilibrium.slopes(polar, fields))

    def reduced(self, jacobian: Tensor) -> Tensor:
        """Derivatives (batch, parameters, points) from those of the carried unknowns."""
        displacement, polar, rest = jacobian.split(
            [self.tie.shape[1], self.tie.shape[2], jacobian.shape[1] - self.tie.shape[1] - self.tie.shape[2]],
            dim=1,
        )
        return torch.cat([displacement[:, self.own], polar + self.tie.mT @ displacement, rest], dim=1)

    def onto_carried(self, covariance: Tensor) -> Tensor:
        """Covariance (batch, size, size) of the parameters as that of the carried coefficients."""
        batch, displacement, polar = self.tie.shape
        whole = torch.zeros(batch, displacement + polar, covariance.shape[1], dtype=covariance.dtype)
        whole[:, self.own, torch.arange(len(self.own))] = 1.0
        whole[:, :displacement, len(self.own) :] = self.tie.to(whole.dtype)
        whole[:, displacement:, len(self.own) :] = torch.eye(polar, dtype=whole.dtype)
        return whole @ covariance @ whole.mT


def prior_precision(problem: Problem) -> Tensor:
    """Inverse covariance of the prior, (parameters, parameters).

    The reflections share one flux: their scales differ by scale_prior, their mean is known to flux_prior only.
    """
    settings, number = problem.settings, len(problem.data)
    fields = torch.diag(problem.unknowns.prior_precision())
    if problem.equilibrium is not None:
        displacement, polar = problem.unknowns.blocks
        fields[displacement.size :, displacement.size :] += problem.equilibrium.polar_precision(polar)
    common = torch.full((number, number), 1.0 / number, dtype=fields.dtype)
    scales = (torch.eye(number, dtype=fields.dtype) - common) / settings.scale_prior**2
    scales = scales + common / settings.flux_prior**2
    gap = torch.tensor([[settings.gap_prior**-2]], dtype=fields.dtype)
    resolution = torch.eye(number, dtype=fields.dtype) / settings.resolution_prior**2
    return torch.block_diag(fields, scales, resolution, gap)


def system(problem: Problem, parameters: Tensor, rung: Rung) -> System:
    """Cost, gradient and Gauss-Newton Hessian of every start (batch, parameters)."""
    precision = prior_precision(problem)
    gradient = parameters @ precision
    cost = (gradient * parameters).sum(1)
    hessian = precision.expand(len(parameters), *precision.shape).clone()
    coefficients, nuisance = problem.split(parameters)
    fields = problem.fields(coefficients)
    tied = None if problem.equilibrium is None else Tied.of(problem.equilibrium, problem.unknowns, fields)
    evaluated = problem.unknowns if tied is None else tied.carried
    for r, data in enumerate(problem.data):
        found = evaluate_reflection(data, evaluated, fields, nuisance[r])
        weight = (data.work & (data.orders.abs() <= rung.orders)[:, None]) / tempered_sigma(data, rung.tau)
        use = weight.flatten() > 0
        residual = ((found.intensity - data.intensity) * weight).flatten(1)[:, use]
        jacobian = (found.jacobian * weight.to(found.jacobian.dtype)).flatten(2)[..., use]
        if tied is not None:
            jacobian = tied.reduced(jacobian)
        own = _own_parameters(problem, r)
        cost = cost + (residual**2).sum(1)
        gradient[:, own] += torch.einsum("bjp,bp->bj", jacobian.double(), residual)
        hessian[:, own[:, None], own[None, :]] += torch.matmul(jacobian, jacobian.mT).double()
    return System(cost, gradient, hessian)


def tempered_sigma(data: ReflectionData, tau: float) -> Tensor:
    """Error of the order intensities with an amplitude error of tau times the strongest satellite's, (n, q)."""
    satellites = torch.where(data.work & (data.orders != 0)[:, None], data.intensity, 0.0)
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
