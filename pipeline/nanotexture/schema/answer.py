"""The result: maps, orders, starts, clusters and the texture, along temperature."""

from __future__ import annotations

from dataclasses import replace

from nanotexture.schema.measured import MAP, ORDERS, PERIOD, PERIOD_STD
from nanotexture.schema.solved import DENOISED, MODE_CHOICE, WIDTH_SCALE
from nanotexture.schema.variables import (
    ANGSTROM,
    COUNT,
    PER_ANGSTROM,
    POLAR,
    TEMPERATURE,
    Schema,
    one_temperature,
    variable,
)

RESULT_MODES: Schema = {
    name: replace(entry, dims=(TEMPERATURE, *entry.dims))
    for name, entry in {**MODE_CHOICE, "width_scale": WIDTH_SCALE}.items()
}

RESULT_MAP: Schema = {
    "intensity": variable(
        f"{TEMPERATURE} qx qz",
        COUNT,
        "measured intensity",
        "Mean counts of the pixels that fell into the voxel; NaN where not measured.",
    ),
    "variance": variable(
        f"{TEMPERATURE} qx qz", "count^2", "variance of the intensity", "Counting variance of intensity."
    ),
    "mask": variable(f"{TEMPERATURE} qx qz", "1", "mask", "Non-zero where the voxel was not measured.", "u"),
    "model": variable(
        f"{TEMPERATURE} qx qz",
        COUNT,
        "calculated intensity",
        "Map calculated from /texture, with fitted line shapes and background.",
    ),
    "contributions": variable(
        f"{TEMPERATURE} qx qz",
        "1",
        "contributing pixels",
        "Weighted number of pixels in the voxel.",
        optional=True,
    ),
    "energy": variable(TEMPERATURE, "keV", "photon energy", "Energy of the incident beam.", optional=True),
    "qx": MAP["qx"],
    "qz": MAP["qz"],
}

RESULT_ORDERS: Schema = {
    "qz": MAP["qz"],
    "order": ORDERS["order"],
    "intensity": variable(
        f"{TEMPERATURE} order qz",
        "count/angstrom",
        "measured order intensity",
        "Satellite integrated over qx; NaN where not measured.",
    ),
    "variance": variable(
        f"{TEMPERATURE} order qz", "count^2/angstrom^2", "order variance", "Variance of the order intensity."
    ),
    "model": variable(
        f"{TEMPERATURE} order qz",
        "count/angstrom",
        "calculated order intensity",
        "Order intensity calculated from /texture.",
    ),
    "held_out": variable(
        f"{TEMPERATURE} order qz",
        "1",
        "held out",
        "Non-zero where the inversion did not see the value (free chi2).",
        "u",
    ),
    "line_position": variable(
        f"{TEMPERATURE} order", PER_ANGSTROM, "line position", "Centre of the order along qx."
    ),
    "line_width": variable(
        f"{TEMPERATURE} order",
        PER_ANGSTROM,
        "line width",
        "Full width at half maximum of the order along qx.",
    ),
    "line_width_std": variable(
        f"{TEMPERATURE} order", PER_ANGSTROM, "line width std", "Standard error of line_width."
    ),
    "line_lorentz": variable(
        f"{TEMPERATURE} order",
        "1",
        "Lorentzian fraction",
        "Pseudo-Voigt mixing of the line, 1 is Lorentzian.",
    ),
}

RESULT_SOLUTIONS: Schema = {
    "cost": variable(
        f"{TEMPERATURE} start", "1", "cost", "Weighted squared residual per working point (chi2 per point)."
    ),
    "free_cost": variable(
        f"{TEMPERATURE} start", "1", "free cost", "The same over held-out points (free chi2 per point)."
    ),
    "cluster": variable(
        f"{TEMPERATURE} start",
        "1",
        "cluster",
        "Cluster of the start, 0 is the best; -1 where the start failed.",
        "i",
    ),
    "iterations": variable(f"{TEMPERATURE} start", "1", "iterations", "Steps taken.", "i"),
    "outcome": variable(
        f"{TEMPERATURE} start",
        "1",
        "outcome",
        "converged, stalled, out of steps, abandoned or not determined.",
        "U",
    ),
    "harmonics": variable(
        f"{TEMPERATURE} start", "1", "harmonics", "Number K of harmonics in x that the start used.", "i", True
    ),
    "learned": variable(
        f"{TEMPERATURE} start", "1", "learned", "1 where a learned prior said where to begin.", "i", True
    ),
    "prior_first_cost": variable(
        TEMPERATURE,
        "1",
        "first cost",
        "Tempered chi2 per point of the learned prior's best motif before any step; infinite where it could not be asked.",
        "f",
        True,
    ),
    "prior_expected_error": variable(
        TEMPERATURE,
        "1",
        "expected error",
        "Relative error that the learned prior expects of its motifs; infinite where it could not be asked.",
        "f",
        True,
    ),
    "prior_vague": variable(
        TEMPERATURE, "1", "vague", "Expected error above which all starts are random.", "f", True
    ),
    "prior_limit": variable(
        TEMPERATURE,
        "1",
        "limit",
        "0.95 quantile of that first cost of films which the prior never learnt from: above it a film is unlike those.",
        "f",
        True,
    ),
    "seed": variable(
        "start", "1", "seed", "Number of the start; with the recipe's seed it fixes the random numbers.", "i"
    ),
}

_FIELD = f"{TEMPERATURE} component x z"

RESULT_CLUSTERS: Schema = {
    "weight": variable(
        f"{TEMPERATURE} cluster",
        "1",
        "weight",
        "Share of the successful starts that ended in the cluster; NaN beyond the last.",
    ),
    "cost": variable(f"{TEMPERATURE} cluster", "1", "cost", "Lowest cost in the cluster."),
    "free_cost": variable(
        f"{TEMPERATURE} cluster",
        "1",
        "free cost",
        "Free chi2 per held-out point of the cluster's representative.",
    ),
    "spread": variable(
        f"{TEMPERATURE} cluster", "1", "spread", "Mean nrmse of the members against the representative."
    ),
    "displacement": variable(
        f"{TEMPERATURE} cluster component x z",
        ANGSTROM,
        "displacement",
        "Displacement of the cluster's representative.",
    ),
    "polarization": variable(
        f"{TEMPERATURE} cluster component x z",
        POLAR,
        "polarization",
        "Polarization of the cluster's representative.",
    ),
    "displacement_along_q": variable(
        f"{TEMPERATURE} cluster x z",
        ANGSTROM,
        "displacement along Q",
        "Displacement along Q where one direction of Q was measured.",
        optional=True,
    ),
}

RESULT_TEXTURE: Schema = {
    "displacement": variable(
        _FIELD,
        ANGSTROM,
        "displacement",
        "Displacement from the reference lattice, mean over the motif zero; NaN where not determined.",
    ),
    "displacement_std": variable(_FIELD, ANGSTROM, "displacement std", "Standard deviation of displacement."),
    "polarization": variable(_FIELD, POLAR, "polarization", "Polarization; NaN where not determined."),
    "polarization_std": variable(_FIELD, POLAR, "polarization std", "Standard deviation of polarization."),
    "strain": variable(
        f"{TEMPERATURE} strain_component x z",
        "1",
        "strain",
        "Symmetric gradient of displacement; NaN where not determined.",
    ),
    "strain_std": variable(
        f"{TEMPERATURE} strain_component x z", "1", "strain std", "Standard deviation of strain."
    ),
    "rotation": variable(
        f"{TEMPERATURE} x z",
        "rad",
        "rotation",
        "Lattice rotation (du_x/dz - du_z/dx) / 2; NaN where not determined.",
    ),
    "displacement_along_q": variable(
        f"{TEMPERATURE} x z",
        ANGSTROM,
        "displacement along Q",
        "Q.u / |Q| where one direction of Q was measured, mean zero.",
        optional=True,
    ),
    "displacement_along_q_std": variable(
        f"{TEMPERATURE} x z",
        ANGSTROM,
        "displacement along Q std",
        "Standard deviation of displacement_along_q.",
        optional=True,
    ),
    "gradient_along_q": variable(
        f"{TEMPERATURE} component x z",
        "1",
        "gradient of the displacement along Q",
        "d(u_q)/dx and d(u_q)/dz: the part of strain and rotation that one reflection fixes.",
        optional=True,
    ),
    "gradient_along_q_std": variable(
        f"{TEMPERATURE} component x z",
        "1",
        "gradient along Q std",
        "Standard deviation of gradient_along_q.",
        optional=True,
    ),
    "period": variable(TEMPERATURE, ANGSTROM, "period", PERIOD),
    "period_std": variable(TEMPERATURE, ANGSTROM, "period std", PERIOD_STD),
    "thickness": variable(TEMPERATURE, ANGSTROM, "film thickness", "Film thickness."),
    "thickness_std": variable(TEMPERATURE, ANGSTROM, "film thickness std", "Standard error of thickness."),
    "correlation_length": variable(
        TEMPERATURE, ANGSTROM, "correlation length", "In-plane length over which the texture keeps its phase."
    ),
    "c": variable(
        TEMPERATURE, ANGSTROM, "film mean out-of-plane lattice parameter", "From the film peak and fringes."
    ),
    "c_std": variable(TEMPERATURE, ANGSTROM, "film c std", "Standard error of c."),
    "gap": variable(
        TEMPERATURE,
        ANGSTROM,
        "film-substrate gap",
        "Extra distance between the last substrate and the first film plane.",
    ),
    "gap_std": variable(TEMPERATURE, ANGSTROM, "film-substrate gap std", "Standard error of gap."),
    "determined": variable(
        TEMPERATURE,
        "1",
        "determined share",
        "Share of the answer's variance that the data, not the prior, fix.",
    ),
    "cost": variable(TEMPERATURE, "1", "cost", "chi2 per working point of the answer."),
    "free_cost": variable(TEMPERATURE, "1", "free cost", "chi2 per held-out point of the answer."),
    "amplitude_correlation": variable(
        f"{TEMPERATURE}",
        "1",
        "amplitude correlation",
        "Correlation of measured and calculated sqrt(intensity) over measured voxels.",
    ),
    "x_shift": variable(
        TEMPERATURE,
        "1",
        "shift along x",
        "Periods by which the motif was moved along x to lie on that of the temperature with the strongest texture.",
        optional=True,
    ),
    "x": variable("x", "1", "x", "Position along the modulation as a fraction of one period."),
    "x_position": variable(f"{TEMPERATURE} x", ANGSTROM, "x", "Position along the modulation."),
    "z": variable("z", ANGSTROM, "z", "Height above the substrate interface."),
    "temperature": variable(TEMPERATURE, "K", "temperature", "Sample temperature; NaN where unknown."),
}

TEXTURE: Schema = one_temperature(RESULT_TEXTURE, ("amplitude_correlation",))

_TRUE = (
    *(
        "displacement",
        "displacement_std",
        "polarization",
        "polarization_std",
        "strain",
        "strain_std",
        "rotation",
    ),
    *(
        "period",
        "period_std",
        "thickness",
        "thickness_std",
        "correlation_length",
        "c",
        "c_std",
        "gap",
        "gap_std",
    ),
    *("x", "x_position", "z", "temperature"),
)

# A truth is laid out as an answer is, so that either can be scored against the other; its standard deviations are zero.
RESULT_TRUTH: Schema = {name: RESULT_TEXTURE[name] for name in _TRUE}

TRUTH: Schema = one_temperature(RESULT_TRUTH)

RESULT_PRIOR: Schema = {
    **{
        f"{name}{ending}": variable(
            f"{TEMPERATURE} component x z",
            units,
            f"{name}{words}",
            f"Of the best cluster,{words} a prior over textures.",
        )
        for name, units in (("displacement", ANGSTROM), ("polarization", POLAR))
        for ending, words in (("", " with"), ("_without", " without"))
    },
    **{
        f"{name}_from_prior": variable(
            f"{TEMPERATURE} component",
            units,
            f"{name} from the prior",
            "rms difference that the prior makes.",
        )
        for name, units in (("displacement", ANGSTROM), ("polarization", POLAR))
    },
    **{
        name: replace(DENOISED[name], dims=(TEMPERATURE,))
        for name in (
            "cost",
            "cost_without",
            "free_cost",
            "free_cost_without",
            "free_cost_error",
            "strangeness",
            "strangeness_limit",
            "used",
        )
    },
    "verdict": variable(
        TEMPERATURE, "1", "verdict", "used, or why the answer is the one without the prior.", "U"
    ),
}
