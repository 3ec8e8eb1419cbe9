"""Instrument files and map files to reciprocal-space maps; thickness from a symmetric scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.film.config import FilmConfig
from nanotexture.geometry import alignment_from_substrate, check_map_near_hkl
from nanotexture.gridding import Crop, map_from_scan
from nanotexture.quantities import Alignment, ReciprocalMap
from nanotexture.readers import read_map, read_scan
from nanotexture.stages.models import AlignConfig, ConvertConfig, LoadConfig

C_TOLERANCE = 0.12  # a strained film's c differs this much at most from its bulk or recipe value


@stage(version=1)
def align(substrate: Path, *, config: AlignConfig) -> Alignment:
    """Goniometer offsets from the substrate's peak."""
    return alignment_from_substrate(read_scan(substrate), config.hkl, config.a, config.c)


@stage(version=1)
def convert(scan: Path, alignment: Alignment | None = None, *, config: ConvertConfig) -> ReciprocalMap:
    """Map of one scan, angles corrected by the alignment."""
    crop = Crop(qx=config.qx_range, qz=config.qz_range)
    temperature = float("nan") if config.temperature is None else config.temperature
    found = map_from_scan(read_scan(scan), alignment, config.hkl, config.voxel or "auto", crop, temperature)
    return _checked(found, config.film)


@stage(version=1)
def load(file: Path, *, config: LoadConfig) -> ReciprocalMap:
    """Map of one file of the contract's input format."""
    return _checked(read_map(file), config.film)


def _checked(found: ReciprocalMap, film: FilmConfig) -> ReciprocalMap:
    lengths = np.array([layer.c or layer.material.lattice[2] for layer in film.layers])
    check_map_near_hkl(
        found, film.in_plane, (lengths.min() * (1 - C_TOLERANCE), lengths.max() * (1 + C_TOLERANCE))
    )
    return found
