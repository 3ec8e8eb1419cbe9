"""The one Fourier pair of phase retrieval: orthonormal, any dimension, complex64 and complex128 kept.

By torch, whose transform is the faster one (benchmarks/crystal.py); a memory's address does not change its digits. It
splits over the threads that the process is bound to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
import torch
from numpy.typing import NDArray

Complex = NDArray[np.complexfloating[Any, Any]]


def forward(field: Complex) -> Complex:
    """Centred orthonormal transform, F(k) = N^(-1/2) sum_r f(r) exp(-2 pi i k.r / n).

    field: (n1, n2, ...), any unit; r and k: voxels counted from index n // 2; N: number of voxels.
    The result has the same shape, unit and precision.
    """
    return scipy.fft.fftshift(from_corner(scipy.fft.ifftshift(field)))


def inverse(spectrum: Complex) -> Complex:
    """Inverse and adjoint of `forward`, f(r) = N^(-1/2) sum_k F(k) exp(2 pi i k.r / n)."""
    return scipy.fft.fftshift(to_corner(scipy.fft.ifftshift(spectrum)))


def from_corner(field: Complex) -> Complex:
    """`forward` with r and k counted from index 0, without the shifts; for use inside iterations."""
    found: Complex = torch.fft.fftn(_shared(field), norm="ortho").numpy()
    return found


def to_corner(spectrum: Complex) -> Complex:
    """Inverse of `from_corner`."""
    found: Complex = torch.fft.ifftn(_shared(spectrum), norm="ortho").numpy()
    return found


def _shared(array: Complex) -> torch.Tensor:
    """Tensor on the memory of an array; a copy where torch cannot share it."""
    return torch.from_numpy(np.require(array, requirements=("C", "W")))


def corner_order(centred: NDArray[Any]) -> NDArray[Any]:
    """Array on centred k (zero at n // 2) put in the order of `from_corner` (zero at index 0)."""
    return scipy.fft.ifftshift(centred)
