"""Textures and stacks that the tests of the forward model share."""

import numpy as np
import torch
from nanotexture.film.materials import built_in
from nanotexture.film.reflection import Sampling, reflection_from_stack
from nanotexture.film.stack import Layer, Stack

A = 3.905
CU = 8.048
SUPERLATTICE = Stack(A, (Layer(built_in("SrTiO3"), 3, 3.905), Layer(built_in("PbTiO3"), 4, 4.08)), 2)
SINGLE = Stack(A, (Layer(built_in("PbTiO3"), 12, 4.08),))


def leaning(stack, nx, ny=1, size=0.25, polar=0.5):
    """A texture without any mirror: waves that lean and grow through the film; (3, nx, ny, planes) u and P."""
    x, y = np.arange(nx)[:, None, None] / nx, np.arange(ny)[None, :, None] / ny
    z = (stack.heights / stack.thickness)[None, None, :]
    turn = 2 * np.pi * (x + 0.4 * z + 0.0 * y)
    beside = 2 * np.pi * (y - 0.3 * z + 0.0 * x) if ny > 1 else 0.0 * turn
    u = np.stack(
        [
            size * z * (np.sin(turn) + 0.4 * np.cos(2 * turn + beside)),
            0.5 * size * np.cos(turn + 2 * beside + 0.3),
            size * (np.cos(turn + 0.7) + 0.3 * np.sin(2 * turn - beside) + 0.5 * z),
        ]
    )
    p = polar * np.stack(
        [np.cos(turn + 5 * z), 0.3 * np.sin(turn - beside), np.tanh(2 * np.sin(turn + beside))]
    )
    return u, p


def around(stack, hkl, rows=9, half=0.12):
    """Rows of qz around a reflection, 1/angstrom."""
    middle = 2 * np.pi * hkl[2] / stack.mean_c
    return np.linspace(middle - half, middle + half, rows)


def model(stack, hkl, nx, ny=1, orders=(3, 0), periods=None, qz=None, **options):
    """The reflection with one sample per cell, complex128 unless told otherwise."""
    periods = periods or (nx * stack.in_plane, ny * stack.in_plane)
    options = {"energy_kev": CU, "dtype": torch.complex128} | options
    return reflection_from_stack(
        stack=stack,
        hkl=hkl,
        qz=around(stack, hkl) if qz is None else qz,
        sampling=Sampling(periods, (nx, ny), orders),
        **options,
    )


def tensors(*fields):
    """Arrays as float64 tensors."""
    return tuple(torch.tensor(field) for field in fields)
