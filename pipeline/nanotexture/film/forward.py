"""Amplitudes of the orders of a periodic texture, differentiable in displacement and polarization (kinematic).

    A_nm(qz) = sum_p exp(i qz z_p) sum_a f_a(|Q|) exp(-W_a) exp(i Q.r_a) <exp(2 pi i (n x + m y)) exp(i Q.w_a)>_xy
    Q = (Gx + 2 pi n / Lx, Gy + 2 pi m / Ly, qz),    w_a(x, y, p) = u + b_a P

so the amplitude is the sum over atoms of f exp(i Q.R), everywhere with the same sign: an order at Gx + 2 pi n / Lx
carries exp(+2 pi i n x); with the other sign a texture would come out mirrored in x.
With exp(i Q.w) = exp(i G.w) exp(i (Q - G).w) and the last factor as a power series,

    C_d(n, m, p) = sum over a + b <= K - d of (i kx)^a / a! (i ky)^b / b! <exp(2 pi i (n x + m y)) exp(i G.w) wx^a wy^b wz^d>
    A_nm(qz) = sum_groups F(n, m, qz) sum_d (i (qz - Gz))^d / d! sum_p exp(i qz z_p) C_d(n, m, p)

where k = Q - G and a group is all atoms of a material that share b. What a texture does not change is in Reflection.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Part:
    """The planes of one material with one c, and the groups of its atoms.

    planes (p,) indices from the substrate up; per_polarization (g, 3) b of each group in angstrom per C/m^2; weight
    (g, n, m, qz) complex, f exp(-W) exp(i Q.r) summed over each group's atoms, electrons; phases (p, qz) complex,
    exp(i qz z_p) times the filling of the plane.
    """

    planes: Tensor
    per_polarization: Tensor
    weight: Tensor
    phases: Tensor


@dataclass(frozen=True)
class Reflection:
    """All that a reflection's amplitudes need besides the texture.

    g (3,) in 1/angstrom, the point that the series is about; orders_x (n,), orders_y (m,) integers; spacing 2 pi / L
    along x, y; qz (qz,) in 1/angstrom; transform_x (K + 1, n, nx), transform_y (K + 1, m, ny), series_z (K + 1, qz)
    complex: averages over the period with exp(2 pi i n x) (i k)^a / a!, and (i (qz - Gz))^d / d!; substrate (qz,)
    complex with no gap, for order (0, 0).
    """

    hkl: tuple[int, int, int]
    g: Tensor
    orders_x: Tensor
    orders_y: Tensor
    spacing: tuple[float, float]
    qz: Tensor
    transform_x: Tensor
    transform_y: Tensor
    series_z: Tensor
    parts: tuple[Part, ...]
    substrate: Tensor

    @property
    def expansion(self) -> int:
        """Highest power K of the series."""
        return len(self.series_z) - 1

    @property
    def grid(self) -> tuple[int, int]:
        """Samples nx, ny of one period."""
        return self.transform_x.shape[-1], self.transform_y.shape[-1]

    @property
    def planes(self) -> int:
        """Number of planes of cells."""
        return sum(len(part.planes) for part in self.parts)


def amplitudes(
    reflection: Reflection,
    displacement: Tensor,
    polarization: Tensor | None = None,
    gap: Tensor | float = 0.0,
) -> Tensor:
    """Amplitudes (..., n, m, qz) in electrons per unit cell of area, film and substrate added.

    displacement (..., 3, nx, ny, planes) in angstrom from the reference lattice, polarization of that shape in C/m^2 or
    None, both taken to the reflection's precision; gap (...) in angstrom between substrate and film beyond the
    substrate's own c.
    """
    real = reflection.qz.dtype
    displacement = displacement.to(real)
    polarization = None if polarization is None else polarization.to(real)
    total = substrate_orders(reflection, gap)
    for part in reflection.parts:
        moved = atom_displacement(part, displacement, polarization)
        total = total + part_amplitude(reflection, part, plane_moments(reflection, moved))
    return total


def atom_displacement(part: Part, displacement: Tensor, polarization: Tensor | None) -> Tensor:
    """w = u + b P of the part's groups in its planes, (..., g, 3, nx, ny, p) in angstrom."""
    here = displacement[..., part.planes].unsqueeze(-5)
    if polarization is None:
        return here.expand(*here.shape[:-5], len(part.per_polarization), *here.shape[-4:])
    shift = part.per_polarization[:, :, None, None, None]
    return here + shift * polarization[..., part.planes].unsqueeze(-5)


def plane_moments(reflection: Reflection, moved: Tensor) -> Tensor:
    """C_d(n, m, p), (..., n, m, K + 1, p) complex, from w (..., 3, nx, ny, p) in angstrom."""
    phase = torch.einsum("c,...cxyp->...xyp", reflection.g, moved)
    field = torch.complex(torch.cos(phase), torch.sin(phase))
    along_x, along_y, along_z = moved.unbind(-4)
    found = []
    for power in range(reflection.expansion + 1):
        found.append(_average(reflection, field, along_x, along_y, reflection.expansion - power))
        field = field * along_z
    return torch.stack(found, dim=-2)


def part_amplitude(reflection: Reflection, part: Part, moments: Tensor) -> Tensor:
    """Amplitude (..., n, m, qz) of one part from its moments (..., g, n, m, K + 1, p)."""
    through = torch.matmul(moments, part.phases)
    series = (through * reflection.series_z).sum(-2)
    return (part.weight * series).sum(-4)


def substrate_orders(reflection: Reflection, gap: Tensor | float = 0.0) -> Tensor:
    """The rod's amplitude in order (0, 0), zero in the others, (..., n, m, qz) complex; gap (...) in angstrom."""
    gap = torch.as_tensor(gap, dtype=reflection.qz.dtype, device=reflection.qz.device)
    turn = gap[..., None] * reflection.qz
    rod = reflection.substrate * torch.complex(torch.cos(turn), -torch.sin(turn))
    middle = (reflection.orders_x == 0)[:, None] & (reflection.orders_y == 0)[None, :]
    return middle.to(rod.dtype)[:, :, None] * rod[..., None, None, :]


def _average(reflection: Reflection, field: Tensor, along_x: Tensor, along_y: Tensor, reach: int) -> Tensor:
    """Sum over a + b <= reach of the transforms of field wx^a wy^b, (..., n, m, p)."""
    total: Tensor | None = None
    for power in range(_powers(reflection.orders_y, reach) + 1):
        inner = _along_x(reflection, field, along_x, reach - power)
        term = torch.einsum("my,...nyp->...nmp", reflection.transform_y[power], inner)
        total = term if total is None else total + term
        field = field * along_y
    assert total is not None
    return total


def _along_x(reflection: Reflection, field: Tensor, along_x: Tensor, reach: int) -> Tensor:
    """Sum over a <= reach of the transforms along x of field wx^a, (..., n, ny, p)."""
    powers = [field]
    for _ in range(_powers(reflection.orders_x, reach)):
        powers.append(powers[-1] * along_x)
    stacked = torch.cat(powers, dim=-3)
    matrix = torch.cat(list(reflection.transform_x[: len(powers)]), dim=-1)
    flat = torch.matmul(matrix, stacked.flatten(-2))
    return flat.unflatten(-1, stacked.shape[-2:])


def _powers(orders: Tensor, reach: int) -> int:
    """Powers that matter along a direction: none where the only order is 0, since k is 0 there."""
    return reach if len(orders) > 1 else 0
