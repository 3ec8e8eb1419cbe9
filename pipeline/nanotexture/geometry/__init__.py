"""Angles to Q, where pixels look, goniometer offsets, scattering factors, gridding: the only importer of xrayutilities."""

from nanotexture.geometry.declared import energy_of
from nanotexture.geometry.experiment import (
    angles_from_q,
    energy_from_wavelength,
    nominal_angles,
    q_from_angles,
    scan_to_q,
    wavelength_from_energy,
)
from nanotexture.geometry.goniometer import PRESETS, Circle, Goniometer, Panel
from nanotexture.geometry.limits import check_map_near_hkl
from nanotexture.geometry.offsets import alignment_from_substrate
from nanotexture.geometry.orientation import Lattice, Mounting
from nanotexture.geometry.peak_check import Spot, check_peaks, predicted_spot
from nanotexture.geometry.placement import Placement, hkl_of, place
from nanotexture.geometry.scattering import atomic_form_factor

__all__ = [
    "PRESETS",
    "Circle",
    "Goniometer",
    "Lattice",
    "Mounting",
    "Panel",
    "Placement",
    "Spot",
    "alignment_from_substrate",
    "angles_from_q",
    "atomic_form_factor",
    "check_map_near_hkl",
    "check_peaks",
    "energy_from_wavelength",
    "energy_of",
    "hkl_of",
    "nominal_angles",
    "place",
    "predicted_spot",
    "q_from_angles",
    "scan_to_q",
    "wavelength_from_energy",
]
