"""Alignment of motifs: the shift along x, the constant and the inversion that no intensity can tell apart.

A motif is (component, x, z), periodic in x. Displacement and polarization transform alike: f(x) -> f(x - s)
for a shift, f(x, z) -> -f(-x, t - z) for the inversion of the crystal through a point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Fields = NDArray[np.floating[Any]]
Spectrum = NDArray[np.complexfloating[Any, Any]]
_UPSAMPLING = 8


@dataclass(frozen=True)
class Aligned:
    """Fields brought onto another one.

    fields: (n, component, x, z), free constants removed; shift: (n,) applied along x, fraction of one period
    in [-1/2, 1/2); inverted: (n,) whether inverted before the shift; nrmse: (n,) misfit left, see `align`.
    """

    fields: Fields
    shift: Fields
    inverted: NDArray[np.bool_]
    nrmse: Fields


def nrmse(result: Fields, truth: Fields) -> float:
    """rms(result - truth) / std(truth) over the points where both are finite; NaN where there are none."""
    both = np.isfinite(result) & np.isfinite(truth)
    if not both.any():
        return float("nan")
    spread = float(np.std(truth[both]))
    rms = float(np.sqrt(np.mean((result[both] - truth[both]) ** 2)))
    return rms / spread if spread > 0 else float("inf") if rms > 0 else 0.0


def shifted(fields: Fields, shift: Fields | float) -> Fields:
    """f(x) -> f(x - s) by the Fourier shift theorem.

    fields: (..., x, z); shift: fraction of one period, (...) or one number.
    Exact for whole grid steps, and for any s where f holds no Nyquist component.
    """
    spectrum = np.fft.rfft(fields, axis=-2)
    s = np.asarray(shift)[..., None, None]
    order = np.arange(spectrum.shape[-2])[:, None]
    return np.fft.irfft(spectrum * np.exp(-2j * np.pi * order * s), n=fields.shape[-2], axis=-2)


def inverted(fields: Fields) -> Fields:
    """f(x, z) -> -f(-x, t - z), x = 0 kept in place; fields (..., x, z), planes symmetric about t / 2."""
    return -np.roll(fields[..., ::-1, ::-1], 1, axis=-2)


def centred(fields: Fields, constant: NDArray[np.bool_] | bool = True) -> Fields:
    """Fields (..., component, x, z) without their mean over (x, z) where `constant` (component,) is True."""
    free = np.broadcast_to(np.asarray(constant), fields.shape[-3:-2])[:, None, None]
    return fields - np.where(free, fields.mean(axis=(-2, -1), keepdims=True), 0.0)


def align(
    fields: Fields,
    onto: Fields,
    *,
    allow_inversion: bool,
    constant: NDArray[np.bool_] | bool = True,
    scale: Fields | None = None,
) -> Aligned:
    """Fields (n, component, x, z) brought onto one (component, x, z) by shift, constant and inversion.

    nrmse^2 = sum_c ||f_c - o_c||^2 / scale_c^2 / sum_c ||o_c - mean o_c||^2 / scale_c^2 over the components
    without NaN in both. scale: (component,) in the unit of each, std of `onto` by default, so that all
    components count alike; pass one scale per unit where a component may be nearly flat. constant: which
    components have a free additive constant. nrmse is NaN where no component is left.
    """
    candidates, target = centred(fields, constant), centred(onto, constant)
    weight = _weight(np.std(target, axis=(-2, -1)) if scale is None else scale)
    usable = _complete(candidates) & _complete(target)
    goal = np.where(usable[..., None, None], target, 0.0) * weight
    spectra, targets = _spectrum(candidates * weight), _spectrum(target[None] * weight)
    shifts, flips, _ = _best(spectra, targets, allow_inversion, fields.shape[-2])
    shift, flip = shifts[:, 0], flips[:, 0]
    turned = np.where(flip[:, None, None, None], inverted(candidates), candidates)
    moved = shifted(turned, shift[:, None])
    residual = np.where(usable[..., None, None], moved, 0.0) * weight - goal
    misfit = _misfit(_energy(residual), _energy(goal - _means(goal)))
    return Aligned(moved, shift, flip, np.where(usable.any(axis=-1), misfit, np.nan))


def distances(
    fields: Fields,
    *,
    allow_inversion: bool,
    scale: Fields,
    constant: NDArray[np.bool_] | bool = True,
) -> Fields:
    """Symmetric misfit (n, n) of every pair: nrmse after alignment, over the mean variance of the two.

    d^2 = min_T ||f - T g||^2 / ((||f||^2 + ||g||^2) / 2), 0 for equal and sqrt(2) for unrelated motifs.
    fields: (n, component, x, z); scale: (component,) in the unit of each; components with NaN in one are
    left out.
    """
    weighted = centred(fields, constant) * _weight(scale)
    spectra, usable = _spectrum(weighted), _complete(fields)
    energy = np.sum(np.where(usable[..., None, None], weighted, 0.0) ** 2, axis=(-2, -1))
    *_, peak = _best(spectra, spectra, allow_inversion, fields.shape[-2])
    size = np.einsum("ic,jc->ij", energy, usable.astype(float))
    both = size + size.T
    result = _misfit(both - 2.0 * peak, both / 2.0)
    result = (result + result.T) / 2.0
    np.fill_diagonal(result, 0.0)
    return result


def _best(
    spectra: Spectrum, targets: Spectrum, allow_inversion: bool, n_x: int
) -> tuple[Fields, NDArray[np.bool_], Fields]:
    """Shift, inversion and correlation, each (n, m), of spectra (n, component, k, z) nearest to m targets."""
    shift, peak = _best_shift(_correlation(spectra, targets, n_x), n_x)
    flip = np.zeros(shift.shape, dtype=bool)
    if allow_inversion:
        other_shift, other_peak = _best_shift(_correlation(-spectra.conj()[..., ::-1], targets, n_x), n_x)
        # a margin, so that rounding does not invert a motif that is its own inverse
        flip = other_peak > peak + 1e-9 * np.abs(peak)
        shift, peak = np.where(flip, other_shift, shift), np.where(flip, other_peak, peak)
    return (shift + 0.5) % 1.0 - 0.5, flip, peak


def _correlation(spectra: Spectrum, targets: Spectrum, n_x: int) -> Spectrum:
    """X_k (n, m, k) of C(s) = <target, f(x - s)> = Re sum_k X_k exp(2 pi i k s), by Parseval."""
    twice = np.full(spectra.shape[-2], 2.0)
    twice[0] = 1.0
    if n_x % 2 == 0:
        twice[-1] = 1.0
    one, other = _by_order(spectra), _by_order(targets)
    product: Spectrum = np.moveaxis(one.conj() @ other.swapaxes(-1, -2), 0, -1)
    return product * (twice / n_x)


def _by_order(spectra: Spectrum) -> Spectrum:
    """(n, component, k, z) as (k, n, component * z): one matrix product per order gives all pairs."""
    moved = np.moveaxis(spectra, -2, 0)
    return np.ascontiguousarray(moved.reshape(*moved.shape[:2], moved.shape[2] * moved.shape[3]))


def _best_shift(cross: Spectrum, n_x: int) -> tuple[Fields, Fields]:
    """Maximum of C(s): on a grid finer than x, then by Newton's parabolas on C itself."""
    order = np.arange(cross.shape[-1])
    fine = np.arange(_UPSAMPLING * n_x) / (_UPSAMPLING * n_x)
    on_grid = (cross @ np.exp(2j * np.pi * np.outer(order, fine))).real
    shift = fine[np.argmax(on_grid, axis=-1)]
    for _ in range(3):
        terms = cross * np.exp(2j * np.pi * shift[..., None] * order)
        slope = (2j * np.pi * order * terms).real.sum(axis=-1)
        curvature = (-((2 * np.pi * order) ** 2) * terms).real.sum(axis=-1)
        move = np.divide(-slope, curvature, out=np.zeros_like(slope), where=curvature < 0)
        shift = shift + np.clip(move, -fine[1], fine[1])
    return shift, (cross * np.exp(2j * np.pi * shift[..., None] * order)).real.sum(axis=-1)


def _spectrum(fields: Fields) -> Spectrum:
    """Transform along x, components that hold a NaN set to zero."""
    return np.fft.rfft(np.where(_complete(fields)[..., None, None], fields, 0.0), axis=-2)


def _complete(fields: Fields) -> NDArray[np.bool_]:
    """Components (..., component) without a NaN."""
    return np.asarray(np.isfinite(fields).all(axis=(-2, -1)))


def _weight(scale: Fields) -> Fields:
    """1 / scale (component, 1, 1); a component without a scale of its own takes the largest of the others."""
    known = np.where(np.isfinite(scale) & (scale > 0), scale, 0.0)
    largest = known.max(initial=0.0) or 1.0
    return np.asarray(1.0 / np.where(known > 0, known, largest))[:, None, None]


def _means(fields: Fields) -> Fields:
    return np.asarray(fields.mean(axis=(-2, -1), keepdims=True))


def _energy(fields: Fields) -> Fields:
    return np.asarray(np.sum(fields**2, axis=(-3, -2, -1)))


def _misfit(residual: Fields, size: Fields) -> Fields:
    """sqrt(residual / size); 0 where both vanish, inf where only the size does."""
    ratio = np.divide(residual, size, out=np.where(residual > 0, np.inf, 0.0), where=size > 0)
    return np.sqrt(np.maximum(ratio, 0.0))
