"""Scans along h, k, l of a point detector to rods, maps and volumes in film axes, normalised to one monitor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.geometry.fuzzy import Axis
from nanotexture.geometry.reciprocal import film_axes_from_lattice
from nanotexture.gridding.accumulate import Pixels, Sums, means_from_sums, sums_from_pixels
from nanotexture.gridding.grid import Crop, Range, choose_axes
from nanotexture.gridding.maps import fewest, trimmed
from nanotexture.quantities import HklScan, ReciprocalMap, Rod
from nanotexture.schema import MAP, ROD, in_volume, labelled

Array = NDArray[np.float64]
Hkl = tuple[int, int, int]

EVERYTHING = Crop()
_NAMES = ("qx", "qy", "qz")
STILL = (
    0.02  # of a step: what an axis that stands may stray from point to point (SPEC prints 1e-5 of an index)
)
EVEN = 0.05  # of the distance of two planes: how far a plane may be from a whole number of distances


@dataclass(frozen=True)
class FilmFrame:
    """How hkl lies in film axes; lattice (angstrom, deg) and energy (keV) only where the scan does not say them."""

    in_plane: Hkl = (1, 0, 0)
    normal: Hkl = (0, 0, 1)
    lengths: tuple[float, float, float] | None = None
    angles: tuple[float, float, float] | None = None
    energy: float | None = None

    def q(self, scan: HklScan) -> Array:
        """Momentum transfer (point, 3) in 1/angstrom: qx, qy, qz."""
        lengths = scan["lengths"].values if self.lengths is None else np.array(self.lengths)
        angles = scan["angles"].values if self.angles is None else np.array(self.angles)
        if not np.isfinite([*lengths, *angles]).all():
            raise UserError(f"{_name(scan)}: lattice: expected to be told, since #G1 does not say it")
        matrix = film_axes_from_lattice(
            lengths=lengths, angles=angles, in_plane=self.in_plane, normal=self.normal
        )
        return np.asarray(scan["hkl"].values @ matrix.T, dtype=np.float64)

    def energy_of(self, scan: HklScan) -> float:
        """Photon energy in keV."""
        energy = float(scan["energy"]) if self.energy is None else self.energy
        if not np.isfinite(energy):
            raise UserError(
                f"{_name(scan)}: energy: expected to be told, since #G1 does not say the wavelength"
            )
        return energy


CUBE_ON_CUBE = FilmFrame()


@dataclass(frozen=True)
class _Mesh:
    """Points of one scan: q (point, 3), counts, factor to incident counts, and the steps along and between lines."""

    name: str
    q: Array
    counts: Array
    factor: Array
    along: Array
    between: Array

    def width(self, axis: int) -> float:
        """Extent along one film axis of the cell around a point."""
        return float(abs(self.along[axis]) + abs(self.between[axis]))


def rod_from_hkl_scan(scan: HklScan, frame: FilmFrame = CUBE_ON_CUBE) -> Rod:
    """The points of a line scan as they are, normalised to the scan's median monitor; nothing is interpolated.

    With N counts, A the attenuation factor, M the monitor and M0 its median: intensity A N M0 / M, variance
    (A M0 / M)^2 max(N, 1): where nothing was counted, that of one count.
    """
    if _lines(scan) != 1:
        raise UserError(f"{_name(scan)}: expected a scan along one line for a rod, found a mesh")
    known = np.isfinite(_incident(scan))
    factor = _factor(scan, _reference([scan]))[known]
    counts, q = scan["counts"].values[known], frame.q(scan)[known]
    values = {
        "intensity": factor * counts,
        "variance": factor**2 * np.maximum(counts, 1.0),
        "hkl": scan["hkl"].values[known],
        "q": q,
        "distance": np.linalg.norm(q - q[0], axis=1),
        "energy": frame.energy_of(scan),
    }
    return Rod(labelled(values, ROD, dict(scan.attrs)))


def map_from_hkl_scans(
    scans: Sequence[HklScan],
    hkl: Hkl,
    frame: FilmFrame = CUBE_ON_CUBE,
    spacing: Range | None = None,
    crop: Crop = EVERYTHING,
    temperature: float = float("nan"),
) -> ReciprocalMap:
    """One map (qx, qz) of meshes that move along qx and qz; spacing in 1/angstrom, or that of the finest mesh."""
    meshes = _meshes(scans, frame)
    voxels = _voxels(meshes, (0, 2), spacing, crop)
    sums = reduce(add, (voxels.sums(mesh) for mesh in meshes))
    x, z, kept, least = trimmed(sums, voxels.axes, fewest(voxels.axes, voxels.widest), crop)
    mean, variance, mask = means_from_sums(sums=kept, least=least)
    found = {"qx": x, "qz": z, "intensity": mean, "variance": variance, "mask": mask}
    return _labelled(found, kept, scans, hkl, frame, temperature)


def volume_from_hkl_scans(
    scans: Sequence[HklScan], hkl: Hkl, frame: FilmFrame = CUBE_ON_CUBE, temperature: float = float("nan")
) -> ReciprocalMap:
    """One volume (qx, qy, qz) of meshes in planes across the normal, one or more for each of evenly spaced qz."""
    meshes = _meshes(scans, frame)
    voxels = _voxels(meshes, (0, 1), None, EVERYTHING)
    levels, axes = _levels(meshes), voxels.axes
    empty = _sums_of(lambda name: np.zeros((axes[0].size, axes[1].size)))
    planes = [empty] * levels.size
    for mesh in meshes:
        index = int(np.argmin(np.abs(levels - np.median(mesh.q[:, 2]))))
        planes[index] = planes[index] + voxels.sums(mesh)
    x, y, _, least = trimmed(reduce(add, planes), axes, fewest(axes, voxels.widest), EVERYTHING)
    kept = _stacked(planes, axes, x, y)
    mean, variance, mask = means_from_sums(sums=kept, least=least)
    found = {"qx": x, "qy": y, "qz": levels, "intensity": mean, "variance": variance, "mask": mask}
    return _labelled(found, kept, scans, hkl, frame, temperature)


def map_or_volume_from_hkl_scans(
    scans: Sequence[HklScan],
    hkl: Hkl,
    frame: FilmFrame = CUBE_ON_CUBE,
    spacing: Range | None = None,
    crop: Crop = EVERYTHING,
    temperature: float = float("nan"),
) -> ReciprocalMap:
    """A volume of meshes that move along qy, which takes no spacing and no crop; else a map (qx, qz)."""
    upright = all(mesh.width(1) <= STILL * mesh.width(0) for mesh in _meshes(scans, frame))
    if upright:
        return map_from_hkl_scans(scans, hkl, frame, spacing, crop, temperature)
    if spacing is not None or crop != EVERYTHING:
        raise UserError(
            f"{_name(scans[0])}: expected neither voxel nor range for a volume of meshes, found one"
        )
    return volume_from_hkl_scans(scans, hkl, frame, temperature)


def _meshes(scans: Sequence[HklScan], frame: FilmFrame) -> list[_Mesh]:
    reference = _reference(scans)
    return [_mesh(scan, frame.q(scan), _factor(scan, reference)) for scan in scans]


def _mesh(scan: HklScan, q: Array, factor: Array) -> _Mesh:
    per_line = int(scan.attrs["points_per_line"])
    if _lines(scan) < 2 or per_line < 2:
        raise UserError(
            f"{_name(scan)}: expected a mesh of at least 2 lines of 2 points, found {len(q)} points"
        )
    inside = np.flatnonzero(np.arange(1, len(q)) % per_line)
    along = np.median(np.diff(q, axis=0)[inside], axis=0)
    known = np.isfinite(factor)
    return _Mesh(
        _name(scan), q[known], scan["counts"].values[known], factor[known], along, q[per_line] - q[0]
    )


def _lines(scan: HklScan) -> int:
    """Lines of a scan, one of fewer points than the others included."""
    return -(-scan.sizes["point"] // int(scan.attrs["points_per_line"]))


def _check_still(mesh: _Mesh, axis: int, moving: str) -> None:
    """UserError where the scan moves along the axis that it must not, or does not along the two others."""
    others = [n for n in range(3) if n != axis]
    step = max(np.linalg.norm(mesh.along), np.linalg.norm(mesh.between))
    strayed = np.ptp(mesh.q[:, axis]) > STILL * step
    turned = np.linalg.det(np.stack([mesh.along[others], mesh.between[others]])) == 0
    if strayed or turned or min(mesh.width(n) for n in others) <= STILL * step:
        raise UserError(
            f"{mesh.name}: expected a mesh along {moving}, found steps {mesh.along}, {mesh.between}"
        )


def _reference(scans: Sequence[HklScan]) -> float:
    """Median monitor of all scans together; without one, their median counting time."""
    if not scans:
        raise UserError("expected at least one scan, found none")
    names = {str(scan.attrs["monitor"]) for scan in scans}
    if len(names) > 1:
        raise UserError(
            f"{_name(scans[0])}: expected one monitor for all scans, found {', '.join(sorted(names))}"
        )
    return float(np.nanmedian(np.concatenate([_incident(scan) for scan in scans])))


def _incident(scan: HklScan) -> Array:
    """What stands for the incident photons of each point: monitor (NaN: leave the point out), else time, else 1."""
    for name in ("monitor", "seconds"):
        if np.isfinite(scan[name].values).any():
            return np.asarray(scan[name].values, dtype=np.float64)
    return np.ones(scan.sizes["point"])


def _factor(scan: HklScan, reference: float) -> Array:
    return np.asarray(scan["attenuation"].values * reference / _incident(scan), dtype=np.float64)


@dataclass(frozen=True)
class _Voxels:
    """Voxels of a plane of two film axes, and the box around the coarsest points in it."""

    which: tuple[int, int]
    axes: tuple[Axis, Axis]
    widest: Range

    def sums(self, mesh: _Mesh) -> Sums:
        """Sums of a mesh over them."""
        first, second = (mesh.q[:, axis] for axis in self.which)
        pixels = Pixels(first, second, mesh.counts, mesh.factor)
        width = mesh.width(self.which[0]), mesh.width(self.which[1])
        return sums_from_pixels(pixels=pixels, oversampling=1.0, axes=self.axes, width=width)


def _voxels(meshes: Sequence[_Mesh], which: tuple[int, int], spacing: Range | None, crop: Crop) -> _Voxels:
    """Voxels over meshes that move along two film axes and no other; spacing in 1/angstrom, or that of the finest mesh."""
    for mesh in meshes:
        _check_still(mesh, ({0, 1, 2} - set(which)).pop(), " and ".join(_NAMES[n] for n in which))
    first, second = (np.array([mesh.width(axis) for mesh in meshes]) for axis in which)
    finest, widest = (first.min(), second.min()), (first.max(), second.max())
    q = [np.concatenate([mesh.q[:, axis] for mesh in meshes]) for axis in which]
    axes = choose_axes(q[0], q[1], widest, spacing or finest, crop, (q[0][0], q[1][0]))
    return _Voxels(which, axes, widest)


def _levels(meshes: Sequence[_Mesh]) -> Array:
    """qz of the planes, evenly spaced from the lowest to the highest; a plane without a scan stays unmeasured."""
    found = np.sort([float(np.median(mesh.q[:, 2])) for mesh in meshes])
    still = STILL * max(float(np.linalg.norm(mesh.along)) for mesh in meshes)
    apart = np.diff(found)[np.diff(found) > still]
    if apart.size == 0:
        return np.array([found.mean()])
    number = round((found[-1] - found[0]) / apart.min())
    step = (found[-1] - found[0]) / number
    off = np.abs((found - found[0]) / step - np.round((found - found[0]) / step)).max()
    if off > EVEN:
        raise UserError(
            f"{meshes[0].name}: qz of the planes: expected even distances, found {found.tolist()}"
        )
    return np.linspace(found[0], found[-1], number + 1)


def _stacked(planes: Sequence[Sums], axes: tuple[Axis, Axis], x: Array, y: Array) -> Sums:
    """Sums (nx, ny, plane) of the planes, on the columns and rows that are kept."""
    i, j = (int(np.argmin(np.abs(axis.centres - kept[0]))) for axis, kept in zip(axes, (x, y), strict=True))
    cut = slice(i, i + x.size), slice(j, j + y.size)
    return _sums_of(lambda name: np.stack([getattr(plane, name)[cut] for plane in planes], axis=-1))


def _sums_of(values: Callable[[str], Array]) -> Sums:
    """Sums whose arrays are made one by one, by name."""
    return Sums(*(values(one.name) for one in fields(Sums)))


def _labelled(
    found: Mapping[str, Any],
    sums: Sums,
    scans: Sequence[HklScan],
    hkl: Hkl,
    frame: FilmFrame,
    temperature: float,
) -> ReciprocalMap:
    values = {
        **found,
        "contributions": sums.contributions,
        "hkl": np.array(hkl, dtype=np.int64),
        "temperature": temperature,
        "energy": frame.energy_of(scans[0]),
        "scale": 1.0,
    }
    attrs = {
        "file": str(scans[0].attrs["file"]),
        "sample": "",
        "scans": ", ".join(str(scan.attrs["scan"]) for scan in scans),
        "points_missing": sum(int(scan.attrs["points_missing"]) for scan in scans),
    }
    return ReciprocalMap(labelled(values, in_volume(MAP) if "qy" in found else MAP, attrs))


def _name(scan: HklScan) -> str:
    return f"{scan.attrs['file']}: scan {scan.attrs['scan']}"
