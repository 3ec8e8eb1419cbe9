"""The motif solver: Levenberg-Marquardt on few modes, tempered and coarse to fine, a batch of starts at once.

Minimises sum ((I_n - S_n) / sigma)^2 + sum (coefficient / prior)^2 over the modes of u, the scale of each reflection
(10 % prior), its resolution along qz, and the film-substrate gap. Early rungs add tau times the strongest satellite's
amplitude to the error and leave out high harmonics and weak orders, so that a start first finds the strong features;
the last rung is the plain weighted fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from nanotexture.phasing.modes import Modes
from nanotexture.phasing.motif_model import (
    Nuisance,
    ReflectionData,
    displacement_from_coefficients,
    evaluate_reflection,
)
from nanotexture.phasing.motif_settings import MotifSettings, Rung
from nanotexture.phasing.outcome import Outcome

Tensor = torch.Tensor


@dataclass(frozen=True)
class MotifSolutions:
    """Found motifs of a batch of starts.

    displacement (start, f, x, z) and its standard deviation, angstrom; slope_std (start, f, 2, x, z): of its d/dx and
    d/dz; coefficients (start, f, modes); cost and free_cost
    (start,): chi2 per fitted and per held-out point; log_scale (start, reflection); gap (start,) in angstrom;
    model: order intensities (start, n, q) of each reflection; determined (start,): share of the answer's variance
    that the data, not the prior, fix; covariance (start, f * modes, f * modes) in angstrom^2.
    """

    displacement: Tensor
    displacement_std: Tensor
    slope_std: Tensor
    coefficients: Tensor
    cost: Tensor
    free_cost: Tensor
    log_scale: Tensor
    gap: Tensor
    model: tuple[Tensor, ...]
    iterations: Tensor
    outcome: tuple[Outcome, ...]
    determined: Tensor
    covariance: Tensor


@dataclass(frozen=True)
class _Problem:
    data: tuple[ReflectionData, ...]
    modes: Modes
    settings: MotifSettings
    gap: float

    @property
    def fields(self) -> int:
        return len(self.data[0].g)

    @property
    def size(self) -> int:
        return self.fields * len(self.modes.index) + 2 * len(self.data) + 1

    def on(self, rung: Rung) -> tuple[_Problem, Tensor]:
        """The problem with a rung's modes only, and where its parameters are among all."""
        k, m = self.modes.index[:, 0], self.modes.index[:, 2]
        use = np.tile((k <= rung.harmonics) & (m < rung.polynomials), self.fields)
        where = np.flatnonzero(np.append(use, np.ones(2 * len(self.data) + 1, bool)))
        modes = replace(self.modes, harmonics=rung.harmonics, polynomials=rung.polynomials)
        return replace(self, modes=modes), torch.from_numpy(where)


@dataclass(frozen=True)
class _System:
    """Cost (batch,), gradient (batch, parameters) and Gauss-Newton Hessian of every start."""

    cost: Tensor
    gradient: Tensor
    hessian: Tensor

    def of(self, which: Tensor) -> _System:
        return _System(self.cost[which], self.gradient[which], self.hessian[which])

    def put(self, which: Tensor, other: _System) -> None:
        self.cost[which], self.gradient[which], self.hessian[which] = (
            other.cost,
            other.gradient,
            other.hessian,
        )


def random_starts(
    problem_modes: Modes, fields: int, seeds: Sequence[tuple[int, ...]], amplitude: float
) -> Tensor:
    """Coefficients (start, f, modes) in angstrom: smooth random fields of rms `amplitude`, one seed pair per start."""
    k, m = problem_modes.index[:, 0], problem_modes.index[:, 2]
    envelope = np.where(k == 0, 0.1, 1.0) / (np.maximum(k, 1) ** 1.5 * (1.0 + m) ** 1.5)
    draws = []
    for seed in seeds:
        draw = np.random.Generator(np.random.PCG64(list(seed))).normal(size=(fields, len(k))) * envelope
        draws.append(amplitude * draw / np.sqrt(0.5 * (draw**2).sum()))
    return torch.from_numpy(np.stack(draws))


def solve_motif(
    *, data: tuple[ReflectionData, ...], modes: Modes, settings: MotifSettings, start: Tensor, gap: float
) -> MotifSolutions:
    """Fit the motif from each start (start, f, modes); gap (angstrom) is the first guess of the film-substrate gap."""
    problem = _Problem(data, modes, settings, gap)
    extra = torch.zeros(len(start), 2 * len(data) + 1, dtype=start.dtype)
    parameters = torch.cat([start.flatten(1), extra], dim=1)
    total = torch.zeros(len(start), dtype=torch.int64)
    reason = torch.zeros(len(start), dtype=torch.int64)
    for rung in settings.ladder():
        parameters, steps, reason = _climb(problem, parameters, rung)
        total += steps
    return _solutions(problem, parameters, total, reason)


_RUNNING, _CONVERGED, _STALLED = 0, 1, 2
_COARSE = 30.0  # early rungs stop at a coarser tolerance: the next rung moves the minimum anyway


def _climb(problem: _Problem, parameters: Tensor, rung: Rung) -> tuple[Tensor, Tensor, Tensor]:
    """Levenberg-Marquardt of all starts on one rung; returns parameters, steps taken and why each start stopped.

    Modes beyond the rung's are zero. Starts that have stopped leave the batch: the slowest does not hold up the others.
    """
    small, where = problem.on(rung)
    state = _State.begin(small, parameters[:, where], rung)
    tolerance = problem.settings.tolerance * (1.0 if rung.tau == 0.0 else _COARSE)
    for _ in range(rung.steps):
        going = torch.nonzero(state.reason == _RUNNING).squeeze(1)
        if len(going) == 0:
            break
        now, damping = state.system.of(going), state.damping[going]
        trial = state.parameters[going] - _step(now, damping)
        there = _system(small, trial, rung)
        better = there.cost < now.cost
        slight = (now.cost - there.cost) < tolerance * now.cost
        damping = torch.where(better, (damping / 4).clamp_min(1e-7), damping * 6)
        reason = torch.where(better & slight, _CONVERGED, torch.where(damping > 1e6, _STALLED, _RUNNING))
        state.advance(going, better, trial, there, damping, reason)
    found = torch.zeros_like(parameters)
    found[:, where] = state.parameters
    return found, state.steps, state.reason


@dataclass
class _State:
    """Where every start of a batch is on a rung."""

    parameters: Tensor
    system: _System
    damping: Tensor
    steps: Tensor
    reason: Tensor

    @classmethod
    def begin(cls, problem: _Problem, parameters: Tensor, rung: Rung) -> _State:
        number = len(parameters)
        counts = torch.zeros(2, number, dtype=torch.int64)
        damping = torch.full((number,), 1e-2, dtype=parameters.dtype)
        return cls(parameters.clone(), _system(problem, parameters, rung), damping, counts[0], counts[1])

    def advance(
        self, going: Tensor, better: Tensor, trial: Tensor, there: _System, damping: Tensor, reason: Tensor
    ) -> None:
        """Take the steps that lowered the cost."""
        taken = going[better]
        self.parameters[taken] = trial[better]
        self.system.put(taken, there.of(better))
        self.damping[going], self.reason[going] = damping, reason
        self.steps[going] += 1


def _step(system: _System, damping: Tensor) -> Tensor:
    diagonal = torch.diagonal(system.hessian, dim1=1, dim2=2)
    damped = system.hessian + torch.diag_embed(damping[:, None] * diagonal)
    factor, _ = torch.linalg.cholesky_ex(damped)
    return torch.cholesky_solve(system.gradient[..., None], factor).squeeze(-1)


def prior_precision(problem: _Problem) -> Tensor:
    """Inverse covariance of the prior, (parameters, parameters).

    The reflections share one flux: their scales differ by scale_prior, their mean is known to flux_prior only.
    """
    settings, number = problem.settings, len(problem.data)
    width = problem.modes.prior_width(settings.strain).repeat(problem.fields)
    common = torch.full((number, number), 1.0 / number, dtype=width.dtype)
    scales = (torch.eye(number, dtype=width.dtype) - common) / settings.scale_prior**2
    scales = scales + common / settings.flux_prior**2
    gap = torch.tensor([[settings.gap_prior**-2]], dtype=width.dtype)
    resolution = torch.eye(number, dtype=width.dtype) / settings.resolution_prior**2
    return torch.block_diag(torch.diag(width**-2), scales, resolution, gap)


def _split(problem: _Problem, parameters: Tensor) -> tuple[Tensor, tuple[Nuisance, ...]]:
    """Coefficients (batch, f, modes) and each reflection's other parameters."""
    size, number = problem.fields * len(problem.modes.index), len(problem.data)
    coefficients = parameters[:, :size].unflatten(1, (problem.fields, -1))
    gap = parameters[:, -1] + problem.gap
    rest = parameters[:, size:-1]
    return coefficients, tuple(Nuisance(rest[:, r], rest[:, number + r], gap) for r in range(number))


def _system(problem: _Problem, parameters: Tensor, rung: Rung) -> _System:
    """Cost, gradient and Gauss-Newton Hessian, prior included."""
    precision = prior_precision(problem)
    gradient = parameters @ precision
    cost = (gradient * parameters).sum(1)
    hessian = precision.expand(len(parameters), *precision.shape).clone()
    coefficients, nuisance = _split(problem, parameters)
    displacement = displacement_from_coefficients(
        coefficients=coefficients, basis=problem.modes.basis(problem.settings.points)
    )
    for r, data in enumerate(problem.data):
        found = evaluate_reflection(data, problem.modes, displacement, nuisance[r])
        weight = (data.work & (data.orders.abs() <= rung.orders)[:, None]) / tempered_sigma(data, rung.tau)
        residual = torch.where(weight > 0, (found.intensity - data.intensity) * weight, 0.0).flatten(1)
        jacobian = (found.jacobian * weight[None, ..., None]).flatten(1, 2)
        own = _own_parameters(problem, r)
        cost = cost + (residual**2).sum(1)
        gradient[:, own] += torch.einsum("bpj,bp->bj", jacobian, residual)
        hessian[:, own[:, None], own[None, :]] += torch.matmul(jacobian.mT, jacobian)
    return _System(cost, gradient, hessian)


def tempered_sigma(data: ReflectionData, tau: float) -> Tensor:
    """Error of the order intensities with an amplitude error of tau times the strongest satellite's, (n, q)."""
    satellites = torch.where(data.work & (data.orders != 0)[:, None], data.intensity, 0.0)
    top = satellites.max().clamp_min(1e-12)
    positive = data.intensity.clamp_min(0.0)
    return torch.sqrt(data.sigma**2 + 4.0 * tau**2 * top * (positive + tau**2 * top))


def _own_parameters(problem: _Problem, reflection: int) -> Tensor:
    """Where the parameters of one reflection are among all: fields, its scale and resolution, the gap."""
    size = problem.fields * len(problem.modes.index)
    others = [size + reflection, size + len(problem.data) + reflection, problem.size - 1]
    return torch.cat([torch.arange(size), torch.tensor(others)])


def _solutions(problem: _Problem, parameters: Tensor, steps: Tensor, reason: Tensor) -> MotifSolutions:
    coefficients, nuisance = _split(problem, parameters)
    basis = problem.modes.basis(problem.settings.points)
    displacement = displacement_from_coefficients(coefficients=coefficients, basis=basis)
    final = problem.settings.ladder()[-1]
    system = _system(problem, parameters, final)
    models = tuple(
        evaluate_reflection(data, problem.modes, displacement, nuisance[r]).intensity
        for r, data in enumerate(problem.data)
    )
    cost = _mean_chi2(problem.data, models, held_out=False)
    shift = torch.cat(
        [
            shift_direction(problem.modes, coefficients).flatten(1),
            torch.zeros_like(parameters[:, coefficients[0].numel() :]),
        ],
        1,
    )
    pinned = system.hessian + 1e6 * system.hessian.diagonal(dim1=1, dim2=2).mean(1)[
        :, None, None
    ] * torch.einsum("bi,bj->bij", shift, shift)
    covariance = torch.linalg.inv(pinned) * cost.clamp_min(1.0)[:, None, None]
    size = coefficients[0].numel()
    covariance = covariance[:, :size, :size]
    width = torch.diagonal(covariance, dim1=1, dim2=2)
    share = 1.0 - (width / cost.clamp_min(1.0)[:, None] * prior_precision(problem).diagonal()[:size]).clamp(
        0, 1
    )
    determined = (share * coefficients.flatten(1) ** 2).sum(1) / (coefficients.flatten(1) ** 2).sum(
        1
    ).clamp_min(1e-30)
    return MotifSolutions(
        displacement,
        _pointwise_std(covariance, basis, problem.fields),
        torch.stack(
            [
                _pointwise_std(covariance, slope, problem.fields)
                for slope in problem.modes.gradient(problem.settings.points)
            ],
            dim=2,
        ),
        coefficients,
        cost,
        _mean_chi2(problem.data, models, held_out=True),
        torch.stack([one.log_scale for one in nuisance], dim=1),
        nuisance[0].gap,
        models,
        steps,
        tuple(_outcome(int(r), float(d)) for r, d in zip(reason, determined, strict=True)),
        determined,
        covariance,
    )


def shift_direction(modes: Modes, coefficients: Tensor) -> Tensor:
    """Unit change of the coefficients (start, f, modes) that moves the motif along x.

    No intensity depends on it: it is fixed, not estimated, or it would be counted into the standard deviation.
    """
    k, sign, m = modes.index.T
    partner = {
        (a, b, c): i for i, (a, b, c) in enumerate(zip(k.tolist(), sign.tolist(), m.tolist(), strict=True))
    }
    swap = torch.tensor(
        [
            partner.get((a, -b, c), i)
            for i, (a, b, c) in enumerate(zip(k.tolist(), sign.tolist(), m.tolist(), strict=True))
        ]
    )
    moved = torch.from_numpy((k * sign).astype(float)) * coefficients[..., swap]
    return moved / moved.flatten(1).norm(dim=1).clamp_min(1e-30)[:, None, None]


def _outcome(reason: int, determined: float) -> Outcome:
    if determined < 0.5:
        return Outcome.NOT_DETERMINED
    return {_CONVERGED: Outcome.CONVERGED, _STALLED: Outcome.STALLED}.get(reason, Outcome.OUT_OF_STEPS)


def _mean_chi2(data: tuple[ReflectionData, ...], models: tuple[Tensor, ...], *, held_out: bool) -> Tensor:
    total, number = torch.zeros(len(models[0]), dtype=models[0].dtype), 0
    for reflection, model in zip(data, models, strict=True):
        use = reflection.free if held_out else reflection.work
        part = ((model - reflection.intensity) / reflection.sigma) ** 2
        total = total + torch.where(use, part, 0.0).sum((1, 2))
        number += int(use.sum())
    return total / number if number else torch.full_like(total, float("nan"))


def _pointwise_std(covariance: Tensor, basis: Tensor, fields: int) -> Tensor:
    """Standard deviation (start, f, x, z) of sum_m c_m basis_m for coefficients of the given covariance."""
    size = len(basis)
    flat = basis.flatten(1)
    parts = []
    for f in range(fields):
        own = covariance[:, f * size : (f + 1) * size, f * size : (f + 1) * size]
        variance = torch.einsum("mp,bmn,np->bp", flat, own, flat)
        parts.append(variance.clamp_min(0.0).sqrt().unflatten(1, basis.shape[1:]))
    return torch.stack(parts, dim=1)
