"""A faceted crystal with a strain field, and the coherent diffraction that a detector counts of it.

The density is psi = s exp(i phi), s the share of a voxel that the crystal fills and phi = Q.u; the intensity is
|sum psi exp(+i q.r)|^2 on the grid of the discrete transform, q = 0 at index n // 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import fourier_gaussian, gaussian_filter
from scipy.spatial.transform import Rotation

Array = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]

_SIDES = np.array([v for axis in np.eye(3) for v in (axis, -axis)])
_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / np.sqrt(3.0)
SPREAD = 0.12  # relative scatter of the facets' distances, so that no crystal is its own twin


@dataclass(frozen=True)
class FacetedCrystal:
    """A truncated octahedron, turned at random, with a smooth strain field or a screw dislocation.

    shape: voxels of the array; size: diameter of the crystal in voxels; phase_range: largest minus smallest phase in rad of
    the smooth field; wavelength: of that field in voxels, None for half the diameter; defect: "none" or "screw", a line
    through the crystal round which the phase rises by 2 pi; seed: of shape, turn and field.
    """

    shape: tuple[int, int, int] = (64, 64, 64)
    size: float = 24.0
    phase_range: float = np.pi
    wavelength: float | None = None
    defect: Literal["none", "screw"] = "none"
    seed: int = 0


@dataclass(frozen=True)
class Counting:
    """How a pattern is counted.

    peak_counts: expected in the brightest voxel; background: counts a voxel; coherence: standard deviation in voxels of the
    blur of a partly coherent beam.
    """

    peak_counts: float = 1e6
    background: float = 0.0
    coherence: tuple[float, float, float] = (0.0, 0.0, 0.0)
    seed: int = 0


def density_of_crystal(crystal: FacetedCrystal) -> Complex:
    """psi (x, y, z), modulus 0 to 1, phase Q.u in rad with mean zero over the crystal."""
    rng = np.random.Generator(np.random.PCG64([crystal.seed, 0]))
    turn = Rotation.random(rng=rng)
    share = _share(crystal, turn, rng)
    phase = _smooth_phase(crystal, share, rng)
    if crystal.defect == "screw":
        phase = phase + _screw_phase(crystal, turn)
    inside = share > 0.5
    mean = np.angle(np.sum(np.exp(1j * phase[inside])))
    return (share * np.exp(1j * (phase - mean))).astype(np.complex64)


def pattern_of_density(psi: Complex) -> Array:
    """Intensity |sum psi exp(+i q.r)|^2 (n1, n2, n3), q = 0 at n // 2, in the orthonormal transform's unit."""
    spectrum = scipy.fft.fftn(scipy.fft.ifftshift(psi.conj()), norm="ortho", workers=1)
    return np.abs(scipy.fft.fftshift(spectrum)).astype(float) ** 2


def expected_counts(intensity: Array, counting: Counting) -> Array:
    """Mean counts of an intensity: blurred, scaled to its peak, background added."""
    seen = intensity
    if any(counting.coherence):
        # not gaussian_filter: its kernel of whole voxels is narrower than asked below one voxel
        spectrum = fourier_gaussian(scipy.fft.fftn(intensity, workers=1), counting.coherence)
        seen = np.maximum(scipy.fft.ifftn(spectrum, workers=1).real, 0.0)
    return seen * (counting.peak_counts / seen.max()) + counting.background


def counted(expected: Array, seed: int) -> Array:
    """Poisson counts of their means."""
    return np.random.Generator(np.random.PCG64([seed, 1])).poisson(expected).astype(float)


def _grid(shape: tuple[int, int, int]) -> Array:
    """Voxels from the middle, (3, x, y, z)."""
    return np.stack(np.meshgrid(*(np.arange(n) - n // 2 for n in shape), indexing="ij")).astype(float)


def _share(crystal: FacetedCrystal, turn: Rotation, rng: np.random.Generator) -> Array:
    """Share of each voxel inside, from its distance to the nearest facet."""
    normals = turn.apply(np.concatenate([_SIDES, _CORNERS]))
    # Wulff: the distances of {100} and {111} facets of a face-centred cubic metal are as 1.15 to 1
    distances = np.concatenate([np.full(6, 1.15), np.full(8, 1.0)])
    distances = distances * (1.0 + SPREAD * rng.uniform(-1.0, 1.0, len(distances)))
    r = _grid(crystal.shape)
    beyond = np.full(crystal.shape, -np.inf)
    for normal, distance in zip(normals, distances, strict=True):
        beyond = np.maximum(beyond, np.tensordot(normal, r, 1) - 0.45 * crystal.size * distance)
    return np.clip(0.5 - beyond, 0.0, 1.0)


def _smooth_phase(crystal: FacetedCrystal, share: Array, rng: np.random.Generator) -> Array:
    wavelength = crystal.wavelength or 0.5 * crystal.size
    field = gaussian_filter(rng.normal(size=crystal.shape), wavelength / 3.0, mode="wrap")
    inside = field[share > 0.5]
    return (field - inside.mean()) * (crystal.phase_range / max(float(np.ptp(inside)), 1e-12))


def _screw_phase(crystal: FacetedCrystal, turn: Rotation) -> Array:
    across, up = turn.apply(np.eye(3)[:2])
    r = _grid(crystal.shape) + 0.3  # beside the voxels: the line itself has no phase
    return np.arctan2(np.tensordot(up, r, 1), np.tensordot(across, r, 1))
