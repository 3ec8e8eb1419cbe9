"""Whether a map covers the reflection that it says it is."""

from __future__ import annotations

import numpy as np

from nanotexture.errors import InputError
from nanotexture.quantities import ReciprocalMap


def check_map_near_hkl(map: ReciprocalMap, in_plane: float, c_range: tuple[float, float]) -> None:
    """Refuse a map whose axes miss its hkl, for a film of these lattice parameters in angstrom."""
    h, k, index = (int(n) for n in map["hkl"].values)
    file = str(map.attrs.get("file", "map"))
    along_h = 2 * np.pi * h / in_plane
    coplanar = (np.sign(h) or 1) * 2 * np.pi * np.hypot(h, k) / in_plane
    if not any(_overlap(map["qx"].values, (q, q)) for q in (along_h, coplanar)):
        raise InputError(file, "qx", f"{h} {k} {index} at qx = {along_h:.4f} 1/angstrom", _extent(map, "qx"))
    normal = sorted(2 * np.pi * index / c for c in c_range)
    if not _overlap(map["qz"].values, (normal[0], normal[1])):
        expected = f"{h} {k} {index} at qz = {normal[0]:.4f} to {normal[1]:.4f} 1/angstrom"
        raise InputError(file, "qz", expected, _extent(map, "qz"))


def _overlap(axis: np.ndarray, wanted: tuple[float, float]) -> bool:
    return bool(axis.min() <= wanted[1] and axis.max() >= wanted[0])


def _extent(map: ReciprocalMap, name: str) -> str:
    axis = map[name].values
    return f"{axis.min():.4f} to {axis.max():.4f}"
