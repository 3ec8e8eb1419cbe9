"""Disorder as places: stretches of film that scatter coherently, in each of which the texture's phase wanders its own way.

The lattice runs through; only the texture's phase phi(x) (in periods) is disordered. Intensities of places are averaged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

TAIL = 3.6  # standard deviations of the Gaussian window that are summed; the amplitude there is 1.5e-3
SHORTEST = 0.2  # of a period: a stretched period is no shorter, whatever was drawn
MAX_BYTES = 2e9  # of phases and waves of all places
LARGEST_DISORDER = 0.5


@dataclass(frozen=True)
class Disorder:
    """How the texture's phase wanders, and over what length the beam adds amplitudes.

    cumulative: standard deviation of a period's length, relative (paracrystal); jitter: of a wall's distance from its
    ideal place, relative; coherence: standard deviation of the Gaussian amplitude window, or half the length of the flat
    one, angstrom; places: how many are averaged.
    """

    cumulative: float = 0.0
    jitter: float = 0.0
    coherence: float = 1200.0
    window: Literal["gaussian", "flat"] = "gaussian"
    places: int = 60

    def __post_init__(self) -> None:
        for name in ("cumulative", "jitter"):
            value = getattr(self, name)
            if not 0 <= value <= LARGEST_DISORDER:
                raise UserError(
                    f"disorder.{name}: expected 0 to {LARGEST_DISORDER} of a period, got {value:g}"
                )
        if not (math.isfinite(self.coherence) and self.coherence > 0):
            raise UserError(
                f"disorder.coherence: expected a length above 0 angstrom, e.g. 1200, got {self.coherence:g}"
            )
        if self.places < 1:
            raise UserError(f"disorder.places: expected 1 or more, e.g. 60, got {self.places}")

    @property
    def reach(self) -> float:
        """Half the length of film that is summed, angstrom."""
        return self.coherence * (TAIL if self.window == "gaussian" else 1.0)

    @property
    def width(self) -> float:
        """Standard deviation of a line without disorder, 1/angstrom; of the flat window's, that of equal FWHM."""
        return (
            1 / (math.sqrt(2) * self.coherence)
            if self.window == "gaussian"
            else 0.886 * math.pi / (2.355 * self.coherence)
        )


def window_amplitudes(*, disorder: Disorder, in_plane: float) -> tuple[Array, Array]:
    """Positions (cells,) in angstrom and amplitudes (cells,) of one place; lines of unit area in 1/angstrom follow.

    By Parseval over one Brillouin zone 2 pi / a: integral |sum w exp(i q a m)|^2 dq = (2 pi / a) sum w^2 = 1.
    """
    half = max(round(disorder.reach / in_plane), 1)
    x = in_plane * np.arange(-half, half + 1)
    flat = disorder.window == "flat"
    weight = np.ones(len(x)) if flat else np.exp(-0.5 * (x / disorder.coherence) ** 2)
    return x, np.asarray(weight * math.sqrt(in_plane / (2 * np.pi * float(np.sum(weight**2)))))


def texture_phases(*, x: Array, period: float, disorder: Disorder, rng: np.random.Generator) -> Array:
    """Phase of the texture in periods, (places, cells), at x (cells,) in angstrom.

    Cumulative: lengths of successive periods are drawn from N(L, cumulative L), linear in between (Hosemann's
    paracrystal). Jitter: phase -= d(x), where d is N(0, jitter) at each boundary and runs as cos, sin of a quarter turn
    to the next, so that its variance is the same everywhere and order n loses exactly exp(-(2 pi n jitter)^2).
    """
    # Six standard deviations more than the stretch needs: np.interp would repeat the last phase beyond them.
    count = math.ceil((1 + 6 * disorder.cumulative) * (x[-1] - x[0]) / period) + 8
    lengths = np.maximum(1 + disorder.cumulative * rng.normal(size=(disorder.places, count)), SHORTEST)
    edges = np.cumsum(lengths, axis=1)
    where = (x[None, :] - x[0]) / period + 2 + rng.random((disorder.places, 1))
    phases = np.stack(
        [np.interp(w, np.append(0.0, e), np.arange(count + 1)) for w, e in zip(where, edges, strict=True)]
    )
    if disorder.jitter:
        phases -= disorder.jitter * _jitter(phases, rng)
    return phases


def _jitter(phases: Array, rng: np.random.Generator) -> Array:
    """Gaussian process of unit variance (places, cells), independent two boundaries apart."""
    whole = np.floor(phases).astype(int)
    draws = rng.normal(size=(len(phases), int(whole.max()) + 2))
    turn = 0.5 * np.pi * (phases - whole)
    left = np.take_along_axis(draws, whole, axis=1)
    right = np.take_along_axis(draws, whole + 1, axis=1)
    return np.cos(turn) * left + np.sin(turn) * right
