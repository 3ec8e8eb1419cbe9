"""Labelled orders and reference lattice to what the motif solver fits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.film.config import FilmConfig
from nanotexture.film.kernel import plane_kernel, substrate_amplitude
from nanotexture.film.stack import Stack
from nanotexture.phasing.modes import Modes
from nanotexture.phasing.motif import MotifSettings
from nanotexture.phasing.motif_model import ReflectionData
from nanotexture.preparation.holdout import block_rows, held_out_blocks
from nanotexture.quantities import Orders, Reference

Array = NDArray[np.float64]

SYSTEMATIC = (
    0.03  # relative error of the kinematic model with pseudo-Voigt lines, measured on simulated films
)
PARALLEL = 0.02  # directions of Q closer than this (rad) are one: they give one component of the displacement
SUBSTRATE_PEAK = 0.004  # relative half width in qz around the substrate's Bragg point that is not fitted
FEWEST, MOST = 2, 8
LEAST_RESOLUTION = 0.3  # rows: what the fit of the resolution starts from at least, or it could not grow


@dataclass(frozen=True)
class MotifData:
    """Reflections as the solver wants them, the directions (f, 2) of the unknown fields and the planes."""

    reflections: tuple[ReflectionData, ...]
    axes: Array
    stack: Stack
    period: float
    gap: float
    highest: int
    fringes: float
    block: tuple[int, ...]

    def modes(self, harmonics: int, polynomials: int) -> Modes:
        """Modes on the planes of the film."""
        return Modes(
            harmonics, polynomials, tuple(self.stack.heights.tolist()), self.period, self.stack.thickness
        )

    def settings(self, harmonics: int, polynomials: int, strain: float) -> MotifSettings:
        """Solver settings with enough points along x for the harmonics of exp(i Q.u)."""
        return MotifSettings(
            harmonics=harmonics,
            polynomials=polynomials,
            strain=strain,
            points=max(32, 4 * (harmonics + self.highest)),
        )


def reflection_vectors(orders: Orders, reference: Reference) -> Array:
    """(Gx, Gz) of every reflection, (reflection, 2) in 1/angstrom: order 0 of the map and the reference c."""
    middle = int(np.flatnonzero(orders["order"].values == 0)[0])
    gx = orders["line_position"].values[:, middle]
    gx = np.where(orders["hkl"].values[:, 0] == 0, 0.0, gx)
    return np.stack([gx, 2 * np.pi * orders["hkl"].values[:, 2] / float(reference["c"])], axis=1)


def field_axes(vectors: Array) -> Array:
    """Unit vectors (f, 2) of the displacement that Q's of these directions determine: one, or x and z."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cross = unit[0, 0] * unit[:, 1] - unit[0, 1] * unit[:, 0]
    return np.eye(2) if np.abs(cross).max() > PARALLEL else unit[:1]


def motif_data(orders: Orders, reference: Reference, film: FilmConfig) -> MotifData:
    """Everything the solver needs, from labelled stages."""
    vectors = reflection_vectors(orders, reference)
    axes = field_axes(vectors)
    stack = film.stack(c=float(reference["c"]), thickness=float(reference["thickness"]))
    one_by_one = [_reflection(orders, r, vectors[r] @ axes.T, stack, film) for r in range(len(vectors))]
    common = float(
        np.exp(np.mean([np.log(one.scale / float(orders["scale"][r])) for r, one in enumerate(one_by_one)]))
    )
    reflections = tuple(
        replace(one, scale=common * float(orders["scale"][r])) for r, one in enumerate(one_by_one)
    )
    highest = int(max(int(one.orders[one.work.any(1)].max()) for one in reflections))
    fringes = max(_significant_fringes(orders, r, stack.thickness) for r in range(len(vectors)))
    block = tuple(block_rows(one, stack.thickness) for one in orders["qz"].values)
    return MotifData(
        reflections, axes, stack, float(orders["period"]), float(orders["gap"]), highest, fringes, block
    )


def refolded(data: MotifData, *, seed: int) -> MotifData:
    """The same data with other satellite values held out."""
    reflections = []
    for r, one in enumerate(data.reflections):
        use = (one.work | one.free).numpy()
        held = held_out_blocks(
            intensity=np.where(use, one.intensity.numpy(), np.nan),
            variance=one.sigma.numpy() ** 2,
            orders=one.orders.numpy(),
            block=data.block[r],
            seed=seed + r,
        )
        reflections.append(replace(one, work=torch.from_numpy(use & ~held), free=torch.from_numpy(held)))
    return replace(data, reflections=tuple(reflections))


def _reflection(orders: Orders, r: int, g: Array, stack: Stack, film: FilmConfig) -> ReflectionData:
    one = orders.isel(reflection=r)
    rows = np.isfinite(one["qz"].values)
    qz, hkl = one["qz"].values[rows], tuple(int(n) for n in one["hkl"].values)
    intensity, variance = one["intensity"].values[:, rows], one["variance"].values[:, rows]
    energy = float(one["energy"])
    kernel = plane_kernel(stack=stack, hkl=(hkl[0], hkl[1], hkl[2]), qz=qz, energy_kev=energy)
    below = substrate_amplitude(
        substrate=film.below(),
        hkl=(hkl[0], hkl[1], hkl[2]),
        qz=qz,
        in_plane=stack.in_plane,
        energy_kev=energy,
    )
    number = one["order"].values
    use = np.isfinite(intensity) & np.isfinite(variance)
    if film.substrate is not None:
        bragg = 2 * np.pi * hkl[2] / film.substrate.c
        use &= ~((number == 0)[:, None] & (np.abs(qz - bragg) < SUBSTRATE_PEAK * abs(bragg))[None, :])
    held = use & (one["held_out"].values[:, rows] != 0)
    sigma = np.sqrt(np.where(use, variance, 1.0) + (SYSTEMATIC * np.nan_to_num(intensity)) ** 2)
    tensor = torch.from_numpy
    return ReflectionData(
        orders=tensor(number.copy()),
        intensity=tensor(np.nan_to_num(intensity)),
        sigma=tensor(sigma),
        work=tensor(use & ~held),
        free=tensor(held),
        kernel=tensor(kernel),
        substrate=tensor(below),
        qz=tensor(qz.copy()),
        resolution=max(float(one["resolution_qz"]), LEAST_RESOLUTION * float(qz[1] - qz[0])),
        g=tensor(np.ascontiguousarray(g)),
        scale=_first_scale(np.where(use, intensity, np.nan), number, kernel),
    )


def _first_scale(intensity: Array, orders: NDArray[np.int64], kernel: NDArray[np.complex128]) -> float:
    """Scale from the sum of all orders, which a texture of pure phase cannot change, over that of the flat film.

    Order 0 is summed over the film peak only, where the substrate adds little; satellites over all rows, since inclined
    walls move them along qz.
    """
    flat = np.abs(kernel.sum(axis=1)) ** 2
    mirrored = np.nan_to_num(np.where(np.isfinite(intensity), intensity, intensity[::-1, :]))
    peak = flat > 0.01 * flat.max()
    total = mirrored[orders != 0].sum() + mirrored[orders == 0][:, peak].sum()
    return float(max(total, 1e-12) / flat[peak].sum())


def _significant_fringes(orders: Orders, r: int, thickness: float) -> float:
    """Length in qz over which a satellite stands 3 sigma above zero, in fringes 2 pi / thickness."""
    one = orders.isel(reflection=r)
    satellites = one["order"].values != 0
    signal = one["intensity"].values[satellites] > 3 * np.sqrt(one["variance"].values[satellites])
    rows = np.flatnonzero(signal.any(axis=0))
    if len(rows) == 0:
        return 0.0
    step = float(one["qz"].values[1] - one["qz"].values[0])
    return float(len(rows) * step * thickness / (2 * np.pi))


def first_modes(data: MotifData) -> tuple[int, int]:
    """Harmonics and polynomials to begin with: the highest order seen, two polynomials a fringe.

    The intensities of a film of thickness t are independent at steps of half a fringe, so that more could not be told.
    """
    strongest = max(float(one.intensity[one.orders != 0].max()) for one in data.reflections)
    seen = 1
    for one in data.reflections:
        top = torch.where(one.work, one.intensity / one.sigma, 0.0).amax(1)
        bright = torch.where(one.work, one.intensity, 0.0).amax(1) > 0.01 * strongest
        present = one.orders[(top > 5) & bright]
        seen = max(seen, int(present.abs().max()) if len(present) else 1)
    return seen, int(np.clip(round(2 * data.fringes), FEWEST, MOST))
