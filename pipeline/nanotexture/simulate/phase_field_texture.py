"""The equilibrium of a phase field as a texture of a recipe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from nanotexture.film.stack import Stack
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.phasefield.film import motif_from_equilibrium, settings_of_stack
from nanotexture.simulate.phasefield.period import find_period
from nanotexture.simulate.phasefield.relax import relax
from nanotexture.simulate.texture_grid import refuse_length


@dataclass(frozen=True)
class PhaseField:
    """Equilibrium of a superlattice; period and step (of nodes along x) in angstrom, temperature in K.

    search: take the period of least energy near `period`, else this one; seed: of the noise a run starts from.
    """

    period: float
    step: float = 4.0
    temperature: float = 298.15
    search: bool = False
    seed: int = 0
    kind: Literal["phase_field"] = "phase_field"

    def __post_init__(self) -> None:
        """Refuse what is no box."""
        for name in ("period", "step"):
            refuse_length(f"texture.{name}", getattr(self, name))


def motif_from_phase_field(*, stack: Stack, texture: PhaseField) -> Motif:
    """Displacement and polarization of the equilibrium, on the planes of the stack as it stands."""
    settings = settings_of_stack(stack, period=texture.period, step=texture.step, seed=texture.seed)
    settings = replace(settings, temperature=texture.temperature)
    equilibrium = find_period(settings)[1] if texture.search else relax(settings)
    return motif_from_equilibrium(equilibrium, stack)
