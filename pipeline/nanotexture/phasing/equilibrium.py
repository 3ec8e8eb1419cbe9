"""The displacement that follows from the polarization of a superlattice by electrostriction and mechanical equilibrium.

    div C (eps(u) - e0) = 0,   e0_xx = q11 Px^2 + q12 Pz^2, e0_yy = q12 (Px^2 + Pz^2), e0_xz = q44 Px Pz / 2

with one homogeneous cubic C, u periodic along x (period) and z (repeat), nothing varying along y (Khachaturyan, Theory of
Structural Transformations in Solids (1983), ch. 7). In Fourier space u = -i K^-1 s0 xi, s0 = C e0. The mean over x of every
plane is taken out: the spacing of the planes is in the c of the stack's layers, and what is left of it is fitted freely.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from nanotexture.phasing.modes import Modes
from nanotexture.phasing.unknowns import Block

Tensor = torch.Tensor


@dataclass(frozen=True)
class Equilibrium:
    """Of fields (ux, uz, Px, Pz) on (x, z), z the planes of one repeat.

    stiffness: c11, c12, c44 in any one unit; electrostriction (3, z): q11, q12, q44 of every plane in m^4/C^2, q44 as in
    e_4 = q44 P_2 P_3; period and repeat in angstrom; points along x; carrier: modes that hold the displacement's change with
    the polarization; longitudinal: rms in C/m^2 of what depolarising fields leave of the polarization's longitudinal part.
    """

    stiffness: tuple[float, float, float]
    electrostriction: Tensor
    period: float
    repeat: float
    points: int
    carrier: Modes
    longitudinal: float = 0.03

    def added(self, fields: Tensor) -> Tensor:
        """Fields (batch, 4, x, z) with the displacement that follows from their polarization added to the free one."""
        return torch.cat([fields[:, :2] + self._induced(fields), fields[:, 2:]], dim=1)

    def removed(self, fields: Tensor) -> Tensor:
        """Fields (batch, 4, x, z) with what `added` adds taken away: only the free displacement is left."""
        return torch.cat([fields[:, :2] - self._induced(fields), fields[:, 2:]], dim=1)

    def _induced(self, fields: Tensor) -> Tensor:
        """The displacement (batch, 2, x, z) that follows from the polarization of the fields."""
        stress = self._stress(fields[:, 2], fields[:, 3])
        spectrum = torch.einsum("iczk,bczk->bizk", self._response, torch.fft.fft2(stress.mT))
        found = torch.fft.ifft2(spectrum).real.mT
        return found - found.mean(-2, keepdim=True)

    def slopes(self, polar: Block, fields: Tensor) -> Tensor:
        """Change of the carrier's coefficients, ux then uz, by every coefficient of the polarization, (batch, 2 modes, p).

        In single precision: it says where to step.
        """
        basis = polar.modes.basis(self.points).flatten(1).float()
        tangent = self._stress_slopes(fields[:, 2], fields[:, 3]).float()
        through = self._onto_carrier
        parts = [torch.einsum("ucp,bcp->bup", through, tangent[:, f].flatten(-2)) @ basis.T for f in range(2)]
        return torch.cat(parts, dim=2)

    def polar_precision(self, polar: Block) -> Tensor:
        """Prior precision (p, p) of the polarization's coefficients from the charge it would bind.

        Depolarising fields keep the longitudinal part of P, along its own wave vector, below `longitudinal` rms.
        """
        modes = polar.modes
        basis = modes.basis(self.points)
        spectrum = torch.fft.fft2(basis) / basis[0].numel()
        qx, qz = self._waves(basis.shape[-1])
        length = torch.sqrt(qx**2 + qz**2)
        unit = torch.where(length > 0, 1.0 / length.clamp_min(1e-12), 0.0)
        along = torch.cat([spectrum * qx * unit, spectrum * qz * unit]).flatten(1)
        return (along.conj() @ along.mT).real * (len(modes.index) / self.longitudinal**2)

    def _waves(self, planes: int) -> tuple[Tensor, Tensor]:
        """qx (x, 1) and qz (1, z) of the discrete transform, 1/angstrom; the Nyquist wave along x has no sign, and is 0."""
        qx = 2 * torch.pi * torch.fft.fftfreq(self.points, self.period / self.points, dtype=torch.float64)
        qz = 2 * torch.pi * torch.fft.fftfreq(planes, self.repeat / planes, dtype=torch.float64)
        qx = torch.where(qx == qx.min(), 0.0, qx) if self.points % 2 == 0 else qx
        return qx[:, None], qz[None, :]

    def _stress(self, px: Tensor, pz: Tensor) -> Tensor:
        """C e0 (batch, 3, x, z): components xx, zz, xz."""
        q11, q12, q44 = self.electrostriction
        strain = q11 * px**2 + q12 * pz**2, q12 * (px**2 + pz**2), q11 * pz**2 + q12 * px**2
        return self._from_strain(*strain, 0.5 * q44 * px * pz)

    def _stress_slopes(self, px: Tensor, pz: Tensor) -> Tensor:
        """d(C e0) by Px and by Pz, (batch, 2, 3, x, z)."""
        q11, q12, q44 = self.electrostriction
        by_px = self._from_strain(2 * q11 * px, 2 * q12 * px, 2 * q12 * px, 0.5 * q44 * pz)
        by_pz = self._from_strain(2 * q12 * pz, 2 * q12 * pz, 2 * q11 * pz, 0.5 * q44 * px)
        return torch.stack([by_px, by_pz], dim=1)

    def _from_strain(self, xx: Tensor, yy: Tensor, zz: Tensor, xz: Tensor) -> Tensor:
        c11, c12, c44 = self.stiffness
        return torch.stack([c11 * xx + c12 * (yy + zz), c11 * zz + c12 * (xx + yy), 2 * c44 * xz], dim=1)

    @cached_property
    def _response(self) -> Tensor:
        """u_i (i, c, z, k) per stress component in Fourier space, zero for the mean."""
        x, z = torch.broadcast_tensors(*(q.mT for q in self._waves(self.electrostriction.shape[1])))
        c11, c12, c44 = self.stiffness
        xx, zz, xz = c11 * x**2 + c44 * z**2, c44 * x**2 + c11 * z**2, (c12 + c44) * x * z
        determinant = xx * zz - xz**2
        inverse = torch.where(determinant > 0, 1.0 / determinant.clamp_min(1e-30), 0.0)
        zero = torch.zeros_like(x)
        force_x, force_z = torch.stack([x, zero, z]), torch.stack([zero, z, x])
        along_x = inverse * (zz * force_x - xz * force_z)
        along_z = inverse * (xx * force_z - xz * force_x)
        return -1j * torch.stack([along_x, along_z])

    @cached_property
    def _onto_carrier(self) -> Tensor:
        """The carrier's coefficients per unit of stress at every point, (u, c, points)."""
        rows = self.carrier.basis(self.points)
        dual = torch.linalg.pinv(rows.flatten(1)).T.unflatten(1, rows.shape[1:])
        both = torch.stack([dual, dual], dim=1)
        both = both - both.mean(-2, keepdim=True)
        spectrum = torch.fft.ifft2(both.mT)
        back = torch.fft.fft2(spectrum[:, :, None] * self._response[None]).real.mT
        return back.movedim(0, 1).flatten(0, 1).flatten(-2).float()
