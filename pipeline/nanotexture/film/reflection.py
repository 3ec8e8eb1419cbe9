"""From a stack on its substrate to all that the forward model of one reflection needs besides the texture."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import erfc

from nanotexture.errors import UserError
from nanotexture.film.forward import Part, Reflection
from nanotexture.film.kernel import substrate_amplitude
from nanotexture.film.limits import Cost, available_bytes, cost_of_texture, refuse_memory
from nanotexture.film.materials import Atom, Material, Triple
from nanotexture.film.stack import Stack, Substrate
from nanotexture.film.structure_factor import FormFactor, atom_wave
from nanotexture.geometry import atomic_form_factor

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

EXPANSION = (
    3  # relative error of the amplitudes below 1e-4 for displacements of 0.5 angstrom: benchmarks/forward.py
)


@dataclass(frozen=True)
class Sampling:
    """How a texture is sampled: periods (angstrom) along x and y, samples (nx, ny) of one period, highest orders (n, m).

    A texture that is uniform along y has ny = 1 and m = 0; its second period is the in-plane lattice parameter.
    """

    periods: tuple[float, float]
    grid: tuple[int, int]
    orders: tuple[int, int]

    def __post_init__(self) -> None:
        """Refuse lengths that are not positive and grids too coarse for their orders."""
        for name, period, samples, order in zip("xy", self.periods, self.grid, self.orders, strict=True):
            if not (math.isfinite(period) and period > 0.0):
                raise UserError(f"period along {name}: expected a length above 0 angstrom, found {period:g}")
            if order < 0:
                raise UserError(f"orders along {name}: expected 0 or more, found {order}")
            if samples < 2 * order + 1:
                raise UserError(
                    f"grid: n{name} = {samples} samples cannot tell the orders up to {order} along {name} apart; "
                    f"n{name} = {2 * order + 1} is the least that works"
                )

    @property
    def spacing(self) -> tuple[float, float]:
        """Distance of the orders along x and y, 1/angstrom."""
        return 2 * np.pi / self.periods[0], 2 * np.pi / self.periods[1]


def reflection_from_stack(
    *,
    stack: Stack,
    hkl: tuple[int, int, int],
    qz: Array,
    sampling: Sampling,
    energy_kev: float,
    substrate: Substrate | None = None,
    polar: bool = True,
    expansion: int = EXPANSION,
    roughness: float = 0.0,
    dtype: torch.dtype = torch.complex64,
    device: str = "cpu",
    form_factor: FormFactor = atomic_form_factor,
    memory_limit: float | None = None,
) -> Reflection:
    """What amplitudes() needs: qz (qz,) in 1/angstrom.

    polar = False merges all atoms of a material into one group, for textures without polarization; roughness (angstrom,
    rms) fills the top planes by erfc((z - t) / sqrt(2) roughness) / 2; memory_limit in bytes, by default what is free.
    """
    _refuse(qz, expansion, roughness)
    refuse_memory(
        cost=_cost(stack, sampling, len(qz), polar, expansion, dtype.itemsize),
        limit=available_bytes() if memory_limit is None else memory_limit,
        grid=sampling.grid,
    )
    q = _orders_in_space(stack, hkl, qz, sampling)
    g = np.array([*(2 * np.pi / stack.in_plane * np.array(hkl[:2])), 0.5 * (qz.min() + qz.max())])
    below = substrate_amplitude(
        substrate=substrate, hkl=hkl, qz=qz, in_plane=stack.in_plane, energy_kev=energy_kev
    )
    place = _Place(device, dtype)
    return Reflection(
        hkl=hkl,
        g=place.real(g),
        orders_x=place.whole(np.arange(-sampling.orders[0], sampling.orders[0] + 1)),
        orders_y=place.whole(np.arange(-sampling.orders[1], sampling.orders[1] + 1)),
        spacing=sampling.spacing,
        qz=place.real(qz),
        transform_x=place.complex(_transform(sampling, 0, expansion)),
        transform_y=place.complex(_transform(sampling, 1, expansion)),
        series_z=place.complex(_series(qz - g[2], expansion)),
        parts=tuple(
            _part(stack, index, planes, q, energy_kev, polar, roughness, form_factor, place)
            for index, planes in _planes_of_materials(stack).items()
        ),
        substrate=place.complex(below),
    )


@dataclass(frozen=True)
class _Place:
    """Where the tensors go and how many digits they keep."""

    device: str
    dtype: torch.dtype

    def real(self, values: Array) -> torch.Tensor:
        return torch.tensor(values, dtype=self.dtype.to_real(), device=self.device)

    def complex(self, values: Complex) -> torch.Tensor:
        return torch.tensor(values, dtype=self.dtype, device=self.device)

    def whole(self, values: NDArray[np.int64]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.int64, device=self.device)


def _refuse(qz: Array, expansion: int, roughness: float) -> None:
    if len(qz) == 0 or not np.isfinite(qz).all():
        raise UserError(f"qz: expected at least one finite value, found {len(qz)} values")
    if expansion < 0:
        raise UserError(f"expansion: expected 0 or more, found {expansion}")
    if not (math.isfinite(roughness) and roughness >= 0.0):
        raise UserError(f"roughness: expected a length of 0 angstrom or more, found {roughness:g}")


def _cost(stack: Stack, sampling: Sampling, rows: int, polar: bool, expansion: int, itemsize: int) -> Cost:
    number = [
        len(_groups(stack.layers[index].material, polar)) * len(planes)
        for index, planes in _planes_of_materials(stack).items()
    ]
    return cost_of_texture(
        orders=(2 * sampling.orders[0] + 1) * (2 * sampling.orders[1] + 1),
        group_planes=sum(number),
        rows=rows,
        expansion=expansion,
        directions=1 + sum(order > 0 for order in sampling.orders),
        itemsize=itemsize,
    )


def _orders_in_space(stack: Stack, hkl: tuple[int, int, int], qz: Array, sampling: Sampling) -> Array:
    """Q of every order and row, (3, n, m, qz) in 1/angstrom."""
    axes = [
        2 * np.pi * index / stack.in_plane + step * np.arange(-order, order + 1)
        for index, step, order in zip(hkl[:2], sampling.spacing, sampling.orders, strict=True)
    ]
    return np.stack(np.meshgrid(axes[0], axes[1], qz, indexing="ij"))


def _planes_of_materials(stack: Stack) -> dict[int, NDArray[np.int64]]:
    """Planes of each distinct (material, c), by the index of its first layer."""
    first: dict[tuple[Material, float], int] = {}
    found: dict[int, list[int]] = defaultdict(list)
    for plane, index in enumerate(stack.plane_materials):
        layer = stack.layers[index]
        found[first.setdefault((layer.material, layer.c), index)].append(plane)
    return {index: np.array(planes, np.int64) for index, planes in found.items()}


def _groups(material: Material, polar: bool) -> dict[Triple, list[Atom]]:
    """Atoms by displacement per polarization; all in one group where polarization is not asked for."""
    found: dict[Triple, list[Atom]] = defaultdict(list)
    for atom in material.atoms:
        found[atom.displacement_per_polarization if polar else (0.0, 0.0, 0.0)].append(atom)
    return dict(found)


def _part(
    stack: Stack,
    index: int,
    planes: NDArray[np.int64],
    q: Array,
    energy_kev: float,
    polar: bool,
    roughness: float,
    form_factor: FormFactor,
    place: _Place,
) -> Part:
    layer = stack.layers[index]
    groups = _groups(layer.material, polar)
    kept: dict[str, Complex] = {}

    def remembered(element: str, length: Array, energy: float) -> Complex:
        if element not in kept:
            kept[element] = form_factor(element, length, energy)
        return kept[element]

    def wave(atom: Atom) -> Complex:
        return atom_wave(
            atom=atom, q=q, in_plane=stack.in_plane, c=layer.c, energy_kev=energy_kev, form_factor=remembered
        )

    weight = np.stack([np.sum([wave(atom) for atom in atoms], axis=0) for atoms in groups.values()])
    heights = stack.heights[planes]
    filled = _filling(heights + 0.5 * layer.c, stack.thickness, roughness)
    phases = filled[:, None] * np.exp(1j * heights[:, None] * q[2, 0, 0])
    return Part(
        place.whole(planes),
        place.real(np.array(list(groups))),
        place.complex(weight),
        place.complex(phases),
    )


def _filling(middle: Array, thickness: float, roughness: float) -> Array:
    """Share of each plane that is there, its middle in angstrom, under a Gaussian roughness of the surface."""
    if roughness == 0.0:
        return np.ones(len(middle))
    return np.asarray(0.5 * erfc((middle - thickness) / (math.sqrt(2.0) * roughness)))


def _transform(sampling: Sampling, axis: int, expansion: int) -> Complex:
    """(K + 1, orders, samples): averages with exp(2 pi i n x) times (i n step)^a / a!."""
    samples, order = sampling.grid[axis], sampling.orders[axis]
    n = np.arange(-order, order + 1, dtype=float)
    wave = np.exp(2j * np.pi * np.outer(n, np.arange(samples)) / samples) / samples
    return np.asarray(_series(n * sampling.spacing[axis], expansion)[:, :, None] * wave)


def _series(detuning: Array, expansion: int) -> Complex:
    """(i k)^a / a! for a = 0..K, (K + 1, ...)."""
    return np.stack([(1j * detuning) ** a / math.factorial(a) for a in range(expansion + 1)])
