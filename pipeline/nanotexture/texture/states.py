"""Domains: which state every point of a motif is in, by the direction of P or by a strain that takes two or three values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_multiotsu

Array = NDArray[np.float64]

VARIANTS = ("+x", "-x", "+z", "-z", "not polar")
NOT_POLAR = VARIANTS.index("not polar")
STATES = ("low", "middle", "high")
CLEAR = 2.0  # standard deviations that |P|, or the difference of two states, must exceed
# Walls alone, linear between two states, bring the variance within classes to 1/4 as a third class is added.
THIRD = 0.15
LEAST_THIRD = 0.1  # share of the points in the middle state


def variants_from_polarization(*, polarization: Array, std: Array) -> Array:
    """Index into VARIANTS (x, z) of the pseudo-cubic direction in the plane nearest to P (2, x, z); NaN where unknown.

    "not polar" where |P| is below 2 standard deviations of |P|. A component that is NaN throughout is left out.
    """
    known = np.array([np.isfinite(component).all() for component in polarization])
    if not known.any():
        return np.full(polarization.shape[1:], np.nan)
    p, s = np.where(known[:, None, None], polarization, 0.0), np.where(known[:, None, None], std, 0.0)
    size = np.hypot(*p)
    error = np.hypot(*(p * s)) / np.maximum(size, 1e-12)
    axis = np.abs(p).argmax(axis=0)
    negative = np.take_along_axis(p, axis[None], 0)[0] < 0
    return np.asarray(np.where(size > CLEAR * error, 2.0 * axis + negative, NOT_POLAR))


def standardised(field: Array) -> Array:
    """A field (x, z) less its mean along x, over its standard deviation along x: every plane between the same two states."""
    spread = field.std(axis=0)
    return np.asarray((field - field.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def thresholds_of(values: Array, states: int) -> Array:
    """Levels (states - 1,) halfway between the medians of neighbouring classes; 0 where there are no classes.

    Classes: Otsu, IEEE Trans. Syst. Man Cybern. 9, 62 (1979).
    """
    if len(np.unique(values)) < states:
        return np.zeros(states - 1)
    cuts = threshold_multiotsu(values.ravel(), classes=states)
    middles = [np.median(part) for part in _classes(values.ravel(), cuts)]
    return np.asarray(0.5 * (np.array(middles[1:]) + np.array(middles[:-1])))


def number_of_states(values: Array) -> int:
    """3 where a third class takes away more of the variance than walls between two states account for, else 2."""
    flat = values.ravel()
    if len(np.unique(flat)) < 3:
        return 2
    two, three = (_classes(flat, threshold_multiotsu(flat, classes=n)) for n in (2, 3))
    left = _within(three) < THIRD * _within(two)
    return 3 if left and len(three[1]) > LEAST_THIRD * flat.size else 2


def levels_of(field: Array, thresholds: Array) -> Array:
    """Levels (l, z) of a field in its own unit that thresholds (l,) of the standardised field stand for."""
    return np.asarray(field.mean(axis=0) + np.outer(thresholds, field.std(axis=0)))


def states_from_levels(*, field: Array, levels: Array, clear: Array) -> Array:
    """Index into STATES (x, z): 0 below the levels (l, z), 2 above all, 1 between two; NaN in planes not clear (z,)."""
    above = (field[None] > levels[:, None, :]).sum(axis=0)
    return np.asarray(np.where(clear[None, :], above * (2.0 / len(levels)), np.nan))


def contrast_of(*, field: Array, levels: Array) -> Array:
    """Difference (z,) of the medians of the points above and below the levels (l, z) of a field (x, z); 0 without either."""
    high, low = field > levels.max(axis=0), field <= levels.min(axis=0)
    found = np.zeros(field.shape[1])
    for z in np.flatnonzero(high.any(axis=0) & low.any(axis=0)):
        found[z] = np.median(field[high[:, z], z]) - np.median(field[low[:, z], z])
    return found


def area_fractions(*, states: Array, number: int, weights: Array) -> Array:
    """Share of each state (number,) of the points (x, z) whose state is known; weights (z,): height of each plane."""
    area = np.isfinite(states) * weights[None, :]
    total = area.sum()
    if not total > 0:
        return np.full(number, np.nan)
    return np.array([(area * (states == k)).sum() / total for k in range(number)])


def _classes(values: Array, cuts: Array) -> list[Array]:
    which = np.digitize(values, cuts)
    return [values[which == k] if (which == k).any() else values[:1] for k in range(len(cuts) + 1)]


def _within(classes: list[Array]) -> float:
    return float(sum(part.size * part.var() for part in classes))
