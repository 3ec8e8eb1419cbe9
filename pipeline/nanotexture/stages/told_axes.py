"""Directions along which reflections tell displacement and polarization, by themselves and from each other."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.film.forward import Reflection
from nanotexture.film.materials import equilibrium_known
from nanotexture.film.stack import Stack

Array = NDArray[np.float64]

PARALLEL = 0.02  # directions of Q closer than this (rad) are one: they give one component of the displacement
SEPARABLE = 0.02  # angstrom per C/m^2: spread of dphase/dP over Q that tells polarization from displacement
MIXED = 0.05  # angstrom per C/m^2: a polarization of 0.6 C/m^2 that is read as more than 0.03 angstrom of displacement


def field_axes(vectors: Array) -> Array:
    """Unit vectors (f, c) of the displacement that Q's of these directions determine: one, or as many of x, (y,) z.

    Directions in one plane of space that is not of x, y, z give z, if it lies in it, and what is at right angles to it.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    if unit.shape[1] == 2:
        cross = unit[0, 0] * unit[:, 1] - unit[0, 1] * unit[:, 0]
        return np.eye(2) if np.abs(cross).max() > PARALLEL else unit[:1]
    _, size, span = np.linalg.svd(unit)
    span = span[: int((size > PARALLEL).sum())]
    if len(span) == 1:
        return unit[:1]
    whole = np.eye(vectors.shape[1])
    inside = whole[np.linalg.norm(whole @ span.T, axis=1) > 1 - PARALLEL**2]
    if len(inside) == len(span):
        return np.asarray(inside)
    rest = span - span @ inside.T @ inside
    return np.concatenate([np.linalg.svd(rest)[2][: len(span) - len(inside)], inside])


def separable_axes(scattering: list[Reflection], vectors: Array, axes: Array) -> Array:
    """The axes (p, 2) along which polarization and displacement can be told apart.

    A polarization along e shifts the phase of a reflection by dphi/dP, a displacement by Q.e: where the ratio of the two is
    the same for all reflections, each can stand for the other.
    """
    found = []
    for axis in axes:
        ratios = [
            _phase_per_polarization(one, axis) / float(vector @ axis)
            for one, vector in zip(scattering, vectors, strict=True)
            if abs(float(vector @ axis)) > 0.3
        ]
        if len(ratios) > 1 and max(ratios) - min(ratios) > SEPARABLE:
            found.append(axis)
    return np.array(found).reshape(-1, 2)


def mixed_axes(scattering: list[Reflection], vectors: Array, axes: Array, polar_axes: Array) -> Array:
    """The axes (m, 2) along which a polarization that is not told apart is read as a displacement of its own size.

    Even l in perovskites hardly feel the polarization's phase, and show the displacement however large it is.
    """
    told = [axis.tolist() for axis in polar_axes]
    found = [
        axis
        for axis in axes
        if axis.tolist() not in told
        and max(
            abs(_phase_per_polarization(one, axis) / float(vector @ axis))
            for one, vector in zip(scattering, vectors, strict=True)
            if abs(float(vector @ axis)) > 0.3
        )
        > MIXED
    ]
    return np.array(found).reshape(-1, 2)


def can_tie(stack: Stack, axes: Array, polar_axes: Array) -> bool:
    """Whether the displacement can follow from the polarization: all components of the one, any of the other, materials."""
    known = equilibrium_known(layer.material for layer in stack.layers)
    return len(axes) == 2 and len(polar_axes) > 0 and known


def _phase_per_polarization(one: Reflection, axis: Array) -> float:
    """d(phase of F)/dP along an axis (2,) in rad m^2/C, of the most polar part at the middle of order 0."""
    slopes = [0.0]
    for part in one.parts:
        weight = part.weight[:, len(one.orders_x) // 2, 0, len(one.qz) // 2]
        lift = part.per_polarization[:, [0, 2]] * torch.from_numpy(axis)
        slopes.append(float(((lift @ one.g[[0, 2]]) * weight / weight.sum()).sum().real))
    return max(slopes, key=abs)
