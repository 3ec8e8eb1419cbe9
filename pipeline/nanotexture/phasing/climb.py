"""Levenberg-Marquardt of a batch of starts on one rung of the ladder."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nanotexture.phasing.motif_problem import OnRung, Problem, System
from nanotexture.phasing.motif_settings import Rung

Tensor = torch.Tensor

RUNNING, CONVERGED, STALLED = 0, 1, 2  # why a start has stopped
_COARSE = 30.0  # early rungs stop at a coarser tolerance: the next rung moves the minimum anyway


@dataclass(frozen=True)
class Climbed:
    """Parameters, cost, steps taken and why each start stopped, each (start, ...)."""

    parameters: Tensor
    cost: Tensor
    steps: Tensor
    reason: Tensor


def climb(problem: Problem, parameters: Tensor, rung: Rung) -> Climbed:
    """Levenberg-Marquardt of all starts on one rung.

    Modes beyond the rung's are zero. Starts that have stopped leave the batch: the slowest does not hold up the others.
    Derivatives are taken only where a start goes on from: not at a step refused, nor at a start's last.
    """
    small, where = problem.on(rung)
    fit = OnRung(small, rung)
    state = _State.begin(fit, parameters[:, where])
    tolerance = problem.settings.tolerance * (1.0 if rung.tau == 0.0 else _COARSE)
    for _ in range(rung.steps):
        going = torch.nonzero(state.reason == RUNNING).squeeze(1)
        if len(going) == 0:
            break
        state.renew(fit, going)
        now, damping = state.system.cost[going], state.damping[going]
        trial = state.parameters[going] - state.step(going)
        there = fit.cost(trial, going)
        better = there < now
        slight = (now - there) < tolerance * now
        damping = torch.where(better, (damping / 4).clamp_min(1e-7), damping * 6)
        reason = torch.where(better & slight, CONVERGED, torch.where(damping > 1e6, STALLED, RUNNING))
        state.advance(going, better, trial, there, damping, reason)
    found = torch.zeros_like(parameters)
    found[:, where] = state.parameters
    return Climbed(found, state.system.cost, state.steps, state.reason)


@dataclass
class _State:
    """Where every start of a batch is on a rung; moved: starts whose derivatives are those of where they were before."""

    parameters: Tensor
    system: System
    damping: Tensor
    steps: Tensor
    reason: Tensor
    moved: Tensor

    @classmethod
    def begin(cls, fit: OnRung, parameters: Tensor) -> _State:
        number = len(parameters)
        counts = torch.zeros(2, number, dtype=torch.int64)
        damping = torch.full((number,), 1e-2, dtype=parameters.dtype)
        first = fit.system(parameters, torch.arange(number))
        moved = torch.zeros(number, dtype=torch.bool)
        return cls(parameters.clone(), first, damping, counts[0], counts[1], moved)

    def renew(self, fit: OnRung, going: Tensor) -> None:
        """Take the derivatives of starts that have moved and go on."""
        stale = going[self.moved[going]]
        if len(stale):
            self.system.put(stale, fit.system(self.parameters[stale], stale))
            self.moved[stale] = False

    def step(self, going: Tensor) -> Tensor:
        """The damped Gauss-Newton step of some starts."""
        damped = self.system.hessian[going]
        diagonal = torch.diagonal(damped, dim1=1, dim2=2)
        diagonal *= 1.0 + self.damping[going, None]
        factor, _ = torch.linalg.cholesky_ex(damped)
        return torch.cholesky_solve(self.system.gradient[going, :, None], factor).squeeze(-1)

    def advance(
        self, going: Tensor, better: Tensor, trial: Tensor, there: Tensor, damping: Tensor, reason: Tensor
    ) -> None:
        """Take the steps that lowered the cost, to `there` (going,)."""
        taken = going[better]
        self.parameters[taken], self.system.cost[taken] = trial[better], there[better]
        self.moved[taken] = True
        self.damping[going], self.reason[going] = damping, reason
        self.steps[going] += 1
