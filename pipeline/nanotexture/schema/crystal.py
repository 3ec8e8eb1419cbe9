"""A crystal from its coherent diffraction: pattern, starts, clusters and the answer on axes x, y, z."""

from __future__ import annotations

from nanotexture.schema.variables import ANGSTROM, COUNT, PER_ANGSTROM, Schema, Variable, variable

_Q, _R = "qx qy qz", "x y z"


def _axis(name: str) -> Variable:
    return variable(name, ANGSTROM, name, f"Position along axis {name} from the middle of the array.")


def _q_axis(name: str) -> Variable:
    return variable(
        name, PER_ANGSTROM, name, f"Scattering vector along axis {name[1]}, from the middle of the array."
    )


_AXES: Schema = {name: _axis(name) for name in "xyz"}
_Q_AXES: Schema = {name: _q_axis(name) for name in ("qx", "qy", "qz")}
_PART = variable("part", "1", "part", "Real or imaginary part.", "U")
_WIDTH_AXIS = variable("axis", "1", "axis", "Axis of the array, x, y or z.", "U")
_START = variable("start", "1", "start", "Number of the start.", "i")

DIFFRACTION: Schema = {
    **_Q_AXES,
    "intensity": variable(_Q, COUNT, "counts", "Measured counts, zero where not measured."),
    "mask": variable(_Q, "1", "mask", "Non-zero where not measured.", "u"),
    "exposure": variable(
        _Q,
        "1",
        "exposure",
        "Photons counted at a voxel over the counts given, which are all put to one exposure; left out where all is 1.",
        optional=True,
    ),
    "held_out": variable(_Q, "1", "held out", "Non-zero where kept from the inversion to judge it.", "u"),
}

_COST = variable("start", "1", "chi2", "sum (s m - a)^2 / sum a^2 of magnitudes, over the fitted voxels.")
_FREE = variable(
    "start", "1", "free chi2", "The same over the held-out voxels, with the scale of the fitted ones."
)

CRYSTAL_TRIAL: Schema = {
    "threshold": variable("", "1", "threshold", "Share of the largest modulus at which shrink-wrap cuts."),
    "cost": variable(
        "beam", "1", "cost", "Lowest chi2 of a few starts with a coherent and a partly coherent beam."
    ),
    "free_cost": variable("beam", "1", "free cost", "Lowest held-out chi2 of those starts."),
}

CRYSTAL_CHOICE: Schema = {
    "threshold": CRYSTAL_TRIAL["threshold"],
    "partly_coherent": variable(
        "", "1", "partly coherent", "1 where the beam is modelled as partly coherent, 0 where coherent.", "i"
    ),
    "trial_threshold": variable(
        "trial", "1", "threshold tried", "Threshold of shrink-wrap of each trial.", optional=True
    ),
    "trial_cost": variable("trial beam", "1", "cost", CRYSTAL_TRIAL["cost"].comment, optional=True),
    "trial_free_cost": variable(
        "trial beam", "1", "free cost", CRYSTAL_TRIAL["free_cost"].comment, optional=True
    ),
}

_PER_START: Schema = {
    "start": _START,
    "cost": _COST,
    "free_cost": _FREE,
    "deviance": variable(
        "start", "1", "deviance", "Mean Poisson deviance of the fitted voxels, 1 for counting noise alone."
    ),
    "background": variable("start", COUNT, "background", "Background fitted, counts a voxel."),
    "coherence_width": variable(
        "start axis",
        "1",
        "coherence width",
        "Standard deviation in voxels of the blur of the pattern by a partly coherent beam, 0 where taken for coherent.",
    ),
    "iterations": variable("start", "1", "iterations", "Projections and steps of the gradients.", "i"),
    "outcome": variable("start", "1", "outcome", "How the start ended.", "U"),
    "axis": _WIDTH_AXIS,
}

CRYSTAL_SOLUTIONS: Schema = {
    **_PER_START,
    **_AXES,
    "part": _PART,
    "density": variable(f"start part {_R}", "count^0.5", "density", "Complex density, before alignment."),
    "support": variable(f"start {_R}", "1", "support", "Non-zero inside the crystal, before alignment.", "u"),
}

_PER_CLUSTER: Schema = {
    "weight": variable("cluster", "1", "weight", "Share of the starts that did not fail."),
    "cost": variable("cluster", "1", "chi2", "chi2 of the representative."),
    "free_cost": variable("cluster", "1", "free chi2", "Held-out chi2 of the representative."),
    "spread": variable(
        "cluster",
        "1",
        "spread",
        "Mean distance of the other members to the representative, sqrt(2 (1 - correlation)), NaN for a single one.",
    ),
    "representative": variable("cluster", "1", "representative", "Start of lowest cost.", "i"),
}

CRYSTAL_CLUSTERS: Schema = {
    **_PER_START,
    "cluster": variable("start", "1", "cluster", "Cluster of the start, 0 the best, -1 failed.", "i"),
    "twinned": variable(
        "start", "1", "twinned", "1 where the start was turned into its twin to lie on its cluster.", "i"
    ),
    "weight": _PER_CLUSTER["weight"],
    "cluster_cost": _PER_CLUSTER["cost"],
    "cluster_free_cost": _PER_CLUSTER["free_cost"],
    "spread": _PER_CLUSTER["spread"],
    "representative": _PER_CLUSTER["representative"],
    **_AXES,
    "part": _PART,
    "density": variable(
        f"cluster part {_R}",
        "count^0.5",
        "density",
        "Complex density of each representative, aligned on the best.",
    ),
    "support": variable(f"cluster {_R}", "1", "support", "Non-zero inside the crystal.", "u"),
    "phase_std": variable(
        f"cluster {_R}",
        "rad",
        "phase spread",
        "Circular standard deviation of the phase over the cluster's members.",
    ),
    "prtf": variable(
        _Q,
        "1",
        "PRTF",
        "Modulus of the mean of the best cluster's spectra over the mean of their moduli, 1 where all starts found one phase.",
    ),
    "model": variable(_Q, COUNT, "calculated counts", "Expected counts of the answer."),
    **_Q_AXES,
}

OBJECT: Schema = {
    **_AXES,
    "amplitude": variable(
        _R,
        "1",
        "amplitude",
        "Modulus of the density over its largest value, zero outside the solver's support.",
    ),
    "phase": variable(
        _R,
        "rad",
        "phase",
        "Q.u without jumps of 2 pi where that is possible, mean slope and mean taken off, NaN outside the support.",
    ),
    "displacement_along_q": variable(
        _R, ANGSTROM, "displacement along Q", "Phase over |Q|, mean zero, NaN outside the support."
    ),
    "strain_along_q": variable(
        _R,
        "1",
        "strain along Q",
        "Derivative along Q of the displacement along Q, from differences of neighbouring voxels; NaN outside the support.",
    ),
    "support": variable(
        _R,
        "1",
        "support",
        "1 inside the crystal: modulus above 0.4 of the typical one; the solver's own support is where the amplitude is not 0.",
        "u",
    ),
    "density_real": variable(
        _R,
        "count^0.5",
        "density, real part",
        "Fitted complex density, mean slope and mean of its phase taken off.",
    ),
    "density_imag": variable(
        _R,
        "count^0.5",
        "density, imaginary part",
        "Fitted complex density, mean slope and mean of its phase taken off.",
    ),
    "phase_std": variable(
        _R,
        "rad",
        "phase spread",
        "Circular standard deviation of the phase over the starts of the best cluster, NaN outside and for a single start.",
    ),
}

RESULT_DIFFRACTION: Schema = {
    **_Q_AXES,
    "intensity": variable(_Q, COUNT, "counts", "Measured counts, NaN where not measured."),
    "variance": variable(
        _Q, "count^2", "variance", "Poisson variance of the counts, at least that of one photon."
    ),
    "mask": DIFFRACTION["mask"],
    "held_out": DIFFRACTION["held_out"],
    "model": CRYSTAL_CLUSTERS["model"],
    "prtf": CRYSTAL_CLUSTERS["prtf"],
}

RESULT_CRYSTAL_SOLUTIONS: Schema = {
    **_PER_START,
    "cluster": CRYSTAL_CLUSTERS["cluster"],
    "twinned": CRYSTAL_CLUSTERS["twinned"],
}

CRYSTAL_ANSWERS: Schema = {
    **_AXES,
    **{
        name: Variable(("cluster", *one.dims), one.units, one.long_name, one.comment, one.kind)
        for name, one in OBJECT.items()
        if name not in _AXES
    },
}

RESULT_CRYSTAL_CLUSTERS: Schema = {**_PER_CLUSTER, **CRYSTAL_ANSWERS}
