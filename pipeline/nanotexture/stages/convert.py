"""Instrument files and map files to reciprocal-space maps; thickness from a symmetric scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.errors import InputError, UserError
from nanotexture.film.config import FilmConfig
from nanotexture.geometry import alignment_from_substrate, check_map_near_hkl, energy_from_wavelength
from nanotexture.gridding import Crop, map_from_scan
from nanotexture.preparation.symmetric import fit_symmetric_scan, qz_pinned_to_substrate, uniform_rows
from nanotexture.quantities import Alignment, Directions, ReciprocalMap, ThicknessScan
from nanotexture.readers import read_map, read_scan
from nanotexture.schema import THICKNESS_SCAN, labelled
from nanotexture.stages.models import AlignConfig, ConvertConfig, LoadConfig, ThicknessScanConfig

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
    return found if config.film is None else near_film(found, config.film)


@stage(version=1)
def load(file: Path, directions: Directions | None = None, *, config: LoadConfig) -> ReciprocalMap:
    """Map of one file of the contract's input format; a volume where the texture is periodic in both directions."""
    volume = directions is not None and bool(directions["both"])
    return near_film(read_map(file, volume=volume), config.film)


@stage(version=1)
def scan_thickness(scan: Path, *, config: ThicknessScanConfig) -> ThicknessScan:
    """Thickness and c from a symmetric scan whose substrate peak fixes the zero of the angles."""
    recorded = read_scan(scan)
    if recorded.sizes["line"] != 1:
        raise InputError(
            scan.name, "scan", "one symmetric two-theta-omega scan", f"{recorded.sizes['line']} scans"
        )
    one = recorded.isel(line=0)
    substrate = config.film.below()
    if substrate is None:
        raise UserError(f"{scan.name}: film.substrate: expected, since its peak fixes the zero of the angles")
    intensity = one["counts"].values * one["attenuation"].values
    wavelength = float(recorded["wavelength"])
    qz = qz_pinned_to_substrate(
        two_theta=one["two_theta"].values,
        intensity=intensity,
        wavelength=wavelength,
        bragg=2 * np.pi * config.hkl[2] / substrate.c,
    )
    grid, on_grid, variance = uniform_rows(
        qz=qz, intensity=intensity, variance=intensity * one["attenuation"].values
    )
    fit = fit_symmetric_scan(
        qz=grid,
        intensity=on_grid,
        variance=variance,
        film=config.film,
        hkl=config.hkl,
        energy_kev=energy_from_wavelength(wavelength=wavelength),
        tolerance=C_TOLERANCE,
    )
    values = {
        "two_theta": one["two_theta"].values,
        "qz": qz,
        "intensity": intensity,
        "model": np.interp(qz, grid, fit.model),
        "thickness": fit.thickness,
        "thickness_std": fit.thickness_std,
        "c": fit.c,
        "c_std": fit.c_std,
    }
    return ThicknessScan(labelled(values, THICKNESS_SCAN, {"file": scan.name}))


def near_film(found: ReciprocalMap, film: FilmConfig) -> ReciprocalMap:
    """The map, refused if it does not cover the reflection that it says it is of."""
    in_plane, least, largest = lattice_limits(film)
    check_map_near_hkl(found, in_plane, (least, largest))
    return found


def lattice_limits(film: FilmConfig) -> tuple[float, float, float]:
    """In-plane lattice, and least and largest c that a strained film may have, in angstrom."""
    lengths = np.array([layer.c or layer.material.lattice[2] for layer in film.layers])
    return film.in_plane, lengths.min() * (1 - C_TOLERANCE), lengths.max() * (1 + C_TOLERANCE)
