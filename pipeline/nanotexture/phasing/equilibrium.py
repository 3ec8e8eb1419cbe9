"""The displacement that follows from the polarization by electrostriction and mechanical equilibrium.

    div C (eps(u) - e0) = 0,   e0_xx = q11 Px^2 + q12 Pz^2, e0_yy = q12 (Px^2 + Pz^2), e0_xz = q44 Px Pz / 2

with the cubic C of every plane, nothing varying along y; phasing.elastic_response has the two bodies, a superlattice and a
film on its substrate. The mean over x of every plane is taken out: the spacing of the planes is in the c of the stack's
layers, and what is left of it is fitted freely.
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
    """Of fields (ux, uz, Px, Pz) on (x, z), z the planes of one repeat, or of a film.

    stiffness (3, z): c11, c12, c44 of every plane in any one unit; electrostriction (3, z): q11, q12, q44 of every plane in
    m^4/C^2, q44 as in e_4 = q44 P_2 P_3; response (k, 2, z, 3, z): displacement by the stress of every plane, as of
    elastic_response; period and height, of the repeat or the film, in angstrom; points along x; carrier: modes that hold
    the displacement's change with the polarization; faces: whether the body ends at its first and last plane, whose bound
    charge is then compensated; longitudinal: rms in C/m^2 of what depolarising fields leave of the polarization's
    longitudinal part.
    """

    stiffness: Tensor
    electrostriction: Tensor
    response: Tensor
    period: float
    height: float
    points: int
    carrier: Modes
    faces: bool = False
    longitudinal: float = 0.03

    def added(self, fields: Tensor) -> Tensor:
        """Fields (batch, 4, x, z) with the displacement that follows from their polarization added to the free one."""
        return torch.cat([fields[:, :2] + self._induced(fields), fields[:, 2:]], dim=1)

    def removed(self, fields: Tensor) -> Tensor:
        """Fields (batch, 4, x, z) with what `added` adds taken away: only the free displacement is left."""
        return torch.cat([fields[:, :2] - self._induced(fields), fields[:, 2:]], dim=1)

    def _induced(self, fields: Tensor) -> Tensor:
        """The displacement (batch, 2, x, z) that follows from the polarization of the fields."""
        stress = self._stress(fields[:, 2], fields[:, 3]).to(self.response.dtype)
        spectrum = torch.einsum("kx,bcxz->bkcz", self._harmonics.conj() / self.points, stress)
        moved = torch.einsum("kizcw,bkcw->bkiz", self.response, spectrum)
        return 2 * torch.einsum("kx,bkiz->bixz", self._harmonics, moved).real

    def slopes(self, polar: Block, fields: Tensor) -> Tensor:
        """Change of the carrier's coefficients, ux then uz, by every coefficient of the polarization, (batch, 2 modes, p).

        In single precision: it says where to step.
        """
        basis = polar.modes.basis(self.points).flatten(1).float()
        tangent = self._stress_slopes(fields[:, 2], fields[:, 3]).float()
        parts = [self._carried(tangent[:, f].flatten(-2)) @ basis.T for f in range(2)]
        return torch.cat(parts, dim=2)

    def _carried(self, stress: Tensor) -> Tensor:
        """The carrier's coefficients per unit of something at every point that changes the stress (batch, c, points)."""
        xx, zz, xz = self._onto_carrier.unbind(1)
        found = xx * stress[:, None, 0]
        return found.addcmul_(zz, stress[:, None, 1]).addcmul_(xz, stress[:, None, 2])

    def polar_precision(self, polar: Block) -> Tensor:
        """Prior precision (p, p) of the polarization's coefficients from the charge it would bind.

        Depolarising fields keep the longitudinal part of P, along its own wave vector, below `longitudinal` rms. At faces P
        is mirrored so that only the charge between them counts: electrodes or what is adsorbed compensate the rest.
        """
        modes = polar.modes
        along, up = self._charged(modes.basis(self.points))
        planes, height = along.shape[-1], self.height * (2 if self.faces else 1)
        qx, qz = _waves(self.points, self.period), _waves(planes, height)
        unit = 1.0 / torch.hypot(qx[:, None], qz).clamp_min(1e-12)
        spectra = torch.fft.fft2(torch.stack([along, up])) / along[0].numel()
        both = torch.cat([spectra[0] * qx[:, None] * unit, spectra[1] * qz * unit]).flatten(1)
        return (both.conj() @ both.mT).real * (len(modes.index) / self.longitudinal**2)

    def _charged(self, basis: Tensor) -> tuple[Tensor, Tensor]:
        """Modes (modes, x, z) as Px and as Pz of a body that repeats along z: at faces Px is odd, Pz even."""
        if not self.faces:
            return basis, basis
        mirror = basis.flip(-1)
        return torch.cat([basis, -mirror], dim=-1), torch.cat([basis, mirror], dim=-1)

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
    def _harmonics(self) -> Tensor:
        """exp(2 pi i k x), (k, x)."""
        place = torch.arange(self.points, dtype=torch.float64) / self.points
        k = torch.arange(1, len(self.response) + 1, dtype=torch.float64)
        return torch.exp(2j * torch.pi * k[:, None] * place)

    @cached_property
    def _onto_carrier(self) -> Tensor:
        """The carrier's coefficients per unit of stress at every point, (u, c, points)."""
        rows = self.carrier.basis(self.points)
        dual = torch.linalg.pinv(rows.flatten(1)).T.unflatten(1, rows.shape[1:]).to(self.response.dtype)
        waved = torch.einsum("kx,mxz->kmz", self._harmonics, dual)
        back = torch.einsum("kmz,kizcw->kimcw", waved, self.response)
        spread = torch.einsum("kimcw,kx->imcxw", back, self._harmonics.conj())
        return (2 / self.points * spread.real).flatten(0, 1).flatten(-2).float()


def _waves(number: int, length: float) -> Tensor:
    """Wave numbers of a discrete transform, 1/angstrom; the Nyquist wave has no sign, and is 0."""
    q = 2 * torch.pi * torch.fft.fftfreq(number, length / number, dtype=torch.float64)
    return torch.where(q == q.min(), 0.0, q) if number % 2 == 0 else q
