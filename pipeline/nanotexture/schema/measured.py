"""Scans, maps, the orders taken from them and the reference lattice."""

from __future__ import annotations

from nanotexture.schema.variables import ANGSTROM, COUNT, DEGREE, PER_ANGSTROM, Schema, variable

PERIOD = "In-plane period of the texture: the mean over the film."

PERIOD_STD = (
    "Standard error of period: from the satellites' positions, and from the finitely many periods that scatter, whose lengths "
    "spread as the satellites' widths say (100 coherent regions taken to be lit: the maps do not say how many)."
)

SCAN: Schema = {
    "counts": variable(
        "line point", COUNT, "detected counts", "Counts as detected, before any attenuation factor."
    ),
    "attenuation": variable(
        "line point", "1", "attenuation factor", "Factor that turns detected into incident counts."
    ),
    "seconds": variable(
        "line point", "s", "counting time", "Counting time of one point; NaN where not recorded."
    ),
    "omega": variable("line point", DEGREE, "omega", "Angle of incidence as recorded, before offsets."),
    "two_theta": variable("line point", DEGREE, "two theta", "Detector angle as recorded, before offsets."),
    "wavelength": variable("", ANGSTROM, "wavelength", "X-ray wavelength written in the file."),
    "oversampling": variable(
        "", "1", "oversampling", "Recorded points per independent detector element (variance inflation)."
    ),
}

ALIGNMENT: Schema = {
    "omega_offset": variable(
        "", DEGREE, "omega offset", "Recorded minus true omega, from the substrate peak."
    ),
    "omega_offset_std": variable("", DEGREE, "omega offset std", "Standard error of omega_offset."),
    "two_theta_offset": variable(
        "", DEGREE, "two theta offset", "Recorded minus true two theta, from the substrate peak."
    ),
    "two_theta_offset_std": variable(
        "", DEGREE, "two theta offset std", "Standard error of two_theta_offset."
    ),
}

MAP: Schema = {
    "qx": variable(
        "qx", PER_ANGSTROM, "qx", "In-plane momentum transfer along the modulation, voxel centres."
    ),
    "qz": variable("qz", PER_ANGSTROM, "qz", "Momentum transfer along the film normal, voxel centres."),
    "intensity": variable("qx qz", COUNT, "intensity", "Mean counts of the pixels that fell into the voxel."),
    "variance": variable("qx qz", "count^2", "variance of the intensity", "Counting variance of intensity."),
    "mask": variable("qx qz", "1", "mask", "Non-zero where the voxel was not measured.", "u"),
    "contributions": variable(
        "qx qz", "1", "contributing pixels", "Weighted number of pixels in the voxel.", optional=True
    ),
    "hkl": variable("index", "1", "reflection", "Miller indices in the reference lattice.", "i"),
    "temperature": variable("", "K", "temperature", "Sample temperature; NaN where unknown."),
    "energy": variable("", "keV", "photon energy", "Energy of the incident beam."),
    "scale": variable("", "1", "relative scale", "Factor that multiplies the model of this reflection."),
}

THICKNESS_SCAN: Schema = {
    "two_theta": variable("point", DEGREE, "two theta", "Detector angle as recorded."),
    "qz": variable(
        "point", PER_ANGSTROM, "qz", "Momentum transfer along the film normal after the offset fit."
    ),
    "intensity": variable("point", COUNT, "intensity", "Counts with the attenuation factor applied."),
    "model": variable("point", COUNT, "model intensity", "Film and substrate rod added as amplitudes."),
    "thickness": variable(
        "", ANGSTROM, "film thickness", "Thickness from the fringes of the symmetric scan."
    ),
    "thickness_std": variable("", ANGSTROM, "film thickness std", "Standard error of thickness."),
    "c": variable("", ANGSTROM, "film out-of-plane lattice parameter", "Film c from the symmetric scan."),
    "c_std": variable("", ANGSTROM, "film c std", "Standard error of c."),
}

_COMB: Schema = {
    "centre": variable(
        "reflection", PER_ANGSTROM, "centre of order 0", "qx of order 0; NaN where the map has no comb."
    ),
    "spacing": variable(
        "reflection", PER_ANGSTROM, "spacing of the satellites", "Distance of the orders along qx."
    ),
    "width0": variable(
        "reflection", PER_ANGSTROM, "width of order 0", "Full width at half maximum of order 0."
    ),
    "width1": variable(
        "reflection", PER_ANGSTROM, "width of order 1", "Full width at half maximum of orders +-1."
    ),
    "gain": variable(
        "reflection", "1", "gain", "Fall of chi2 for each line of the comb, against no satellites."
    ),
}

COMBS: Schema = {
    "hkl": variable("reflection index", "1", "reflection", "Miller indices in the reference lattice.", "i"),
    **_COMB,
    **{f"free_{name}": entry for name, entry in _COMB.items()},
}

_LINE: Schema = {
    "line_centre": variable("", PER_ANGSTROM, "centre of order 0", "qx of order 0."),
    "line_spacing": variable(
        "", PER_ANGSTROM, "spacing of the satellites", "Distance of the orders along qx."
    ),
    "line_width": variable(
        "distance", PER_ANGSTROM, "line width", "Full width at half maximum of orders +-n."
    ),
    "line_lorentz": variable(
        "distance", "1", "Lorentzian fraction", "Share of the Lorentzian in orders +-n."
    ),
    "line_tail": variable("", "1", "tail", "Lines fall far out as qx to the power -(1 + tail)."),
}

MAP_FIT: Schema = {
    "order": variable("order", "1", "satellite order", "n of the satellite at centre + n spacing.", "i"),
    "intensity": variable(
        "order row",
        "count/angstrom",
        "order intensity",
        "Satellite integrated over qx; NaN where not measured.",
    ),
    "variance": variable(
        "order row", "count^2/angstrom^2", "variance of the order intensity", "Variance of intensity."
    ),
    "line": variable("order column", ANGSTROM, "line", "Line of unit area along qx."),
    "background": variable("column row", COUNT, "background", "Smooth background under the lines."),
    "chi2": variable("", "1", "chi2", "Misfit of the line fit per degree of freedom."),
    **_LINE,
    **{
        f"{name}_std": variable(
            " ".join(one.dims), one.units, f"{one.long_name} std", f"Standard error of {name}."
        )
        for name, one in _LINE.items()
    },
    "rod_thickness": variable("", ANGSTROM, "film thickness", "Thickness from the fringes of order 0."),
    "rod_thickness_std": variable("", ANGSTROM, "film thickness std", "Standard error of rod_thickness."),
    "rod_c": variable("", ANGSTROM, "film c", "Out-of-plane lattice parameter of the film."),
    "rod_c_std": variable("", ANGSTROM, "film c std", "Standard error of rod_c."),
    "rod_gap": variable("", ANGSTROM, "film-substrate gap", "Extra distance of film and substrate."),
    "rod_gap_std": variable("", ANGSTROM, "film-substrate gap std", "Standard error of rod_gap."),
    "rod_scale": variable("", "1", "scale", "Counts per squared amplitude, from the fit of order 0."),
    "rod_coherent": variable("", "1", "coherent share", "Share of the film's amplitude that is in order 0."),
    "rod_resolution": variable(
        "", PER_ANGSTROM, "resolution along qz", "Standard deviation of the resolution along qz."
    ),
    "rod_model": variable("row", "count/angstrom", "order 0, calculated", "Order 0 of the best thickness."),
    "rod_chi2": variable("", "1", "chi2 of order 0", "Misfit of order 0 per row."),
    "rod_summed": variable(
        "", "1", "scale by the sum", "Counts per squared amplitude, from the sum of all orders."
    ),
}

ORDERS: Schema = {
    "hkl": variable("reflection index", "1", "reflection", "Miller indices in the reference lattice.", "i"),
    "order": variable("order", "1", "satellite order", "n of the satellite at Gx + 2 pi n / period.", "i"),
    "qx": variable("reflection column", PER_ANGSTROM, "qx", "Voxel centres of the map; NaN beyond its edge."),
    "qz": variable("reflection row", PER_ANGSTROM, "qz", "Voxel centres of the map; NaN beyond its edge."),
    "intensity": variable(
        "reflection order row",
        "count/angstrom",
        "order intensity",
        "Satellite integrated over qx; NaN where not measured.",
    ),
    "variance": variable(
        "reflection order row",
        "count^2/angstrom^2",
        "order variance",
        "Variance of the order intensity, line fit included.",
    ),
    "held_out": variable(
        "reflection order row",
        "1",
        "held out",
        "Non-zero where the inversion does not see the value (free chi2).",
        "u",
    ),
    "line": variable(
        "reflection order column",
        ANGSTROM,
        "line shape",
        "Unit-area line of the order, averaged over each voxel.",
    ),
    "background": variable(
        "reflection column row", COUNT, "background", "Fitted background under the orders."
    ),
    "line_position": variable(
        "reflection order", PER_ANGSTROM, "line position", "Centre of the order along qx."
    ),
    "line_width": variable(
        "reflection order", PER_ANGSTROM, "line width", "Full width at half maximum of the order along qx."
    ),
    "line_width_std": variable(
        "reflection order", PER_ANGSTROM, "line width std", "Standard error of line_width."
    ),
    "line_lorentz": variable(
        "reflection order", "1", "Lorentzian fraction", "Pseudo-Voigt mixing of the line, 1 is Lorentzian."
    ),
    "line_chi2": variable(
        "reflection", "1", "reduced chi2 of the line fit", "Weighted squared residual per degree of freedom."
    ),
    "scale": variable(
        "reflection", "1", "relative scale", "Factor that multiplies the model of this reflection."
    ),
    "energy": variable("reflection", "keV", "photon energy", "Energy of the incident beam."),
    "period": variable("", ANGSTROM, "period", PERIOD),
    "period_std": variable("", ANGSTROM, "period std", PERIOD_STD),
    "correlation_length": variable(
        "",
        ANGSTROM,
        "correlation length",
        "In-plane length over which the texture keeps its phase, 2 / FWHM of order 1, resolution removed.",
    ),
    "correlation_length_std": variable(
        "", ANGSTROM, "correlation length std", "Standard error of correlation_length."
    ),
    "in_plane": variable("", ANGSTROM, "film in-plane lattice parameter", "From the position of order 0."),
    "in_plane_std": variable(
        "", ANGSTROM, "film in-plane lattice parameter std", "Standard error of in_plane."
    ),
    "c": variable(
        "", ANGSTROM, "film mean out-of-plane lattice parameter", "From the film peak and fringes of order 0."
    ),
    "c_std": variable("", ANGSTROM, "film c std", "Standard error of c."),
    "thickness": variable("", ANGSTROM, "film thickness", "From the fringes of order 0."),
    "thickness_std": variable("", ANGSTROM, "film thickness std", "Standard error of thickness."),
    "gap": variable(
        "",
        ANGSTROM,
        "film-substrate gap",
        "Extra distance between the last substrate and the first film plane.",
    ),
    "gap_std": variable("", ANGSTROM, "film-substrate gap std", "Standard error of gap."),
    "fringe_spacing": variable("", PER_ANGSTROM, "fringe spacing", "2 pi / thickness."),
    "correlated_rows": variable(
        "reflection",
        "1",
        "correlated rows",
        "Neighbouring rows that share pixels, so that their mean is less certain by the root of this number.",
        optional=True,
    ),
    "resolution_qz": variable(
        "reflection", PER_ANGSTROM, "resolution along qz", "Gaussian sigma of the instrument along qz."
    ),
    "temperature": variable("", "K", "temperature", "Sample temperature; NaN where unknown."),
}

REFERENCE: Schema = {
    "z": variable("z", ANGSTROM, "z", "Lower face of every plane of cells above the substrate interface."),
    "spacing": variable("z", ANGSTROM, "plane spacing", "Reference c of every plane of cells."),
    "layer": variable("z", "1", "layer", "Layer of the recipe's stack that the plane belongs to.", "i"),
    "in_plane": variable(
        "", ANGSTROM, "reference in-plane lattice parameter", "In-plane lattice parameter of the recipe."
    ),
    "c": variable(
        "", ANGSTROM, "film mean out-of-plane lattice parameter", "Mean over temperatures of the fitted c."
    ),
    "thickness": variable("", ANGSTROM, "reference thickness", "Sum of the spacings."),
    "thickness_std": variable(
        "",
        ANGSTROM,
        "reference thickness std",
        "From chi2 of films some planes thinner and thicker, with the texture relaxed in each.",
        optional=True,
    ),
    "period": variable("", ANGSTROM, "period", "Mean over temperatures of the fitted period."),
}
