"""Scans of a point detector along h, k, l to reciprocal-space maps."""

from __future__ import annotations

from pathlib import Path

from nanotexture.engine.stage import stage
from nanotexture.gridding import Crop
from nanotexture.gridding.hkl_maps import map_or_volume_from_hkl_scans
from nanotexture.quantities import ReciprocalMap
from nanotexture.readers import read_hkl_scan
from nanotexture.stages.convert import near_film
from nanotexture.stages.models import ConvertHklConfig


@stage(version=1)
def convert_hkl(file: Path, *, config: ConvertHklConfig) -> ReciprocalMap:
    """One map (qx, qz) of all scans told, or a volume of meshes in planes across the normal; lattice and energy from the file."""
    scans, told = [read_hkl_scan(file, number) for number in config.scans or (None,)], config.map
    found = map_or_volume_from_hkl_scans(
        scans,
        told.hkl,
        spacing=told.voxel,
        crop=Crop(qx=told.qx_range, qz=told.qz_range),
        temperature=float("nan") if told.temperature is None else told.temperature,
    )
    return found if told.film is None else near_film(found, told.film)
