"""The motif solver: Levenberg-Marquardt on few modes, tempered and coarse to fine, a batch of starts at once.

Early rungs add tau times the strongest satellite's amplitude to the error and leave out high harmonics and weak orders, so
that a start first finds the strong features; the last rung is the plain weighted fit. Starts that are hopeless by then
beside others of their batch are left where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nanotexture.phasing.climb import CONVERGED, STALLED
from nanotexture.phasing.equilibrium import Equilibrium
from nanotexture.phasing.hops import hopped
from nanotexture.phasing.motif_model import ReflectionData, order_intensities
from nanotexture.phasing.motif_problem import (
    Problem,
    Tied,
    mean_chi2,
    prior_precision,
    system,
)
from nanotexture.phasing.motif_settings import MotifSettings
from nanotexture.phasing.outcome import Outcome
from nanotexture.phasing.pull import Pull
from nanotexture.phasing.unknowns import Unknowns

Tensor = torch.Tensor

JUDGED_FROM = 0.1  # tau: with larger errors nearly every motif fits
HOPELESS, POOR = 10.0, 0.1
LEAST_CHI2 = 0.25  # of the errors assumed: so good a fit says that their systematic part was too large


@dataclass(frozen=True)
class MotifSolutions:
    """Found motifs of a batch of starts.

    fields (start, f, x, z) and their standard deviation, in each field's unit; slope_std (start, f, 2, x, z): of d/dx and
    d/dz; with an axis y in both, and d/dy, where the texture is periodic along y too; coefficients (start, size); cost and
    free_cost (start,): chi2 per fitted and per held-out point; log_scale and log_resolution (start, reflection): against the
    first guesses; gap (start,) in angstrom; model: order intensities (start, n, q) of each reflection; determined (start,):
    share of the answer's variance that the data, not the prior, fix; told (start, size): the same share of every coefficient's
    prior variance; covariance (start, size, size), with an equilibrium that of the carrier's coefficients, and own_covariance,
    of the coefficients themselves.
    """

    fields: Tensor
    fields_std: Tensor
    slope_std: Tensor
    coefficients: Tensor
    cost: Tensor
    free_cost: Tensor
    log_scale: Tensor
    log_resolution: Tensor
    gap: Tensor
    model: tuple[Tensor, ...]
    iterations: Tensor
    outcome: tuple[Outcome, ...]
    determined: Tensor
    told: Tensor
    covariance: Tensor
    own_covariance: Tensor


def solve_motif(
    *,
    data: tuple[ReflectionData, ...],
    unknowns: Unknowns,
    settings: MotifSettings,
    start: Tensor,
    gap: Tensor,
    equilibrium: Equilibrium | None = None,
    pull: Pull | None = None,
) -> MotifSolutions:
    """Fit the motif from each start (start, size); gap (start,) in angstrom: first guesses of the film-substrate gap."""
    problem = Problem(data, unknowns, settings, gap, equilibrium, pull)
    extra = torch.zeros(len(start), 2 * len(data) + 1, dtype=start.dtype)
    parameters = torch.cat([start, extra], dim=1)
    total = torch.zeros(len(start), dtype=torch.int64)
    reason = torch.zeros(len(start), dtype=torch.int64)
    points = sum(int(one.work.sum()) for one in data)
    for rung in settings.ladder():
        going = torch.nonzero(reason != _ABANDONED).squeeze(1)
        climbed = hopped(problem.of(going), parameters[going], rung)
        parameters[going], reason[going] = climbed.parameters, climbed.reason
        total[going] += climbed.steps
        if 0.0 < rung.tau <= JUDGED_FROM:
            reason[going[hopeless(climbed.cost / points)]] = _ABANDONED
    return _solutions(problem, parameters, total, reason)


def hopeless(chi2: Tensor) -> Tensor:
    """Starts (start,) boolean that will not win, by the tempered chi2 per point (start,) of a rung.

    Their cost is HOPELESS times the middle one of the better half and above POOR. Starts that won in the end were never more
    than 3 times off there, where lost ones were 100 to 1000 times.
    """
    half = chi2.sort().values[: (len(chi2) + 1) // 2]
    return (chi2 > HOPELESS * half.median()) & (chi2 > POOR)


_ABANDONED = 3


def _solutions(problem: Problem, parameters: Tensor, steps: Tensor, reason: Tensor) -> MotifSolutions:
    coefficients, nuisance = problem.split(parameters)
    fields = problem.fields(coefficients)
    pairs = zip(problem.data, nuisance, strict=True)
    models = tuple(order_intensities(data, fields, extra) for data, extra in pairs)
    cost = mean_chi2(problem.data, models, held_out=False)
    free_cost = mean_chi2(problem.data, models, held_out=True)
    curvature = _Curvature.at(problem, parameters)
    determined = _determined(problem, coefficients, curvature.covariance(torch.ones_like(cost)))
    covariance = curvature.covariance(torch.fmax(cost, free_cost).clamp_min(LEAST_CHI2))
    told = 1.0 - covariance.diagonal(dim1=1, dim2=2) * problem.unknowns.prior_precision()
    shown, own = problem.unknowns, covariance
    if problem.equilibrium is not None:
        tied = Tied.of(problem.equilibrium, problem.unknowns, fields)
        polar = coefficients[:, problem.unknowns.blocks[0].size :]
        shown, covariance = tied.carried, tied.onto_carried(covariance) + tied.doubt(polar)
    return MotifSolutions(
        fields,
        _field_std(shown, covariance),
        _slope_std(shown, covariance),
        coefficients,
        cost,
        free_cost,
        torch.stack([one.log_scale for one in nuisance], dim=1),
        torch.stack([one.log_resolution for one in nuisance], dim=1),
        nuisance[0].gap,
        models,
        steps,
        tuple(_outcome(int(r), float(d)) for r, d in zip(reason, determined, strict=True)),
        determined,
        told,
        covariance,
        own,
    )


@dataclass(frozen=True)
class _Curvature:
    """Gauss-Newton Hessian at a solution: what data (start, p, p) and prior (p, p) add; pin: holds the motif's place."""

    size: int
    data: Tensor
    prior: Tensor
    pin: Tensor

    @classmethod
    def at(cls, problem: Problem, parameters: Tensor) -> _Curvature:
        size, prior = problem.unknowns.size, prior_precision(problem)
        whole = system(problem, parameters, problem.settings.ladder()[-1], precise=True).hessian
        stiff, pin = whole.diagonal(dim1=1, dim2=2).mean(1)[:, None, None], torch.zeros_like(whole)
        for along in range(problem.unknowns.directions):
            shift = torch.zeros_like(parameters)
            shift[:, :size] = problem.unknowns.shift_direction(parameters[:, :size], along)
            pin += stiff * shift[:, :, None] * shift[:, None, :]
        return cls(size, whole - prior, prior, pin)

    def covariance(self, chi2: Tensor) -> Tensor:
        """Of the coefficients, (start, size, size), if the data's variances are chi2 (start,) times those assumed.

        What the prior alone fixes keeps the prior's width.
        """
        hessian = self.data / chi2[:, None, None] + self.prior + self.pin
        return torch.linalg.inv(hessian)[:, : self.size, : self.size]


def _determined(problem: Problem, coefficients: Tensor, covariance: Tensor) -> Tensor:
    """Share of the answer's variance that the data and not the prior fix, the least over the judged blocks, (start,)."""
    width = torch.diagonal(covariance, dim1=1, dim2=2)
    share = 1.0 - (width * problem.unknowns.prior_precision()).clamp(0, 1)
    split = problem.unknowns.split
    shares = [
        (one * c**2).sum((1, 2)) / (c**2).sum((1, 2)).clamp_min(1e-30)
        for block, one, c in zip(problem.unknowns.blocks, split(share), split(coefficients), strict=True)
        if block.judged
    ]
    return torch.stack(shares).amin(0)


_OUTCOMES = {
    CONVERGED: Outcome.CONVERGED,
    STALLED: Outcome.STALLED,
    _ABANDONED: Outcome.ABANDONED,
}


def _outcome(reason: int, determined: float) -> Outcome:
    if determined < 0.5 and reason != _ABANDONED:
        return Outcome.NOT_DETERMINED
    return _OUTCOMES.get(reason, Outcome.OUT_OF_STEPS)


def _field_std(unknowns: Unknowns, covariance: Tensor) -> Tensor:
    """Standard deviation of all fields, (start, f, x, z)."""
    bases = [block.modes.basis(unknowns.points) for block in unknowns.blocks]
    return _pointwise_std(unknowns, covariance, bases)


def _slope_std(unknowns: Unknowns, covariance: Tensor) -> Tensor:
    """Standard deviation of d/dx and d/dz of all fields, (start, f, 2, x, z)."""
    slopes = [block.modes.gradient(unknowns.points) for block in unknowns.blocks]
    parts = [_pointwise_std(unknowns, covariance, [s[i] for s in slopes]) for i in range(len(slopes[0]))]
    return torch.stack(parts, dim=2)


def _pointwise_std(unknowns: Unknowns, covariance: Tensor, bases: list[Tensor]) -> Tensor:
    """Standard deviation (start, f, x, z) of sum_m c_m basis_m for coefficients of the given covariance."""
    parts, first = [], 0
    for block, basis in zip(unknowns.blocks, bases, strict=True):
        flat = basis.flatten(1)
        for _ in range(block.number):
            last = first + len(basis)
            own = covariance[:, first:last, first:last]
            variance = ((own.mT @ flat) * flat).sum(1)
            parts.append(variance.clamp_min(0.0).sqrt().unflatten(1, basis.shape[1:]))
            first = last
    return torch.stack(parts, dim=1)
