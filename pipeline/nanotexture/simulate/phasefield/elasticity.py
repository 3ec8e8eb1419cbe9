"""Mechanical equilibrium of layers with eigenstrain: clamped in the plane, free along z.

The displacement u minimises E(u) = mean of (e - e0):C(z):(e - e0) / 2 over periodic fields, e = clamp + sym(d u). At every
Fourier mode d = i k. The mean strains that are free (xx and yy are not) are sym(z u_0) for a vector u_0, the same form with
d = z: storing them in the mode k = 0 makes zero mean stress s_iz one more row of the same equation. Conjugate gradients,
preconditioned by the solution for the mean stiffness (the reference medium of Moulinec and Suquet, Comput. Methods Appl.
Mech. Eng. 157, 69 (1998); in this variational form Zeman et al., J. Comput. Phys. 229, 8065 (2010)): exact after one step
where the stiffness is uniform, and the energy falls at every step of the iteration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from nanotexture.simulate.phasefield.coefficients import Coefficients
from nanotexture.simulate.phasefield.grid import Grid, wavevectors

# Components of symmetric tensors: xx, yy, zz, yz, xz, xy (tensor shears, not doubled).
ROW, COLUMN = (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)
_FLAT = ((0, 5, 4), (5, 1, 3), (4, 3, 2))
_MOST_ITERATIONS = 400
_MOST_PASSES = 50


@dataclass(frozen=True)
class Equilibrated:
    """Displacement modes (3, modes) in nm (mode 0: the free mean strain), strain and stress (6, nx, ny, nz) in GPa."""

    modes: Tensor
    strain: Tensor
    stress: Tensor
    residual: float
    iterations: int


@dataclass(frozen=True)
class Elasticity:
    """Stiffness along z (nz,) in GPa, derivative factors (3, modes), inverse reference (3, 3, modes), mean strain (6,)."""

    grid: Grid
    c11: Tensor
    c12: Tensor
    c44: Tensor
    derivative: Tensor
    inverse: Tensor
    weights: Tensor
    clamp: Tensor
    compliance: Tensor | None

    def stress(self, strain: Tensor) -> Tensor:
        """Stress (6, nx, ny, nz) in GPa of an elastic strain, cubic axes along x, y, z."""
        normal = (self.c11 - self.c12) * strain[:3] + self.c12 * strain[:3].sum(0)
        return torch.cat([normal, 2 * self.c44 * strain[3:]])

    def strain(self, modes: Tensor) -> Tensor:
        """Strain (6, nx, ny, nz) of displacement modes, the clamp left out."""
        d = self.derivative
        return self.grid.backward(0.5 * (d[ROW, ...] * modes[COLUMN, ...] + d[COLUMN, ...] * modes[ROW, ...]))

    def force(self, stress: Tensor) -> Tensor:
        """Minus the gradient of the energy by the modes, (3, modes): the divergence of stress, and its mean s_iz."""
        s = self.grid.forward(stress)
        return -(self.derivative.conj()[None] * s[_FLAT, ...]).sum(1)

    def start(self) -> Equilibrated:
        """The clamped lattice without any displacement, before its stress is known."""
        modes = torch.zeros_like(self.derivative)
        strain = self.clamp[:, None, None, None].expand(6, *self.grid.shape)
        return Equilibrated(modes, strain, torch.zeros_like(strain), np.inf, 0)

    def solve(self, eigenstrain: Tensor, last: Equilibrated, tolerance: float) -> Equilibrated:
        """Equilibrium with an eigenstrain (6, nx, ny, nz), iterated from the last one.

        tolerance bounds sqrt(r.G.r / (s:e)), r the unbalanced force, G the reference solution, s:e the mean of
        stress times elastic strain; for a free crystal also its mean stress in the plane, relative to the rms stress.
        """
        if self.compliance is None:
            return self._iterate(eigenstrain, last, tolerance)
        for _ in range(_MOST_PASSES):
            last = self._iterate(eigenstrain, self._unloaded(eigenstrain, last), tolerance)
            mean = last.stress.mean((1, 2, 3)).norm()
            if mean <= tolerance * last.stress.square().mean((1, 2, 3)).sum().sqrt():
                break
        return last

    def _unloaded(self, eigenstrain: Tensor, last: Equilibrated) -> Equilibrated:
        """The last state with the mean strain that would take its mean stress away in the reference."""
        assert self.compliance is not None
        shift = -(self.compliance @ self.stress(last.strain - eigenstrain).mean((1, 2, 3)))
        modes = last.modes.clone()
        modes[:, 0, 0, 0] += torch.stack([2 * shift[4], 2 * shift[3], shift[2]])
        return replace(last, modes=modes, strain=last.strain + shift[:, None, None, None])

    def _iterate(self, eigenstrain: Tensor, last: Equilibrated, tolerance: float) -> Equilibrated:
        modes, strain = last.modes, last.strain
        stress = self.stress(strain - eigenstrain)
        scale = float(_double(stress, strain - eigenstrain)) + 1e-30
        force = self.force(stress)
        step = self._precondition(force)
        left, iterations = self._dot(force, step), 0
        while left > tolerance**2 * scale and iterations < _MOST_ITERATIONS:
            bend = self.strain(step)
            pull = self.stress(bend)
            length = left / float(_double(pull, bend))
            modes, strain, stress = modes + length * step, strain + length * bend, stress + length * pull
            force = force + length * self.force(pull)
            following = self._precondition(force)
            ahead = self._dot(force, following)
            step = following + (ahead / left) * step
            left, iterations = ahead, iterations + 1
        return Equilibrated(modes, strain, stress, (max(left, 0.0) / scale) ** 0.5, iterations)

    def divergence(self, stress: Tensor) -> float:
        """Unbalanced force relative to its terms: rms over modes of k.s over rms of |k| |s|, zero mode left out."""
        s = self.grid.forward(stress)[_FLAT, ...]
        k = self.derivative.clone()
        k[:, 0, 0, 0] = 0.0
        net = (k[None] * s).sum(1)
        terms = k.abs().square().sum(0) * s.abs().square().sum((0, 1))
        total = (self.weights * net.abs().square().sum(0)).sum()
        return float((total / (self.weights * terms).sum().clamp_min(1e-300)).sqrt())

    def _precondition(self, force: Tensor) -> Tensor:
        return (self.inverse * force[None]).sum(1)

    def _dot(self, left: Tensor, right: Tensor) -> float:
        return float((self.weights * (left.conj() * right).real.sum(0)).sum())


def elasticity_of(
    grid: Grid, coefficients: Coefficients, clamp: tuple[float, float], *, free: bool = False
) -> Elasticity:
    """Elasticity of layers with the mean in-plane strain (xx, yy), or with every mean stress zero (free)."""
    c = coefficients
    _, k = wavevectors(grid)
    derivative = 1j * k
    derivative[2, 0, 0, 0] = 1.0
    product = np.abs(derivative)[:, None] * np.abs(derivative)[None, :] * np.sign(k[:, None] * k[None, :])
    product[2, 2, 0, 0, 0] = 1.0
    stiff = [0.5 * float(value.max() + value.min()) for value in (c.c11, c.c12, c.c44)]
    return Elasticity(
        grid,
        c.c11,
        c.c12,
        c.c44,
        grid.modes(derivative.astype(np.complex128)),
        grid.tensor(_inverse_reference(product, stiff[0], stiff[1], stiff[2])),
        grid.weights(),
        grid.tensor(np.array([*clamp, 0.0, 0.0, 0.0, 0.0])),
        grid.tensor(_compliance(stiff)) if free else None,
    )


def _compliance(stiff: list[float]) -> np.ndarray:
    """Compliance (6, 6) in 1/GPa of a cubic medium for tensor shears."""
    c11, c12, c44 = stiff
    matrix = np.diag([c11 - c12] * 3 + [2 * c44] * 3)
    matrix[:3, :3] += c12
    return np.asarray(np.linalg.inv(matrix))


def _inverse_reference(product: np.ndarray, c11: float, c12: float, c44: float) -> np.ndarray:
    """Inverse (3, 3, modes) of the acoustic tensor of a cubic medium; zero for modes without derivative."""
    square = np.einsum("ii...->...", product)
    unit = np.eye(3)[:, :, None, None, None]
    tensor = (c12 + c44) * product + unit * (c44 * square + (c11 - c12 - 2 * c44) * product)
    dead = square <= 0.0
    inverse = np.linalg.inv(np.moveaxis(np.where(dead, unit, tensor), (0, 1), (-2, -1)))
    return np.asarray(np.where(dead, 0.0, np.moveaxis(inverse, (-2, -1), (0, 1))))


def eigenstrain(*, polarization: Tensor, coefficients: Coefficients) -> Tensor:
    """Stress-free strain (6, nx, ny, nz) from the reference lattice: misfit and electrostriction Q_ijkl P_k P_l."""
    c, (x, y, z) = coefficients, polarization
    square = polarization * polarization
    normal = (c.q11 - c.q12) * square + c.q12 * square.sum(0) + c.misfit
    return torch.cat([normal, 0.5 * c.q44 * torch.stack([y * z, x * z, x * y])])


def elastic_slope(*, polarization: Tensor, stress: Tensor, coefficients: Coefficients) -> Tensor:
    """Derivative (3, nx, ny, nz) of the elastic energy density by P at fixed strain, -s_ij de0_ij/dP, GPa per C/m^2."""
    c, (x, y, z), (yz, xz, xy) = coefficients, polarization, stress[3:]
    normal = 2 * ((c.q11 - c.q12) * stress[:3] + c.q12 * stress[:3].sum(0)) * polarization
    shear = c.q44 * torch.stack([xy * y + xz * z, xy * x + yz * z, xz * x + yz * y])
    return -(normal + shear)


def elastic_energy(*, stress: Tensor, strain: Tensor, eigenstrain: Tensor) -> Tensor:
    """Mean elastic energy density in GPa, half of stress times elastic strain."""
    return 0.5 * _double(stress, strain - eigenstrain)


def _double(first: Tensor, second: Tensor) -> Tensor:
    terms = (first * second).double().mean((1, 2, 3))
    return terms[:3].sum() + 2 * terms[3:].sum()
