"""Lines of a family of satellites along qx: averaged over voxels, of unit area, and how they change with their parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, gammaln, stdtr

Array = NDArray[np.float64]

_GAUSS = 2.0 * np.sqrt(2.0 * np.log(2.0))
_TAIL_STEP = 1e-5  # of log tail: Student's t has no closed derivative by its degrees of freedom


@dataclass(frozen=True)
class LineShape:
    """Lines of a family of satellites: centre and spacing in 1/angstrom, FWHM and Lorentzian fraction per |n|.

    tail: how all Lorentzians fall far out, as |q|^-(1 + tail); 1 is a true one.
    """

    centre: float
    spacing: float
    width: tuple[float, ...]
    lorentz: tuple[float, ...]
    tail: float = 1.0


def pseudo_voigt_from_width(
    *, qx: Array, centre: float | Array, width: float | Array, lorentz: float | Array, tail: float = 1.0
) -> Array:
    """Unit-area pseudo-Voigt averaged over voxels of a uniform qx axis (nx,), in angstrom; width is the FWHM.

    Its Lorentzian part is Student's t of `tail` degrees of freedom (a Pearson VII line), a Lorentzian at 1: disorder that is
    smooth within a period falls off faster. Differences of the cumulative distributions keep the area right for lines
    narrower than a voxel. centre, width, lorentz: of one line, or (n, 1) for n lines at once, (n, nx).
    """
    edges, step = _edges(qx)
    gauss, pearson = _cumulative(edges - centre, width, tail)
    return np.diff((1.0 - lorentz) * gauss + lorentz * pearson, axis=-1) / step


def _edges(qx: Array) -> tuple[Array, float]:
    step = float((qx[-1] - qx[0]) / (len(qx) - 1))
    return np.append(qx - 0.5 * step, qx[-1] + 0.5 * step), step


def _cumulative(distance: Array, width: float | Array, tail: float) -> tuple[Array, Array]:
    """Areas of the Gaussian (but for a constant) and of Student's t up to some distances from the centre."""
    gauss = 0.5 * erf(distance * _GAUSS / (np.sqrt(2.0) * width))
    return gauss, stdtr(tail, distance * _student_scale(tail) / width)


def _student_scale(tail: float) -> float:
    """Argument of Student's t per FWHM."""
    return float(2.0 * np.sqrt(tail * (2.0 ** (2.0 / (tail + 1.0)) - 1.0)))


def _density(distance: Array, width: Array, tail: float) -> tuple[Array, Array]:
    """Gaussian and Student's t of one FWHM, in angstrom."""
    sigma = width / _GAUSS
    gauss = np.exp(-0.5 * (distance / sigma) ** 2) / (np.sqrt(2.0 * np.pi) * sigma)
    scale = _student_scale(tail) / width
    norm = np.exp(gammaln(0.5 * (tail + 1.0)) - gammaln(0.5 * tail)) / np.sqrt(tail * np.pi)
    return gauss, norm * scale * (1.0 + (distance * scale) ** 2 / tail) ** (-0.5 * (tail + 1.0))


def lorentzian_width(*, voigt: float, gaussian: float) -> float:
    """FWHM of the Lorentzian in a Voigt line of FWHM `voigt` whose Gaussian has FWHM `gaussian` (one unit).

    Inverse of f = 0.5346 L + sqrt(0.2166 L^2 + g^2) (Olivero and Longbothum, JQSRT 17, 233 (1977)).
    """
    a, b = 0.5346, 0.2166
    rest = max(voigt**2 - gaussian**2, 1e-6 * voigt**2)
    return float((a * voigt - np.sqrt((a * voigt) ** 2 - (a**2 - b) * rest)) / (a**2 - b))


def line_matrix(qx: Array, orders: NDArray[np.int64], shape: LineShape) -> Array:
    """Lines of all orders, (n, nx) in angstrom."""
    centre, width, lorentz = _columns(orders, shape)
    return pseudo_voigt_from_width(qx=qx, centre=centre, width=width, lorentz=lorentz, tail=shape.tail)


def _columns(orders: NDArray[np.int64], shape: LineShape) -> tuple[Array, Array, Array]:
    """Centre, width and Lorentzian fraction of every order, (n, 1)."""
    distance = np.abs(orders)[:, None]
    width, lorentz = (np.array(values, np.float64)[distance] for values in (shape.width, shape.lorentz))
    return np.asarray(shape.centre + orders[:, None] * shape.spacing, np.float64), width, lorentz


@dataclass(frozen=True)
class LineSlopes:
    """Derivatives (n, nx) of every line by its centre, log width, logit of its Lorentzian fraction, and log tail."""

    centre: Array
    width: Array
    lorentz: Array
    tail: Array


def line_slopes(qx: Array, orders: NDArray[np.int64], shape: LineShape) -> LineSlopes:
    """How the lines of all orders change; a line keeps its area, so that by its centre it changes by its density."""
    edges, step = _edges(qx)
    centre, width, lorentz = _columns(orders, shape)
    distance = edges - centre
    gauss, pearson = _density(distance, width, shape.tail)
    density = (1.0 - lorentz) * gauss + lorentz * pearson
    areas = _cumulative(distance, width, shape.tail)
    more, less = (_cumulative(distance, width, shape.tail * np.exp(s))[1] for s in (_TAIL_STEP, -_TAIL_STEP))
    changes = (
        -density,
        -distance * density,
        lorentz * (1.0 - lorentz) * (areas[1] - areas[0]),
        lorentz * (more - less) / (2.0 * _TAIL_STEP),
    )
    return LineSlopes(*(np.diff(change, axis=-1) / step for change in changes))


def with_weak_order(shape: LineShape) -> LineShape:
    """The same family with one order more, its width continued from the last two; too weak to fit, yet not to be left out.

    A measured absence of higher orders bounds the phase; without it a fit hides any amplitude in orders never looked at.
    """
    if len(shape.width) < 2:
        return shape
    growth = max(shape.width[-1] - (shape.width[-2] if len(shape.width) > 2 else 0.5 * shape.width[-1]), 0.0)
    width = min(shape.width[-1] + growth, 2.0 * shape.spacing)
    return replace(shape, width=(*shape.width, width), lorentz=(*shape.lorentz, shape.lorentz[-1]))
