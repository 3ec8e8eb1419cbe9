"""From a complex film object to the displacement of one period along Q."""

from __future__ import annotations

import numpy as np
from skimage.restoration import unwrap_phase

from nanotexture.phasing.constraints import Mask, Real
from nanotexture.phasing.farfield import Complex


def displacement_from_psi(*, psi: Complex, support: Mask, length: float) -> Real:
    """u_q = phase / |G| with the phase unwrapped within the support, NaN outside.

    psi: (n_x, n_film); support: same shape; length: |G| in 1/angstrom; u_q in angstrom. Unwrapping: Herraez
    et al., Appl. Opt. 41, 7437 (2002).
    """
    phase = unwrap_phase(np.ma.array(np.angle(psi), mask=~support), rng=0)
    return np.asarray(np.ma.filled(phase, np.nan), dtype=float) / length


def fold(*, u: Real, weight: Real, step: float, period: float, nx_motif: int) -> Real:
    """One period (nx_motif, n_film) of u (n_x, n_film): harmonics in x fitted row by row, without slope in x.

    u = s x + c_0(z) + sum_k c_k(z) exp(2 pi i k x / L), k up to the Nyquist frequency of both grids; weight:
    (n_x, n_film) of the fit, e.g. |psi|^2; step, period: angstrom. The slope is the error of Gx, not texture:
    u is periodic.
    """
    x = np.arange(len(u)) * step
    k_max = max(1, min((nx_motif - 1) // 2, int(period / (2 * step))))
    basis = _harmonics(x / period, k_max)
    both = np.stack([np.nan_to_num(u), np.broadcast_to(x[:, None], u.shape)])
    rest = both - np.einsum("xp,bzp->bxz", basis, _weighted_fit(basis, both, weight))
    slope = np.sum(weight * rest[0] * rest[1]) / max(np.sum(weight * rest[1] ** 2), 1e-30)
    coefficients = _weighted_fit(basis, both[:1] - slope * both[1:], weight)[0]
    return _harmonics(np.arange(nx_motif) / nx_motif, k_max) @ coefficients.T


def _harmonics(fraction: Real, k_max: int) -> Real:
    """(n, 1 + 2 k_max): 1, cos and sin of 2 pi k x / L."""
    angle = 2 * np.pi * np.outer(fraction, np.arange(1, k_max + 1))
    return np.concatenate([np.ones((len(fraction), 1)), np.cos(angle), np.sin(angle)], axis=1)


def _weighted_fit(basis: Real, values: Real, weight: Real) -> Real:
    """Coefficients (b, n_z, p) of values (b, n_x, n_z) on basis (n_x, p) with weight (n_x, n_z)."""
    normal = np.einsum("xp,xz,xq->zpq", basis, weight, basis, optimize=True)
    size = np.trace(normal, axis1=-2, axis2=-1)[:, None, None] + 1e-30
    # a ridge keeps rows that the shrunken support barely covers finite
    normal = normal + 1e-6 * size * np.eye(basis.shape[1])
    right = np.einsum("xp,xz,bxz->bzp", basis, weight, values, optimize=True)
    return np.asarray(np.linalg.solve(normal, right[..., None])[..., 0])
