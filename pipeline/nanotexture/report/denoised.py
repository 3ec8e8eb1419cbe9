"""How much of an answer came from a prior over textures, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from nanotexture.report.format import number


@dataclass(frozen=True)
class Denoised:
    """Verdict on the prior; rms that it changed the displacement by (angstrom) and the polarization (C/m^2), NaN where neither
    was told; free chi2 under it and without; strangeness of the motif and its limit."""

    verdict: str
    displacement: float
    polarization: float
    free_cost: tuple[float, float]
    strangeness: tuple[float, float]


def denoised_from(prior: xr.Dataset | None, temperature: int) -> Denoised | None:
    """None where no prior was asked for."""
    if prior is None:
        return None
    one = prior.isel(temperature=temperature)

    def together(name: str) -> float:
        changes = one[name].values[np.isfinite(one[name].values)]
        return float(np.sqrt((changes**2).sum())) if len(changes) else float("nan")

    return Denoised(
        verdict=str(one["verdict"].item()),
        displacement=together("displacement_from_prior"),
        polarization=together("polarization_from_prior"),
        free_cost=(float(one["free_cost"]), float(one["free_cost_without"])),
        strangeness=(float(one["strangeness"]), float(one["strangeness_limit"])),
    )


def denoised_words(found: Denoised) -> str:
    """One sentence."""
    free = f"free χ² {number(found.free_cost[0], 3)} with it and {number(found.free_cost[1], 3)} without"
    if found.verdict == "used":
        changes = [f"{number(found.displacement, 2)} Å of the displacement"] * bool(
            np.isfinite(found.displacement)
        )
        changes += [f"{number(found.polarization, 2)} C/m² of the polarization"] * bool(
            np.isfinite(found.polarization)
        )
        return (
            f"{' and '.join(changes) or 'Nothing'} (rms) came from the prior over textures; {free}. "
            "The answer without it is in /prior."
        )
    strange = f"{number(found.strangeness[0], 2)} where {number(found.strangeness[1], 2)} is the limit"
    return f"The prior over textures was left out: {found.verdict} (strangeness {strange}; {free})."
