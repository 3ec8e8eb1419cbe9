"""Alignment of crystals: the shift, the global phase and the twin that no intensity can tell apart.

w(r), w(r - s), w(r) exp(i phi) and conj(w(-r)) have one and the same |F|. Objects are complex arrays (n1, n2, n3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from nanotexture.phasing.constraints import Real
from nanotexture.phasing.farfield import Complex

NEWTON = 4


@dataclass(frozen=True)
class Overlap:
    """How one object is best brought onto another one.

    similarity: |<onto, moved>| / (|onto| |moved|), 1 for equal objects; twin: whether conj(w(-r)) is taken first;
    shift: voxels (n_dims,) it is then moved by; phase: rad, taken off at the end.
    """

    similarity: float
    twin: bool
    shift: Real
    phase: float

    @property
    def distance(self) -> float:
        """sqrt(2 (1 - similarity)): rms difference of the two over their rms, 0 for equal, sqrt(2) for unrelated ones."""
        return float(np.sqrt(max(0.0, 2.0 * (1.0 - self.similarity))))


def twin(w: Complex) -> Complex:
    """conj(w(-r)), the voxel n // 2 kept in place."""
    axes = tuple(range(w.ndim))
    even = [1 - n % 2 for n in w.shape]
    return np.roll(np.flip(w.conj(), axes), even, axes)


def overlap(one: Complex, onto: Complex, *, allow_twin: bool = True) -> Overlap:
    """Shift, twin and phase of largest correlation; shifts are circular, to a fraction of a voxel."""
    target = scipy.fft.fftn(onto, workers=1)
    found = [_best(scipy.fft.fftn(one, workers=1), target, False)]
    if allow_twin:
        found.append(_best(scipy.fft.fftn(twin(one), workers=1), target, True))
    # a margin, so that rounding does not turn an object that is its own twin
    return found[0] if len(found) == 1 or found[1].similarity <= found[0].similarity + 1e-9 else found[1]


def moved(one: Complex, by: Overlap) -> Complex:
    """The object turned into its twin, shifted by the Fourier shift theorem, and its phase taken off, as `by` says."""
    turned = twin(one) if by.twin else one
    spectrum = scipy.fft.fftn(turned, workers=1)
    for axis, (n, s) in enumerate(zip(one.shape, by.shift, strict=True)):
        ramp = np.exp(-2j * np.pi * np.fft.fftfreq(n) * s)
        spectrum = spectrum * ramp.reshape([-1 if a == axis else 1 for a in range(one.ndim)])
    found: Complex = scipy.fft.ifftn(spectrum, workers=1) * np.exp(-1j * by.phase)
    return found.astype(one.dtype)


def distances(objects: Sequence[Complex]) -> NDArray[np.float64]:
    """Distance (n, n) of every pair after alignment, twins counted as equal."""
    found = np.zeros((len(objects), len(objects)))
    spectra = [scipy.fft.fftn(one, workers=1) for one in objects]
    turned = [scipy.fft.fftn(twin(one), workers=1) for one in objects]
    for i in range(len(objects)):
        for j in range(i + 1, len(objects)):
            pairs = (_best(spectra[i], spectra[j], False), _best(turned[i], spectra[j], True))
            found[i, j] = found[j, i] = min(pair.distance for pair in pairs)
    return found


def centred_on_mass(w: Complex) -> Complex:
    """The object rolled by whole voxels so that the centre of |w|^2 lies at n // 2; found on the circle, wherever it is cut."""
    weight = np.abs(w) ** 2
    shift = []
    for axis, n in enumerate(w.shape):
        along = weight.sum(axis=tuple(a for a in range(w.ndim) if a != axis))
        angle = np.angle(np.sum(along * np.exp(2j * np.pi * np.arange(n) / n)))
        shift.append(n // 2 - int(np.rint(angle * n / (2 * np.pi))))
    return np.roll(w, shift, tuple(range(w.ndim)))


def _best(spectrum: Complex, target: Complex, is_twin: bool) -> Overlap:
    """C(s) = <target, one(r - s)>: its largest modulus on the voxels, then by Newton between them."""
    cross = spectrum * target.conj()
    on_grid = scipy.fft.fftn(cross, workers=1)
    place = np.unravel_index(int(np.argmax(np.abs(on_grid))), cross.shape)
    shift = np.array([float(i if i <= n // 2 else i - n) for i, n in zip(place, cross.shape, strict=True)])
    value = on_grid[place]
    for _ in range(NEWTON):
        value, slope, curvature = _derivatives(cross, shift)
        if np.linalg.eigvalsh(curvature).max() >= 0:
            break
        shift = shift - np.clip(np.linalg.solve(curvature, slope), -0.5, 0.5)
    value, _, _ = _derivatives(cross, shift)
    size = float(np.linalg.norm(spectrum)) * float(np.linalg.norm(target))
    return Overlap(float(abs(value)) / max(size, 1e-30), is_twin, shift, float(np.angle(value)))


def _derivatives(cross: Complex, shift: Real) -> tuple[complex, Real, Real]:
    """C(s), and gradient and Hessian of |C|^2 / 2 at a shift in voxels."""
    table: NDArray[Any] = cross
    for n, s in zip(cross.shape, shift, strict=True):
        k = -2j * np.pi * np.fft.fftfreq(n)
        orders = np.exp(k * s)[:, None] * k[:, None] ** np.arange(3)
        # the first axis is summed over and its orders of derivative come last
        table = np.tensordot(table, orders.astype(np.complex128), axes=(0, 0))
    d = cross.ndim
    unit = np.eye(d, dtype=int)
    value = complex(table[(0,) * d])
    first = np.array([table[tuple(unit[i])] for i in range(d)])
    second = np.array([[table[tuple(unit[i] + unit[j])] for j in range(d)] for i in range(d)])
    slope = (value.conjugate() * first).real
    curvature = (np.outer(first.conj(), first) + value.conjugate() * second).real
    return value, slope, curvature
