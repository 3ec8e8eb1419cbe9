"""What follows from a texture: domains, energy, the trend with temperature."""

from __future__ import annotations

from nanotexture.schema.answer import RESULT_TEXTURE
from nanotexture.schema.variables import ANGSTROM, DEGREE, POLAR, TEMPERATURE, Schema, variable

_TW = f"{TEMPERATURE} wall"

_DRAWN = "Standard deviation over fields drawn within theirs."

DOMAINS: Schema = {
    "domain": variable(
        f"{TEMPERATURE} x z",
        "1",
        "domain",
        "Index into `state` of the domain of each point; NaN where not determined.",
    ),
    "state": variable(
        "state", "1", "state", "Direction of P, or the level of the strain that the domains are told by.", "U"
    ),
    "area_fraction": variable(
        f"{TEMPERATURE} state",
        "1",
        "area fraction",
        "Share of the motif's area in each state, of the points whose state is known.",
    ),
    "area_fraction_std": variable(f"{TEMPERATURE} state", "1", "area fraction std", _DRAWN),
    "duty": variable(
        TEMPERATURE, "1", "duty", "Share of the domain that takes most area; points in no domain left out."
    ),
    "duty_std": variable(TEMPERATURE, "1", "duty std", _DRAWN),
    "wall_rising": variable(
        _TW, "1", "sense of the wall", "1 where the field grows along x at the wall, else -1."
    ),
    "wall_position": variable(
        f"{_TW} z",
        ANGSTROM,
        "wall position",
        "Where the wall is along x at each height, within one period; NaN where it is not determined.",
    ),
    "wall_position_std": variable(f"{_TW} z", ANGSTROM, "wall position std", _DRAWN),
    "wall_width_profile": variable(
        f"{_TW} z",
        ANGSTROM,
        "wall width at each height",
        "w of a fit of tanh(2 s / w), s across the wall; no narrower than the finest harmonic of the motif.",
    ),
    "wall_width_profile_std": variable(f"{_TW} z", ANGSTROM, "wall width at each height std", _DRAWN),
    "wall_mean_position": variable(
        _TW,
        ANGSTROM,
        "mean wall position",
        "Place along x, at half the height, of a straight line through the wall.",
    ),
    "wall_mean_position_std": variable(_TW, ANGSTROM, "mean wall position std", _DRAWN),
    "wall_spread": variable(
        _TW, ANGSTROM, "spread of the wall", "rms distance along x of the wall from its straight line."
    ),
    "wall_spread_std": variable(_TW, ANGSTROM, "spread of the wall std", _DRAWN),
    "wall_inclination": variable(
        _TW,
        DEGREE,
        "inclination of the wall",
        "Angle of its straight line from the film normal, positive towards +x with height.",
    ),
    "wall_inclination_std": variable(_TW, DEGREE, "inclination of the wall std", _DRAWN),
    "wall_width": variable(_TW, ANGSTROM, "wall width", "Median over the heights of wall_width_profile."),
    "wall_width_std": variable(_TW, ANGSTROM, "wall width std", _DRAWN),
    "vorticity": variable(
        f"{TEMPERATURE} x z",
        "C/m^3",
        "vorticity of the polarization",
        "(curl P)_y = dP_x/dz - dP_z/dx, positive turns z towards x; NaN unless P_x and P_z are determined.",
    ),
    "layer_bottom": variable(
        "layer", ANGSTROM, "lower face of the layer", "Layers of one material, from the substrate up."
    ),
    "layer_top": variable(
        "layer", ANGSTROM, "upper face of the layer", "Layers of one material, from the substrate up."
    ),
    "layer_vortices": variable(
        f"{TEMPERATURE} layer",
        "1",
        "vortices",
        "Cores of winding number +1 in one period of the layer; NaN where P is not determined or below its error.",
    ),
    "layer_antivortices": variable(
        f"{TEMPERATURE} layer", "1", "antivortices", "Cores of winding number -1 in one period of the layer."
    ),
    "layer_confidence": variable(
        f"{TEMPERATURE} layer",
        "1",
        "confidence of the cores",
        "Share of the fields drawn within their standard deviations that have as many cores of either kind.",
    ),
    "core_x": variable(
        f"{TEMPERATURE} core",
        ANGSTROM,
        "core along x",
        "Where a vortex or antivortex is; NaN beyond the last.",
    ),
    "core_x_std": variable(f"{TEMPERATURE} core", ANGSTROM, "core along x std", _DRAWN),
    "core_z": variable(
        f"{TEMPERATURE} core", ANGSTROM, "height of the core", "Height of a vortex or antivortex."
    ),
    "core_z_std": variable(f"{TEMPERATURE} core", ANGSTROM, "height of the core std", _DRAWN),
    "core_winding": variable(
        f"{TEMPERATURE} core",
        "1",
        "winding number",
        "Turns of P around the core: 1 for a vortex of either sense, else -1.",
    ),
    "core_circulation": variable(
        f"{TEMPERATURE} core",
        "C/m",
        "circulation",
        "Integral of the vorticity over the part of the layer nearest to the core; its sign is the sense of rotation.",
    ),
    "core_circulation_std": variable(f"{TEMPERATURE} core", "C/m", "circulation std", _DRAWN),
    "core_layer": variable(
        f"{TEMPERATURE} core", "1", "layer of the core", "Number of the layer, 0 at the substrate."
    ),
    "z": RESULT_TEXTURE["z"],
    "x": RESULT_TEXTURE["x"],
    "temperature": RESULT_TEXTURE["temperature"],
}

_J = "J/m^3"

_MEAN = "Mean over the points of the motif where it is known."

ENERGY: Schema = {
    "elastic": variable(
        f"{TEMPERATURE} x z",
        _J,
        "elastic energy density",
        "C e e / 2, e the strain from the reference lattice less the varying part of the eigenstrain of P; no misfit.",
    ),
    "landau": variable(
        f"{TEMPERATURE} x z",
        _J,
        "Landau energy density",
        "Landau polynomial of P at zero stress, at the sample's temperature, or 298.15 K where unknown; P_y is taken as 0.",
    ),
    "gradient": variable(
        f"{TEMPERATURE} x z",
        _J,
        "gradient energy density",
        "Gradient energy of P_x and P_z in the plane; P_y is taken as 0.",
    ),
    **{
        name: variable(TEMPERATURE, _J, f"mean {long} energy density", text)
        for part, long in (("elastic", "elastic"), ("landau", "Landau"), ("gradient", "gradient"))
        for name, text in ((f"{part}_mean", _MEAN), (f"{part}_mean_std", _DRAWN))
    },
    "z": RESULT_TEXTURE["z"],
    "x": RESULT_TEXTURE["x"],
    "temperature": RESULT_TEXTURE["temperature"],
}

_CAUTIOUS = "If all points err together, the cautious limit."

SERIES: Schema = {
    "order_parameter": variable(
        TEMPERATURE,
        "1",
        "order parameter",
        "Amplitude of the strongest determined component over its largest value in the series.",
    ),
    "order_parameter_std": variable(TEMPERATURE, "1", "order parameter std", _CAUTIOUS),
    "order_fit": variable(
        TEMPERATURE,
        "1",
        "fitted order parameter",
        "The curve chosen: constant, straight line, power law, mean field or step.",
    ),
    "satellite_amplitude": variable(
        TEMPERATURE,
        "1",
        "satellite amplitude",
        "Root of the satellites' share of all orders, mean over reflections: an order parameter without an inversion.",
    ),
    "satellite_amplitude_std": variable(
        TEMPERATURE, "1", "satellite amplitude std", "From the variance of the orders."
    ),
    "satellite_fit": variable(
        TEMPERATURE,
        "1",
        "fitted satellite amplitude",
        "The curve chosen: constant, straight line, power law, mean field or step.",
    ),
    "satellite_transition_temperature": variable(
        "",
        "K",
        "transition temperature of the satellites",
        "Of the curve chosen for satellite_amplitude; else NaN.",
    ),
    "satellite_transition_temperature_std": variable(
        "", "K", "transition temperature of the satellites std", "Spread of the temperatures that fit."
    ),
    "strain_amplitude": variable(
        TEMPERATURE,
        "1",
        "strain amplitude",
        "rms over the motif of the strongest determined strain, rotation or gradient along Q less its mean along x.",
    ),
    "strain_amplitude_std": variable(TEMPERATURE, "1", "strain amplitude std", _CAUTIOUS),
    "polarization_amplitude": variable(
        TEMPERATURE,
        POLAR,
        "polarization amplitude",
        "rms over the motif of the strongest determined component of P less its mean along x.",
    ),
    "polarization_amplitude_std": variable(TEMPERATURE, POLAR, "polarization amplitude std", _CAUTIOUS),
    "polarization_rms": variable(
        TEMPERATURE, POLAR, "rms polarization", "rms of |P| over the motif, of the components known."
    ),
    "polarization_rms_std": variable(TEMPERATURE, POLAR, "rms polarization std", _CAUTIOUS),
    "period": RESULT_TEXTURE["period"],
    "period_std": RESULT_TEXTURE["period_std"],
    "mean_strain": variable(
        f"{TEMPERATURE} strain_component",
        "1",
        "mean strain",
        "Film lattice over the reference lattice less one (xx, zz); mean of the motif's shear (xz).",
    ),
    "mean_strain_std": variable(
        f"{TEMPERATURE} strain_component",
        "1",
        "mean strain std",
        "From the standard errors of the lattice parameters.",
    ),
    "wall_width": variable(TEMPERATURE, ANGSTROM, "wall width", "Mean over the walls of /domains."),
    "wall_width_std": variable(TEMPERATURE, ANGSTROM, "wall width std", "Walls taken as independent."),
    "duty": DOMAINS["duty"],
    "duty_std": DOMAINS["duty_std"],
    "transition_temperature": variable(
        "", "K", "transition temperature", "Of the curve chosen; NaN where the series shows no transition."
    ),
    "transition_temperature_std": variable(
        "",
        "K",
        "transition temperature std",
        "Spread of the temperatures that fit, the curve taken as given.",
    ),
    "order_exponent": variable(
        "", "1", "exponent", "beta of b + a (1 - T/Tc)^beta, 0.5 for a mean field; NaN for other curves."
    ),
    "temperature": RESULT_TEXTURE["temperature"],
}
