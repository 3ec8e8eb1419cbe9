"""Noise-free maps of a textured film: places of a wandering texture, atom by atom at Q.

I(qx, qz) = mean over places of |sum over h of B_h(qx) W_h(qx, qz)|^2

with B_h of places.py and W_h of texture_factor.py. The mean is taken of the products B_h B_h'* first, so that many places
cost little. Lines have unit area, which makes the map of a flat film |F_film + F_substrate|^2 times one line. A voxel
holds the mean over its extent, as gridding gives it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.film.stack import Stack, Substrate
from nanotexture.simulate.axes import Axes, Hkl, Refined, check_axes, middle, refined
from nanotexture.simulate.instrument import Instrument, stop_mask
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.places import Disorder, place_products
from nanotexture.simulate.texture_factor import Specimen, TextureFactor, check_motif, texture_factor
from nanotexture.simulate.volume import volume_intensity

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Mask = NDArray[np.uint8]

PER_FRINGE = math.pi / 4  # finest structure along qz, over the thickness: 1/8 of a fringe


@dataclass(frozen=True)
class Brightness:
    """A map per unit flux: axes, intensity (nx, nz) or (nx, ny, nz), mask of that shape: 1 where not measured."""

    hkl: Hkl
    axes: Axes
    intensity: Array
    mask: Mask

    @property
    def peak(self) -> float:
        """Brightest voxel outside the mask."""
        return float(self.intensity[self.mask == 0].max(initial=0.0))


def bright_map(
    *,
    motif: Motif,
    stack: Stack,
    substrate: Substrate | None,
    hkl: Hkl,
    axes: Axes,
    disorder: Disorder,
    instrument: Instrument,
    seed: int,
    gap: float = 0.0,
) -> Brightness:
    """One reflection at unit flux under the instrument's resolution, its stop masked; (nx, ny, nz) if axes have qy.

    gap: angstrom between the film's first plane and where the substrate's next would be. The places depend on the seed
    alone: all reflections see the same. A motif with ny > 1 needs axes.qy; a 2D one has a Gaussian line along it.
    """
    check_motif(motif, stack)
    check_axes(axes, motif.periods)
    specimen = Specimen(motif, stack, substrate, gap, instrument.energy_kev)
    finest = math.hypot(disorder.width, instrument.resolution[0])
    fine_x = refined(axes.qx, finest=finest, resolution=instrument.resolution[0])
    fine_z = refined(axes.qz, finest=PER_FRINGE / stack.thickness, resolution=instrument.resolution[1])
    mask = peak_mask(axes, stack, substrate, hkl, instrument)
    if motif.displacement.shape[2] == 1:
        plane = plane_intensity(
            specimen=specimen, hkl=hkl, axes=(fine_x, fine_z), disorder=disorder, seed=seed
        )
        found = along_qy(plane, axes, hkl, stack, instrument)
    elif axes.qy is None:
        raise UserError("axes.qy: a motif with ny > 1 needs an axis along qy, got none")
    else:
        fine_y = refined(axes.qy, finest=finest, resolution=instrument.resolution[0])
        found = volume_intensity(
            specimen=specimen, hkl=hkl, axes=(fine_x, fine_y, fine_z), disorder=disorder, seed=seed
        )
    bright = Brightness(hkl, axes, found, mask)
    return replace(
        bright, intensity=found + instrument.diffuse * bright.peak * diffuse(axes, hkl, stack, instrument)
    )


def plane_intensity(
    *, specimen: Specimen, hkl: Hkl, axes: tuple[Refined, Refined], disorder: Disorder, seed: int
) -> Array:
    """I (nx, nz) on the voxels of the axes of a motif without y, unit flux."""
    in_plane, qx = specimen.stack.in_plane, axes[0].points
    factor = texture_factor(
        specimen=specimen,
        qx=(float(qx[0]), float(qx[-1])),
        qy=middle(hkl[1], in_plane),
        qz=axes[1].points,
    )
    products = place_products(
        dq=qx - middle(hkl[0], in_plane),
        harmonics=factor.harmonics,
        period=specimen.motif.periods[0],
        in_plane=in_plane,
        disorder=disorder,
        seed=seed,
    )
    fine = intensity_from_places(factor=factor, qx=qx, products=products)
    return axes[0].voxels(axes[1].voxels(fine, axis=1), axis=0)


def intensity_from_places(*, factor: TextureFactor, qx: Array, products: Complex) -> Array:
    """I (nx, nz) from W_h and the mean products of B_h (nx, H, H)."""
    found = np.empty((len(qx), factor.amplitudes.shape[2]))
    for i, w in enumerate(factor.at(qx)):
        found[i] = np.sum(w * (products[i] @ w.conj()), axis=0).real
    return np.maximum(found, 0.0)  # rounding may leave less


def along_qy(plane: Array, axes: Axes, hkl: Hkl, stack: Stack, instrument: Instrument) -> Array:
    """The plane (nx, nz), or spread over axes.qy by a Gaussian of unit area: a 2D texture has no order there."""
    if axes.qy is None:
        return plane
    distance = (axes.qy - middle(hkl[1], stack.in_plane)) / instrument.qy_width
    line = np.exp(-0.5 * distance**2) / (math.sqrt(2 * np.pi) * instrument.qy_width)
    return plane[:, None, :] * line[:, None]


def diffuse(axes: Axes, hkl: Hkl, stack: Stack, instrument: Instrument) -> Array:
    """Lorentzian squared about the film's peak, 1 there, in the shape of the axes: defects and heat, no texture."""
    away = [axes.qx - middle(hkl[0], stack.in_plane), axes.qz - middle(hkl[2], stack.mean_c)]
    if axes.qy is not None:
        away.insert(1, axes.qy - middle(hkl[1], stack.in_plane))
    squares = sum(a**2 for a in np.ix_(*away))
    return np.asarray((1 + squares / instrument.diffuse_width**2) ** -2)


def peak_mask(
    axes: Axes, stack: Stack, substrate: Substrate | None, hkl: Hkl, instrument: Instrument
) -> Mask:
    """1 where the stop hides the substrate's peak, in the shape of the axes."""
    mask = np.zeros((len(axes.qx), len(axes.qz)), np.uint8)
    if substrate is not None:
        peak = (middle(hkl[0], stack.in_plane), middle(hkl[2], substrate.c))
        mask = stop_mask(qx=axes.qx, qz=axes.qz, peak=peak, instrument=instrument)
    return mask if axes.qy is None else np.repeat(mask[:, None, :], len(axes.qy), axis=1)
