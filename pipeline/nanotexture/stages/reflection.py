"""One map as the preparation wants it: voxels as plain arrays, indices, and where order 0 is expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nanotexture.errors import InputError
from nanotexture.film.config import FilmConfig
from nanotexture.preparation.lines import MapWindow
from nanotexture.quantities import ReciprocalMap


@dataclass(frozen=True)
class Reflection:
    """A map, its voxels, indices and the Gx (1/angstrom) that order 0 is looked for at."""

    map: ReciprocalMap
    window: MapWindow
    hkl: tuple[int, int, int]
    gx: float

    @property
    def file(self) -> str:
        """Name of the map's file."""
        return str(self.map.attrs.get("file", "map"))

    @classmethod
    def of(cls, one: ReciprocalMap, film: FilmConfig) -> Reflection:
        """That of a map; InputError where l is 0."""
        hkl = tuple(int(n) for n in one["hkl"].values)
        if hkl[2] == 0:
            raise InputError(
                one.attrs.get("file", "map"),
                "/entry/reflection/hkl",
                "l other than 0 (qz must see the film's height)",
                str(hkl),
            )
        measured = one["mask"].values == 0
        window = MapWindow(
            one["qx"].values,
            one["qz"].values,
            np.where(measured, one["intensity"].values, 0.0),
            np.where(measured, np.maximum(one["variance"].values, 1e-12), 1.0),
            measured,
        )
        return cls(one, window, (hkl[0], hkl[1], hkl[2]), _expected_gx(window, hkl, film.in_plane))


def _expected_gx(window: MapWindow, hkl: tuple[int, ...], in_plane: float) -> float:
    """Gx = 2 pi h / a, or the in-plane length where the map is taken along the in-plane projection of Q."""
    along_h = 2 * np.pi * hkl[0] / in_plane
    if window.qx[0] <= along_h <= window.qx[-1]:
        return float(along_h)
    return float((np.sign(hkl[0]) or 1) * 2 * np.pi * np.hypot(hkl[0], hkl[1]) / in_plane)
