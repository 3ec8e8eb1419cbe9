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
MAX_BYTES = 2e9  # of the waves of all places: what is left to a worker on a small machine
STREAM = 0x91ACE  # of random numbers: that of the places, apart from that of the counts
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
    places: int = 100

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
            raise UserError(f"disorder.places: expected 1 or more, e.g. 100, got {self.places}")

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
    x: Array = in_plane * np.arange(-half, half + 1, dtype=float)
    weight = np.ones(len(x)) if disorder.window == "flat" else np.exp(-0.5 * (x / disorder.coherence) ** 2)
    unit = math.sqrt(in_plane / (2 * np.pi * float(np.sum(weight**2))))
    return x, weight * unit


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


def place_products(
    *, dq: Array, harmonics: NDArray[np.int64], period: float, in_plane: float, disorder: Disorder, seed: int
) -> Complex:
    """Mean over places of B_h B_h'* (dq, H, H) in angstrom, dq = q - G in 1/angstrom.

    B_h(q) = sum over cells of w(x) exp(i (q - G) x + 2 pi i h phi(x)); single precision, 1e-7 of the brightest.
    """
    x, weight = window_amplitudes(disorder=disorder, in_plane=in_plane)
    _check_memory(len(dq), harmonics, len(x), disorder)
    rng = np.random.Generator(np.random.PCG64([seed % 2**32, STREAM]))
    phases = texture_phases(x=x, period=period, disorder=disorder, rng=rng)
    shift = np.empty((len(dq), len(x)), np.complex64)
    for row, q in zip(
        shift, dq, strict=True
    ):  # of double precision one row at a time: all at once hold five times as much
        row[:] = weight * np.exp(1j * q * x)
    waves = [shift @ _powers(np.exp(2j * np.pi * phase), harmonics) for phase in phases]
    found = np.stack(waves, axis=2)
    return np.asarray(found @ found.conj().swapaxes(1, 2), np.complex128) / len(phases)


def _powers(base: Complex, exponents: NDArray[np.int64]) -> NDArray[np.complex64]:
    """base ** exponents (cells, H) of numbers on the unit circle: products, which are faster than exponentials."""
    most = int(np.abs(exponents).max(initial=0))
    table = np.cumprod(np.column_stack([np.ones_like(base), *[base] * most]), axis=1)
    found = table[:, np.abs(exponents)]
    return np.where(exponents < 0, found.conj(), found).astype(np.complex64)


def _check_memory(points: int, harmonics: NDArray[np.int64], cells: int, disorder: Disorder) -> None:
    number, most = len(harmonics), int(np.abs(harmonics).max(initial=0))
    waves = 8 * points * (cells + 2 * number * disorder.places + 3 * number**2)
    # phases of all places, and the powers of one with their double-precision copies
    needed = waves + cells * (8 * disorder.places + 16 * (most + 1) + 40 * number)
    if needed > MAX_BYTES:
        share = MAX_BYTES / needed
        raise UserError(
            f"disorder: {disorder.places} places of {disorder.coherence:g} angstrom on {points} points of Q need "
            f"{1e-9 * needed:.3g} GB, {1e-9 * MAX_BYTES:.3g} GB is the limit: "
            f"coherence = {disorder.coherence * math.sqrt(share):.3g}, or {max(int(disorder.places * share), 1)} places on "
            f"{int(points * share)} points, work"
        )
