"""From maps qx, qy, qz of one temperature to satellites (n, m) integrated over qx and qy, with both periods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.errors import InputError
from nanotexture.preparation.holdout import block_rows, held_out_blocks
from nanotexture.preparation.line_shape import LineShape, lorentzian_width
from nanotexture.preparation.lines import LineFit, MapWindow, fit_lines
from nanotexture.preparation.period import Comb, find_combs, highest_order
from nanotexture.preparation.rod_fit import RodFit
from nanotexture.preparation.volume import VolumeFit, bands_from_shape, fit_bands
from nanotexture.quantities import Orders, ReciprocalMap
from nanotexture.schema import VOLUME_ORDERS, labelled
from nanotexture.stages.contradict import period_warnings, refuse_thickness, scale_warnings
from nanotexture.stages.directions import spacings, summed
from nanotexture.stages.map_fit import rod_input
from nanotexture.stages.models import PrepareConfig
from nanotexture.stages.prepare import common_scalars, prepared, weighted_mean
from nanotexture.stages.reflection import Reflection

Array = NDArray[np.float64]
Hkl = tuple[int, int, int]

TOLD = 0.1  # relative: a told period is looked for this near


@stage(version=1)
def prepare_volume(maps: list[ReciprocalMap], *, config: PrepareConfig) -> Orders:
    """Orders of all maps of one temperature, of volumes or, where the texture is uniform along y, of plane maps."""
    if "qy" not in maps[0].dims:
        return prepared(maps, config)
    volumes = [_Volume.of(one, config.film.in_plane) for one in maps]
    combs_x = _combs([one.over_y for one in volumes], [one.g[0] for one in volumes], config.period)
    combs_y = _combs([one.over_x for one in volumes], [one.g[1] for one in volumes], None)
    strongest_x, strongest_y = _strongest(combs_x, volumes, "qx"), _strongest(combs_y, volumes, "qy")
    fits = [
        one.fitted(x or strongest_x, y or strongest_y, strongest_x, strongest_y)
        for one, x, y in zip(volumes, combs_x, combs_y, strict=True)
    ]
    reflections = [Reflection(one.map, one.over_y, one.hkl, one.g[0]) for one in volumes]
    numbered = [fit.as_lines() for fit in fits]
    inputs = [rod_input(r, f) for r, f in zip(reflections, numbered, strict=True)]
    rods = [one.fitted(config.film) for one in inputs]
    refuse_thickness(config.film, inputs, rods)
    told = np.array([float(one["scale"]) for one in maps])
    hkls, files = [one.hkl for one in volumes], [one.file for one in volumes]
    warnings = scale_warnings(hkls, files, rods, told)
    found = _labelled(
        volumes, fits, rods, config, common_scalars(reflections, numbered, rods, _thickness(rods))
    )
    if config.period is not None:
        warnings += period_warnings(config.period, float(found["period"]), [(hkls[0], strongest_x)])
    return Orders(found.assign_attrs(warnings=warnings))


@dataclass(frozen=True)
class _Volume:
    """One map with its sums over qy (a map qx, qz) and over qx (a map qy, qz), and where order (0, 0) is expected."""

    map: ReciprocalMap
    over_y: MapWindow
    over_x: MapWindow
    hkl: Hkl
    g: tuple[float, float]

    @classmethod
    def of(cls, one: ReciprocalMap, in_plane: float) -> _Volume:
        h, k, index = (int(n) for n in one["hkl"].values)
        if index == 0:
            raise InputError(
                str(one.attrs.get("file", "map")),
                "/entry/reflection/hkl",
                "l other than 0 (qz must see the film's height)",
                str((h, k, index)),
            )
        expected = 2 * np.pi * h / in_plane, 2 * np.pi * k / in_plane
        return cls(one, summed(one, over="qy"), summed(one, over="qx"), (h, k, index), expected)

    @property
    def file(self) -> str:
        return str(self.map.attrs.get("file", "map"))

    def fitted(self, x: Comb, y: Comb, all_x: Comb, all_y: Comb) -> VolumeFit:
        """Lines along both directions with the spacings of all maps together, then the orders of every band of qy."""
        along_x = _lines(self.over_y, self.g[0], x, all_x)
        along_y = _lines(self.over_x, self.g[1], y, all_y)
        bands = bands_from_shape(self.map["qy"].values, along_y.shape)
        inside = np.array([_covered(self.map["qy"].values, along_y.shape, m) for m in bands.orders])
        maps = [
            summed(self.map, over="qy", where=bands.band == i) if seen else None
            for i, seen in enumerate(inside)
        ]
        return fit_bands(along_x, along_y, bands, maps)


def _covered(qy: Array, shape: LineShape, m: int) -> bool:
    """Whether the core of a line was measured, as covered_rows asks along qx."""
    at, half = shape.centre + m * shape.spacing, max(0.5 * shape.width[abs(m)], 1.5 * float(qy[1] - qy[0]))
    return bool(qy[0] <= at - half and at + half <= qy[-1])


def _combs(windows: list[MapWindow], expected: list[float], period: float | None) -> tuple[Comb | None, ...]:
    """Combs of one spacing in all maps, within the range that each map can show or near a told period (angstrom)."""
    ranges = [spacings(window, g) for window, g in zip(windows, expected, strict=True)]
    smallest, largest = min(low for low, _ in ranges), max(high for _, high in ranges)
    if period is not None:
        smallest, largest = (2 * np.pi / (period * (1 + side * TOLD)) for side in (1, -1))
    return find_combs(windows, expected, smallest, largest)


def _strongest(combs: tuple[Comb | None, ...], volumes: list[_Volume], axis: str) -> Comb:
    found = max((comb for comb in combs if comb is not None), key=lambda comb: comb.gain, default=None)
    if found is None:
        raise InputError(
            volumes[0].file,
            "/entry/data/intensity",
            f"satellites along {axis} beside the film peak",
            "none above the noise",
        )
    return found


def _lines(window: MapWindow, expected: float, comb: Comb, strongest: Comb) -> LineFit:
    """Line fit with the spacing of the strongest comb; a map whose own comb is weak keeps its expected centre."""
    centre = comb.centre if abs(comb.centre - expected) < 0.3 * strongest.spacing else expected
    highest = highest_order(window, centre=centre, spacing=strongest.spacing)
    widths = (comb.width0, *(strongest.width1 * np.sqrt(n) for n in range(1, highest + 1)))
    return fit_lines(window, LineShape(centre, strongest.spacing, widths, (0.5,) * len(widths)))


def _thickness(rods: list[RodFit]) -> tuple[float, float]:
    return weighted_mean([rod.thickness for rod in rods], [rod.thickness_std for rod in rods])


def _labelled(
    volumes: list[_Volume],
    fits: list[VolumeFit],
    rods: list[RodFit],
    config: PrepareConfig,
    scalars: dict[str, Any],
) -> Orders:
    shape = _Shape.of(volumes, fits)
    parts = [
        _padded(one, fit, shape, block_rows(one.over_y.qz, scalars["thickness"]), config.seed + r)
        for r, (one, fit) in enumerate(zip(volumes, fits, strict=True))
    ]
    values = {
        **{name: np.stack([part[name] for part in parts]) for name in parts[0]},
        "hkl": np.array([one.hkl for one in volumes]),
        "order": shape.pairs[:, 0],
        "order_y": shape.pairs[:, 1],
        "line_chi2": np.array([fit.chi2 for fit in fits]),
        "scale": np.array([float(one.map["scale"]) for one in volumes]),
        "energy": np.array([float(one.map["energy"]) for one in volumes]),
        "resolution_qz": np.array([rod.resolution for rod in rods]),
        "temperature": float(volumes[0].map["temperature"]),
        **scalars,
        **_along_y(fits),
    }
    return Orders(labelled(values, VOLUME_ORDERS, {"files": [one.file for one in volumes]}))


def _along_y(fits: list[VolumeFit]) -> dict[str, float]:
    lines = [fit.along_y for fit in fits]
    spacing = weighted_mean([one.shape.spacing for one in lines], [one.shape_std.spacing for one in lines])
    strongest = max(lines, key=lambda one: float(np.nansum(one.intensity[one.orders != 0])))
    width = lorentzian_width(voigt=strongest.shape.width[1], gaussian=strongest.shape.width[0])
    return {
        "period_y": 2 * np.pi / spacing[0],
        "period_y_std": 2 * np.pi / spacing[0] ** 2 * spacing[1],
        "correlation_length_y": 2.0 / width,
    }


@dataclass(frozen=True)
class _Shape:
    """Sizes that all reflections are brought to: highest orders (n, m), voxels (qx, qy, qz)."""

    highest: tuple[int, int]
    voxels: tuple[int, int, int]

    @classmethod
    def of(cls, volumes: list[_Volume], fits: list[VolumeFit]) -> _Shape:
        n, m = np.max([fit.pairs.max(axis=0) for fit in fits], axis=0)
        sizes = np.max([[one.map.sizes[q] for q in ("qx", "qy", "qz")] for one in volumes], axis=0)
        return cls((int(n), int(m)), (int(sizes[0]), int(sizes[1]), int(sizes[2])))

    @property
    def pairs(self) -> NDArray[np.int64]:
        """Orders (n, m), n slowest."""
        n, m = np.meshgrid(*(np.arange(-most, most + 1) for most in self.highest), indexing="ij")
        return np.stack([n.ravel(), m.ravel()], axis=1)

    def places(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where orders (n, m) are among all."""
        n, m = self.highest
        return np.asarray((pairs[:, 0] + n) * (2 * m + 1) + pairs[:, 1] + m)


def _padded(one: _Volume, fit: VolumeFit, shape: _Shape, block: int, seed: int) -> dict[str, np.ndarray]:
    """Arrays of one reflection on the common sizes, NaN or 0 beyond its own."""
    numbered, at, (columns, columns_y, rows) = fit.as_lines(), shape.places(fit.pairs), shape.voxels
    number, bands = len(shape.pairs), 2 * shape.highest[1] + 1
    nx, ny, nz = (one.map.sizes[q] for q in ("qx", "qy", "qz"))
    found = {
        "qx": np.full(columns, np.nan),
        "qy": np.full(columns_y, np.nan),
        "qz": np.full(rows, np.nan),
        "intensity": np.full((number, rows), np.nan),
        "variance": np.full((number, rows), np.nan),
        "held_out": np.zeros((number, rows), np.uint8),
        "line": np.zeros((number, columns)),
        "line_y": np.zeros((number, columns_y)),
        "band": np.full(columns_y, -1),
        "background": np.zeros((bands, columns, rows)),
        **{name: np.full(number, np.nan) for name in _PER_ORDER},
    }
    for name, size in (("qx", nx), ("qy", ny), ("qz", nz)):
        found[name][:size] = one.map[name].values
    found["intensity"][at, :nz], found["variance"][at, :nz] = fit.intensity, fit.variance
    found["held_out"][at, :nz] = held_out_blocks(
        intensity=fit.intensity, variance=fit.variance, orders=numbered.orders, block=block, seed=seed
    )
    n, m = fit.pairs.T + np.array([[fit.along_x.orders.max()], [fit.along_y.orders.max()]])
    found["line"][at, :nx], found["line_y"][at, :ny] = fit.along_x.line[n], fit.bands.lines[m]
    found["band"][:ny] = fit.bands.nearest
    found["background"][: len(fit.background), :nx, :nz] = fit.background
    for direction, name in ((0, ""), (1, "_y")):
        line, order = (fit.along_x, fit.along_y)[direction], fit.pairs[:, direction]
        found[f"line_position{name}"][at] = line.shape.centre + order * line.shape.spacing
        found[f"line_width{name}"][at] = np.array(line.shape.width)[np.abs(order)]
    distance = np.abs(fit.pairs[:, 0])
    found["line_width_std"][at] = np.array(fit.along_x.shape_std.width)[distance]
    found["line_lorentz"][at] = np.array(fit.along_x.shape.lorentz)[distance]
    return found


_PER_ORDER = (
    "line_position",
    "line_position_y",
    "line_width",
    "line_width_y",
    "line_width_std",
    "line_lorentz",
)
