"""A simulated measurement and the score of an answer against its truth."""

from __future__ import annotations

from nanotexture.schema.answer import RESULT_TEXTURE
from nanotexture.schema.measured import MAP
from nanotexture.schema.variables import ANGSTROM, POLAR, TEMPERATURE, Schema, variable

MOTIF: Schema = {
    "displacement": variable(
        "axis x y z",
        ANGSTROM,
        "displacement",
        "Displacement x, y, z of every plane of cells from the reference lattice.",
    ),
    "polarization": variable(
        "axis x y z",
        POLAR,
        "polarization",
        "Polarization x, y, z of every plane of cells; NaN where the texture is not polar.",
    ),
    "periods": variable("plane_axis", ANGSTROM, "periods", "Lengths of the motif along x and y."),
    "z": RESULT_TEXTURE["z"],
}

BRIGHT: Schema = {
    "qx": MAP["qx"],
    "qz": MAP["qz"],
    "intensity": variable(
        "qx qz",
        "angstrom",
        "brightness",
        "Squared amplitude in electrons times the density of its line, at unit flux.",
    ),
    "mask": MAP["mask"],
    "hkl": MAP["hkl"],
}

_C1 = f"{TEMPERATURE} component"

SCORE: Schema = {
    "nrmse": variable(
        _C1,
        "1",
        "nrmse",
        "rms(result - truth) / std(truth) of displacement, after the ambiguities that remain.",
    ),
    "correlation": variable(_C1, "1", "correlation", "Correlation of displacement and truth, aligned alike."),
    "coverage": variable(
        _C1,
        "1",
        "coverage",
        "Share of points whose true displacement lies within one standard deviation; 0.68 is calibrated.",
    ),
    "polarization_nrmse": variable(
        _C1,
        "1",
        "polarization nrmse",
        "rms(result - truth) / std(truth) of polarization, aligned with the displacement.",
    ),
    "polarization_correlation": variable(
        _C1, "1", "polarization correlation", "Correlation of polarization and truth, aligned alike."
    ),
    "polarization_coverage": variable(
        _C1,
        "1",
        "polarization coverage",
        "Share of points whose true polarization lies within one standard deviation; 0.68 is calibrated.",
    ),
    "along_q_nrmse": variable(
        TEMPERATURE,
        "1",
        "nrmse along Q",
        "rms(result - truth) / std(truth) of the displacement along the one direction of Q.",
        optional=True,
    ),
    "along_q_correlation": variable(
        TEMPERATURE,
        "1",
        "correlation along Q",
        "Correlation of that displacement and its truth.",
        optional=True,
    ),
    "along_q_coverage": variable(
        TEMPERATURE,
        "1",
        "coverage along Q",
        "Share of points whose true displacement along Q lies within one standard deviation; NaN without one.",
        optional=True,
    ),
    "period_error": variable(TEMPERATURE, "percent", "period error", "Period against the truth."),
    "period_y_error": variable(
        TEMPERATURE, "percent", "period error along y", "Period along y against the truth.", optional=True
    ),
    "thickness_error": variable(TEMPERATURE, "percent", "thickness error", "Thickness against the truth."),
    "wall_error": variable(
        TEMPERATURE,
        "nm",
        "wall error",
        "rms distance along x of walls from the true ones; NaN where none are found.",
    ),
    "walls": variable(TEMPERATURE, "1", "walls", "What was taken for a wall, or why none was found.", "U"),
    "success_rate": variable(
        TEMPERATURE,
        "1",
        "success rate",
        "Share of the starts with a mean nrmse below 0.3; NaN where there were no starts.",
    ),
    "temperature": RESULT_TEXTURE["temperature"],
}
