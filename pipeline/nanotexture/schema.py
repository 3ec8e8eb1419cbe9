"""The one list of labelled variables: dims, units and meaning of everything that a stage hands on or a result holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr


class SchemaError(Exception):
    """A stage handed on something other than what schema.py says: a defect of the program."""


@dataclass(frozen=True)
class Variable:
    """One labelled variable: its dims in order, unit, name for axes and one sentence of meaning."""

    dims: tuple[str, ...]
    units: str
    long_name: str
    comment: str
    kind: str = "f"  # numpy dtype kind: f float, i integer, u unsigned, U text
    optional: bool = False


Schema = Mapping[str, Variable]

_PER_AREA = MappingProxyType(
    {"count/angstrom": "count/angstrom^2", "count^2/angstrom^2": "count^2/angstrom^4"}
)
_DEG, _PER_A, _A, _P, _C = "deg", "1/angstrom", "angstrom", "C/m^2", "count"


PERIOD = "In-plane period of the texture: the mean over the film."
PERIOD_STD = (
    "Standard error of period: from the satellites' positions, and from the finitely many periods that scatter, whose lengths "
    "spread as the satellites' widths say (100 coherent regions taken to be lit: the maps do not say how many)."
)


def _v(
    dims: str, units: str, long_name: str, comment: str, kind: str = "f", optional: bool = False
) -> Variable:
    return Variable(tuple(dims.split()), units, long_name, comment, kind, optional)


SCAN: Schema = {
    "counts": _v("line point", _C, "detected counts", "Counts as detected, before any attenuation factor."),
    "attenuation": _v(
        "line point", "1", "attenuation factor", "Factor that turns detected into incident counts."
    ),
    "seconds": _v("line point", "s", "counting time", "Counting time of one point; NaN where not recorded."),
    "omega": _v("line point", _DEG, "omega", "Angle of incidence as recorded, before offsets."),
    "two_theta": _v("line point", _DEG, "two theta", "Detector angle as recorded, before offsets."),
    "wavelength": _v("", _A, "wavelength", "X-ray wavelength written in the file."),
    "oversampling": _v(
        "", "1", "oversampling", "Recorded points per independent detector element (variance inflation)."
    ),
}

ALIGNMENT: Schema = {
    "omega_offset": _v("", _DEG, "omega offset", "Recorded minus true omega, from the substrate peak."),
    "omega_offset_std": _v("", _DEG, "omega offset std", "Standard error of omega_offset."),
    "two_theta_offset": _v(
        "", _DEG, "two theta offset", "Recorded minus true two theta, from the substrate peak."
    ),
    "two_theta_offset_std": _v("", _DEG, "two theta offset std", "Standard error of two_theta_offset."),
}

MAP: Schema = {
    "qx": _v("qx", _PER_A, "qx", "In-plane momentum transfer along the modulation, voxel centres."),
    "qz": _v("qz", _PER_A, "qz", "Momentum transfer along the film normal, voxel centres."),
    "intensity": _v("qx qz", _C, "intensity", "Mean counts of the pixels that fell into the voxel."),
    "variance": _v("qx qz", "count^2", "variance of the intensity", "Counting variance of intensity."),
    "mask": _v("qx qz", "1", "mask", "Non-zero where the voxel was not measured.", "u"),
    "contributions": _v(
        "qx qz", "1", "contributing pixels", "Weighted number of pixels in the voxel.", optional=True
    ),
    "hkl": _v("index", "1", "reflection", "Miller indices in the reference lattice.", "i"),
    "temperature": _v("", "K", "temperature", "Sample temperature; NaN where unknown."),
    "energy": _v("", "keV", "photon energy", "Energy of the incident beam."),
    "scale": _v("", "1", "relative scale", "Factor that multiplies the model of this reflection."),
}

THICKNESS_SCAN: Schema = {
    "two_theta": _v("point", _DEG, "two theta", "Detector angle as recorded."),
    "qz": _v("point", _PER_A, "qz", "Momentum transfer along the film normal after the offset fit."),
    "intensity": _v("point", _C, "intensity", "Counts with the attenuation factor applied."),
    "model": _v("point", _C, "model intensity", "Film and substrate rod added as amplitudes."),
    "thickness": _v("", _A, "film thickness", "Thickness from the fringes of the symmetric scan."),
    "thickness_std": _v("", _A, "film thickness std", "Standard error of thickness."),
    "c": _v("", _A, "film out-of-plane lattice parameter", "Film c from the symmetric scan."),
    "c_std": _v("", _A, "film c std", "Standard error of c."),
}

_COMB: Schema = {
    "centre": _v("reflection", _PER_A, "centre of order 0", "qx of order 0; NaN where the map has no comb."),
    "spacing": _v("reflection", _PER_A, "spacing of the satellites", "Distance of the orders along qx."),
    "width0": _v("reflection", _PER_A, "width of order 0", "Full width at half maximum of order 0."),
    "width1": _v("reflection", _PER_A, "width of order 1", "Full width at half maximum of orders +-1."),
    "gain": _v("reflection", "1", "gain", "Fall of chi2 for each line of the comb, against no satellites."),
}

COMBS: Schema = {
    "hkl": _v("reflection index", "1", "reflection", "Miller indices in the reference lattice.", "i"),
    **_COMB,
    **{f"free_{name}": entry for name, entry in _COMB.items()},
}

_LINE: Schema = {
    "line_centre": _v("", _PER_A, "centre of order 0", "qx of order 0."),
    "line_spacing": _v("", _PER_A, "spacing of the satellites", "Distance of the orders along qx."),
    "line_width": _v("distance", _PER_A, "line width", "Full width at half maximum of orders +-n."),
    "line_lorentz": _v("distance", "1", "Lorentzian fraction", "Share of the Lorentzian in orders +-n."),
    "line_tail": _v("", "1", "tail", "Lines fall far out as qx to the power -(1 + tail)."),
}

MAP_FIT: Schema = {
    "order": _v("order", "1", "satellite order", "n of the satellite at centre + n spacing.", "i"),
    "intensity": _v(
        "order row",
        "count/angstrom",
        "order intensity",
        "Satellite integrated over qx; NaN where not measured.",
    ),
    "variance": _v(
        "order row", "count^2/angstrom^2", "variance of the order intensity", "Variance of intensity."
    ),
    "line": _v("order column", _A, "line", "Line of unit area along qx."),
    "background": _v("column row", _C, "background", "Smooth background under the lines."),
    "chi2": _v("", "1", "chi2", "Misfit of the line fit per degree of freedom."),
    **_LINE,
    **{
        f"{name}_std": _v(" ".join(one.dims), one.units, f"{one.long_name} std", f"Standard error of {name}.")
        for name, one in _LINE.items()
    },
    "rod_thickness": _v("", _A, "film thickness", "Thickness from the fringes of order 0."),
    "rod_thickness_std": _v("", _A, "film thickness std", "Standard error of rod_thickness."),
    "rod_c": _v("", _A, "film c", "Out-of-plane lattice parameter of the film."),
    "rod_c_std": _v("", _A, "film c std", "Standard error of rod_c."),
    "rod_gap": _v("", _A, "film-substrate gap", "Extra distance of film and substrate."),
    "rod_gap_std": _v("", _A, "film-substrate gap std", "Standard error of rod_gap."),
    "rod_scale": _v("", "1", "scale", "Counts per squared amplitude, from the fit of order 0."),
    "rod_coherent": _v("", "1", "coherent share", "Share of the film's amplitude that is in order 0."),
    "rod_resolution": _v("", _PER_A, "resolution along qz", "Standard deviation of the resolution along qz."),
    "rod_model": _v("row", "count/angstrom", "order 0, calculated", "Order 0 of the best thickness."),
    "rod_chi2": _v("", "1", "chi2 of order 0", "Misfit of order 0 per row."),
    "rod_summed": _v(
        "", "1", "scale by the sum", "Counts per squared amplitude, from the sum of all orders."
    ),
}

ORDERS: Schema = {
    "hkl": _v("reflection index", "1", "reflection", "Miller indices in the reference lattice.", "i"),
    "order": _v("order", "1", "satellite order", "n of the satellite at Gx + 2 pi n / period.", "i"),
    "qx": _v("reflection column", _PER_A, "qx", "Voxel centres of the map; NaN beyond its edge."),
    "qz": _v("reflection row", _PER_A, "qz", "Voxel centres of the map; NaN beyond its edge."),
    "intensity": _v(
        "reflection order row",
        "count/angstrom",
        "order intensity",
        "Satellite integrated over qx; NaN where not measured.",
    ),
    "variance": _v(
        "reflection order row",
        "count^2/angstrom^2",
        "order variance",
        "Variance of the order intensity, line fit included.",
    ),
    "held_out": _v(
        "reflection order row",
        "1",
        "held out",
        "Non-zero where the inversion does not see the value (free chi2).",
        "u",
    ),
    "line": _v(
        "reflection order column", _A, "line shape", "Unit-area line of the order, averaged over each voxel."
    ),
    "background": _v("reflection column row", _C, "background", "Fitted background under the orders."),
    "line_position": _v("reflection order", _PER_A, "line position", "Centre of the order along qx."),
    "line_width": _v(
        "reflection order", _PER_A, "line width", "Full width at half maximum of the order along qx."
    ),
    "line_width_std": _v("reflection order", _PER_A, "line width std", "Standard error of line_width."),
    "line_lorentz": _v(
        "reflection order", "1", "Lorentzian fraction", "Pseudo-Voigt mixing of the line, 1 is Lorentzian."
    ),
    "line_chi2": _v(
        "reflection", "1", "reduced chi2 of the line fit", "Weighted squared residual per degree of freedom."
    ),
    "scale": _v("reflection", "1", "relative scale", "Factor that multiplies the model of this reflection."),
    "energy": _v("reflection", "keV", "photon energy", "Energy of the incident beam."),
    "period": _v("", _A, "period", PERIOD),
    "period_std": _v("", _A, "period std", PERIOD_STD),
    "correlation_length": _v(
        "",
        _A,
        "correlation length",
        "In-plane length over which the texture keeps its phase, 2 / FWHM of order 1, resolution removed.",
    ),
    "correlation_length_std": _v("", _A, "correlation length std", "Standard error of correlation_length."),
    "in_plane": _v("", _A, "film in-plane lattice parameter", "From the position of order 0."),
    "in_plane_std": _v("", _A, "film in-plane lattice parameter std", "Standard error of in_plane."),
    "c": _v("", _A, "film mean out-of-plane lattice parameter", "From the film peak and fringes of order 0."),
    "c_std": _v("", _A, "film c std", "Standard error of c."),
    "thickness": _v("", _A, "film thickness", "From the fringes of order 0."),
    "thickness_std": _v("", _A, "film thickness std", "Standard error of thickness."),
    "gap": _v(
        "", _A, "film-substrate gap", "Extra distance between the last substrate and the first film plane."
    ),
    "gap_std": _v("", _A, "film-substrate gap std", "Standard error of gap."),
    "fringe_spacing": _v("", _PER_A, "fringe spacing", "2 pi / thickness."),
    "correlated_rows": _v(
        "reflection",
        "1",
        "correlated rows",
        "Neighbouring rows that share pixels, so that their mean is less certain by the root of this number.",
        optional=True,
    ),
    "resolution_qz": _v(
        "reflection", _PER_A, "resolution along qz", "Gaussian sigma of the instrument along qz."
    ),
    "temperature": _v("", "K", "temperature", "Sample temperature; NaN where unknown."),
}

REFERENCE: Schema = {
    "z": _v("z", _A, "z", "Lower face of every plane of cells above the substrate interface."),
    "spacing": _v("z", _A, "plane spacing", "Reference c of every plane of cells."),
    "layer": _v("z", "1", "layer", "Layer of the recipe's stack that the plane belongs to.", "i"),
    "in_plane": _v(
        "", _A, "reference in-plane lattice parameter", "In-plane lattice parameter of the recipe."
    ),
    "c": _v("", _A, "film mean out-of-plane lattice parameter", "Mean over temperatures of the fitted c."),
    "thickness": _v("", _A, "reference thickness", "Sum of the spacings."),
    "thickness_std": _v(
        "",
        _A,
        "reference thickness std",
        "From chi2 of films some planes thinner and thicker, with the texture relaxed in each.",
        optional=True,
    ),
    "period": _v("", _A, "period", "Mean over temperatures of the fitted period."),
}

TRIAL: Schema = {
    "harmonics": _v("", "1", "harmonics", "Number K of harmonics in x.", "i"),
    "polynomials": _v("", "1", "polynomials", "Number M of polynomials through the film.", "i"),
    "tie": _v(
        "",
        "1",
        "tie of displacement to polarization",
        "none, or the displacement is the one in mechanical equilibrium with the polarization, but for a small correction: "
        "layers with the stiffness of their own materials, or all planes with the mean one.",
        "U",
    ),
    "cost": _v("", "1", "cost", "Lowest chi2 per fitted point of a few starts."),
    "free_cost": _v("", "1", "free cost", "chi2 per held-out point of that start."),
    "free_points": _v("", "1", "held-out points", "Number of held-out order intensities.", "i"),
}

MODE_CHOICE: Schema = {
    "harmonics": TRIAL["harmonics"],
    "polynomials": TRIAL["polynomials"],
    "tie": TRIAL["tie"],
    "pilot_tie": _v("pilot", "1", "tie of each pilot", TRIAL["tie"].comment, "U"),
    "pilot_free_cost": _v(
        "pilot",
        "1",
        "free cost of each pilot",
        "Lowest chi2 per held-out point of a few starts with few modes.",
    ),
    "trial_harmonics": _v("trial", "1", "harmonics tried", "Number K of harmonics of each trial.", "i"),
    "trial_polynomials": _v("trial", "1", "polynomials tried", "Number M of polynomials of each trial.", "i"),
    "trial_cost": _v("trial", "1", "cost of each trial", "Lowest chi2 per fitted point of a few starts."),
    "trial_free_cost": _v("trial", "1", "free cost of each trial", "chi2 per held-out point of that start."),
}

SETTLED: Schema = {
    "hkl": _v("reflection index", "1", "reflection", "Miller indices in the reference lattice.", "i"),
    "cost_fitted": _v("reflection", "1", "chi2 fitted", "chi2 per point of each reflection, its scale free."),
    "motif": _v(
        "field x z",
        "1",
        "motif",
        "Displacement (angstrom), then polarization (C/m^2), of the answer; not there without one.",
        optional=True,
    ),
    "gap": _v("", _A, "film-substrate gap", "Extra distance of film and substrate.", optional=True),
}

LEFT_OUT: Schema = {
    "hkl": _v("index", "1", "hkl", "Reflection that is left out, in the reference lattice.", "i"),
    "cost_fitted": _v(
        "", "1", "cost fitted", "chi2 per point of the reflection with the answer, its scale free."
    ),
    "cost_left_out": _v(
        "",
        "1",
        "cost left out",
        "chi2 per point of the reflection predicted by the answer relaxed onto the others, from where all had put it: what the "
        "others do not determine keeps what this one had said.",
    ),
    "worst_order": _v(
        "",
        "1",
        "worst order",
        "Order n of the reflection whose prediction misses by most per point; NaN where none.",
    ),
    "points": _v("", "1", "points", "Satellite values of the reflection.", "i"),
}

RESULT_LEFT_OUT: Schema = {
    "hkl": _v("reflection index", "1", "hkl", "Reflection that is left out, in the reference lattice.", "i"),
    **{
        name: _v("temperature reflection", "1", LEFT_OUT[name].long_name, LEFT_OUT[name].comment)
        for name in ("cost_fitted", "cost_left_out", "worst_order")
    },
}

SOLUTIONS: Schema = {
    "tie": MODE_CHOICE["tie"],
    "x": _v("x", "1", "x", "Position along the modulation as a fraction of one period."),
    "z": _v("z", _A, "z", "Lower face of every plane of cells above the substrate interface."),
    "start": _v(
        "start", "1", "start", "Number of the start; with the recipe's seed it fixes the random numbers.", "i"
    ),
    "axis": _v("field axis", "1", "direction of the field", "Unit vector (x, z) of each determined field."),
    "field": _v(
        "start field x z",
        _A,
        "displacement field",
        "Displacement along each determined direction, mean zero.",
    ),
    "field_std": _v(
        "start field x z", _A, "displacement field std", "From the curvature of the cost at the solution."
    ),
    "polar_axis": _v(
        "polar axis", "1", "direction of the polarization", "Unit vector (x, z) of each.", optional=True
    ),
    "polar": _v(
        "start polar x z", _P, "polarization", "Polarization along each determined direction.", optional=True
    ),
    "polar_std": _v(
        "start polar x z",
        _P,
        "polarization std",
        "From the curvature of the cost at the solution.",
        optional=True,
    ),
    "slope_std": _v(
        "start field axis x z",
        "1",
        "std of the field's gradient",
        "Of d/dx and d/dz, from the same curvature.",
    ),
    "model": _v(
        "start reflection order row", "count/angstrom", "calculated order intensity", "Of this solution."
    ),
    "cost": _v("start", "1", "cost", "chi2 per fitted point."),
    "free_cost": _v("start", "1", "free cost", "chi2 per held-out point."),
    "determined": _v(
        "start", "1", "determined share", "Share of the field's variance that the data, not the prior, fix."
    ),
    "gap": _v("start", _A, "film-substrate gap", "As refined with the texture."),
    "log_scale": _v(
        "start reflection", "1", "log of the scale", "Against the first guess of each reflection."
    ),
    "iterations": _v("start", "1", "iterations", "Steps taken.", "i"),
    "outcome": _v(
        "start", "1", "outcome", "converged, stalled, out of steps, abandoned or not determined.", "U"
    ),
}

CLUSTERS: Schema = {
    "x": SOLUTIONS["x"],
    "z": SOLUTIONS["z"],
    "axis": SOLUTIONS["axis"],
    "start": SOLUTIONS["start"],
    "label": _v(
        "start", "1", "cluster", "Cluster of the start, 0 is the best; -1 where the start failed.", "i"
    ),
    "cost": SOLUTIONS["cost"],
    "free_cost": SOLUTIONS["free_cost"],
    "iterations": SOLUTIONS["iterations"],
    "outcome": SOLUTIONS["outcome"],
    "weight": _v("cluster", "1", "weight", "Share of the successful starts that ended in the cluster."),
    "cluster_cost": _v("cluster", "1", "cost", "chi2 per fitted point of the representative."),
    "cluster_free_cost": _v("cluster", "1", "free cost", "chi2 per held-out point of the representative."),
    "spread": _v("cluster", "1", "spread", "Mean nrmse of the members against the representative."),
    "field": _v(
        "cluster field x z",
        _A,
        "displacement field",
        "Of the cluster's representative, aligned with cluster 0.",
    ),
    "field_std": _v(
        "field x z", _A, "displacement field std", "Of cluster 0: curvature and spread of its members."
    ),
    "polar_axis": SOLUTIONS["polar_axis"],
    "polar": _v(
        "cluster polar x z",
        _P,
        "polarization",
        "Of the cluster's representative, aligned alike.",
        optional=True,
    ),
    "polar_std": _v(
        "polar x z",
        _P,
        "polarization std",
        "Of cluster 0: curvature and spread of its members.",
        optional=True,
    ),
    "slope_std": _v(
        "field axis x z", "1", "std of the field's gradient", "Of cluster 0, from the curvature."
    ),
    "model": _v("reflection order row", "count/angstrom", "calculated order intensity", "Of cluster 0."),
    "determined": _v(
        "", "1", "determined share", "Share of the answer's variance that the data, not the prior, fix."
    ),
    "gap": _v("", _A, "film-substrate gap", "Of cluster 0."),
    "inversion_delta_cost": _v(
        "", "1", "cost of the inverse", "chi2 of the inverted, relaxed motif minus that of the answer."
    ),
}

_T = "temperature"
RESULT_MAP: Schema = {
    "intensity": _v(
        f"{_T} qx qz",
        _C,
        "measured intensity",
        "Mean counts of the pixels that fell into the voxel; NaN where not measured.",
    ),
    "variance": _v(f"{_T} qx qz", "count^2", "variance of the intensity", "Counting variance of intensity."),
    "mask": _v(f"{_T} qx qz", "1", "mask", "Non-zero where the voxel was not measured.", "u"),
    "model": _v(
        f"{_T} qx qz",
        _C,
        "calculated intensity",
        "Map calculated from /texture, with fitted line shapes and background.",
    ),
    "contributions": _v(
        f"{_T} qx qz", "1", "contributing pixels", "Weighted number of pixels in the voxel.", optional=True
    ),
    "qx": MAP["qx"],
    "qz": MAP["qz"],
}

RESULT_ORDERS: Schema = {
    "qz": MAP["qz"],
    "order": ORDERS["order"],
    "intensity": _v(
        f"{_T} order qz",
        "count/angstrom",
        "measured order intensity",
        "Satellite integrated over qx; NaN where not measured.",
    ),
    "variance": _v(
        f"{_T} order qz", "count^2/angstrom^2", "order variance", "Variance of the order intensity."
    ),
    "model": _v(
        f"{_T} order qz",
        "count/angstrom",
        "calculated order intensity",
        "Order intensity calculated from /texture.",
    ),
    "held_out": _v(
        f"{_T} order qz",
        "1",
        "held out",
        "Non-zero where the inversion did not see the value (free chi2).",
        "u",
    ),
    "line_position": _v(f"{_T} order", _PER_A, "line position", "Centre of the order along qx."),
    "line_width": _v(
        f"{_T} order", _PER_A, "line width", "Full width at half maximum of the order along qx."
    ),
    "line_width_std": _v(f"{_T} order", _PER_A, "line width std", "Standard error of line_width."),
    "line_lorentz": _v(
        f"{_T} order", "1", "Lorentzian fraction", "Pseudo-Voigt mixing of the line, 1 is Lorentzian."
    ),
}

RESULT_SOLUTIONS: Schema = {
    "cost": _v(f"{_T} start", "1", "cost", "Weighted squared residual per working point (chi2 per point)."),
    "free_cost": _v(f"{_T} start", "1", "free cost", "The same over held-out points (free chi2 per point)."),
    "cluster": _v(
        f"{_T} start", "1", "cluster", "Cluster of the start, 0 is the best; -1 where the start failed.", "i"
    ),
    "iterations": _v(f"{_T} start", "1", "iterations", "Steps taken.", "i"),
    "outcome": _v(
        f"{_T} start", "1", "outcome", "converged, stalled, out of steps, abandoned or not determined.", "U"
    ),
    "harmonics": _v(
        f"{_T} start", "1", "harmonics", "Number K of harmonics in x that the start used.", "i", True
    ),
    "seed": _v(
        "start", "1", "seed", "Number of the start; with the recipe's seed it fixes the random numbers.", "i"
    ),
}

_FIELD = f"{_T} component x z"
RESULT_CLUSTERS: Schema = {
    "weight": _v(
        f"{_T} cluster",
        "1",
        "weight",
        "Share of the successful starts that ended in the cluster; NaN beyond the last.",
    ),
    "cost": _v(f"{_T} cluster", "1", "cost", "Lowest cost in the cluster."),
    "free_cost": _v(
        f"{_T} cluster", "1", "free cost", "Free chi2 per held-out point of the cluster's representative."
    ),
    "spread": _v(f"{_T} cluster", "1", "spread", "Mean nrmse of the members against the representative."),
    "displacement": _v(
        f"{_T} cluster component x z", _A, "displacement", "Displacement of the cluster's representative."
    ),
    "polarization": _v(
        f"{_T} cluster component x z", _P, "polarization", "Polarization of the cluster's representative."
    ),
    "displacement_along_q": _v(
        f"{_T} cluster x z",
        _A,
        "displacement along Q",
        "Displacement along Q where one direction of Q was measured.",
        optional=True,
    ),
}

RESULT_TEXTURE: Schema = {
    "displacement": _v(
        _FIELD,
        _A,
        "displacement",
        "Displacement from the reference lattice, mean over the motif zero; NaN where not determined.",
    ),
    "displacement_std": _v(_FIELD, _A, "displacement std", "Standard deviation of displacement."),
    "polarization": _v(_FIELD, _P, "polarization", "Polarization; NaN where not determined."),
    "polarization_std": _v(_FIELD, _P, "polarization std", "Standard deviation of polarization."),
    "strain": _v(
        f"{_T} strain_component x z",
        "1",
        "strain",
        "Symmetric gradient of displacement; NaN where not determined.",
    ),
    "strain_std": _v(f"{_T} strain_component x z", "1", "strain std", "Standard deviation of strain."),
    "rotation": _v(
        f"{_T} x z", "rad", "rotation", "Lattice rotation (du_x/dz - du_z/dx) / 2; NaN where not determined."
    ),
    "displacement_along_q": _v(
        f"{_T} x z",
        _A,
        "displacement along Q",
        "Q.u / |Q| where one direction of Q was measured, mean zero.",
        optional=True,
    ),
    "displacement_along_q_std": _v(
        f"{_T} x z",
        _A,
        "displacement along Q std",
        "Standard deviation of displacement_along_q.",
        optional=True,
    ),
    "gradient_along_q": _v(
        f"{_T} component x z",
        "1",
        "gradient of the displacement along Q",
        "d(u_q)/dx and d(u_q)/dz: the part of strain and rotation that one reflection fixes.",
        optional=True,
    ),
    "gradient_along_q_std": _v(
        f"{_T} component x z",
        "1",
        "gradient along Q std",
        "Standard deviation of gradient_along_q.",
        optional=True,
    ),
    "period": _v(_T, _A, "period", PERIOD),
    "period_std": _v(_T, _A, "period std", PERIOD_STD),
    "thickness": _v(_T, _A, "film thickness", "Film thickness."),
    "thickness_std": _v(_T, _A, "film thickness std", "Standard error of thickness."),
    "correlation_length": _v(
        _T, _A, "correlation length", "In-plane length over which the texture keeps its phase."
    ),
    "c": _v(_T, _A, "film mean out-of-plane lattice parameter", "From the film peak and fringes."),
    "c_std": _v(_T, _A, "film c std", "Standard error of c."),
    "gap": _v(
        _T, _A, "film-substrate gap", "Extra distance between the last substrate and the first film plane."
    ),
    "gap_std": _v(_T, _A, "film-substrate gap std", "Standard error of gap."),
    "determined": _v(
        _T, "1", "determined share", "Share of the answer's variance that the data, not the prior, fix."
    ),
    "cost": _v(_T, "1", "cost", "chi2 per working point of the answer."),
    "free_cost": _v(_T, "1", "free cost", "chi2 per held-out point of the answer."),
    "amplitude_correlation": _v(
        f"{_T}",
        "1",
        "amplitude correlation",
        "Correlation of measured and calculated sqrt(intensity) over measured voxels.",
    ),
    "x_shift": _v(
        _T,
        "1",
        "shift along x",
        "Periods by which the motif was moved along x to lie on that of the temperature with the strongest texture.",
        optional=True,
    ),
    "x": _v("x", "1", "x", "Position along the modulation as a fraction of one period."),
    "x_position": _v(f"{_T} x", _A, "x", "Position along the modulation."),
    "z": _v("z", _A, "z", "Height above the substrate interface."),
    "temperature": _v(_T, "K", "temperature", "Sample temperature; NaN where unknown."),
}


def _one_temperature(schema: Schema, leave_out: tuple[str, ...] = ()) -> Schema:
    """The same variables without the dim temperature: what a stage of one temperature hands on."""
    return {
        name: Variable(
            tuple(d for d in v.dims if d != _T), v.units, v.long_name, v.comment, v.kind, v.optional
        )
        for name, v in schema.items()
        if name not in leave_out
    }


TEXTURE: Schema = _one_temperature(RESULT_TEXTURE, ("amplitude_correlation",))


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
TRUTH: Schema = _one_temperature(RESULT_TRUTH)

MOTIF: Schema = {
    "displacement": _v(
        "axis x y z",
        _A,
        "displacement",
        "Displacement x, y, z of every plane of cells from the reference lattice.",
    ),
    "polarization": _v(
        "axis x y z",
        _P,
        "polarization",
        "Polarization x, y, z of every plane of cells; NaN where the texture is not polar.",
    ),
    "periods": _v("plane_axis", _A, "periods", "Lengths of the motif along x and y."),
    "z": RESULT_TEXTURE["z"],
}

BRIGHT: Schema = {
    "qx": MAP["qx"],
    "qz": MAP["qz"],
    "intensity": _v(
        "qx qz",
        "angstrom",
        "brightness",
        "Squared amplitude in electrons times the density of its line, at unit flux.",
    ),
    "mask": MAP["mask"],
    "hkl": MAP["hkl"],
}

_C1 = f"{_T} component"
SCORE: Schema = {
    "nrmse": _v(
        _C1,
        "1",
        "nrmse",
        "rms(result - truth) / std(truth) of displacement, after the ambiguities that remain.",
    ),
    "correlation": _v(_C1, "1", "correlation", "Correlation of displacement and truth, aligned alike."),
    "coverage": _v(
        _C1,
        "1",
        "coverage",
        "Share of points whose true displacement lies within one standard deviation; 0.68 is calibrated.",
    ),
    "polarization_nrmse": _v(
        _C1,
        "1",
        "polarization nrmse",
        "rms(result - truth) / std(truth) of polarization, aligned with the displacement.",
    ),
    "polarization_correlation": _v(
        _C1, "1", "polarization correlation", "Correlation of polarization and truth, aligned alike."
    ),
    "polarization_coverage": _v(
        _C1,
        "1",
        "polarization coverage",
        "Share of points whose true polarization lies within one standard deviation; 0.68 is calibrated.",
    ),
    "along_q_nrmse": _v(
        _T,
        "1",
        "nrmse along Q",
        "rms(result - truth) / std(truth) of the displacement along the one direction of Q.",
        optional=True,
    ),
    "along_q_correlation": _v(
        _T, "1", "correlation along Q", "Correlation of that displacement and its truth.", optional=True
    ),
    "along_q_coverage": _v(
        _T,
        "1",
        "coverage along Q",
        "Share of points whose true displacement along Q lies within one standard deviation; NaN without one.",
        optional=True,
    ),
    "period_error": _v(_T, "percent", "period error", "Period against the truth."),
    "thickness_error": _v(_T, "percent", "thickness error", "Thickness against the truth."),
    "wall_error": _v(
        _T, "nm", "wall error", "rms distance along x of walls from the true ones; NaN where none are found."
    ),
    "walls": _v(_T, "1", "walls", "What was taken for a wall, or why none was found.", "U"),
    "success_rate": _v(
        _T,
        "1",
        "success rate",
        "Share of the starts with a mean nrmse below 0.3; NaN where there were no starts.",
    ),
    "temperature": RESULT_TEXTURE["temperature"],
}


_TW = f"{_T} wall"
_DRAWN = "Standard deviation over fields drawn within theirs."
DOMAINS: Schema = {
    "domain": _v(
        f"{_T} x z",
        "1",
        "domain",
        "Index into `state` of the domain of each point; NaN where not determined.",
    ),
    "state": _v(
        "state", "1", "state", "Direction of P, or the level of the strain that the domains are told by.", "U"
    ),
    "area_fraction": _v(
        f"{_T} state",
        "1",
        "area fraction",
        "Share of the motif's area in each state, of the points whose state is known.",
    ),
    "area_fraction_std": _v(f"{_T} state", "1", "area fraction std", _DRAWN),
    "duty": _v(_T, "1", "duty", "Share of the domain that takes most area; points in no domain left out."),
    "duty_std": _v(_T, "1", "duty std", _DRAWN),
    "wall_rising": _v(_TW, "1", "sense of the wall", "1 where the field grows along x at the wall, else -1."),
    "wall_position": _v(
        f"{_TW} z",
        _A,
        "wall position",
        "Where the wall is along x at each height, within one period; NaN where it is not determined.",
    ),
    "wall_position_std": _v(f"{_TW} z", _A, "wall position std", _DRAWN),
    "wall_width_profile": _v(
        f"{_TW} z",
        _A,
        "wall width at each height",
        "w of a fit of tanh(2 s / w), s across the wall; no narrower than the finest harmonic of the motif.",
    ),
    "wall_width_profile_std": _v(f"{_TW} z", _A, "wall width at each height std", _DRAWN),
    "wall_mean_position": _v(
        _TW,
        _A,
        "mean wall position",
        "Place along x, at half the height, of a straight line through the wall.",
    ),
    "wall_mean_position_std": _v(_TW, _A, "mean wall position std", _DRAWN),
    "wall_spread": _v(
        _TW, _A, "spread of the wall", "rms distance along x of the wall from its straight line."
    ),
    "wall_spread_std": _v(_TW, _A, "spread of the wall std", _DRAWN),
    "wall_inclination": _v(
        _TW,
        _DEG,
        "inclination of the wall",
        "Angle of its straight line from the film normal, positive towards +x with height.",
    ),
    "wall_inclination_std": _v(_TW, _DEG, "inclination of the wall std", _DRAWN),
    "wall_width": _v(_TW, _A, "wall width", "Median over the heights of wall_width_profile."),
    "wall_width_std": _v(_TW, _A, "wall width std", _DRAWN),
    "vorticity": _v(
        f"{_T} x z",
        "C/m^3",
        "vorticity of the polarization",
        "(curl P)_y = dP_x/dz - dP_z/dx, positive turns z towards x; NaN unless P_x and P_z are determined.",
    ),
    "layer_bottom": _v(
        "layer", _A, "lower face of the layer", "Layers of one material, from the substrate up."
    ),
    "layer_top": _v("layer", _A, "upper face of the layer", "Layers of one material, from the substrate up."),
    "layer_vortices": _v(
        f"{_T} layer",
        "1",
        "vortices",
        "Cores of winding number +1 in one period of the layer; NaN where P is not determined or below its error.",
    ),
    "layer_antivortices": _v(
        f"{_T} layer", "1", "antivortices", "Cores of winding number -1 in one period of the layer."
    ),
    "layer_confidence": _v(
        f"{_T} layer",
        "1",
        "confidence of the cores",
        "Share of the fields drawn within their standard deviations that have as many cores of either kind.",
    ),
    "core_x": _v(f"{_T} core", _A, "core along x", "Where a vortex or antivortex is; NaN beyond the last."),
    "core_x_std": _v(f"{_T} core", _A, "core along x std", _DRAWN),
    "core_z": _v(f"{_T} core", _A, "height of the core", "Height of a vortex or antivortex."),
    "core_z_std": _v(f"{_T} core", _A, "height of the core std", _DRAWN),
    "core_winding": _v(
        f"{_T} core",
        "1",
        "winding number",
        "Turns of P around the core: 1 for a vortex of either sense, else -1.",
    ),
    "core_circulation": _v(
        f"{_T} core",
        "C/m",
        "circulation",
        "Integral of the vorticity over the part of the layer nearest to the core; its sign is the sense of rotation.",
    ),
    "core_circulation_std": _v(f"{_T} core", "C/m", "circulation std", _DRAWN),
    "core_layer": _v(f"{_T} core", "1", "layer of the core", "Number of the layer, 0 at the substrate."),
    "z": RESULT_TEXTURE["z"],
    "x": RESULT_TEXTURE["x"],
    "temperature": RESULT_TEXTURE["temperature"],
}

_J = "J/m^3"
_MEAN = "Mean over the points of the motif where it is known."
ENERGY: Schema = {
    "elastic": _v(
        f"{_T} x z",
        _J,
        "elastic energy density",
        "C e e / 2, e the strain from the reference lattice less the varying part of the eigenstrain of P; no misfit.",
    ),
    "landau": _v(
        f"{_T} x z",
        _J,
        "Landau energy density",
        "Landau polynomial of P at zero stress, at the sample's temperature, or 298.15 K where unknown; P_y is taken as 0.",
    ),
    "gradient": _v(
        f"{_T} x z",
        _J,
        "gradient energy density",
        "Gradient energy of P_x and P_z in the plane; P_y is taken as 0.",
    ),
    **{
        name: _v(_T, _J, f"mean {long} energy density", text)
        for part, long in (("elastic", "elastic"), ("landau", "Landau"), ("gradient", "gradient"))
        for name, text in ((f"{part}_mean", _MEAN), (f"{part}_mean_std", _DRAWN))
    },
    "z": RESULT_TEXTURE["z"],
    "x": RESULT_TEXTURE["x"],
    "temperature": RESULT_TEXTURE["temperature"],
}

_CAUTIOUS = "If all points err together, the cautious limit."
SERIES: Schema = {
    "order_parameter": _v(
        _T,
        "1",
        "order parameter",
        "Amplitude of the strongest determined component over its largest value in the series.",
    ),
    "order_parameter_std": _v(_T, "1", "order parameter std", _CAUTIOUS),
    "order_fit": _v(
        _T,
        "1",
        "fitted order parameter",
        "The curve chosen: constant, straight line, power law, mean field or step.",
    ),
    "satellite_amplitude": _v(
        _T,
        "1",
        "satellite amplitude",
        "Root of the satellites' share of all orders, mean over reflections: an order parameter without an inversion.",
    ),
    "satellite_amplitude_std": _v(_T, "1", "satellite amplitude std", "From the variance of the orders."),
    "satellite_fit": _v(
        _T,
        "1",
        "fitted satellite amplitude",
        "The curve chosen: constant, straight line, power law, mean field or step.",
    ),
    "satellite_transition_temperature": _v(
        "",
        "K",
        "transition temperature of the satellites",
        "Of the curve chosen for satellite_amplitude; else NaN.",
    ),
    "satellite_transition_temperature_std": _v(
        "", "K", "transition temperature of the satellites std", "Spread of the temperatures that fit."
    ),
    "strain_amplitude": _v(
        _T,
        "1",
        "strain amplitude",
        "rms over the motif of the strongest determined strain, rotation or gradient along Q less its mean along x.",
    ),
    "strain_amplitude_std": _v(_T, "1", "strain amplitude std", _CAUTIOUS),
    "polarization_amplitude": _v(
        _T,
        _P,
        "polarization amplitude",
        "rms over the motif of the strongest determined component of P less its mean along x.",
    ),
    "polarization_amplitude_std": _v(_T, _P, "polarization amplitude std", _CAUTIOUS),
    "polarization_rms": _v(_T, _P, "rms polarization", "rms of |P| over the motif, of the components known."),
    "polarization_rms_std": _v(_T, _P, "rms polarization std", _CAUTIOUS),
    "period": RESULT_TEXTURE["period"],
    "period_std": RESULT_TEXTURE["period_std"],
    "mean_strain": _v(
        f"{_T} strain_component",
        "1",
        "mean strain",
        "Film lattice over the reference lattice less one (xx, zz); mean of the motif's shear (xz).",
    ),
    "mean_strain_std": _v(
        f"{_T} strain_component",
        "1",
        "mean strain std",
        "From the standard errors of the lattice parameters.",
    ),
    "wall_width": _v(_T, _A, "wall width", "Mean over the walls of /domains."),
    "wall_width_std": _v(_T, _A, "wall width std", "Walls taken as independent."),
    "duty": DOMAINS["duty"],
    "duty_std": DOMAINS["duty_std"],
    "transition_temperature": _v(
        "", "K", "transition temperature", "Of the curve chosen; NaN where the series shows no transition."
    ),
    "transition_temperature_std": _v(
        "",
        "K",
        "transition temperature std",
        "Spread of the temperatures that fit, the curve taken as given.",
    ),
    "order_exponent": _v(
        "", "1", "exponent", "beta of b + a (1 - T/Tc)^beta, 0.5 for a mean field; NaN for other curves."
    ),
    "temperature": RESULT_TEXTURE["temperature"],
}


_SECOND: Schema = {
    "y": _v("y", "1", "y", "Position along the second direction of the plane as a fraction of its period."),
    "qy": _v("qy", _PER_A, "qy", "In-plane momentum transfer across qx, voxel centres."),
}


def in_volume(schema: Schema) -> dict[str, Variable]:
    """The same variables of a texture that is periodic along x and y: an axis y beside x, qy beside qx, integrals over both."""
    found: dict[str, Variable] = {}
    for name, v in schema.items():
        dims = " ".join(v.dims).replace("x z", "x y z").replace("qx qz", "qx qy qz").split()
        units = _PER_AREA.get(v.units, v.units)
        found[name] = Variable(tuple(dims), units, v.long_name, v.comment, v.kind, v.optional)
    first = {"y": "x", "qy": "qx"}
    axes = {n: _SECOND[n] for n, other in first.items() if other in schema and schema[other].dims == (other,)}
    return found | axes


VOLUME_ORDERS: Schema = {
    **in_volume(ORDERS),
    "order_y": _v(
        "order", "1", "satellite order along y", "m of the satellite at Gy + 2 pi m / period_y.", "i"
    ),
    "qy": _v("reflection column_y", _PER_A, "qy", "Voxel centres of the map; NaN beyond its edge."),
    "line_y": _v(
        "reflection order column_y", _A, "line shape along qy", "Unit-area line, averaged over each voxel."
    ),
    "band": _v(
        "reflection column_y", "1", "band", "Order along qy, from the lowest up, whose background holds.", "i"
    ),
    "background": _v(
        "reflection band_number column row",
        _C,
        "background",
        "Fitted background of a voxel in each band of qy.",
    ),
    "line_position_y": _v("reflection order", _PER_A, "line position along qy", "Centre along qy."),
    "line_width_y": _v(
        "reflection order", _PER_A, "line width along qy", "Full width at half maximum along qy."
    ),
    "period_y": _v("", _A, "period along y", "In-plane period of the texture along y."),
    "period_y_std": _v("", _A, "period along y std", "Standard error of period_y."),
    "correlation_length_y": _v(
        "", _A, "correlation length along y", "Length along y over which the texture keeps its phase."
    ),
}
VOLUME_SOLUTIONS: Schema = in_volume(SOLUTIONS)
VOLUME_CLUSTERS: Schema = in_volume(CLUSTERS)
VOLUME_RESULT_MAP: Schema = in_volume(RESULT_MAP)


def _on_two_axes(schema: Schema) -> Schema:
    """Variables of every order (n, m) on two axes instead of one."""
    return {
        name: Variable(
            tuple(" ".join(v.dims).replace("order", "order order_y").split()) if name != "order" else v.dims,
            v.units,
            v.long_name,
            v.comment,
            v.kind,
            v.optional,
        )
        for name, v in schema.items()
    }


VOLUME_RESULT_ORDERS: Schema = {
    **_on_two_axes(in_volume(RESULT_ORDERS)),
    "qz": MAP["qz"],
    "order_y": _v(
        "order_y", "1", "satellite order along y", "m of the satellite at Gy + 2 pi m / period_y.", "i"
    ),
    **{
        name: _v(f"{_T} order order_y", _PER_A, VOLUME_ORDERS[name].long_name, VOLUME_ORDERS[name].comment)
        for name in ("line_position_y", "line_width_y")
    },
}
VOLUME_RESULT_CLUSTERS: Schema = in_volume(RESULT_CLUSTERS)
VOLUME_RESULT_TEXTURE: Schema = {
    **in_volume(RESULT_TEXTURE),
    "rotation": _v(
        f"{_T} component x y z",
        "rad",
        "rotation",
        "Lattice rotation about x, y, z; about y (du_x/dz - du_z/dx) / 2, the others in turn; NaN where not determined.",
    ),
    "y_position": _v(f"{_T} y", _A, "y position", "y times the period along y."),
    "y_shift": _v(_T, "1", "shift along y", "As x_shift, along y.", optional=True),
    **{
        name: _v(_T, _A, VOLUME_ORDERS[name].long_name, VOLUME_ORDERS[name].comment)
        for name in ("period_y", "period_y_std", "correlation_length_y")
    },
}
VOLUME_TEXTURE: Schema = _one_temperature(VOLUME_RESULT_TEXTURE, ("amplitude_correlation",))

DIRECTIONS: Schema = {
    "both": _v(
        "",
        "1",
        "periodic in both directions",
        "1 where a comb of satellites stands along qy too, else 0.",
        "i",
    ),
}


def labelled(values: Mapping[str, Any], schema: Schema, attrs: Mapping[str, Any] | None = None) -> xr.Dataset:
    """Dataset with dims, units, long_name and comment put on plain arrays; values may leave out optional variables."""
    unknown = set(values) - set(schema)
    if unknown:
        raise SchemaError(f"variables that schema.py does not list: {sorted(unknown)}")
    data = {}
    for name, value in values.items():
        entry = schema[name]
        array = np.asarray(value, dtype=object if entry.kind == "U" else None)
        data[name] = xr.Variable(entry.dims, array, _attrs(entry))
    coords = {name: v for name, v in data.items() if v.dims == (name,)}
    rest = {name: v for name, v in data.items() if name not in coords}
    return check(xr.Dataset(rest, coords, dict(attrs or {})), schema)


def check(dataset: xr.Dataset, schema: Schema) -> xr.Dataset:
    """The same dataset if every variable has the dims, kind and units that the schema says; SchemaError otherwise."""
    for name, entry in schema.items():
        if name not in dataset.variables:
            if entry.optional:
                continue
            raise SchemaError(f"{name}: required, not there")
        variable = dataset[name]
        if variable.dims != entry.dims:
            raise SchemaError(f"{name}: dims must be {entry.dims}, got {variable.dims}")
        if variable.attrs.get("units") != entry.units:
            raise SchemaError(f"{name}: units must be {entry.units!r}, got {variable.attrs.get('units')!r}")
        kind = "U" if variable.dtype.kind in "OUT" else variable.dtype.kind
        if kind != entry.kind:
            raise SchemaError(f"{name}: dtype kind must be {entry.kind!r}, got {variable.dtype}")
    return dataset


def _attrs(entry: Variable) -> dict[str, str]:
    return {"units": entry.units, "long_name": entry.long_name, "comment": entry.comment}
