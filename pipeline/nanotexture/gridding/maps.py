"""A scan of angles to a reciprocal-space map on a regular grid."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError
from nanotexture.geometry.experiment import energy_from_wavelength, scan_to_q
from nanotexture.geometry.fuzzy import Axis
from nanotexture.gridding.accumulate import Pixels, Sums, means_from_sums, sums_from_pixels
from nanotexture.gridding.grid import Crop, Range, choose_axes, pixel_extent
from nanotexture.quantities import Alignment, ReciprocalMap, Scan
from nanotexture.schema import MAP, labelled

Array = NDArray[np.float64]

EVERYTHING = Crop()


def map_from_scan(
    scan: Scan,
    alignment: Alignment | None,
    hkl: tuple[int, int, int],
    spacing: Range | Literal["auto"] = "auto",
    crop: Crop = EVERYTHING,
    temperature: float = float("nan"),
) -> ReciprocalMap:
    """The map of a scan; spacing (qx, qz) in 1/angstrom, or half to one pixel; NaN where not measured."""
    if min(scan.sizes["line"], scan.sizes["point"]) < 2:
        raise UserError(f"{scan.attrs.get('file', 'scan')}: a map needs at least 2 lines of 2 points")
    qx, qz = scan_to_q(scan, alignment, hkl)
    width = pixel_extent(qx), pixel_extent(qz)
    axes = choose_axes(qx, qz, width, None if spacing == "auto" else spacing, crop)
    pixels = Pixels(qx, qz, scan["counts"].values, incident_factor(scan))
    sums = sums_from_pixels(pixels=pixels, oversampling=float(scan["oversampling"]), axes=axes, width=width)
    return _labelled(scan, hkl, temperature, *trimmed(sums, axes, fewest(axes, width), crop))


def incident_factor(scan: Scan) -> Array:
    """Factor (line, point) from detected counts to incident counts in the scan's median counting time."""
    seconds = scan["seconds"].values
    even = np.isfinite(seconds).all() and np.ptp(seconds) > 0
    return scan["attenuation"].values * (np.median(seconds) / seconds if even else 1.0)


def fewest(axes: tuple[Axis, Axis], width: Range) -> float:
    """Half of what a voxel holds that one layer of pixels just covers: less is an edge."""
    share = [min(1.0, axis.step / extent) for axis, extent in zip(axes, width, strict=True)]
    return 0.5 * share[0] * share[1]


def trimmed(
    sums: Sums, axes: tuple[Axis, Axis], least: float, crop: Crop
) -> tuple[Array, Array, Sums, float]:
    """Voxels within the crop, and without rows and columns that hold nothing."""
    seen = sums.contributions >= least
    keep = [
        _inside(axis, limits, np.asarray(seen.any(axis=1 - i)))
        for i, (axis, limits) in enumerate(zip(axes, (crop.qx, crop.qz), strict=True))
    ]
    cut = (keep[0], keep[1])
    kept = Sums(
        sums.counts[cut],
        sums.variance[cut],
        sums.single[cut],
        sums.contributions[cut],
        sums.weight[cut],
    )
    return axes[0].centres[keep[0]], axes[1].centres[keep[1]], kept, least


def _inside(axis: Axis, limits: Range | None, seen: NDArray[np.bool_]) -> slice:
    inside = seen.copy()
    if limits is not None:
        inside &= (axis.centres >= limits[0]) & (axis.centres <= limits[1])
    where = np.flatnonzero(inside)
    if where.size < 2:
        raise UserError("the crop leaves fewer than 2 measured voxels along an axis")
    return slice(int(where[0]), int(where[-1]) + 1)


def _labelled(
    scan: Scan, hkl: tuple[int, int, int], temperature: float, qx: Array, qz: Array, sums: Sums, least: float
) -> ReciprocalMap:
    mean, variance, mask = means_from_sums(sums=sums, least=least)
    values = {
        "qx": qx,
        "qz": qz,
        "intensity": mean,
        "variance": variance,
        "mask": mask,
        "contributions": sums.contributions,
        "hkl": np.array(hkl, dtype=np.int64),
        "temperature": temperature,
        "energy": energy_from_wavelength(wavelength=float(scan["wavelength"])),
        "scale": 1.0,
    }
    attrs = {"file": "", "sample": "", **scan.attrs}
    return ReciprocalMap(labelled(values, MAP, attrs))
