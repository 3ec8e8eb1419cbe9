"""Scans of area detectors: what stands beside the pixels, which are read block by block."""

from __future__ import annotations

from nanotexture.schema.variables import COUNT, DEGREE, Schema, variable

_LAB = "in the file's laboratory axes"

FRAMES: Schema = {
    "circle": variable("circle", "1", "circle", "Names of the motors that turn sample and detector.", "U"),
    "position": variable("circle frame", DEGREE, "motor position", "Angle of each circle at each frame."),
    "monitor": variable("frame", COUNT, "monitor", "Counts of the incident beam; NaN where not recorded."),
    "seconds": variable("frame", "s", "counting time", "Counting time of a frame; NaN where not recorded."),
    "attenuation": variable(
        "frame", "1", "attenuation factor", "Factor that turns detected into incident counts."
    ),
    "mask": variable("row column", "1", "mask", "Non-zero where a pixel is dead, hot or in a gap.", "u"),
    "response": variable(
        "row column",
        "1",
        "response",
        "Counts of a pixel over those of an ideal one, from a white field: counts are to be divided by it.",
        optional=True,
    ),
    "saturation": variable(
        "", COUNT, "saturation", "Counts from which a pixel is not trusted; NaN where unknown."
    ),
    "energy": variable("", "keV", "photon energy", "Energy of the incident beam; NaN where unknown."),
    "temperature": variable("", "K", "temperature", "Sample temperature; NaN where unknown."),
    "pixel_size": variable(
        "side", "mm", "pixel size", "Size of a pixel along rows and columns; NaN where unknown."
    ),
    "distance": variable("", "mm", "distance", "Sample to detector along the beam; NaN where unknown."),
    "direct_beam": variable(
        "side", "1", "direct beam", "Row and column whose centre the direct beam hits; NaN where unknown."
    ),
    "hkl": variable(
        "index", "1", "reflection", "Miller indices that the file says it is a scan of.", "i", optional=True
    ),
    "scan_hkl": variable(
        "frame index", "1", "recorded hkl", "hkl that the instrument wrote at each frame.", optional=True
    ),
    "ub": variable(
        "axis index",
        "1/angstrom",
        "UB",
        f"hkl to Q with all circles at zero, 2 pi included, {_LAB}.",
        optional=True,
    ),
    "beam": variable("axis", "1", "beam", f"Direction of the incident beam, {_LAB}.", optional=True),
    "sample_turn": variable(
        "frame axis other_axis",
        "1",
        "rotation of the sample",
        f"Rotation matrix of the sample, from its chain of transformations, {_LAB}.",
        optional=True,
    ),
    "pixel_origin": variable(
        "frame axis", "mm", "first pixel", f"Centre of pixel (0, 0), from its chain, {_LAB}.", optional=True
    ),
    "slow_step": variable(
        "frame axis", "mm", "step of a row", f"From one row to the next, {_LAB}.", optional=True
    ),
    "fast_step": variable(
        "frame axis", "mm", "step of a column", f"From one column to the next, {_LAB}.", optional=True
    ),
}
