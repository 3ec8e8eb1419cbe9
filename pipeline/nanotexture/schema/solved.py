"""What the solvers hand on: trials of modes, solutions of starts, clusters, reflections left out."""

from __future__ import annotations

from dataclasses import replace

from nanotexture.schema.variables import ANGSTROM, POLAR, Schema, variable

TRIAL: Schema = {
    "harmonics": variable("", "1", "harmonics", "Number K of harmonics in x.", "i"),
    "polynomials": variable("", "1", "polynomials", "Number M of polynomials through the film.", "i"),
    "tie": variable(
        "",
        "1",
        "tie of displacement to polarization",
        "none, or the displacement is the one in mechanical equilibrium with the polarization, but for a small correction: "
        "layers with the stiffness of their own materials, or all planes with the mean one.",
        "U",
    ),
    "cost": variable("", "1", "cost", "Lowest chi2 per fitted point of a few starts."),
    "free_cost": variable("", "1", "free cost", "chi2 per held-out point of that start."),
    "free_points": variable("", "1", "held-out points", "Number of held-out order intensities.", "i"),
}

MODE_CHOICE: Schema = {
    "harmonics": TRIAL["harmonics"],
    "polynomials": TRIAL["polynomials"],
    "tie": TRIAL["tie"],
    "pilot_tie": variable("pilot", "1", "tie of each pilot", TRIAL["tie"].comment, "U"),
    "pilot_free_cost": variable(
        "pilot",
        "1",
        "free cost of each pilot",
        "Lowest chi2 per held-out point of a few starts with few modes.",
    ),
    "trial_harmonics": variable("trial", "1", "harmonics tried", "Number K of harmonics of each trial.", "i"),
    "trial_polynomials": variable(
        "trial", "1", "polynomials tried", "Number M of polynomials of each trial.", "i"
    ),
    "trial_cost": variable(
        "trial", "1", "cost of each trial", "Lowest chi2 per fitted point of a few starts."
    ),
    "trial_free_cost": variable(
        "trial", "1", "free cost of each trial", "chi2 per held-out point of that start."
    ),
}

WIDTH_SCALE = variable(
    "unknown wave",
    "1",
    "factor of the prior widths",
    "By which the data changed the prior width of each harmonic of each unknown: displacements, then polarizations; 1 where an "
    "unknown has no such harmonic.",
    optional=True,
)

SETTLED: Schema = {
    "width_scale": WIDTH_SCALE,
    "hkl": variable("reflection index", "1", "reflection", "Miller indices in the reference lattice.", "i"),
    "cost_fitted": variable(
        "reflection", "1", "chi2 fitted", "chi2 per point of each reflection, its scale free."
    ),
    "motif": variable(
        "field x z",
        "1",
        "motif",
        "Displacement (angstrom), then polarization (C/m^2), of the answer; not there without one.",
        optional=True,
    ),
    "gap": variable(
        "", ANGSTROM, "film-substrate gap", "Extra distance of film and substrate.", optional=True
    ),
}

LEFT_OUT: Schema = {
    "hkl": variable("index", "1", "hkl", "Reflection that is left out, in the reference lattice.", "i"),
    "cost_fitted": variable(
        "", "1", "cost fitted", "chi2 per point of the reflection with the answer, its scale free."
    ),
    "cost_left_out": variable(
        "",
        "1",
        "cost left out",
        "chi2 per point of the reflection predicted by the answer relaxed onto the others, from where all had put it: what the "
        "others do not determine keeps what this one had said.",
    ),
    "worst_order": variable(
        "",
        "1",
        "worst order",
        "Order n of the reflection whose prediction misses by most per point; NaN where none.",
    ),
    "points": variable("", "1", "points", "Satellite values of the reflection.", "i"),
}

RESULT_LEFT_OUT: Schema = {
    "hkl": variable(
        "reflection index", "1", "hkl", "Reflection that is left out, in the reference lattice.", "i"
    ),
    **{
        name: variable("temperature reflection", "1", LEFT_OUT[name].long_name, LEFT_OUT[name].comment)
        for name in ("cost_fitted", "cost_left_out", "worst_order")
    },
}

SOLUTIONS: Schema = {
    "tie": MODE_CHOICE["tie"],
    "x": variable("x", "1", "x", "Position along the modulation as a fraction of one period."),
    "z": variable("z", ANGSTROM, "z", "Lower face of every plane of cells above the substrate interface."),
    "start": variable(
        "start", "1", "start", "Number of the start; with the recipe's seed it fixes the random numbers.", "i"
    ),
    "axis": variable(
        "field axis", "1", "direction of the field", "Unit vector (x, z) of each determined field."
    ),
    "learned": variable("start", "1", "learned", "1 where a learned prior said where to begin.", "i", True),
    "field": variable(
        "start field x z",
        ANGSTROM,
        "displacement field",
        "Displacement along each determined direction, mean zero.",
    ),
    "field_std": variable(
        "start field x z",
        ANGSTROM,
        "displacement field std",
        "From the curvature of the cost at the solution.",
    ),
    "polar_axis": variable(
        "polar axis", "1", "direction of the polarization", "Unit vector (x, z) of each.", optional=True
    ),
    "polar": variable(
        "start polar x z",
        POLAR,
        "polarization",
        "Polarization along each determined direction.",
        optional=True,
    ),
    "polar_std": variable(
        "start polar x z",
        POLAR,
        "polarization std",
        "From the curvature of the cost at the solution.",
        optional=True,
    ),
    "slope_std": variable(
        "start field axis x z",
        "1",
        "std of the field's gradient",
        "Of d/dx and d/dz, from the same curvature.",
    ),
    "model": variable(
        "start reflection order row", "count/angstrom", "calculated order intensity", "Of this solution."
    ),
    "cost": variable("start", "1", "cost", "chi2 per fitted point."),
    "free_cost": variable("start", "1", "free cost", "chi2 per held-out point."),
    "determined": variable(
        "start", "1", "determined share", "Share of the field's variance that the data, not the prior, fix."
    ),
    "gap": variable("start", ANGSTROM, "film-substrate gap", "As refined with the texture."),
    "log_scale": variable(
        "start reflection", "1", "log of the scale", "Against the first guess of each reflection."
    ),
    "iterations": variable("start", "1", "iterations", "Steps taken.", "i"),
    "outcome": variable(
        "start", "1", "outcome", "converged, stalled, out of steps, abandoned or not determined.", "U"
    ),
}

CLUSTERS: Schema = {
    "x": SOLUTIONS["x"],
    "z": SOLUTIONS["z"],
    "axis": SOLUTIONS["axis"],
    "start": SOLUTIONS["start"],
    "learned": SOLUTIONS["learned"],
    "label": variable(
        "start", "1", "cluster", "Cluster of the start, 0 is the best; -1 where the start failed.", "i"
    ),
    "cost": SOLUTIONS["cost"],
    "free_cost": SOLUTIONS["free_cost"],
    "iterations": SOLUTIONS["iterations"],
    "outcome": SOLUTIONS["outcome"],
    "weight": variable("cluster", "1", "weight", "Share of the successful starts that ended in the cluster."),
    "cluster_cost": variable("cluster", "1", "cost", "chi2 per fitted point of the representative."),
    "cluster_free_cost": variable(
        "cluster", "1", "free cost", "chi2 per held-out point of the representative."
    ),
    "spread": variable("cluster", "1", "spread", "Mean nrmse of the members against the representative."),
    "field": variable(
        "cluster field x z",
        ANGSTROM,
        "displacement field",
        "Of the cluster's representative, aligned with cluster 0.",
    ),
    "field_std": variable(
        "field x z", ANGSTROM, "displacement field std", "Of cluster 0: curvature and spread of its members."
    ),
    "polar_axis": SOLUTIONS["polar_axis"],
    "polar": variable(
        "cluster polar x z",
        POLAR,
        "polarization",
        "Of the cluster's representative, aligned alike.",
        optional=True,
    ),
    "polar_std": variable(
        "polar x z",
        POLAR,
        "polarization std",
        "Of cluster 0: curvature and spread of its members.",
        optional=True,
    ),
    "slope_std": variable(
        "field axis x z", "1", "std of the field's gradient", "Of cluster 0, from the curvature."
    ),
    "model": variable(
        "reflection order row", "count/angstrom", "calculated order intensity", "Of cluster 0."
    ),
    "determined": variable(
        "", "1", "determined share", "Share of the answer's variance that the data, not the prior, fix."
    ),
    "gap": variable("", ANGSTROM, "film-substrate gap", "Of cluster 0."),
    "width_scale": WIDTH_SCALE,
    "inversion_delta_cost": variable(
        "", "1", "cost of the inverse", "chi2 of the inverted, relaxed motif minus that of the answer."
    ),
}

DENOISED: Schema = {
    "x": replace(SOLUTIONS["x"], optional=True),
    "z": SOLUTIONS["z"],
    "axis": replace(SOLUTIONS["axis"], optional=True),
    "polar_axis": SOLUTIONS["polar_axis"],
    "field": variable(
        "field x z", ANGSTROM, "displacement field", "Of the best cluster, under the prior.", optional=True
    ),
    "field_without": variable(
        "field x z", ANGSTROM, "displacement field without", "The same without the prior.", optional=True
    ),
    "field_std": variable(
        "field x z", ANGSTROM, "displacement field std", "Under the prior, from the curvature.", optional=True
    ),
    "slope_std": variable(
        "field axis x z", "1", "std of the field's gradient", "Under the prior.", optional=True
    ),
    "polar": variable("polar x z", POLAR, "polarization", "Under the prior.", optional=True),
    "polar_without": variable("polar x z", POLAR, "polarization without", "Without it.", optional=True),
    "polar_std": variable("polar x z", POLAR, "polarization std", "Under the prior.", optional=True),
    "model": variable(
        "reflection order row",
        "count/angstrom",
        "calculated order intensity",
        "Under the prior.",
        optional=True,
    ),
    "from_prior": variable(
        "field", ANGSTROM, "share of the prior", "rms difference that the prior makes.", optional=True
    ),
    "polar_from_prior": variable(
        "polar", POLAR, "share of the prior", "rms difference that the prior makes.", optional=True
    ),
    "gap": variable("", ANGSTROM, "film-substrate gap", "Under the prior."),
    "cost": variable("", "1", "cost", "chi2 per fitted point under the prior, the prior not counted."),
    "cost_without": variable("", "1", "cost without", "The same without the prior."),
    "free_cost": variable(
        "", "1", "free cost", "chi2 per held-out point under the prior, over several choices of points."
    ),
    "free_cost_without": variable("", "1", "free cost without", "The same without the prior."),
    "free_cost_error": variable("", "1", "error", "Standard error of the difference of the two."),
    "strangeness": variable(
        "",
        "1",
        "strangeness",
        "Mean squared distance between the prior and what the data alone say, over what is expected of the two.",
    ),
    "strangeness_limit": variable(
        "", "1", "limit of strangeness", "The 0.99 quantile over textures that the prior never learnt from."
    ),
    "used": variable("", "1", "used", "1 where the answer is the one under the prior.", "i"),
}
