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

FRAME_GRID: Schema = {
    "first": variable("q", "1/angstrom", "first voxel", "Centre of the first voxel along qx, qy, qz."),
    "step": variable("q", "1/angstrom", "voxel size", "Size of a voxel along qx, qy, qz."),
    "shape": variable(
        "q", "1", "number of voxels", "Voxels along qx, qy, qz; one along qy: summed over.", "i"
    ),
    "order": variable("q", "1", "order in memory", "Axes 0, 1, 2 for qx, qy, qz, outermost first.", "i"),
    "width": variable(
        "q",
        "1/angstrom",
        "pixel size",
        "Box of a pixel that voxels share; NaN where each pixel goes to one voxel.",
    ),
    "monitor": variable("", COUNT, "reference monitor", "Monitor that intensities are put to; NaN for none."),
    "seconds": variable(
        "", "s", "reference time", "Counting time that intensities are put to; NaN for none."
    ),
}

FRAME_SUMS: Schema = {
    "voxel": variable("entry", "1", "voxel", "Place in memory of each voxel that holds a pixel.", "i"),
    "counts": variable("entry", COUNT, "counts", "Sum of counts, and of their variances."),
    "weight": variable("entry", "1", "weight", "What the pixels together count at intensity 1."),
    "pixels": variable("entry", "1", "pixels", "Number of pixels, or the sum of their shares."),
    "ground": variable("entry", COUNT, "ground", "Sum of what is taken off the counts.", optional=True),
    "brightest": variable(
        "place", "1", "brightest spot", "Counts, frame, row and column; NaN where all is dark.", optional=True
    ),
    "dropped": variable(
        "reason sum", "1", "dropped", "Counts, weight, pixels, ground: outside the grid, masked, saturated."
    ),
}
