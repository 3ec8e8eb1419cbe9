"""The superlattices the phase-field tests run."""

from __future__ import annotations

from typing import Any

from nanotexture.film.materials import built_in
from nanotexture.simulate.phasefield.film import CUBIC
from nanotexture.simulate.phasefield.settings import Layer, Settings

DYSCO3 = 3.949


def lead_titanate(cells: int) -> Layer:
    """PbTiO3 with its extrapolated cubic lattice."""
    return Layer(built_in("PbTiO3"), cells, CUBIC["PbTiO3"])


def strontium_titanate(cells: int) -> Layer:
    """SrTiO3 with its own cubic lattice."""
    return Layer(built_in("SrTiO3"), cells, 3.905)


def superlattice(cells: int = 16, period: float = 117.0, in_plane: float = DYSCO3, **others: Any) -> Settings:
    """(SrTiO3)n/(PbTiO3)n on DyScO3 unless told otherwise."""
    layers = (strontium_titanate(cells), lead_titanate(cells))
    return Settings(layers=layers, in_plane=in_plane, period=period, **others)


def bulk(**others: Any) -> Settings:
    """A crystal of PbTiO3 under no stress, its cubic lattice the reference."""
    return Settings(
        layers=(lead_titanate(4),), in_plane=CUBIC["PbTiO3"], period=16.0, clamped=False, **others
    )
