"""What the forward model refuses, each time with the number that would work: textures, grids, memory."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import torch

from nanotexture.errors import UserError
from nanotexture.film.forward import Reflection, atom_displacement

Tensor = torch.Tensor

POLARIZATION = 1.5  # C/m^2: above what any known perovskite reaches
REMAINDER = 1e-2  # bound of the first neglected term at the corner of the map
GIB = 2.0**30


def refuse_texture(reflection: Reflection, displacement: Tensor, polarization: Tensor | None) -> None:
    """Refuse a texture (..., 3, nx, ny, planes) that the reflection's model cannot describe; UserError says what would work."""
    _refuse_shape("displacement", displacement, reflection)
    if polarization is not None:
        _refuse_shape("polarization", polarization, reflection)
        largest = float(torch.linalg.vector_norm(polarization, dim=-4).max())
        if largest > POLARIZATION:
            raise UserError(
                f"polarization: expected at most {POLARIZATION} C/m^2, found {largest:.3g} C/m^2 (are the units uC/cm^2?)"
            )
    real = reflection.qz.dtype
    displacement = displacement.to(real)
    polarization = None if polarization is None else polarization.to(real)
    _refuse_coarse(reflection, displacement, polarization)
    if remainder(reflection, displacement, polarization) > REMAINDER:
        needed = expansion_for(reflection, displacement, polarization, REMAINDER)
        raise UserError(
            f"expansion: power {reflection.expansion} is too low for displacements of "
            f"{float(displacement.abs().max()):.3g} angstrom; {needed} works"
        )


def remainder(reflection: Reflection, displacement: Tensor, polarization: Tensor | None) -> float:
    """|(Q - G).w|^(K+1) / (K+1)! at the order, row and point where it is largest: bound of the error of exp(i Q.w)."""
    power = reflection.expansion + 1
    return _largest_detuned(reflection, displacement, polarization) ** power / math.factorial(power)


def expansion_for(
    reflection: Reflection, displacement: Tensor, polarization: Tensor | None, tolerance: float
) -> int:
    """Lowest power K of the series whose remainder is below the tolerance."""
    size, power = _largest_detuned(reflection, displacement, polarization), 0
    while size ** (power + 1) / math.factorial(power + 1) > tolerance:
        power += 1
    return power


@dataclass(frozen=True)
class Cost:
    """Bytes that amplitudes and gradient of one texture need: fixed, and for each of its nx ny samples."""

    fixed: float
    per_sample: float

    def total(self, grid: tuple[int, int]) -> float:
        """Bytes of a grid nx, ny."""
        return self.fixed + self.per_sample * grid[0] * grid[1]


def cost_of_texture(
    *, orders: int, group_planes: int, rows: int, expansion: int, directions: int, itemsize: int
) -> Cost:
    """Moments kept for the gradient, orders, rows: group_planes = groups of atoms times planes, rows along qz,
    directions in which the series runs, bytes of a complex number."""
    moments = math.comb(expansion + directions, directions)
    kept = orders * (expansion + 1) * (group_planes + 3 * rows)
    return Cost(float(itemsize * kept), 2.0 * itemsize * group_planes * moments)


def available_bytes() -> float:
    """Memory that is free on this machine."""
    return float(os.sysconf("SC_AVPHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")


def refuse_memory(*, cost: Cost, limit: float, grid: tuple[int, int]) -> None:
    """Refuse a grid whose texture needs more bytes than the limit."""
    needed = cost.total(grid)
    if needed <= limit:
        return
    active = sum(samples > 1 for samples in grid)
    room = max(limit - cost.fixed, 0.0) / (needed - cost.fixed)
    fits = [int(samples * room ** (1 / active)) if samples > 1 else 1 for samples in grid]
    advice = (
        f"{fits[0]} x {fits[1]} samples fit, with orders up to {(fits[0] - 1) // 2} and {(fits[1] - 1) // 2}"
        if min(fits) > 0
        else "no grid fits: take fewer planes, orders or rows of qz"
    )
    raise UserError(
        f"grid: {grid[0]} x {grid[1]} samples need {needed / GIB:.3g} GiB ({needed:.3g} bytes) for one texture where "
        f"{limit / GIB:.3g} GiB are free; {advice}"
    )


def refuse_voxels(*, shape: tuple[int, int, int], itemsize: int, limit: float) -> None:
    """Refuse a map (qx, qy, qz) that, with its orders and gradient, needs more bytes than the limit."""
    needed = 3.0 * itemsize * math.prod(shape)
    if needed > limit:
        raise UserError(
            f"map: {shape[0]} x {shape[1]} x {shape[2]} voxels need {needed / GIB:.3g} GiB ({needed:.3g} bytes) where "
            f"{limit / GIB:.3g} GiB are free; {int(limit / (3 * itemsize))} voxels fit"
        )


def _refuse_shape(name: str, field: Tensor, reflection: Reflection) -> None:
    expected = (3, *reflection.grid, reflection.planes)
    if field.shape[-4:] != expected:
        raise UserError(
            f"{name}: expected a shape that ends in {expected} (component, nx, ny, planes), found {tuple(field.shape)}"
        )
    if not bool(torch.isfinite(field).all()):
        raise UserError(f"{name}: expected finite values, found NaN or infinity")


def _refuse_coarse(reflection: Reflection, displacement: Tensor, polarization: Tensor | None) -> None:
    """G.w must change by less than pi from one sample to the next: else the texture between them is not determined."""
    for name, axis, samples in (("x", -3, reflection.grid[0]), ("y", -2, reflection.grid[1])):
        step = 0.0
        for part in reflection.parts:
            moved = atom_displacement(part, displacement, polarization)
            phase = torch.einsum("c,...cxyp->...xyp", reflection.g, moved)
            step = max(step, float((phase.roll(-1, axis) - phase).abs().max()))
        if step >= math.pi:
            needed = math.ceil(samples * step / math.pi) + 1
            raise UserError(
                f"grid: G.u changes by {step:.3g} rad from one sample along {name} to the next, where less than pi is "
                f"needed for {_hkl(reflection)}; n{name} = {needed} in place of {samples} works"
            )


def _largest_detuned(reflection: Reflection, displacement: Tensor, polarization: Tensor | None) -> float:
    far = torch.stack(
        [
            reflection.orders_x.abs().max().double() * reflection.spacing[0],
            reflection.orders_y.abs().max().double() * reflection.spacing[1],
            (reflection.qz - reflection.g[2]).abs().max().double(),
        ]
    ).to(displacement.dtype)
    return max(
        float(
            torch.einsum(
                "c,...cxyp->...xyp", far, atom_displacement(part, displacement, polarization).abs()
            ).max()
        )
        for part in reflection.parts
    )


def _hkl(reflection: Reflection) -> str:
    return " ".join(str(index) for index in reflection.hkl)
