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
ALIKE = 1e-3  # relative: shifts of all phases that are parallel to this are one
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
    """The axes (p, c) along which polarization and displacement can be told apart.

    A polarization along e shifts the phase of a reflection by dphi/dP, a displacement by Q.e: where the ratio of the two is
    the same for all reflections, each can stand for the other. Of a texture that is periodic along x and y, whose components
    are more, no sum of others either may shift all phases alike: it takes as many reflections as components of both.
    """
    if vectors.shape[1] == 3:
        return axes[_unlike_others(scattering, vectors, axes)]
    found = []
    for axis in axes:
        ratios = [
            _phase_per_polarization(one, axis) / float(vector @ axis)
            for one, vector in zip(scattering, vectors, strict=True)
            if abs(float(vector @ axis)) > 0.3
        ]
        if len(ratios) > 1 and max(ratios) - min(ratios) > SEPARABLE:
            found.append(axis)
    return np.array(found).reshape(-1, vectors.shape[1])


def _unlike_others(scattering: list[Reflection], vectors: Array, axes: Array) -> NDArray[np.bool_]:
    """Which polarizations along axes (f, c) shift the phases as no sum of displacements and other polarizations does, (f,)."""
    moved = vectors @ axes.T
    polar = np.array([[_phase_per_polarization(one, axis) for axis in axes] for one in scattering])
    found = []
    for i in range(len(axes)):
        others = np.concatenate([moved, np.delete(polar, i, axis=1)], axis=1)
        left = polar[:, i] - others @ (np.linalg.pinv(others, rcond=ALIKE) @ polar[:, i])
        seen = np.abs(moved[:, i]) > 0.3
        # half: two ratios that differ by SEPARABLE are each half of it off the displacement that lies between
        found.append(bool((np.abs(left[seen] / moved[seen, i]) > SEPARABLE / 2).any()))
    return np.array(found, bool)


def mixed_axes(scattering: list[Reflection], vectors: Array, axes: Array, polar_axes: Array) -> Array:
    """The axes (m, c) along which a polarization that is not told apart is read as a displacement of its own size.

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
    return np.array(found).reshape(-1, vectors.shape[1])


def can_tie(stack: Stack, axes: Array, polar_axes: Array) -> bool:
    """Whether the displacement can follow from the polarization: all components of the one, any of the other, materials.

    Equilibrium is worked out for textures that are uniform along y.
    """
    known = equilibrium_known(layer.material for layer in stack.layers)
    return axes.shape == (2, 2) and len(polar_axes) > 0 and known


def _phase_per_polarization(one: Reflection, axis: Array) -> float:
    """d(phase of F)/dP along an axis (c,) in rad m^2/C, of the most polar part at the middle of order 0."""
    slopes, components = [0.0], [0, 2] if len(axis) == 2 else [0, 1, 2]
    for part in one.parts:
        weight = part.weight[:, len(one.orders_x) // 2, len(one.orders_y) // 2, len(one.qz) // 2]
        lift = part.per_polarization[:, components] * torch.from_numpy(axis)
        slopes.append(float(((lift @ one.g[components]) * weight / weight.sum()).sum().real))
    return max(slopes, key=abs)
