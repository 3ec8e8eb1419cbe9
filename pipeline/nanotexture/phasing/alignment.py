"""Alignment of motifs: the shift along x, the constant and the inversion that no intensity can tell apart.

A motif is (component, x, z), periodic in x, or (component, x, y, z), periodic in x and y: shifts are then pairs.
Displacement and polarization transform alike: f(x) -> f(x - s) for a shift, f(x, z) -> -f(-x, t - z) for the
inversion of the crystal through a point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Fields = NDArray[np.floating[Any]]
Spectrum = NDArray[np.complexfloating[Any, Any]]
_UPSAMPLING = 8


@dataclass(frozen=True)
class Aligned:
    """Fields brought onto another one.

    fields: (n, component, x, z), free constants removed; shift: (n,), or (n, 2) along x and y, fraction of one period
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
    return _shifted_along(fields, np.asarray(shift)[..., None], 1)


def _shifted_along(fields: Fields, shift: Fields, directions: int) -> Fields:
    """Fields (..., x, z) or (..., x, y, z) moved by shift (..., direction)."""
    for i in range(directions):
        axis = i - directions - 1
        spectrum = np.fft.rfft(fields, axis=axis)
        s = shift[..., i][..., *(None,) * (directions + 1)]
        order = np.arange(spectrum.shape[axis]).reshape(-1, *(1,) * (-axis - 1))
        fields = np.fft.irfft(spectrum * np.exp(-2j * np.pi * order * s), n=fields.shape[axis], axis=axis)
    return fields


def inverted(fields: Fields, directions: int = 1) -> Fields:
    """f(x, z) -> -f(-x, t - z), x = 0 kept in place; fields (..., x, z), planes symmetric about t / 2.

    directions: 2 for fields (..., x, y, z), turned in y too.
    """
    plane = tuple(range(-directions - 1, -1))
    return -np.roll(np.flip(fields, (*plane, -1)), 1, axis=plane)


def centred(fields: Fields, constant: NDArray[np.bool_] | bool = True, directions: int = 1) -> Fields:
    """Fields (..., component, x, z) without their mean over (x, z) where `constant` (component,) is True."""
    space = _space(directions)
    free = np.broadcast_to(np.asarray(constant), fields.shape[-len(space) - 1 : -len(space)])
    means = fields.mean(axis=space, keepdims=True)
    return fields - np.where(_spread(free, directions), means, 0.0)


def _space(directions: int) -> tuple[int, ...]:
    """Axes of the grid of fields."""
    return tuple(range(-directions - 1, 0))


def _spread(values: NDArray[Any], directions: int) -> NDArray[Any]:
    """Values (..., component) with axes of length 1 for the grid."""
    return values[..., *(None,) * (directions + 1)]


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
    d = onto.ndim - 2
    candidates, target = centred(fields, constant, d), centred(onto, constant, d)
    weight = _spread(_weight(np.std(target, axis=_space(d)) if scale is None else scale), d)
    usable = _complete(candidates, d) & _complete(target, d)
    goal = np.where(_spread(usable, d), target, 0.0) * weight
    spectra, targets = _spectrum(candidates * weight, d), _spectrum(target[None] * weight, d)
    shifts, flips, _ = _best(spectra, targets, allow_inversion, _Waves(fields.shape[-d - 1 : -1]))
    shift, flip = shifts[:, 0], flips[:, 0]
    turned = np.where(_spread(flip[:, None], d), inverted(candidates, d), candidates)
    moved = _shifted_along(turned, shift[:, None], d)
    residual = np.where(_spread(usable, d), moved, 0.0) * weight - goal
    misfit = _misfit(_energy(residual, d), _energy(goal - goal.mean(axis=_space(d), keepdims=True), d))
    told = shift[:, 0] if d == 1 else shift
    return Aligned(moved, told, flip, np.where(usable.any(axis=-1), misfit, np.nan))


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
    d = fields.ndim - 3
    weighted = centred(fields, constant, d) * _spread(_weight(scale), d)
    spectra, usable = _spectrum(weighted, d), _complete(fields, d)
    energy = np.sum(np.where(_spread(usable, d), weighted, 0.0) ** 2, axis=_space(d))
    *_, peak = _best(spectra, spectra, allow_inversion, _Waves(fields.shape[-d - 1 : -1]))
    size = np.einsum("ic,jc->ij", energy, usable.astype(float))
    both = size + size.T
    result = _misfit(both - 2.0 * peak, both / 2.0)
    result = (result + result.T) / 2.0
    np.fill_diagonal(result, 0.0)
    return result


@dataclass(frozen=True)
class _Waves:
    """Waves of the real transform of a grid with `points` along each direction of the plane."""

    points: tuple[int, ...]

    @cached_property
    def numbers(self) -> Fields:
        """Wave numbers in periods, (k, direction), the last direction fastest and from 0 up."""
        *others, last = self.points
        along = [np.fft.fftfreq(n, 1.0 / n) for n in others] + [np.arange(last // 2 + 1.0)]
        return np.stack([one.ravel() for one in np.meshgrid(*along, indexing="ij")], axis=1)

    @cached_property
    def twice(self) -> Fields:
        """How often each counts in a sum over all waves, (k,)."""
        last = self.numbers[:, -1]
        alone = (last == 0) | (2 * last == self.points[-1])
        return np.where(alone, 1.0, 2.0)

    @cached_property
    def fine(self) -> Fields:
        """Shifts (s, direction) that the best one is first looked for among."""
        finer = _UPSAMPLING if len(self.points) == 1 else 1
        along = [np.arange(finer * n) / (finer * n) for n in self.points]
        return np.stack([one.ravel() for one in np.meshgrid(*along, indexing="ij")], axis=1)

    @property
    def step(self) -> Fields:
        """Distance of those shifts, (direction,)."""
        finer = _UPSAMPLING if len(self.points) == 1 else 1
        return 1.0 / (finer * np.array(self.points))


def _best(
    spectra: Spectrum, targets: Spectrum, allow_inversion: bool, waves: _Waves
) -> tuple[Fields, NDArray[np.bool_], Fields]:
    """Shift (n, m, direction), inversion and correlation (n, m) of spectra (n, component, k, z) nearest to m targets."""
    shift, peak = _best_shift(_correlation(spectra, targets, waves), waves)
    flip = np.zeros(peak.shape, dtype=bool)
    if allow_inversion:
        turned = _correlation(-spectra.conj()[..., ::-1], targets, waves)
        other_shift, other_peak = _best_shift(turned, waves)
        # a margin, so that rounding does not invert a motif that is its own inverse
        flip = other_peak > peak + 1e-9 * np.abs(peak)
        shift, peak = np.where(flip[..., None], other_shift, shift), np.where(flip, other_peak, peak)
    return (shift + 0.5) % 1.0 - 0.5, flip, peak


def _correlation(spectra: Spectrum, targets: Spectrum, waves: _Waves) -> Spectrum:
    """X_k (n, m, k) of C(s) = <target, f(x - s)> = Re sum_k X_k exp(2 pi i k s), by Parseval."""
    one, other = _by_order(spectra), _by_order(targets)
    product: Spectrum = np.moveaxis(one.conj() @ other.swapaxes(-1, -2), 0, -1)
    return product * (waves.twice / np.prod(waves.points))


def _by_order(spectra: Spectrum) -> Spectrum:
    """(n, component, k, z) as (k, n, component * z): one matrix product per order gives all pairs."""
    moved = np.moveaxis(spectra, -2, 0)
    return np.ascontiguousarray(moved.reshape(*moved.shape[:2], moved.shape[2] * moved.shape[3]))


def _best_shift(cross: Spectrum, waves: _Waves) -> tuple[Fields, Fields]:
    """Maximum of C(s): on a grid, then by Newton's parabolas on C itself; shift (n, m, direction), C (n, m)."""
    turn = 2j * np.pi * waves.numbers
    on_grid = (cross @ np.exp(turn @ waves.fine.T)).real
    shift = waves.fine[np.argmax(on_grid, axis=-1)]
    for _ in range(3):
        terms = cross * np.exp(shift @ turn.T)
        slope = (terms @ turn).real
        curvature = np.einsum("nmk,ki,kj->nmij", terms, turn, turn, optimize=True).real
        peaked = np.linalg.eigvalsh(curvature).max(axis=-1) < 0
        safe = np.where(peaked[..., None, None], curvature, -np.eye(len(waves.points)))
        move = np.where(peaked[..., None], -np.linalg.solve(safe, slope[..., None])[..., 0], 0.0)
        shift = shift + np.clip(move, -waves.step, waves.step)
    return shift, (cross * np.exp(shift @ turn.T)).real.sum(axis=-1)


def _spectrum(fields: Fields, directions: int) -> Spectrum:
    """Transform (..., k, z) of all directions of the plane, components that hold a NaN set to zero."""
    complete = np.where(_spread(_complete(fields, directions), directions), fields, 0.0)
    found = np.fft.rfftn(complete, axes=tuple(range(-directions - 1, -1)))
    waves = math.prod(found.shape[-directions - 1 : -1])
    return found.reshape(*found.shape[: -directions - 1], waves, found.shape[-1])


def _complete(fields: Fields, directions: int) -> NDArray[np.bool_]:
    """Components (..., component) without a NaN."""
    return np.asarray(np.isfinite(fields).all(axis=_space(directions)))


def _weight(scale: Fields) -> Fields:
    """1 / scale (component,); a component without a scale of its own takes the largest of the others."""
    known = np.where(np.isfinite(scale) & (scale > 0), scale, 0.0)
    largest = known.max(initial=0.0) or 1.0
    return np.asarray(1.0 / np.where(known > 0, known, largest))


def _energy(fields: Fields, directions: int) -> Fields:
    return np.asarray(np.sum(fields**2, axis=tuple(range(-directions - 2, 0))))


def _misfit(residual: Fields, size: Fields) -> Fields:
    """sqrt(residual / size); 0 where both vanish, inf where only the size does."""
    ratio = np.divide(residual, size, out=np.where(residual > 0, np.inf, 0.0), where=size > 0)
    return np.sqrt(np.maximum(ratio, 0.0))
