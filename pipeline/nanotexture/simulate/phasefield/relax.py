"""From a starting field to equilibrium: semi-implicit steps of the time-dependent Ginzburg-Landau equation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.simulate.phasefield.elasticity import Equilibrated
from nanotexture.simulate.phasefield.energy import Functional, State, functional_of
from nanotexture.simulate.phasefield.settings import ANGSTROM, GPA, Settings, Stepping
from nanotexture.simulate.phasefield.starts import stripes

Array = NDArray[np.float64]

_GROW, _SHORTEN, _SHRINK = 1.15, 0.8, 0.5
_GOOD, _POOR = 0.6, 0.4
_LONGEST = 1e3  # of the first step: beyond it the implicit matrices alone limit the step
_SHORTEST = 1e-6
_PATIENCE = 100
_ELASTIC_SHARE = 0.2
_RUNAWAY = 3.0  # C/m^2, twice what any ferroelectric reaches


class Outcome(Enum):
    """How a run ended, and what to try."""

    CONVERGED = "converged: the driving force is below the tolerance"
    ROUNDING = (
        "the energy falls by no more than its rounding: the limit of the number type; float64 goes further"
    )
    STEPS = "out of steps: raise stepping.most_steps or start nearer to the equilibrium"


@dataclass(frozen=True)
class Equilibrium:
    """The end of a run, fields (..., nx, ny, nz) at the nodes.

    polarization (3,) in C/m^2; strain (6: xx, yy, zz, yz, xz, xy; tensor shears) from the reference lattice, the mean
    in-plane strain included; displacement (3,) in angstrom, periodic but for its part linear in z; stress (6,) in Pa;
    energies (steps + 1, 4) in J/m^3 of the box by energy.PARTS, times (steps + 1,) in s; force and divergence as in Stepping.
    """

    settings: Settings
    polarization: Array
    strain: Array
    displacement: Array
    stress: Array
    energies: Array
    times: Array
    force: float
    divergence: float
    rejected: int
    outcome: Outcome

    @property
    def energy(self) -> float:
        """Mean energy density of the box, J/m^3."""
        return float(self.energies[-1].sum())

    @property
    def steps(self) -> int:
        """Accepted steps."""
        return len(self.times) - 1


Progress = Callable[[int, float, float], None]


def relax(settings: Settings, start: Array | None = None, progress: Progress | None = None) -> Equilibrium:
    """Equilibrium from P (3, nx, ny, nz) in C/m^2, or from stripes of one period in the box.

    progress is called after each step with the step, the energy in J/m^3 and the relative driving force.
    """
    functional = functional_of(settings)
    field = stripes(settings) if start is None else start
    if field.shape != (3, *settings.shape):
        raise UserError(f"phase field: start: expected shape {(3, *settings.shape)}, found {field.shape}")
    first = functional.grid.tensor(field) * functional.coefficients.polar
    state = functional.evaluate(first, functional.elasticity.start(), settings.stepping.keep)
    return _finish(settings, functional, *_descend(settings, functional, state, progress))


@dataclass(frozen=True)
class _Record:
    energies: tuple[tuple[float, ...], ...]
    times: tuple[float, ...]
    rejected: int
    outcome: Outcome


def _descend(
    settings: Settings, functional: Functional, state: State, progress: Progress | None
) -> tuple[State, _Record]:
    """Steps that never raise the energy: one that would is refused and halved; each accepted one lengthens the next."""
    stepping = settings.stepping
    energies, times, rejected = [state.parts], [0.0], 0
    duration, outcome = stepping.first_step, Outcome.STEPS
    while len(times) <= stepping.most_steps:
        if state.force < stepping.force:
            outcome = Outcome.CONVERGED
            break
        if duration < _SHORTEST * stepping.first_step or _stalled(energies, functional.grid.dtype):
            outcome = Outcome.ROUNDING
            break
        resistance = GPA / (stepping.mobility * duration)
        trial = functional.evaluate(functional.step(state, resistance), state.elastic, _held(state, stepping))
        if not trial.energy <= state.energy:
            rejected, duration = rejected + 1, duration * _SHRINK
            continue
        _refuse_runaway(trial, settings)
        energies.append(trial.parts)
        times.append(times[-1] + duration)
        duration = min(duration * _change(_gain(state, trial)), _LONGEST * stepping.first_step)
        state = trial
        if progress is not None:
            progress(len(times) - 1, state.energy / GPA, state.force)
    return state, _Record(tuple(energies), tuple(times), rejected, outcome)


def _refuse_runaway(state: State, settings: Settings) -> None:
    if state.largest > _RUNAWAY:
        names = ", ".join(sorted({layer.material.name for layer in settings.layers}))
        raise UserError(
            f"phase field: |P| has passed {_RUNAWAY:g} C/m^2 and the energy still falls: the Landau polynomial has no lower "
            f"bound (materials: {names}); look at the signs of a111, a112, a123"
        )


def _held(state: State, stepping: Stepping) -> float:
    """Elastic residual to hold at the next step: no larger than the driving force, of which it is a part."""
    return max(min(stepping.keep, _ELASTIC_SHARE * state.force), stepping.stress)


def _gain(state: State, trial: State) -> float:
    """Fall of the energy over the fall that the slope promised: 1 for short steps, 1/2 at the minimum along the step."""
    promised = (state.slope * (state.polarization - trial.polarization)).double().sum(0).mean()
    return (state.energy - trial.energy) / max(float(promised), 1e-300)


def _change(gain: float) -> float:
    """Factor of the next step: shorter where the last went beyond the minimum along it, or stiff modes would ring."""
    if gain < _POOR:
        return _SHORTEN
    return _GROW if gain > _GOOD else 1.0


def _stalled(energies: list[tuple[float, ...]], dtype: torch.dtype) -> bool:
    """Whether the last steps together lowered the energy by less than the rounding of its parts."""
    if len(energies) <= _PATIENCE:
        return False
    rounding = torch.finfo(dtype).eps * sum(abs(part) for part in energies[-1])
    return sum(energies[-1 - _PATIENCE]) - sum(energies[-1]) < rounding


def _finish(settings: Settings, functional: Functional, state: State, record: _Record) -> Equilibrium:
    tight = functional.evaluate(state.polarization, state.elastic, settings.stepping.stress)
    elastic = tight.elastic
    energies = np.array([*record.energies[:-1], tight.parts]) / GPA
    return Equilibrium(
        settings,
        tight.polarization.double().cpu().numpy(),
        elastic.strain.double().cpu().numpy(),
        displacement_of(functional, elastic),
        elastic.stress.double().cpu().numpy() / GPA,
        energies,
        np.array(record.times),
        tight.force,
        functional.elasticity.divergence(elastic.stress),
        record.rejected,
        record.outcome,
    )


def displacement_of(functional: Functional, elastic: Equilibrated) -> Array:
    """Displacement (3, nx, ny, nz) in angstrom at the nodes: periodic modes and the free mean strain times z.

    Nodes lie in the middle of their cells, z = (i + 1/2) spacing; the mean of the periodic part is zero.
    """
    modes = elastic.modes.clone()
    mean = modes[:, 0, 0, 0].real.double().cpu().numpy().copy()
    modes[:, 0, 0, 0] = 0.0
    height = (np.arange(functional.grid.shape[2]) + 0.5) * functional.grid.spacing[2]
    periodic = functional.grid.backward(modes).double().cpu().numpy()
    return np.asarray((periodic + mean[:, None, None, None] * height) / ANGSTROM)
