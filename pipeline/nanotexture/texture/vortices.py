"""Vortex cores of one motif with the errors that follow from the standard deviations of its polarization."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.texture.domains import DRAWS
from nanotexture.texture.noise import drawn_fields
from nanotexture.texture.topology import Cores, cores_from_polarization, counted, resolved_layers

Array = NDArray[np.float64]

NEAR = 0.25  # of a period: a core of a drawn field that is farther away is another one


@dataclass(frozen=True)
class CountedCores:
    """Cores with the standard deviations (core,) of x (periods), z (angstrom) and circulation (C/m) over draws.

    counts (2, layer): vortices and antivortices of one period, NaN in layers that are not resolved; confidence (layer,):
    share of the draws with the same two counts.
    """

    cores: Cores
    x_std: Array
    z_std: Array
    circulation_std: Array
    counts: Array
    confidence: Array


def counted_cores(
    *, polarization: Array, std: Array, period: float, z: Array, layers: NDArray[np.int64], seed: int
) -> CountedCores:
    """Cores of P (2, x, z) in C/m^2 with its standard deviations; layers (z,) numbered from below, lengths in angstrom."""
    draws = drawn_fields(fields=polarization, std=std, draws=DRAWS, seed=seed)
    every = [
        cores_from_polarization(polarization=one, std=std, period=period, z=z, layers=layers)
        for one in (polarization, *draws)
    ]
    resolved = resolved_layers(polarization=polarization, std=std, layers=layers)
    counts = np.array([[counted(one, k) for k in range(len(resolved))] for one in every], dtype=float)
    same = (counts[1:] == counts[0]).all(axis=2).mean(axis=0)
    return CountedCores(
        every[0],
        *_spreads(every[0], every[1:]),
        counts=np.where(resolved[:, None], counts[0], np.nan).T,
        confidence=np.where(resolved, same, np.nan),
    )


def _spreads(cores: Cores, drawn: list[Cores]) -> tuple[Array, Array, Array]:
    """rms changes (core,) of x, z and circulation over the draws in which the core is found again; NaN below half."""
    rows = [_spread(cores, k, drawn) for k in range(len(cores.x))]
    x, z, turn = np.array(rows).reshape(-1, 3).T
    return x, z, turn


def _spread(cores: Cores, k: int, drawn: list[Cores]) -> tuple[float, ...]:
    away = []
    for one in drawn:
        alike = np.flatnonzero((one.winding == cores.winding[k]) & (one.layer == cores.layer[k]))
        x = (one.x[alike] - cores.x[k] + 0.5) % 1.0 - 0.5
        if len(alike) and np.abs(x).min() < NEAR:
            best = alike[np.abs(x).argmin()]
            change = (one.z[best] - cores.z[k], one.circulation[best] - cores.circulation[k])
            away.append((x[np.abs(x).argmin()], *change))
    if 2 * len(away) < len(drawn):
        return (float("nan"),) * 3
    return tuple(float(v) for v in np.sqrt(np.mean(np.square(away), axis=0)))
