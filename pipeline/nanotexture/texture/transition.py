"""A transition temperature from an order parameter against temperature, chosen against the series that shows none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST = 5  # temperatures: a curve of three numbers and a chi2 that can judge it
FREE_EXPONENT = 7  # temperatures from which the exponent, or a step's width, is fitted as well
MARGIN = 6.0  # by which the AIC of a transition must lie below that of none: odds of 20 to 1
TRIED = 241  # transition temperatures tried
EXPONENTS = (0.125, 0.2, 0.25, 1 / 3, 0.5, 0.75, 1.0)
STEP_WIDTHS = (0.02, 0.05, 0.1)  # of the range of temperatures
SATURATION = 1.74  # of the order parameter of a mean field, Tc / T - 1 near Tc and 1 far below
RELATIVE = 0.02  # of the largest value: no error counts as smaller, since amplitudes carry systematic ones


@dataclass(frozen=True)
class Fit:
    """The curve chosen: its name, transition temperature and standard error in K (NaN: none), exponent, chi2 per degree
    of freedom, values at the temperatures of the series, and what to say of it."""

    name: str
    temperature: float
    error: float
    exponent: float
    chi2: float
    values: Array
    sentence: str


@dataclass(frozen=True)
class _Trial:
    name: str
    parameters: int
    chi2: float
    values: Array
    temperatures: Array
    profile: Array
    exponent: float


def fit_transition(*, kelvin: Array, order: Array, error: Array) -> Fit:
    """Constant and straight line against b + a (1 - T/Tc)^beta, b + a tanh(1.74 sqrt(Tc/T - 1)) and a step, by AIC.

    kelvin, order and its standard error (t,). Tc is the mean of exp(-chi2 / 2) over the temperatures tried, its error the
    standard deviation; errors are scaled up where chi2 per degree of freedom of the best curve is above 1.
    """
    use = np.isfinite(kelvin) & np.isfinite(order) & np.isfinite(error)
    none = np.full(len(kelvin), np.nan)
    if use.sum() < FEWEST:
        sentence = (
            f"No transition was looked for: {FEWEST} or more known temperatures with a determined amplitude are needed, "
            f"this series has {int(use.sum())}."
        )
        return Fit("none", float("nan"), float("nan"), float("nan"), float("nan"), none, sentence)
    t, q = kelvin[use], order[use]
    sigma = np.maximum(error[use], RELATIVE * np.abs(q).max() + 1e-300)
    plain, broken = _without(t, q, sigma), _with(t, q, sigma)
    best = min(plain + broken, key=lambda trial: trial.chi2 / max(len(t) - trial.parameters, 1))
    scale = max(best.chi2 / max(len(t) - best.parameters, 1), 1.0)
    flat = min(plain, key=lambda trial: _aic(trial, scale))
    bent = min(broken, key=lambda trial: _aic(trial, scale))
    chosen = bent if _aic(flat, scale) - _aic(bent, scale) > MARGIN else flat
    return _fit(chosen, flat, bent, scale, use, none)


def _fit(
    chosen: _Trial, flat: _Trial, bent: _Trial, scale: float, use: NDArray[np.bool_], none: Array
) -> Fit:
    number = int(use.sum())
    reduced = chosen.chi2 / max(number - chosen.parameters, 1)
    values = none.copy()
    values[use] = chosen.values
    gap = _aic(flat, scale) - _aic(bent, scale)
    if chosen is flat:
        sentence = (
            f"No transition in the series of {number} temperatures: the best curve with one, a {bent.name}, would have to lie "
            f"below a {flat.name} by {MARGIN:g} in AIC, and lies {'below' if gap > 0 else 'above'} it by {abs(gap):.1f}."
        )
        return Fit(flat.name, float("nan"), float("nan"), float("nan"), reduced, values, sentence)
    at, error = _moments(bent.temperatures, bent.profile / scale)
    sentence = (
        f"Transition at {at:.0f} ± {error:.0f} K ({bent.name}, {number} temperatures); its AIC is {gap:.0f} below that of "
        f"a {flat.name}."
    )
    return Fit(bent.name, at, error, bent.exponent, reduced, values, sentence)


def _without(t: Array, q: Array, sigma: Array) -> list[_Trial]:
    found = []
    for name, columns in (("constant", [0 * t + 1]), ("straight line", [0 * t + 1, t / np.ptp(t)])):
        chi2, values, _ = _linear(columns, q, sigma)
        found.append(_Trial(name, len(columns), chi2, values, t, 0 * t, float("nan")))
    return found


def _with(t: Array, q: Array, sigma: Array) -> list[_Trial]:
    many = len(t) >= FREE_EXPONENT
    tried = np.linspace(t.min(), t.max(), TRIED)[1:-1]
    exponents = EXPONENTS if many else (0.5,)
    widths = np.array(STEP_WIDTHS if many else STEP_WIDTHS[:1]) * np.ptp(t)
    powers = [_scan(partial(_power, exponent=beta), t, q, sigma, tried) for beta in exponents]
    steps = [_scan(partial(_step, width=float(width)), t, q, sigma, tried) for width in widths]
    return [
        _joined("power law", powers, 3 + many, tried, exponents),
        _joined("mean field", [_scan(_mean_field, t, q, sigma, tried)], 3, tried, (0.5,)),
        _joined("step", steps, 3 + many, tried, (float("nan"),) * len(steps)),
    ]


def _power(t: Array, tc: float, exponent: float) -> Array:
    return np.asarray(np.clip(1 - t / tc, 0.0, None) ** exponent)


def _mean_field(t: Array, tc: float) -> Array:
    """tanh(1.74 sqrt(Tc / T - 1)): a root below Tc that saturates at low temperature."""
    return np.asarray(np.tanh(SATURATION * np.sqrt(np.clip(tc / np.maximum(t, 1e-3) - 1, 0.0, None))))


def _step(t: Array, tc: float, width: float) -> Array:
    return np.asarray(0.5 - 0.5 * np.tanh((t - tc) / width))


Shape = Callable[[Array, float], Array]


def _scan(shape: Shape, t: Array, q: Array, sigma: Array, tried: Array) -> tuple[Array, list[Array]]:
    """chi2 (tried,) and curves of b + a shape(T, Tc), a >= 0: an order parameter grows on cooling."""
    chi2, curves = np.empty(len(tried)), []
    for i, tc in enumerate(tried):
        chi2[i], values, numbers = _linear([0 * t + 1, shape(t, float(tc))], q, sigma)
        if numbers[1] < 0:
            chi2[i], values, _ = _linear([0 * t + 1], q, sigma)
        curves.append(values)
    return chi2, curves


def _joined(
    name: str,
    scans: list[tuple[Array, list[Array]]],
    parameters: int,
    tried: Array,
    exponents: tuple[float, ...],
) -> _Trial:
    """One trial of all exponents or widths: the least chi2 at each temperature tried."""
    table = np.array([chi2 for chi2, _ in scans])
    which, at = np.unravel_index(table.argmin(), table.shape)
    curve = scans[int(which)][1][int(at)]
    return _Trial(
        name, parameters, float(table.min()), curve, tried, table.min(axis=0), exponents[int(which)]
    )


def _linear(columns: list[Array], q: Array, sigma: Array) -> tuple[float, Array, Array]:
    matrix = np.stack(columns, axis=1)
    numbers = np.linalg.lstsq(matrix / sigma[:, None], q / sigma, rcond=None)[0]
    values = matrix @ numbers
    return float((((q - values) / sigma) ** 2).sum()), np.asarray(values), np.asarray(numbers, np.float64)


def _moments(tried: Array, chi2: Array) -> tuple[float, float]:
    weight = np.exp(-0.5 * (chi2 - chi2.min()))
    mean = float((weight * tried).sum() / weight.sum())
    return mean, float(np.sqrt((weight * (tried - mean) ** 2).sum() / weight.sum()))


def _aic(trial: _Trial, scale: float) -> float:
    return trial.chi2 / scale + 2 * trial.parameters
