"""What a network is shown of a film: one token for each order of each reflection, in units that all films share.

Amplitudes are over the one that all planes would scatter in phase, on a grid in qz of fringes 2 pi / thickness about where the
order lies if the texture leans as it does; beside them the film as it is known: what each height scatters, and how much that
changes with the polarization.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.phasing.motif_model import ReflectionData

Array = NDArray[np.float64]
Tensor = torch.Tensor

HIGHEST = 3  # orders
REACH, STEP = 6.0, 0.4  # fringes
GRID = np.arange(-REACH, REACH + STEP / 2, STEP)
BINS = 6  # heights
SMALL = 0.01  # amplitude below which the scale is linear
STATIC = 6 * BINS + 2 * HIGHEST + 1 + 6  # numbers of a token that are no amplitude


@dataclass(frozen=True)
class Geometry:
    """thickness and period in angstrom; lean in periods per angstrom; z (z,): heights of the planes in angstrom; axes (f, 2)
    of the displacement and polar_axes (p, 2) that are asked for."""

    thickness: float
    period: float
    lean: float
    z: Array
    axes: Array
    polar_axes: Array


@dataclass(frozen=True)
class Tokens:
    """intensity, sigma (t, q) over the square of `full`, seen (t, q) boolean, flat (t, q): amplitude of order 0 of the film
    without texture; about (t, STATIC); reflection, order (t,); full (t,): amplitude of all planes in phase, electrons."""

    intensity: Tensor
    sigma: Tensor
    seen: Tensor
    flat: Tensor
    about: Tensor
    reflection: Tensor
    order: Tensor
    full: Tensor


def tokens_of(
    reflections: Sequence[ReflectionData], geometry: Geometry, *, gap: float, intensity: Sequence[Tensor] = ()
) -> Tokens:
    """Tokens of all orders up to HIGHEST; gap in angstrom; intensity (n, q) to take in place of the measured ones."""
    measured = [one.intensity for one in reflections] if not intensity else list(intensity)
    parts = [_tokens(r, one, measured[r], geometry, gap) for r, one in enumerate(reflections)]
    names = Tokens.__dataclass_fields__
    return Tokens(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


def _tokens(r: int, one: ReflectionData, measured: Tensor, geometry: Geometry, gap: float) -> Tokens:
    local, moved = _known(one, geometry)
    full = float(local.abs().sum())
    keep = torch.nonzero(one.distance <= HIGHEST).squeeze(1)
    orders = one.orders[keep].numpy()
    fringe = 2 * np.pi / geometry.thickness
    at = one.g[-1].item() - 2 * np.pi * geometry.lean * orders[:, None] + fringe * GRID[None]
    unit = one.scale * full**2
    flat = _flat(one, gap) / unit
    rows = one.qz.numpy()

    def onto(values: Tensor) -> Tensor:
        found = [np.interp(q, rows, value) for q, value in zip(at, values.numpy(), strict=True)]
        return torch.from_numpy(np.stack(found)).float()

    use = one.work[keep].double()
    seen = onto(use) > 0.99
    seen &= torch.from_numpy((at >= rows[0]) & (at <= rows[-1]))
    central = torch.from_numpy(orders == 0)[:, None]
    return Tokens(
        intensity=onto(measured[keep] / unit),
        sigma=onto(one.sigma[keep] / unit),
        seen=seen,
        flat=torch.where(central, onto(flat[None].expand(len(keep), -1)).clamp_min(0).sqrt(), 0.0),
        about=_about(one, orders, geometry, local / full, moved / full),
        reflection=torch.full((len(keep),), r),
        order=torch.from_numpy(orders.copy()),
        full=torch.full((len(keep),), full),
    )


def _known(one: ReflectionData, geometry: Geometry) -> tuple[Tensor, Tensor]:
    """What every plane scatters at G (z,), and its change per unit of P_x and P_z (2, z) where they are asked for."""
    middle = int(torch.nonzero(one.distance == 0)[0])
    near = int((one.qz - one.g[-1]).abs().argmin())
    z = torch.from_numpy(geometry.z)
    turn = torch.exp(1j * (one.g[-1] - one.qz[near]) * z)
    planes = one.weights[:, middle, near, None] * one.planes[:, near] * turn
    local = planes.sum(0)
    moved = torch.zeros(2, len(z), dtype=local.dtype)
    number = len(geometry.axes)
    for f, axis in enumerate(geometry.polar_axes):
        slope = (one.phase_per_field[:, number + f].to(local.dtype)[:, None] * planes).sum(0)
        moved += torch.from_numpy(axis).to(local.dtype)[:, None] * slope
    common = local.sum()
    turned = common.conj() / common.abs().clamp_min(1e-30)
    return local * turned, moved * turned


def _about(one: ReflectionData, orders: Array, geometry: Geometry, local: Tensor, moved: Tensor) -> Tensor:
    binned = torch.stack([_binned(values) for values in (local, 1j * 0.5 * moved[0], 1j * 0.5 * moved[1])])
    shared = torch.cat([binned.real.flatten(), binned.imag.flatten()])
    along, up = float(one.g[0]), float(one.g[-1])
    numbers = torch.tensor(
        [
            along / 3.0,
            up / 5.0,
            np.log(geometry.thickness / 250.0),
            np.log(geometry.period / 120.0),
            np.log(geometry.thickness / geometry.period),
            geometry.lean * geometry.thickness / 3.0,
        ]
    )
    which = torch.nn.functional.one_hot(torch.from_numpy(orders + HIGHEST), 2 * HIGHEST + 1)
    rest = torch.cat([shared.double(), numbers.double()]).expand(len(orders), -1)
    return torch.cat([which.double(), rest], dim=1).float()


def _binned(values: Tensor) -> Tensor:
    """Sums over BINS equal parts of the heights, times BINS."""
    edges = np.linspace(0, len(values), BINS + 1)
    place = torch.from_numpy(
        np.minimum(np.searchsorted(edges, np.arange(len(values)), "right") - 1, BINS - 1)
    )
    found = torch.zeros(BINS, dtype=values.dtype).index_add(0, place, values)
    return found * BINS


def _flat(one: ReflectionData, gap: float) -> Tensor:
    """Intensity (q,) of order 0 of the film without texture, with its rod."""
    middle = int(torch.nonzero(one.distance == 0)[0])
    film = (one.weights[:, middle] * one.planes.sum(2)).sum(0)
    rod = one.substrate * torch.exp(-1j * gap * one.qz)
    return one.scale * (film + rod).abs() ** 2


def network_input(intensity: Tensor, sigma: Tensor, seen: Tensor, flat: Tensor, about: Tensor) -> Tensor:
    """Numbers of each token (..., STATIC + 4 q): amplitude, its error, what is seen, the flat film's, and about."""
    amplitude = intensity.clamp_min(0.0).sqrt()
    error = 0.5 * sigma / torch.maximum(amplitude, sigma.sqrt()).clamp_min(1e-9)
    shown = seen.float()
    parts = [_squeezed(amplitude) * shown, _squeezed(error) * shown, shown, _squeezed(flat) * shown, about]
    return torch.cat(parts, dim=-1)


def _squeezed(amplitude: Tensor) -> Tensor:
    return torch.asinh(amplitude / SMALL) / 3.0
