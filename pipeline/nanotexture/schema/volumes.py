"""The same for textures that are periodic in both directions of the plane."""

from __future__ import annotations

from nanotexture.schema.answer import RESULT_CLUSTERS, RESULT_MAP, RESULT_ORDERS, RESULT_TEXTURE, RESULT_TRUTH
from nanotexture.schema.measured import MAP, ORDERS
from nanotexture.schema.solved import CLUSTERS, SOLUTIONS
from nanotexture.schema.variables import (
    ANGSTROM,
    COUNT,
    PER_ANGSTROM,
    PER_AREA,
    TEMPERATURE,
    Schema,
    Variable,
    one_temperature,
    variable,
)

_SECOND: Schema = {
    "y": variable(
        "y", "1", "y", "Position along the second direction of the plane as a fraction of its period."
    ),
    "qy": variable("qy", PER_ANGSTROM, "qy", "In-plane momentum transfer across qx, voxel centres."),
}


def in_volume(schema: Schema) -> dict[str, Variable]:
    """The same variables of a texture that is periodic along x and y: an axis y beside x, qy beside qx, integrals over both."""
    found: dict[str, Variable] = {}
    for name, v in schema.items():
        dims = " ".join(v.dims).replace("x z", "x y z").replace("qx qz", "qx qy qz").split()
        units = PER_AREA.get(v.units, v.units)
        found[name] = Variable(tuple(dims), units, v.long_name, v.comment, v.kind, v.optional)
    first = {"y": "x", "qy": "qx"}
    axes = {n: _SECOND[n] for n, other in first.items() if other in schema and schema[other].dims == (other,)}
    return found | axes


VOLUME_ORDERS: Schema = {
    **in_volume(ORDERS),
    "order_y": variable(
        "order", "1", "satellite order along y", "m of the satellite at Gy + 2 pi m / period_y.", "i"
    ),
    "qy": variable(
        "reflection column_y", PER_ANGSTROM, "qy", "Voxel centres of the map; NaN beyond its edge."
    ),
    "line_y": variable(
        "reflection order column_y",
        ANGSTROM,
        "line shape along qy",
        "Unit-area line, averaged over each voxel.",
    ),
    "band": variable(
        "reflection column_y", "1", "band", "Order along qy, from the lowest up, whose background holds.", "i"
    ),
    "background": variable(
        "reflection band_number column row",
        COUNT,
        "background",
        "Fitted background of a voxel in each band of qy.",
    ),
    "line_position_y": variable(
        "reflection order", PER_ANGSTROM, "line position along qy", "Centre along qy."
    ),
    "line_width_y": variable(
        "reflection order", PER_ANGSTROM, "line width along qy", "Full width at half maximum along qy."
    ),
    "period_y": variable("", ANGSTROM, "period along y", "In-plane period of the texture along y."),
    "period_y_std": variable("", ANGSTROM, "period along y std", "Standard error of period_y."),
    "correlation_length_y": variable(
        "", ANGSTROM, "correlation length along y", "Length along y over which the texture keeps its phase."
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
    "order_y": variable(
        "order_y", "1", "satellite order along y", "m of the satellite at Gy + 2 pi m / period_y.", "i"
    ),
    **{
        name: variable(
            f"{TEMPERATURE} order order_y",
            PER_ANGSTROM,
            VOLUME_ORDERS[name].long_name,
            VOLUME_ORDERS[name].comment,
        )
        for name in ("line_position_y", "line_width_y")
    },
}

VOLUME_RESULT_CLUSTERS: Schema = in_volume(RESULT_CLUSTERS)

VOLUME_RESULT_TEXTURE: Schema = {
    **in_volume(RESULT_TEXTURE),
    "rotation": variable(
        f"{TEMPERATURE} component x y z",
        "rad",
        "rotation",
        "Lattice rotation about x, y, z; about y (du_x/dz - du_z/dx) / 2, the others in turn; NaN where not determined.",
    ),
    "y_position": variable(f"{TEMPERATURE} y", ANGSTROM, "y position", "y times the period along y."),
    "y_shift": variable(TEMPERATURE, "1", "shift along y", "As x_shift, along y.", optional=True),
    **{
        name: variable(TEMPERATURE, ANGSTROM, VOLUME_ORDERS[name].long_name, VOLUME_ORDERS[name].comment)
        for name in ("period_y", "period_y_std", "correlation_length_y")
    },
}

VOLUME_TEXTURE: Schema = one_temperature(VOLUME_RESULT_TEXTURE, ("amplitude_correlation",))

VOLUME_RESULT_TRUTH: Schema = {
    name: VOLUME_RESULT_TEXTURE[name]
    for name in (*RESULT_TRUTH, "y", "y_position", "period_y", "period_y_std", "correlation_length_y")
}

VOLUME_TRUTH: Schema = one_temperature(VOLUME_RESULT_TRUTH)

DIRECTIONS: Schema = {
    "both": variable(
        "",
        "1",
        "periodic in both directions",
        "1 where a comb of satellites stands along qy too, else 0.",
        "i",
    ),
}
