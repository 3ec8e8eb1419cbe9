"""Scans of a point detector along h, k and l, and the rods made of them."""

from __future__ import annotations

from nanotexture.schema.variables import ANGSTROM, COUNT, DEGREE, PER_ANGSTROM, Schema, variable

HKL_SCAN: Schema = {
    "counts": variable(
        "point", COUNT, "detected counts", "Counts as detected, before any attenuation factor."
    ),
    "monitor": variable(
        "point", COUNT, "monitor", "Counts of the incident beam; NaN where none is recorded."
    ),
    "seconds": variable("point", "s", "counting time", "Counting time of a point; NaN where not recorded."),
    "attenuation": variable(
        "point", "1", "attenuation factor", "Factor that turns detected into incident counts."
    ),
    "hkl": variable(
        "point index", "1", "recorded hkl", "h, k and l that the instrument wrote at each point."
    ),
    "lengths": variable("index", ANGSTROM, "lattice parameters", "a, b, c of the sample; NaN where unknown."),
    "angles": variable("index", DEGREE, "lattice angles", "alpha, beta, gamma; NaN where unknown."),
    "energy": variable("", "keV", "photon energy", "Energy of the incident beam; NaN where unknown."),
}

_NORMALISED = "Counts with attenuation factor, for the median monitor of the scan."

ROD: Schema = {
    "intensity": variable("point", COUNT, "intensity", _NORMALISED),
    "variance": variable("point", "count^2", "variance of the intensity", "Counting variance of intensity."),
    "hkl": variable("point index", "1", "hkl", "h, k and l of each point."),
    "q": variable("point axis", PER_ANGSTROM, "q", "qx, qy, qz of each point in film axes."),
    "distance": variable("point", PER_ANGSTROM, "distance", "Length along the scan from its first point."),
    "energy": variable("", "keV", "photon energy", "Energy of the incident beam."),
}
