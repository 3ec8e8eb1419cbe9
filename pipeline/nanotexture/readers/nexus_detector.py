"""Where the pixels of a NeXus detector are, frame by frame: from its module's chain, or from beam centre and distance.

NeXus' laboratory: z along the beam, y up. module_offset leads to the corner of the first pixel; its centre is half a
pixel further along both directions. beam_center counts from the corner too. Without a module rows run down and
columns to -x, at the distance, as NXmx has it for cameras that say no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers import hdf5
from nanotexture.readers.frame_chain import Link, evaluate, read_chain
from nanotexture.readers.frame_header import NAN
from nanotexture.readers.hdf5_units import LENGTH, one_value

Array = NDArray[np.float64]

SLOW, FAST, BEAM = np.array([0.0, -1.0, 0.0]), np.array([-1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
SAME = 1e-4  # mm: modules of one plane agree on where its first pixel is
_DISTANCES = ("distance", "detector_distance")
_PIXELS = ("pixel", "pixels", "px", "", "1", "dimensionless")


@dataclass(frozen=True)
class Camera:
    """Numbers of a detector (mm; row, column) and, where there is a chain, its pixels in the laboratory."""

    pixel_size: tuple[float, float]
    distance: float
    direct_beam: tuple[float, float]
    chain: tuple[Link, ...] = ()
    placed: dict[str, Array] = field(default_factory=dict)


def read_camera(path: Path, handle: h5py.File, group: str, frames: int) -> Camera:
    """The camera of an NXdetector group."""
    size = _pixel_size(path, handle, group)
    distance = next(
        (
            one_value(path, handle, f"{group}/{name}", LENGTH, "m")
            for name in _DISTANCES
            if hdf5.has(path, handle, f"{group}/{name}")
        ),
        NAN,
    )
    centre = (
        _centre(path, handle, f"{group}/beam_center_y", size[0]),
        _centre(path, handle, f"{group}/beam_center_x", size[1]),
    )
    modules = _modules(path, handle, group)
    start = hdf5.text(path, handle, f"{group}/depends_on")
    if modules:
        chains, placed = zip(*(_module(path, handle, m, frames) for m in modules), strict=True)
        _check_one_plane(path, modules, placed)
        chain, positions = chains[0], placed[0]
    elif start:
        chain = tuple(read_chain(path, handle, start, group))
        positions = _from_centre(path, chain, frames, size, distance, centre)
    else:
        return Camera(size, distance, centre)
    return Camera(size, distance, centre, chain, positions)


def _pixel_size(path: Path, handle: h5py.File, group: str) -> tuple[float, float]:
    """Size along rows (y) and columns (x) in mm; metres where no unit stands, as NeXus' own default."""
    sizes = [
        one_value(path, handle, f"{group}/{axis}_pixel_size", LENGTH, "m")
        if hdf5.has(path, handle, f"{group}/{axis}_pixel_size")
        else NAN
        for axis in "yx"
    ]
    return sizes[0], sizes[1]


def _centre(path: Path, handle: h5py.File, where: str, size: float) -> float:
    """Index of the row or column whose centre the direct beam hits."""
    if not hdf5.has(path, handle, where):
        return NAN
    data = hdf5.dataset(path, handle, where)
    units = " ".join(hdf5.attribute(path, data, where, "units")).strip().lower()
    if units in _PIXELS:
        return hdf5.scalar(path, handle, where) - 0.5
    return one_value(path, handle, where, LENGTH) / size - 0.5


def _modules(path: Path, handle: h5py.File, group: str) -> list[str]:
    parent, found = hdf5.group(path, handle, group), []
    for name in hdf5.names(path, handle, group):
        field = f"{group}/{name}"
        with hdf5.guarded(path, field):
            node = parent.get(name)
        if isinstance(node, h5py.Group) and "NXdetector_module" in hdf5.attribute(
            path, node, field, "NX_class"
        ):
            found.append(field)
    return found


def _module(
    path: Path, handle: h5py.File, group: str, frames: int
) -> tuple[tuple[Link, ...], dict[str, Array]]:
    """Chain and pixel (0, 0) of the whole array of frames, with its steps, in mm (frame, 3)."""
    steps = {}
    for name in ("slow", "fast"):
        (own, *outer) = read_chain(path, handle, f"{name}_pixel_direction", group)
        if own.kind != "translation" or own.values.size != 1 or not own.values[0] > 0:
            raise InputError(path, own.field, "one translation by the size of a pixel", own.text)
        turn, _ = evaluate(path, outer, frames)
        steps[name] = own.values[0] * turn @ own.vector
    chain = _chain_to_corner(path, handle, group)
    _, corner = evaluate(path, chain, frames)
    first = _data_origin(path, handle, group)
    along = (0.5 - first[0]) * steps["slow"] + (0.5 - first[1]) * steps["fast"]
    return chain, {"pixel_origin": corner + along, "slow_step": steps["slow"], "fast_step": steps["fast"]}


def _chain_to_corner(path: Path, handle: h5py.File, group: str) -> tuple[Link, ...]:
    """The chain of module_offset, or without one that of the fast direction, whose offset then leads to the corner."""
    if hdf5.has(path, handle, f"{group}/module_offset"):
        return tuple(read_chain(path, handle, "module_offset", group))
    own, *outer = read_chain(path, handle, "fast_pixel_direction", group)
    corner = Link(own.field, own.kind, np.zeros(1), own.vector, own.offset)
    return (corner, *outer)


def _data_origin(path: Path, handle: h5py.File, group: str) -> tuple[float, float]:
    """Row and column of the module's first pixel in the array of frames."""
    field = f"{group}/data_origin"
    if not hdf5.has(path, handle, field):
        return 0.0, 0.0
    found = hdf5.values(path, hdf5.dataset(path, handle, field), field).reshape(-1)
    if found.size not in (2, 3) or (found < 0).any():
        raise InputError(path, field, "row and column", f"{found.tolist()}")
    return float(found[-2]), float(found[-1])


def _check_one_plane(path: Path, modules: list[str], placed: tuple[dict[str, Array], ...]) -> None:
    for module, found in zip(modules, placed, strict=True):
        for name, values in found.items():
            apart = float(np.abs(values - placed[0][name]).max())
            if apart > SAME:
                expected = f"the plane and raster of {modules[0]}"
                raise InputError(path, module, expected, f"{name} {apart:.3g} mm away")


def _from_centre(
    path: Path,
    chain: tuple[Link, ...],
    frames: int,
    size: tuple[float, float],
    distance: float,
    centre: tuple[float, float],
) -> dict[str, Array]:
    """Pixels around the beam centre in the detector's own frame, carried by its chain.

    The distance is added where the chain has no translation, and is the chain's own where it has one.
    """
    numbers = (*size, *centre)
    if not np.isfinite(numbers).all():
        expected = "a module, or beam_center and pixel_size"
        raise InputError(path, "detector", expected, f"pixel size and centre {numbers}")
    carried = any(link.kind == "translation" and link.values.any() for link in chain)
    if not carried and not np.isfinite(distance):
        raise InputError(path, "detector", "a distance, or a translation in its chain", "neither")
    slow, fast = size[0] * SLOW, size[1] * FAST
    own = -(centre[0] * slow + centre[1] * fast) + (0.0 if carried else distance) * BEAM
    turn, shift = evaluate(path, chain, frames)
    return {"pixel_origin": turn @ own + shift, "slow_step": turn @ slow, "fast_step": turn @ fast}
