"""Angles to Q, goniometer offsets, scattering factors, gridding: the only importer of xrayutilities."""

from nanotexture.geometry.experiment import (
    angles_from_q,
    energy_from_wavelength,
    nominal_angles,
    q_from_angles,
    scan_to_q,
    wavelength_from_energy,
)
from nanotexture.geometry.limits import check_map_near_hkl
from nanotexture.geometry.offsets import alignment_from_substrate
from nanotexture.geometry.scattering import atomic_form_factor

__all__ = [
    "alignment_from_substrate",
    "angles_from_q",
    "atomic_form_factor",
    "check_map_near_hkl",
    "energy_from_wavelength",
    "nominal_angles",
    "q_from_angles",
    "scan_to_q",
    "wavelength_from_energy",
]
